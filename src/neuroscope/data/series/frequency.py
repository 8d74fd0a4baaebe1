"""How far apart the moments of a series are: the grid on which they lie, and what lies off it.

A grid numbers moments 0, 1, 2, …: in plain numbers, in seconds, in months (a year is twelve of
them) or in business days. Months differ in length and a day in local time has 23 to 25 hours; on
their grid they are one step each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from neuroscope.base.errors import InputError, ModelError

Unit = Literal["number", "second", "business day", "month"]

HOUR, DAY = 3600.0, 86_400.0
_SAME = 1e-3  # share of a step by which a moment may miss the grid
_CLOCK_CHANGE = HOUR  # by which a day may start early or late where clocks change
_MONTH_DAYS = (28, 31)
_FEWEST_WORKDAYS = 10  # steps without a weekend below which weekdays prove nothing
_NAMES = {1.0: "second", 60.0: "minute", HOUR: "hour", DAY: "day", 7 * DAY: "week"}
_CYCLES: tuple[tuple[float, tuple[float, ...]], ...] = (
    (HOUR / 60, (HOUR, DAY)),
    (DAY / 2, (DAY, 7 * DAY)),
    (DAY, (7 * DAY, 365.25 * DAY)),
    (7 * DAY, (365.25 * DAY,)),
)


@dataclass(frozen=True)
class Frequency:
    """The grid `start + step * index`; months count from January 1970, business days from Monday.

    `start` is a moment: a number, or seconds since 1970, as local clocks show them where `wall`.
    """

    unit: Unit
    step: float
    start: float

    @property
    def words(self) -> str:
        """The step in words: "1 hour", "3 months"."""
        if self.unit == "number":
            return f"{self.step:g}"
        if self.unit == "month":
            return _counted(self.step / 12, "year") if self.step % 12 == 0 else _counted(
                self.step, "month")  # fmt: skip
        if self.unit == "business day":
            return _counted(self.step, "business day")
        length = max((s for s in _NAMES if self.step % s == 0), default=1.0)
        return _counted(self.step / length, _NAMES[length])

    @property
    def cycles(self) -> tuple[int, ...]:
        """Steps after which the calendar repeats itself, shortest first; empty for numbers."""
        if self.unit == "number":
            return ()
        if self.unit == "business day":
            return (round(5 / self.step),) if self.step < 5 else ()
        if self.unit == "month":
            return (round(12 / self.step),) if self.step < 12 else ()
        lengths = next((found for most, found in _CYCLES if self.step <= most), ())
        return tuple(steps for length in lengths if (steps := round(length / self.step)) > 1)

    def place(self, moments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the index of each moment (n,) int64, and which of them lie off the grid."""
        if self.unit == "month":
            months = _months(moments) - _months(np.array([self.start]))[0]
            index = np.floor_divide(months, int(self.step))
            return index, months % int(self.step) != 0
        if self.unit == "business day":
            days = _workdays(moments) - _workdays(np.array([self.start]))[0]
            index = np.rint(days / self.step)
            return index.astype(np.int64), ~_on_workdays(moments)
        exact = (moments - self.start) / self.step
        index = np.rint(exact)
        slack = _CLOCK_CHANGE / self.step if self._of_days else _SAME
        return index.astype(np.int64), np.abs(exact - index) > slack + 1e-9

    def moments(self, index: np.ndarray) -> np.ndarray:
        """Return the moments (n,) of indices (n,); of months the day of `start`, or the last."""
        if self.unit == "month":
            return _month_moments(index * int(self.step), self.start)
        if self.unit == "business day":
            first = np.datetime64(int(self.start // DAY), "D")
            days = np.busday_offset(first, (index * self.step).astype(np.int64), roll="forward")
            return days.astype(np.int64) * DAY + self.start % DAY
        return self.start + index * self.step

    @property
    def wall(self) -> bool:
        """Whether the grid counts what local clocks show: an hour may come twice there, no day."""
        return self.unit != "second" or self.step > HOUR

    @property
    def _of_days(self) -> bool:
        return self.unit == "second" and self.step % DAY == 0

    def to_json(self) -> dict[str, Any]:
        """Return the grid as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Frequency:
        """Build the grid that `to_json` wrote; ModelError for anything else."""
        try:
            return cls(record["unit"], float(record["step"]), float(record["start"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"the model's frequency cannot be read: {error!r}") from error


def infer_frequency(moments: np.ndarray, series: np.ndarray, *, dated: bool) -> Frequency:
    """Return the grid of moments (n,) of several series, by their most common step.

    `series` (n,) numbers the series; moments may be unsorted and doubled. `dated` moments are
    seconds since 1970, others plain numbers. Raises InputError where no series has two moments.
    """
    order = np.lexsort((moments, series))
    sorted_moments, owner = moments[order], series[order]
    steps = np.diff(sorted_moments)
    steps = steps[(np.diff(owner) == 0) & (steps > 0)]
    if not len(steps):
        raise InputError(
            "no series has two different times, so there is no step from one to the next",
            remedy="name the column that orders the rows in time with --time",
        )
    start = float(moments.min())
    if not dated:
        return Frequency("number", _most_common(steps), start)
    usual = _most_common(steps)
    days = usual / DAY
    if days >= _MONTH_DAYS[0] and _by_months(steps):
        jumps = np.diff(_months(sorted_moments))
        jumps = jumps[(np.diff(owner) == 0) & (jumps > 0)]
        return Frequency("month", _most_common(jumps.astype(np.float64)), start)
    if usual == DAY and _skips_weekends(moments, steps):
        return Frequency("business day", 1.0, start)
    return Frequency("second", usual, start)


def _counted(number: float, noun: str) -> str:
    return f"{number:g} {noun}{'s' * (number != 1)}"


def _most_common(steps: np.ndarray) -> float:
    """Return the most common step; of equally common ones the shortest."""
    rounded = np.round(steps, 6)
    values, counts = np.unique(rounded, return_counts=True)
    return float(values[counts.argmax()])


def _by_months(steps: np.ndarray) -> bool:
    """Say whether nearly all steps are as long as some whole number of months can be."""
    days = steps / DAY
    months = np.maximum(np.rint(days / 30.4375), 1)
    near = (days >= 30.4375 * months - 3.5) & (days <= 30.4375 * months + 3.5)
    whole_weeks = np.all(days % 7 == 0)
    return bool(near.mean() > 0.9) and not whole_weeks


def _skips_weekends(moments: np.ndarray, steps: np.ndarray) -> bool:
    return len(steps) >= _FEWEST_WORKDAYS and bool(_on_workdays(moments).all()) and bool(
        np.isin(steps, [3 * DAY]).any()
    )  # fmt: skip


def _dates(moments: np.ndarray, unit: str) -> np.ndarray:
    return np.floor(moments).astype("datetime64[s]").astype(f"datetime64[{unit}]")


def _months(moments: np.ndarray) -> np.ndarray:
    return _dates(moments, "M").astype(np.int64)


def _workdays(moments: np.ndarray) -> np.ndarray:
    return np.busday_count(np.datetime64("1970-01-05"), _dates(moments, "D"))


def _on_workdays(moments: np.ndarray) -> np.ndarray:
    return np.is_busday(_dates(moments, "D"))


def _month_moments(months: np.ndarray, start: float) -> np.ndarray:
    """Return moments so many months after `start`; the last day of a month stays the last one."""
    begun = _dates(np.array([start]), "D")[0]
    first = begun.astype("datetime64[M]")
    day = (begun - first.astype("datetime64[D]")).astype(np.int64)
    last = bool((begun + 1).astype("datetime64[M]") != first)
    there = first + months.astype(np.int64)
    opening = there.astype("datetime64[D]")
    length = ((there + 1).astype("datetime64[D]") - opening).astype(np.int64)
    days = opening + (length - 1 if last and day >= _MONTH_DAYS[0] - 1
                      else np.minimum(day, length - 1))  # fmt: skip
    return days.astype(np.int64) * DAY + start % DAY
