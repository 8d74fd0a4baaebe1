"""The numbers beside the targets at any step of any series: what is known, and up to when.

Columns known up to now are read at steps before the origin only, whatever is asked for; those known
ahead, and the calendar, at steps to come as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from neuroscope.data.series.beside import calendar
from neuroscope.data.series.beside.codes import Code
from neuroscope.data.series.beside.lines import Lines
from neuroscope.data.series.frequency import Frequency


class Lack(NamedTuple):
    """A column that is known ahead and is not there: steps without a value, and the first."""

    column: str
    steps: int
    series: int
    place: int


@dataclass(frozen=True, eq=False)
class Beside:
    """Codes (m, c) of the lines' steps, columns known ahead first, and parts of the calendar."""

    frequency: Frequency
    zone: str
    codes: tuple[Code, ...]
    parts: tuple[str, ...]  # of the calendar
    line: np.ndarray  # (s,) int64, the line of each series
    first: np.ndarray  # (o,) int64, place of its first step on the grid
    bounds: np.ndarray  # (o + 1,) int64
    values: np.ndarray  # (m, c) float32
    blank: np.ndarray  # (m, columns) bool, a column that is known ahead has no value there

    @property
    def ahead(self) -> int:
        """Columns of codes that are known ahead; they come first."""
        return sum(code.width for code in self.codes if code.ahead)

    @property
    def past(self) -> int:
        """Columns of codes that are known up to now."""
        return sum(code.width for code in self.codes) - self.ahead

    @property
    def future(self) -> int:
        """Columns of `coming`: those known ahead and the calendar's."""
        return self.ahead + calendar.width(self.parts)

    def seen(self, series: np.ndarray, place: np.ndarray, until: np.ndarray) -> np.ndarray:
        """Return the codes (n, t, c) at places (n, t) on the grid.

        Columns known up to now say nothing of places from `until` (n,) on: there the last step
        before it stands.
        """
        now = self.values[self._at(series, place)]
        if self.past and (place >= until[:, None]).any():
            then = self.values[self._at(series, np.minimum(place, until[:, None] - 1))]
            now[..., self.ahead :] = then[..., self.ahead :]
        return now

    def coming(self, series: np.ndarray, place: np.ndarray) -> np.ndarray:
        """Return what is known ahead (n, h, future) at places (n, h): columns, and the calendar."""
        known = self.values[self._at(series, place)][..., : self.ahead]
        days = calendar.codes(self.frequency, self.zone, self.parts, place)
        return np.concatenate([known, days], axis=-1)

    def lacking(self, series: np.ndarray, place: np.ndarray) -> list[Lack]:
        """Return which columns that are known ahead have no value at places (n, h) of series."""
        if not self.ahead:
            return []
        line = self.line[series][:, None]
        there = (place >= self.first[line]) & (place - self.first[line] < self._lengths[line])
        gone = self.blank[self._at(series, place)] | ~there[..., None]
        found = []
        for number, code in enumerate(code for code in self.codes if code.ahead):
            rows, steps = np.nonzero(gone[..., number])
            if len(rows):
                at = rows[0], steps[0]
                found.append(Lack(code.name, len(rows), int(series[at[0]]), int(place[at])))
        return found

    @property
    def _lengths(self) -> np.ndarray:
        return np.diff(self.bounds)

    def _at(self, series: np.ndarray, place: np.ndarray) -> np.ndarray:
        """Return where in `values` places (n, t) are; beyond a line its ends stand."""
        line = self.line[series][:, None]
        return self.bounds[line] + np.clip(place - self.first[line], 0, self._lengths[line] - 1)


def beside_of(
    lines: Lines | None, owner: np.ndarray, frequency: Frequency, zone: str,
    codes: Sequence[Code], parts: Sequence[str],
) -> Beside | None:  # fmt: skip
    """Return the numbers beside series whose lines are `owner` (s,); None where there are none."""
    if not codes and not parts:
        return None
    if lines is None:
        nothing = np.zeros((len(owner), 0), np.float32)
        whole = np.arange(len(owner) + 1, dtype=np.int64)
        return Beside(frequency, zone, (), tuple(parts), whole[:-1], whole[:-1] * 0, whole,
                      nothing, nothing.astype(bool))  # fmt: skip
    codes = sorted(codes, key=lambda code: not code.ahead)
    values = np.concatenate([code.encode(lines) for code in codes], axis=1)
    blank = [lines.column(code.name).missing & (not code.optional) for code in codes if code.ahead]
    return Beside(frequency, zone, tuple(codes), tuple(parts), owner, lines.first, lines.bounds,
                  values, np.stack(blank, axis=1) if blank else np.zeros((len(values), 0), bool),
                  )  # fmt: skip
