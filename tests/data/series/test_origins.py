"""Windows never look ahead, and what judges comes after what teaches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from panels import daily, days, table, waves

from neuroscope.base.errors import InputError
from neuroscope.data.series import season
from neuroscope.data.series.origins import plan_origins
from neuroscope.data.series.panel import Layout, Panel, panel_of
from neuroscope.data.series.windows import Windows, spread

ONE = Layout("day", ("y",))


def with_gaps(y: np.ndarray) -> Panel:
    return panel_of(table(day=days(len(y)), y=y), ONE)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(8, 40))
def test_no_window_knows_what_comes_after_its_origin(seed: int, at: int) -> None:
    rng = np.random.default_rng(seed)
    y = rng.normal(size=60)
    y[1:-1][rng.random(58) < 0.4] = np.nan
    y[at - 1 if np.isnan(y[:at]).all() else 0] = 1.0
    other = y.copy()
    other[at:][~np.isnan(y[at:])] += 100.0
    places = np.zeros(1, np.int64), np.array([at]), 8
    mine, theirs = (Windows(with_gaps(line), *places).values() for line in (y, other))
    assert np.isfinite(mine).all()
    assert mine.tolist() == theirs.tolist()


def test_gaps_within_a_window_are_bridged_and_at_its_end_carried_on() -> None:
    y = np.array([0.0, 1, np.nan, 3, np.nan, np.nan, 9, 10, 11, 12])
    panel = with_gaps(y)
    windows = Windows(panel, np.zeros(2, np.int64), np.array([6, 7]), 6)
    assert windows.values().tolist() == [[0, 1, 2, 3, 3, 3], [1, 2, 3, 5, 7, 9]]
    assert np.isnan(Windows(panel, np.zeros(1, np.int64), np.array([4]), 2).truth(3)[0, :2]).all()
    assert Windows(panel, np.zeros(1, np.int64), np.array([3]), 2).targets(2).tolist() == [[3, 3]]


def test_a_window_longer_than_its_series_begins_with_the_first_value() -> None:
    panel = with_gaps(np.array([5.0, 6, 7, 8]))
    assert Windows(panel, np.zeros(1, np.int64), np.array([3]), 5).values().tolist() == [
        [5, 5, 5, 6, 7]
    ]


def test_the_spread_of_a_flat_window_is_above_0() -> None:
    assert (spread(np.array([[3.0, 3, 3], [0, 0, 0]])) > 0).all()


@pytest.mark.parametrize("horizon", [1, 7])
def test_every_fold_learns_from_what_ends_before_it_judges(horizon: int) -> None:
    plan = plan_origins(panel_of(daily(300), ONE), horizon, 14)
    when, split = plan.origins.when, plan.split
    assert len(split.folds) == 4
    for train, valid in split.folds:
        assert when[train].max() + horizon <= when[valid].min()
        assert when[valid].max() + horizon <= plan.cuts.test
    assert when[split.development].max() + horizon <= when[split.test].min()
    judged = np.concatenate([valid for _, valid in split.folds])
    assert len(np.unique(judged)) == len(judged)


def test_forecasts_that_overlap_are_of_one_block_or_neighbours() -> None:
    plan = plan_origins(panel_of(daily(600), ONE), 5, 14)
    when, block = plan.origins.when, plan.origins.block
    assert (np.bincount(block)[1:-1] == 5).all()
    assert (np.diff(block[np.argsort(when)]) >= 0).all()


def test_a_split_column_is_followed() -> None:
    parts = np.repeat(["train", "valid", "test", ""], [100, 50, 50, 40]).tolist()
    data = daily(240, part=[part or None for part in parts])
    plan = plan_origins(panel_of(data, Layout("day", ("y",), split="part")), 10, 20)
    (train, valid), when = plan.split.folds[0], plan.origins.when
    assert (when[train].min(), when[train].max()) == (20, 90)
    assert (when[valid].min(), when[valid].max()) == (100, 140)
    assert (when[plan.split.test].min(), when[plan.split.test].max()) == (150, 190)
    assert plan.split.method == "column"


def test_series_that_end_apart_are_tested_on_their_own_ends() -> None:
    starts = np.concatenate([days(60, "2001-01-01"), days(60, "2010-01-01"), days(60)])
    data = table(day=starts, y=waves(180), id=np.repeat([1, 2, 3], 60))
    plan = plan_origins(panel_of(data, Layout("day", ("y",), "id")), 5, 10)
    assert set(plan.origins.series[plan.split.test]) == {0, 1, 2}
    assert any("do not end together" in note for note in plan.split.notes)


def test_too_short_series_say_what_would_fit() -> None:
    with pytest.raises(InputError, match=r"20 readings, too few.*--horizon"):
        plan_origins(panel_of(daily(20), ONE), 15, 4)


def test_seasons_are_found_and_choices_carry_their_reason() -> None:
    weekly = panel_of(daily(200), ONE)
    assert season.find_season(weekly, weekly.lengths).steps == 7
    odd = with_gaps(waves(400, 23))
    assert season.find_season(odd, odd.lengths).steps == 23
    noise = with_gaps(np.random.default_rng(0).normal(size=300))
    assert season.find_season(noise, noise.lengths) == season.Chosen(
        1, "no cycle in the autocorrelation"
    )
    found = season.choose_look_back(weekly, 7, 14, 160)
    assert (found.steps, found.reason) == (14, "two cycles of 7 steps")
    assert season.default_horizon(weekly.frequency, 200).steps == 14
    assert season.default_horizon(weekly.frequency, 30).steps == 6
