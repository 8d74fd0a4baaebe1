"""Metrics of forecasts against their formulas, and intervals against what they promise."""

from __future__ import annotations

import numpy as np
import pytest

from neuroscope.base.errors import InputError, ModelError
from neuroscope.judge import _forecasts as paths
from neuroscope.judge.conformal import Intervals, coverage, measure, quantile_loss
from neuroscope.judge.intervals import bootstrap
from neuroscope.judge.metrics import METRICS, applicable, primary_metric, scores


def example(n: int = 40, h: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    truth, said = rng.normal(10, 3, (n, h)), rng.normal(10, 3, (n, h))
    truth[3, 2:] = np.nan
    naive = np.where(np.arange(n) % 2, 2.0, 5.0)
    return paths.packed(truth, naive, 2 * naive), truth, said


def test_metrics_are_their_formulas_over_known_steps() -> None:
    y, truth, said = example()
    naive, spread = (scale[:, None] for scale in paths.scales(y))
    error = said - truth
    wanted = {
        "path_mae": np.nanmean(np.abs(error)),
        "path_rmse": np.sqrt(np.nanmean(error**2)),
        "mase": np.nanmean(np.abs(error) / naive),
        "standardised_mse": np.nanmean((error / spread) ** 2),
        "smape": np.nanmean(200 * np.abs(error) / (np.abs(said) + np.abs(truth))),
    }
    assert scores("forecast", y, said) == pytest.approx(wanted, rel=1e-12)
    assert {metric.name for metric in applicable("forecast")} == wanted.keys()
    assert not any(METRICS[name].greater_is_better for name in wanted)


def test_a_series_without_scale_counts_in_no_scaled_metric() -> None:
    truth = np.array([[1.0, 2.0], [5.0, 5.0]])
    y = paths.packed(truth, np.array([2.0, 0.0]), np.array([1.0, 0.0]))
    found = scores("forecast", y, truth + 1)
    assert (found["mase"], found["path_mae"], found["standardised_mse"]) == (0.5, 1.0, 1.0)


def test_series_of_different_level_are_scaled_before_they_are_added() -> None:
    truth = np.ones((2, 3))
    apart = paths.packed(truth, np.array([1.0, 10.0]), np.ones(2))
    alike = paths.packed(truth, np.array([1.0, 1.1]), np.ones(2))
    assert primary_metric("forecast", apart)[0] == "mase"
    assert primary_metric("forecast", alike)[0] == "path_mae"


def test_forecasts_of_another_shape_are_refused() -> None:
    y, _, said = example()
    with pytest.raises(InputError, match="forecasts"):
        METRICS["mase"](y, said[:, :-1])
    said[4, 1] = np.nan
    with pytest.raises(InputError, match="row 4"):
        METRICS["mase"](y, said)


def test_blocks_widen_the_interval_of_overlapping_forecasts() -> None:
    rng = np.random.default_rng(1)
    shared = np.repeat(rng.normal(size=20), 10)[:, None]
    y = paths.packed(shared + np.zeros((200, 3)), np.ones(200), np.ones(200))
    said, blocks = np.zeros((200, 3)), np.repeat(np.arange(20), 10)
    alone = bootstrap("path_mae", y, said)
    together = bootstrap("path_mae", y, said, groups=blocks)
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_conformal_intervals_hold_what_they_promise() -> None:
    rng = np.random.default_rng(2)
    spread = rng.uniform(1, 5, 4000)
    truth = rng.normal(size=(4000, 3)) * spread[:, None] * np.array([1.0, 2.0, 4.0])
    said = np.zeros_like(truth)
    known = slice(0, 2000)
    found = measure(truth[known], said[known], spread[known])
    low, high = found.around(said[2000:], spread[2000:])
    for level, below, above in zip(found.levels, low, high, strict=True):
        for step in range(3):
            part = coverage(truth[2000:, step], below[:, step], above[:, step])
            assert part == pytest.approx(level, abs=0.03)
    assert (np.diff(found.widths, axis=1) > 0).all()  # further ahead is less sure


def test_the_rank_has_the_correction_for_few_rows() -> None:
    truth = np.arange(1.0, 10.0)[:, None]  # errors 1 to 9; the ceil(10 * 0.8) = 8th
    found = measure(truth, np.zeros((9, 1)), np.ones(9), levels=(0.8, 0.95))
    assert found.widths.tolist() == [[8.0], [9.0]]


def test_longer_horizons_widen_with_the_square_root() -> None:
    intervals = Intervals((0.8,), np.array([[1.0, 2.0]]), 50)
    low, high = intervals.around(np.zeros((1, 8)), np.ones(1))
    assert ((high - low) / 2)[0, 0].tolist() == pytest.approx(
        [1, 2, *(2 * np.sqrt([1.5, 2, 2.5, 3, 3.5, 4]))]
    )
    assert Intervals.from_json(intervals.to_json()).widths.tolist() == intervals.widths.tolist()
    with pytest.raises(ModelError, match="intervals"):
        Intervals.from_json({"levels": [0.8], "widths": [[1], [2]], "rows": 3})


def test_a_step_nobody_read_is_as_wide_as_the_widest() -> None:
    truth = np.array([[1.0, np.nan], [2.0, np.nan]])
    assert measure(truth, np.zeros((2, 2)), np.ones(2)).widths[:, 1].tolist() == [2.0, 2.0]


def test_rows_without_a_spread_do_not_set_the_width() -> None:
    truth, spread = np.array([[1.0], [2.0], [7.0]]), np.array([1.0, 2.0, 0.0])
    assert measure(truth, np.zeros((3, 1)), spread).widths.tolist() == [[1.0], [1.0]]
    assert measure(truth, truth, np.zeros(3)).widths.tolist() == [[0.0], [0.0]]


def test_a_spread_may_change_on_the_way() -> None:
    intervals = Intervals((0.8,), np.array([[1.0, 2.0]]), 50)
    low, high = intervals.around(np.zeros((1, 2)), np.array([[1.0, 3.0]]))
    assert ((high - low) / 2)[0, 0].tolist() == [1.0, 6.0]


def test_quantile_loss_is_the_mean_pinball_loss() -> None:
    truth, said = np.array([[4.0]]), np.array([[3.0]])
    low, high = np.array([[[1.0]]]), np.array([[[3.5]]])
    wanted = (0.5 * 1 + 0.1 * 3 + 0.9 * 0.5) / 3
    assert quantile_loss(truth, said, low, high, (0.8,)) == pytest.approx(wanted)
