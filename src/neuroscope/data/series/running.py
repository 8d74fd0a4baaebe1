"""Sums of series up to each reading, from which mean and deviation at any moment follow at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Running(NamedTuple):
    """Sums (m + 1,) of readings less their series' first one, and of their squares, in `sizes`.

    The size of a series (s,) is its largest distance from its first reading, 1 where there is none,
    so that a series of millions does not drown one of fractions. It is a unit of arithmetic and
    nothing else, for it knows the whole series.
    """

    total: np.ndarray
    square: np.ndarray
    sizes: np.ndarray


def running(readings: np.ndarray, bounds: np.ndarray) -> Running:
    """Return the sums of series end to end, readings (m,) without gaps and bounds (s + 1,)."""
    lengths = np.diff(bounds)
    apart = readings - np.repeat(readings[bounds[:-1]], lengths)
    most = np.maximum.reduceat(np.abs(apart), bounds[:-1])
    sizes = np.where(most > 0, most, 1.0)
    apart = apart / np.repeat(sizes, lengths)
    return Running(np.append(0.0, np.cumsum(apart)), np.append(0.0, np.cumsum(apart**2)), sizes)
