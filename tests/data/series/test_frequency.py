"""Grids: steps are inferred, and a moment goes to its place and back."""

from __future__ import annotations

import numpy as np
import pytest

from neuroscope.base.errors import InputError, ModelError
from neuroscope.data.series.frequency import DAY, HOUR, Frequency, infer_frequency


def seconds(start: str, n: int, unit: str, every: int = 1) -> np.ndarray:
    stamps = np.datetime64(start, unit) + every * np.arange(n)
    return stamps.astype("datetime64[s]").astype(np.float64)


def workdays(n: int) -> np.ndarray:
    days = np.busday_offset("2024-01-01", np.arange(n))
    return days.astype("datetime64[s]").astype(np.float64)


def month_ends(n: int) -> np.ndarray:
    months = np.datetime64("2023-02", "M") + np.arange(n)
    return (months.astype("datetime64[D]") - 1).astype("datetime64[s]").astype(np.float64)


CASES = {
    "hours": (seconds("2024-03-30T00", 60, "h"), "1 hour", (24, 168)),
    "quarter hours": (seconds("2024-03-30T00:00", 60, "m", 15), "15 minutes", (96, 672)),
    "days": (seconds("2024-01-01", 40, "D"), "1 day", (7, 365)),
    "weeks": (seconds("2024-01-01", 40, "D", 7), "1 week", (52,)),
    "months": (seconds("1949-01", 40, "M"), "1 month", (12,)),
    "month ends": (month_ends(40), "1 month", (12,)),
    "quarters": (seconds("1949-01", 40, "M", 3), "3 months", (4,)),
    "years": (seconds("1900", 40, "Y"), "1 year", ()),
    "business days": (workdays(60), "1 business day", (5,)),
}


@pytest.mark.parametrize("name", CASES)
def test_the_step_is_found_and_moments_come_back(name: str) -> None:
    moments, words, cycles = CASES[name]
    shuffled = np.random.default_rng(0).permutation(moments)
    found = infer_frequency(shuffled, np.zeros(len(moments), np.int64), dated=True)
    assert (found.words, found.cycles) == (words, cycles)
    index, off = found.place(moments)
    assert index.tolist() == list(range(len(moments)))
    assert not off.any()
    assert found.moments(index).tolist() == moments.tolist()
    assert Frequency.from_json(found.to_json()) == found


def test_numbers_have_a_step_and_no_calendar() -> None:
    found = infer_frequency(np.array([1700.0, 1702, 1704, 1708]), np.zeros(4, int), dated=False)
    assert (found.words, found.cycles) == ("2", ())
    assert found.place(np.array([1708.0, 1709]))[1].tolist() == [False, True]


def test_local_days_of_23_and_25_hours_are_one_step() -> None:
    moments = np.arange(10) * DAY
    moments[4:] += HOUR  # the clocks change
    found = infer_frequency(moments, np.zeros(10, np.int64), dated=True)
    index, off = found.place(moments)
    assert index.tolist() == list(range(10))
    assert not off.any()


def test_without_two_moments_there_is_no_step() -> None:
    with pytest.raises(InputError, match="no step"):
        infer_frequency(np.array([5.0, 5.0]), np.zeros(2, np.int64), dated=False)
    with pytest.raises(ModelError, match="frequency"):
        Frequency.from_json({"unit": "second"})
