"""Columns as numbers a network can use, fitted on training rows only; one code a file."""

from neuroscope.data.encoders.encoder import Encoded, Encoder

__all__ = ["Encoded", "Encoder"]
