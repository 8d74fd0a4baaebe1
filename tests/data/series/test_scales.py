"""The spread of readings up to a moment: of each series alone, whatever stands beside it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from neuroscope.data.series.panel import Layout, Panel, panel_of
from neuroscope.data.series.windows import Windows
from neuroscope.data.table import Origin, Table


def panel(**series: np.ndarray) -> Panel:
    lines = [
        pa.table({
            "day": (np.datetime64("2021-01-01") + np.arange(len(y))).astype("datetime64[s]"),
            "name": [name] * len(y), "y": y,
        })
        for name, y in series.items()
    ]  # fmt: skip
    layout = Layout(time="day", targets=("y",), series="name")
    return panel_of(Table(pa.concat_tables(lines), Origin("lines")), layout)


def test_a_series_of_millions_does_not_drown_the_scale_of_one_of_fractions() -> None:
    random = np.random.default_rng(0)
    small = 0.5 + 0.01 * random.normal(size=300)
    whole = panel(a=1e9 * random.normal(size=3000), b=small)
    at = np.array([20, 150, 300])
    found = Windows(whole, np.array([1, 1, 1]), at, 8).scale()[:, 0]
    assert found == pytest.approx([small[:n].std() for n in at], rel=1e-6)


def test_a_quiet_window_has_a_share_of_the_spread_known_by_then() -> None:
    line = np.zeros(60)
    line[[10, 40]] = 5.0
    windows = Windows(panel(a=line), np.zeros(4, np.int64), np.array([9, 12, 30, 60]), 8)
    never, lively, quiet, later = windows.spreads()
    assert never == 0.0  # nothing has happened yet, and the future is not known
    assert lively == pytest.approx(line[4:12].std())
    assert quiet == pytest.approx(0.1 * line[:30].std())
    assert later == pytest.approx(0.1 * line.std())


def test_a_move_to_come_is_not_known_before() -> None:
    line = np.zeros(60)
    line[50] = 1e9
    windows = Windows(panel(a=line, b=line + 1.0), np.array([0, 1]), np.array([30, 30]), 8)
    assert windows.spreads().tolist() == [0.0, 0.0]
