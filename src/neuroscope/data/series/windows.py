"""What is known at a moment and what comes after it: windows of a panel that never look ahead.

An origin is a series and a number of readings that are known; the forecast begins behind them. A
gap is bridged by a straight line where the reading behind it is known by then, else the last value
is carried on, so that no window knows what its origin does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from neuroscope.data.series.panel import Panel

_NUMBERS_AT_ONCE = 1 << 21
_STILL = 1e-6  # of a series' largest move, up to which rounding may have moved it
_QUIET = 0.1  # of a series' spread, which a window's does not count below


class Block(NamedTuple):
    """What n origins know: readings, their scale, and what stands beside them.

    `scale` (n, 1) is the standard deviation of all readings known. `seen` (n, t, c) holds the
    columns beside, first those known ahead, then those known up to now, less their mean; `then`
    and `coming` (n, t and h, f) what is known ahead and what the calendar says, at the steps of the
    window and at those to come.
    """

    values: np.ndarray  # (n, t)
    scale: np.ndarray
    seen: np.ndarray
    then: np.ndarray
    coming: np.ndarray


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

    def some(self, rows: np.ndarray | slice) -> Windows:
        """Return the windows of some origins."""
        return Windows(self.panel, self.series[rows], self.at[rows], self.look_back)

    def parts(self, channels: int = 1) -> Iterator[Windows]:
        """Yield some origins at a time, so that windows of so many channels need little memory."""
        size = max(_NUMBERS_AT_ONCE // (self.look_back * channels), 1)
        for first in range(0, len(self), size):
            yield self.some(slice(first, first + size))

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield the windows some rows at a time."""
        for part in self.parts():
            yield part.values()

    def known(self, horizon: int) -> Iterator[Block]:
        """Yield what the origins know, some rows at a time, for `horizon` steps to come."""
        for part in self.parts(1 + columns(self.panel)):
            yield part.block(horizon)

    def block(self, horizon: int, ahead: int = 0) -> Block:
        """Return what the origins know, for `horizon` steps to come; all at once.

        With `ahead`, columns beside are read as if so many of these steps had passed already.
        """
        panel, beside, n = self.panel, self.panel.beside, len(self)
        values = self.values()
        if beside is None:
            then, coming = np.zeros((n, self.look_back, 0)), np.zeros((n, horizon, 0))
            return Block(values, np.ones((n, 1)), then, then, coming)
        origin = (panel.first[self.series] + self.at)[:, None]
        window = origin + ahead + np.arange(-self.look_back, 0)
        seen = beside.seen(self.series, window, origin[:, 0])
        seen[..., beside.ahead :] -= seen[..., beside.ahead :].mean(axis=1, keepdims=True)
        return Block(
            values,
            self.scale(),
            seen,
            beside.coming(self.series, window),
            beside.coming(self.series, origin + ahead + np.arange(horizon)),
        )

    def scale(self) -> np.ndarray:
        """Return the standard deviation of all readings up to each origin (n, 1), above 0."""
        total, square, sizes = self.panel.running
        begin = self.panel.bounds[self.series]
        count = np.maximum(self.at, 1)
        mean = (total[begin + self.at] - total[begin]) / count
        power = (square[begin + self.at] - square[begin]) / count
        variance = np.maximum(power - mean**2, 0.0)
        found = np.sqrt(np.maximum(variance, 1e-12 * np.maximum(power, 1e-12)))
        return (found * sizes[self.series])[:, None]

    def spreads(self) -> np.ndarray:
        """Return the unit (n,) of an interval: the window's spread, or a tenth of the series'.

        A quiet stretch does not say that nothing will come: the spread of all readings known by
        then stands behind that of the window. 0 where all of them are the same.
        """
        found = []
        for part in self.parts():
            readings, scale = part.values(), part.scale()[:, 0]
            moved = scale > _STILL * self.panel.running.sizes[part.series]
            unit = np.maximum(readings.std(axis=1), _QUIET * scale * moved)
            least = 1e-9 * np.abs(readings).max(axis=1) + 1e-12
            found.append(np.where(unit > least, unit, 0.0))
        return np.concatenate(found) if found else np.zeros(0)

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


@dataclass(frozen=True, eq=False)
class Later:
    """The same origins when `ahead` steps were forecast, which are read as readings."""

    windows: Windows
    read: np.ndarray  # (n, look_back)
    ahead: int

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield the readings."""
        yield self.read

    def known(self, horizon: int) -> Iterator[Block]:
        """Yield what is known, all at once."""
        yield self.windows.block(horizon, self.ahead)._replace(values=self.read)


def columns(panel: Panel) -> int:
    """Return how many numbers stand beside each reading of a panel, at a step seen or to come."""
    return 0 if panel.beside is None else panel.beside.future + panel.beside.past


def spread(windows: np.ndarray) -> np.ndarray:
    """Return the standard deviation of each window (n, t), at least a hair above 0."""
    level = np.abs(windows).max(axis=1)
    return np.maximum(windows.std(axis=1), 1e-9 * level + 1e-12)
