"""Times that name a zone are moments; beside times that name none they stay text."""

from __future__ import annotations

from pathlib import Path

import pytest

from neuroscope.base.errors import SchemaError
from neuroscope.data.series.panel import Layout, panel_of
from neuroscope.data.sources import read

LAYOUT = Layout("t", ("v",))


def written(path: Path, times: list[str]) -> str:
    lines = [f"{time},{number}" for number, time in enumerate(times)]
    path.write_text("t,v\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def test_hours_across_a_change_of_clocks_are_one_step_apart(tmp_path: Path) -> None:
    spring = [f"2024-03-31T0{hour}:00:00+0{zone}:00" for hour, zone in
              ((0, 1), (1, 1), (3, 2), (4, 2), (5, 2))]  # fmt: skip
    table = read(written(tmp_path / "spring.csv", spring))
    assert any("brought to UTC" in note for note in table.origin.notes)
    assert str(table.arrow["t"][0]) == "2024-03-30 23:00:00"
    panel = panel_of(table, LAYOUT)
    assert (panel.frequency.words, panel.values.tolist()) == ("1 hour", [0, 1, 2, 3, 4])


def test_zones_beside_times_without_one_are_refused(tmp_path: Path) -> None:
    table = read(written(tmp_path / "mixed.csv", ["2024-03-31T01:00:00+01:00",
                                                  "2024-03-31T02:00:00"] * 10))  # fmt: skip
    assert any("10 of 20 times name a time zone" in note for note in table.origin.notes)
    with pytest.raises(SchemaError, match="is not a date"):
        panel_of(table, LAYOUT)


def test_a_date_is_no_zone(tmp_path: Path) -> None:
    table = read(written(tmp_path / "dates.csv", ["2024-03-01", "2024-03-02"]))
    assert str(table.arrow["t"][1]) == "2024-03-02 00:00:00"
