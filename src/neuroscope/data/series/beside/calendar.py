"""What the calendar says of a moment, known for any step to come: hour, weekday, month.

Each becomes one column of 0 and 1 for each of its values, in the local time of the series' zone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neuroscope.data.series.frequency import DAY, HOUR, Frequency
from neuroscope.data.series.zones import local

PARTS = {"hour": 24, "weekday": 7, "month": 12}  # values of each
_LENGTHS = {"hour": DAY, "weekday": 7 * DAY, "month": 365.25 * DAY}
_TIMES = 2  # that a cycle must have been seen before it is learned


def usual(frequency: Frequency, steps: int) -> tuple[str, ...]:
    """Return the parts that turn from step to step and that `steps` steps have seen twice."""
    if frequency.unit == "number":
        return ()
    length = {"month": 30.4375 * DAY, "business day": DAY}.get(frequency.unit, 1.0) * frequency.step
    turning = {"hour": length < DAY, "weekday": length < 7 * DAY, "month": length < 300 * DAY}
    return tuple(
        part
        for part, turns in turning.items()
        if turns and steps * length >= _TIMES * _LENGTHS[part]
    )


def names(parts: Sequence[str]) -> tuple[str, ...]:
    """Return what the columns of `codes` are called."""
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    months = ("January", "February", "March", "April", "May", "June", "July", "August",
              "September", "October", "November", "December")  # fmt: skip
    said = {"hour": [f"{hour}:00" for hour in range(24)], "weekday": days, "month": months}
    return tuple(name for part in parts for name in said[part])


def width(parts: Sequence[str]) -> int:
    """Return how many columns `codes` has."""
    return sum(PARTS[part] for part in parts)


def codes(
    frequency: Frequency, zone: str, parts: Sequence[str], place: np.ndarray
) -> np.ndarray:  # (..., width)
    """Return 0 and 1 for places on the grid, of any shape, float32."""
    if not place.size or not parts:
        return np.zeros((*place.shape, width(parts)), np.float32)
    low, high = int(place.min()), int(place.max())
    moments = frequency.moments(np.arange(low, high + 1))
    if not frequency.wall:
        moments = local(moments, zone)
    found = [np.eye(PARTS[part], dtype=np.float32)[_values(part, moments)] for part in parts]
    return np.concatenate(found, axis=1)[place - low]


def _values(part: str, moments: np.ndarray) -> np.ndarray:
    """Return which value of a part (n,) int64 local moments have."""
    if part == "hour":
        return (moments // HOUR).astype(np.int64) % 24
    if part == "weekday":
        return ((moments // DAY).astype(np.int64) + 3) % 7  # 1970 began on a Thursday
    months = np.floor(moments).astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
    return months % 12
