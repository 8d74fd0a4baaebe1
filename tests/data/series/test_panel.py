"""Tables become regular series; what is odd is set right and told, or refused with the place."""

from __future__ import annotations

import numpy as np
import pytest
from panels import daily, days, table, waves

from neuroscope.base.errors import InputError, SchemaError, TargetError
from neuroscope.data.series.panel import Layout, default_targets, panel_of
from neuroscope.data.series.panel_audit import findings

ONE = Layout("day", ("y",))


def codes(found: list) -> dict[str, str]:
    return {finding.code: finding.severity for finding in found}


def test_rows_in_any_order_give_the_same_series() -> None:
    plain = daily()
    order = np.random.default_rng(1).permutation(plain.rows)
    mixed = table(day=days(200)[order], y=waves(200)[order])
    assert panel_of(plain, ONE).values.tolist() == panel_of(mixed, ONE).values.tolist()
    assert "time_unsorted" in codes(findings(panel_of(mixed, ONE), "day", 10, 5))
    assert not findings(panel_of(plain, ONE), "day", 10, 5)


def test_doubled_times_count_once_and_clashes_are_averaged() -> None:
    when, y = days(50), np.arange(50.0)
    same = table(day=np.r_[when, when[:1]], y=np.r_[y, y[:1]])
    assert codes(findings(panel_of(same, ONE), "day", 5, 2)) == {
        "time_doubled": "notice", "time_unsorted": "info",
    }  # fmt: skip
    clash = panel_of(table(day=np.r_[when, when[3:4]], y=np.r_[y, [5.0]]), ONE)
    assert clash.values[3] == 4.0
    assert codes(findings(clash, "day", 5, 2))["time_doubled"] == "serious"
    assert clash.repairs.example == 51


def test_times_that_come_again_and_again_want_a_series_column() -> None:
    long = table(day=np.tile(days(30), 2), y=np.arange(60.0), id=np.repeat(["a", "b"], 30).tolist())
    with pytest.raises(InputError, match=r"time that was there before.*--series"):
        panel_of(long, ONE)
    panel = panel_of(long, Layout("day", ("y",), "id"))
    assert [panel.label(s) for s in range(2)] == ["a", "b"]
    assert panel.lengths.tolist() == [30, 30]


def test_mixed_frequencies_are_refused() -> None:
    hours = (np.datetime64("2021-03-01T00") + np.arange(200)).astype("datetime64[s]")
    mixed = table(day=np.r_[days(60), hours], y=np.arange(260.0))
    with pytest.raises(InputError, match=r"no common step: the most common one is 1 hour"):
        panel_of(mixed, ONE)
    random = np.sort(np.random.default_rng(0).uniform(0, 1e6, 50))
    with pytest.raises(InputError, match="no common step"):
        panel_of(table(day=random, y=np.arange(50.0)), ONE)


def test_gaps_are_kept_as_gaps_and_counted() -> None:
    kept = np.setdiff1d(np.arange(60), [10, 11, 40])
    y = waves(60)
    y[20] = np.nan  # a reading is missing in the middle
    panel = panel_of(table(day=days(60)[kept], y=y[kept]), ONE)
    assert np.flatnonzero(np.isnan(panel.values)).tolist() == [10, 11, 20, 40]
    assert (panel.repairs.gaps, panel.repairs.longest_gap) == (4, 2)
    assert codes(findings(panel, "day", 5, 2)) == {"time_gaps": "serious"}


def test_a_series_begins_and_ends_with_a_reading() -> None:
    y = waves(30)
    y[:3] = y[-2:] = np.nan
    panel = panel_of(table(day=days(30), y=y), ONE)
    assert (panel.first.tolist(), panel.lengths.tolist()) == ([3], [25])


def test_series_that_are_empty_or_constant_are_told() -> None:
    data = table(day=days(30), a=waves(30), b=np.full(30, np.nan), c=np.ones(30))
    panel = panel_of(data, Layout("day", ("a", "b", "c")))
    assert panel.targets == ("a", "c")
    assert (panel.repairs.empty, panel.repairs.constant) == (("b",), ("c",))
    assert {"series_empty", "series_constant"} <= codes(findings(panel, "day", 5, 2)).keys()
    with pytest.raises(TargetError, match="all values are missing"):
        panel_of(data, Layout("day", ("b",)))


def test_short_series_are_told() -> None:
    found = findings(panel_of(daily(20), ONE), "day", 30, 5)
    assert codes(found) == {"series_short": "notice"}


def test_wrong_columns_name_the_column_and_the_cell() -> None:
    with pytest.raises(SchemaError, match="did you mean 'day'"):
        panel_of(daily(), Layout("days", ("y",)))
    text = table(day=["2021-01-01", "monday"] * 10, y=waves(20))
    with pytest.raises(SchemaError, match=r"column 'day', row 2: 'monday' is not a date"):
        panel_of(text, ONE)
    with pytest.raises(SchemaError, match="no row has a time"):
        panel_of(table(day=np.full(9, np.nan), y=waves(9)), ONE)
    with pytest.raises(TargetError, match="dates cannot be forecast"):
        panel_of(table(day=days(9), y=days(9)), ONE)


def test_text_that_holds_dates_is_read() -> None:
    text = table(day=[str(day)[:10] for day in days(20)], y=waves(20))
    assert panel_of(text, ONE).frequency.words == "1 day"


def test_a_split_column_cuts_in_time() -> None:
    parts = np.repeat(["train", "valid", "test"], [100, 50, 50]).tolist()
    found = panel_of(daily(200, part=parts), Layout("day", ("y",), split="part")).parts
    assert found is not None
    assert (found.valid, found.test, found.end) == (100, 150, 200)
    with pytest.raises(SchemaError, match="do not follow each other"):
        panel_of(daily(200, part=parts[::-1]), Layout("day", ("y",), split="part"))
    with pytest.raises(SchemaError, match="row 101: 'later' names no part"):
        panel_of(daily(200, part=["train"] * 100 + ["later"] * 100),
                 Layout("day", ("y",), split="part"))  # fmt: skip


def test_all_numbers_are_targets_unless_named() -> None:
    data = table(day=days(9), a=waves(9), b=np.arange(9), word=["x"] * 9)
    assert default_targets(data, ["day"]) == ("a", "b")
    with pytest.raises(SchemaError, match="--target"):
        default_targets(data, ["day", "a", "b"])


def test_a_hundred_thousand_short_series_are_laid_out() -> None:
    count, length = 100_000, 6
    data = table(day=np.tile(days(length), count), y=np.arange(count * length, dtype=float),
                 id=np.repeat(np.arange(count), length))  # fmt: skip
    panel = panel_of(data, Layout("day", ("y",), "id"))
    assert len(panel) == count
    assert panel.values.tolist()[:7] == [0, 1, 2, 3, 4, 5, 6]
    assert (panel.lengths == length).all()
