"""Honest numbers: metrics, intervals, comparison, calibration. Takes arrays."""
