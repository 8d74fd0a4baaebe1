"""Neuroscope: deep learning you can see through, on your own data."""

__version__ = "0.1.0"
