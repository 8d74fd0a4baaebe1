"""Dates and times: where in the day, the week and the year, and how the time goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from neuroscope.data.columns import Cells
from neuroscope.data.encoders.code import Tally, robust_scale, scaled

_DAY = 86_400.0  # seconds
_YEAR = 365.2425 * _DAY  # mean Gregorian year
_VARIES = 0.01  # share of a cycle below which the moments are all in the same place of it
_CYCLES = ("time of day", "day of week", "time of year")


@dataclass(frozen=True)
class Dates:
    """Sine and cosine of each cycle that varies, a scaled trend, a flag for missing."""

    kind: ClassVar[str] = "dates"
    column: str
    center: float  # seconds since 1970, UTC
    spread: float  # seconds
    cycles: tuple[str, ...]
    flag: bool

    @classmethod
    def fit(cls, cells: Cells) -> Dates:
        """Learn which cycles vary, and the middle and spread of the moments."""
        given = cells.moments()
        known = given[np.isfinite(given)]
        center, spread = robust_scale(known)
        cycles = tuple(c for c in _CYCLES if len(known) and np.ptp(_turns(known, c)) > _VARIES)
        return cls(cells.column, center, spread, cycles, flag=0 < len(known) < len(given))

    @property
    def names(self) -> list[str]:
        """Return the names of trend, cycles and flag."""
        waves = [f"{self.column} {c} ({w})" for c in self.cycles for w in ("sine", "cosine")]
        trend = [f"{self.column} (trend)"] * (self.spread > 0)
        return trend + waves + [f"{self.column} is missing"] * self.flag

    def write(self, cells: Cells, out: np.ndarray) -> Tally:
        """Write trend, cycles and flag; a missing moment is 0 in trend and cycles."""
        given = cells.moments()
        known = np.isfinite(given)
        given = np.where(known, given, self.center)
        if self.spread > 0:
            out[:, 0] = scaled(given, self.center, self.spread)
        first = int(self.spread > 0)
        for i, cycle in enumerate(self.cycles):
            angle = 2 * np.pi * _turns(given, cycle)
            out[:, first + 2 * i] = np.sin(angle) * known
            out[:, first + 2 * i + 1] = np.cos(angle) * known
        if self.flag:
            out[:, -1] = ~known
        return Tally(missing=int((~known).sum()))

    def describe(self) -> str:
        """Return in plain words what becomes of the moments."""
        parts = (
            [*self.cycles] + ["a trend"] * (self.spread > 0) + ["a flag for missing"] * self.flag
        )
        return ", ".join(parts) if parts else "has one value in the training rows"


def _turns(seconds: np.ndarray, cycle: str) -> np.ndarray:
    """Return how far each moment is in its cycle, from 0 to 1."""
    if cycle == "time of day":
        turns = seconds / _DAY
    elif cycle == "day of week":
        turns = np.floor(seconds / _DAY) / 7
    else:
        turns = seconds / _YEAR
    return turns - np.floor(turns)
