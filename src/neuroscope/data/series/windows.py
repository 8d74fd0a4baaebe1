"""What is known at a moment and what comes after it: windows of a panel that never look ahead.

An origin is a series and a number of readings that are known; the forecast begins behind them. A
gap is bridged by a straight line where the reading behind it is known by then, else the last value
is carried on, so that no window knows what its origin does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from neuroscope.data.series.panel import Panel

_NUMBERS_AT_ONCE = 1 << 21


@dataclass(frozen=True, eq=False)
class Windows:
    """The last `look_back` readings before each of n origins.

    `series` (n,) and `at` (n,) int64: the series, and how many of its readings are known. A series
    that is shorter than the window begins with its first value.
    """

    panel: Panel
    series: np.ndarray
    at: np.ndarray
    look_back: int

    def __len__(self) -> int:
        return len(self.series)

    @property
    def nbytes(self) -> int:
        """Bytes that are held for the origins themselves."""
        return self.series.nbytes + self.at.nbytes

    def values(self) -> np.ndarray:
        """Return the windows (n, look_back) float64."""
        return self._filled(-self.look_back, 0)

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield the windows some rows at a time."""
        size = max(_NUMBERS_AT_ONCE // self.look_back, 1)
        for first in range(0, len(self), size):
            part = slice(first, first + size)
            yield Windows(self.panel, self.series[part], self.at[part], self.look_back).values()

    def truth(self, horizon: int) -> np.ndarray:
        """Return the readings that follow (n, horizon); NaN in gaps and behind the last one."""
        place = self._places(0, horizon)
        outside = place >= self.panel.bounds[self.series + 1][:, None]
        found = self.panel.values[np.minimum(place, len(self.panel.values) - 1)]
        found[outside] = np.nan
        return found

    def targets(self, horizon: int) -> np.ndarray:
        """Return the readings that follow (n, horizon) with gaps filled, to learn from.

        What is filled in knows no reading behind the horizon.
        """
        return self._filled(0, horizon)

    def _places(self, start: int, stop: int) -> np.ndarray:
        begin = self.panel.bounds[self.series] + self.at
        return begin[:, None] + np.arange(start, stop)

    def _filled(self, start: int, stop: int) -> np.ndarray:
        """Return readings (n, stop - start) that know nothing from place `stop` on."""
        panel, place = self.panel, self._places(start, stop)
        low, high = panel.bounds[self.series][:, None], panel.bounds[self.series + 1][:, None]
        known = np.minimum(low + self.at[:, None] + stop, high)
        place = np.clip(place, low, high - 1)
        seen = panel.next_known[place] < known
        return np.where(seen, panel.bridged[place], panel.carried[place])


def spread(windows: np.ndarray) -> np.ndarray:
    """Return the standard deviation of each window (n, t), at least a hair above 0."""
    level = np.abs(windows).max(axis=1)
    return np.maximum(windows.std(axis=1), 1e-9 * level + 1e-12)
