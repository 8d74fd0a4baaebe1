"""Local time: days of 23 and 25 hours, hours that come twice, and times given back as they came."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from neuroscope.base.errors import InputError
from neuroscope.data.series.beside.calendar import codes, names
from neuroscope.data.series.panel import Layout, panel_of
from neuroscope.data.series.zones import absolute, check, local, zone_of
from neuroscope.data.sources import read

BERLIN = ZoneInfo("Europe/Berlin")
SPRING, AUTUMN = datetime(2024, 3, 31, tzinfo=BERLIN), datetime(2024, 10, 27, tzinfo=BERLIN)


def hours(day: datetime, count: int) -> list[datetime]:
    """Return the hours from a local midnight on, each as its clock shows it."""
    begin = day.astimezone(UTC)
    return [(begin + timedelta(hours=k)).astimezone(BERLIN) for k in range(count)]


def panel(times: list, **layout: str):
    zoned = times[0].tzinfo is not None
    kind = pa.timestamp("us", "Europe/Berlin") if zoned else pa.timestamp("us")
    table = pa.table({"t": pa.array(times, kind), "v": np.arange(len(times), dtype=float)})
    given = read(table)
    return given, panel_of(given, Layout("t", ("v",), **{"zone": zone_of(given, "t")} | layout))


@pytest.mark.parametrize(("day", "length"), [(SPRING, 23), (AUTUMN, 25)])
def test_hours_are_one_step_apart_where_clocks_change(day: datetime, length: int) -> None:
    times = hours(day, length + 24)
    assert times[length].hour == 0
    _, found = panel(times)
    assert (found.frequency.words, found.repairs.gaps, found.repairs.doubled) == ("1 hour", 0, 0)
    assert found.values.tolist() == list(range(length + 24))
    assert found.utc(np.array([length]))[0] == times[length].timestamp()


@pytest.mark.parametrize(("day", "length"), [(SPRING, 23), (AUTUMN, 25)])
def test_local_hours_without_a_zone_are_told_by_its_name(day: datetime, length: int) -> None:
    bare = [moment.replace(tzinfo=None) for moment in hours(day, length + 24)]
    _, found = panel(bare, zone="Europe/Berlin")
    assert (found.repairs.gaps, found.repairs.doubled) == (0, 0)
    assert found.values.tolist() == list(range(length + 24))
    _, unnamed = panel(bare)
    assert (unnamed.repairs.gaps, unnamed.repairs.doubled) == ((1, 0) if length == 23 else (0, 1))


@pytest.mark.parametrize("day", [SPRING, AUTUMN])
def test_days_are_one_step_whatever_their_length(day: datetime) -> None:
    first = day.replace(day=20)
    times = [first + timedelta(days=k) for k in range(16)]
    assert len({moment.utcoffset() for moment in times}) == 2
    _, found = panel(times)
    assert (found.frequency.words, found.repairs.off_grid) == ("1 day", 0)
    assert found.utc(np.array([10]))[0] == times[10].timestamp()


def test_months_begin_at_local_midnight() -> None:
    times = [datetime(2024, month, 1, tzinfo=BERLIN) for month in range(1, 13)]
    _, found = panel(times)
    assert found.frequency.words == "1 month"
    following = datetime(2025, 7, 1, tzinfo=BERLIN)
    assert found.utc(np.array([18]))[0] == following.timestamp()


def test_six_hours_go_by_local_clocks() -> None:
    times = [SPRING.replace(hour=hour, day=day) for day in (30, 31) for hour in (0, 6, 12, 18)]
    _, found = panel(times)
    assert (found.frequency.words, found.repairs.off_grid) == ("6 hours", 0)


def test_the_zone_of_a_source_is_kept(tmp_path: Path) -> None:
    times = hours(SPRING, 30)
    kind = pa.timestamp("us", "Europe/Berlin")
    pq.write_table(pa.table({"t": pa.array(times, kind)}), tmp_path / "a.parquet")
    assert zone_of(read(str(tmp_path / "a.parquet")), "t") == "Europe/Berlin"
    written = {
        "one": ([t.isoformat() for t in times[3:]], "+02:00"),
        "two": ([t.isoformat() for t in times], "UTC"),
        "zulu": ([t.astimezone(UTC).isoformat().replace("+00:00", "Z") for t in times], "UTC"),
        "none": ([t.replace(tzinfo=None).isoformat() for t in times], ""),
    }
    for name, (lines, zone) in written.items():
        (tmp_path / f"{name}.csv").write_text("t\n" + "\n".join(lines) + "\n", encoding="utf-8")
        assert zone_of(read(str(tmp_path / f"{name}.csv")), "t") == zone, name


def test_clocks_and_moments_are_each_others_inverse() -> None:
    moments = np.array([t.timestamp() for t in hours(SPRING, 40)] + [np.nan])
    shown = local(moments, "Europe/Berlin")
    assert shown[3] - shown[0] == 4 * 3600  # from 0 o'clock to 4, three hours later
    np.testing.assert_array_equal(absolute(shown, "Europe/Berlin"), moments)
    fixed = local(moments, "+05:30") - moments
    assert set(fixed[:-1]) == {5.5 * 3600}
    np.testing.assert_array_equal(absolute(local(moments, "+05:30"), "+05:30"), moments)
    with pytest.raises(InputError, match="no time zone is called 'Berlin'"):
        check("Berlin")


def test_the_calendar_goes_by_local_clocks() -> None:
    times = hours(SPRING, 30)
    _, found = panel(times)
    said = codes(found.frequency, found.zone, ("hour", "weekday"), np.arange(30))
    called = names(("hour", "weekday"))
    for place in (0, 1, 2, 23, 29):
        on = [called[k] for k in np.flatnonzero(said[place])]
        assert on == [f"{times[place].hour}:00", times[place].strftime("%A")]
