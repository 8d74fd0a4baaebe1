"""Small series for tests."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from neuroscope.data.table import Origin, Table


def days(n: int, start: str = "2021-01-01", step: str = "D") -> np.ndarray:
    """Return `n` moments a step apart."""
    return (np.datetime64(start, step) + np.arange(n)).astype("datetime64[s]")


def waves(n: int, season: int = 7, seed: int = 0, level: float = 100.0) -> np.ndarray:
    """Return a level with a season and a little noise (n,)."""
    noise = np.random.default_rng(seed).normal(0, 1, n)
    return level + 10 * np.sin(2 * np.pi * np.arange(n) / season) + noise


def table(**columns: object) -> Table:
    """Return a table of columns that came from memory."""
    return Table(pa.table(columns), Origin("memory"))


def daily(n: int = 200, **more: object) -> Table:
    """Return one series of daily readings, columns "day" and "y"."""
    return table(day=days(n), y=waves(n), **more)
