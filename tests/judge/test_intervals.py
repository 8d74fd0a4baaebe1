"""Bootstrap intervals cover, repeat, pair, follow groups and weights, and are fast."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest
from packing import of_kind

from neuroscope.base.errors import InputError, RecipeError
from neuroscope.judge.intervals import (
    Resampling,
    bootstrap,
    paired_difference,
    proportion_interval,
    resample,
)
from neuroscope.judge.metrics import METRICS


def binary(random: np.random.Generator, rows: int, strength: float = 1.0):
    y = random.integers(0, 2, rows)
    score = 1 / (1 + np.exp(-(strength * (2 * y - 1) + random.normal(size=rows))))
    return y, np.column_stack([1 - score, score])


@pytest.mark.parametrize(
    ("metric", "truth"),
    [("roc_auc", 0.92135), ("accuracy", 0.84134)],  # Phi(sqrt 2), Phi(1) of the simulation
)
def test_a_95_percent_interval_covers_in_90_to_99_percent_of_simulations(metric, truth) -> None:
    random = np.random.default_rng(5)
    covered = 0
    for trial in range(300):
        y, p = binary(random, 200)
        found = bootstrap(metric, y, p, Resampling(seed=trial, resamples=200))
        covered += found.low <= truth <= found.high
    assert 0.90 <= covered / 300 <= 0.99


def test_equal_models_are_called_different_in_about_5_percent_of_simulations() -> None:
    random = np.random.default_rng(6)
    wrong = 0
    for trial in range(300):
        y = random.integers(0, 2, 200)
        shared = (2 * y - 1) + random.normal(size=200)
        scores = [shared + 0.5 * random.normal(size=200) for _ in range(2)]
        pair = [np.column_stack([-s, s]) for s in scores]
        gap = paired_difference("roc_auc", y, *pair, Resampling(seed=trial, resamples=200))
        wrong += gap.low > 0 or gap.high < 0
    assert 0.01 <= wrong / 300 <= 0.10


def test_the_standard_error_of_a_mean_is_the_textbooks() -> None:
    random = np.random.default_rng(0)
    y = random.normal(size=400)
    p = y + random.laplace(size=400)
    found = bootstrap("mae", y, p, Resampling(resamples=4000))
    assert found.standard_error == pytest.approx(np.abs(y - p).std() / 20, rel=0.05)
    assert found.low < found.value < found.high


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    y, p = binary(np.random.default_rng(1), 300)
    one, same, other = (bootstrap("roc_auc", y, p, Resampling(seed=s)) for s in (0, 0, 1))
    assert one == same
    assert one.low != other.low


def test_confidence_widens_and_the_threshold_reaches_the_metric() -> None:
    y, p = binary(np.random.default_rng(1), 300)
    narrow, wide = (bootstrap("recall", y, p, Resampling(confidence=c)) for c in (0.5, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high
    assert bootstrap("recall", y, p, Resampling(threshold=0.1)).value > narrow.value


def test_differences_are_paired_across_models() -> None:
    random = np.random.default_rng(2)
    y, p = binary(random, 400)
    score = np.clip(p[:, 1] + random.normal(scale=0.01, size=400), 0, 1)
    near = np.column_stack([1 - score, score])
    gap = paired_difference("roc_auc", y, p, near)
    assert gap.standard_error < bootstrap("roc_auc", y, p).standard_error / 5
    both = resample("roc_auc", y, [p, near])
    assert both.difference(0, 1) == gap
    assert both.interval(1) == bootstrap("roc_auc", y, near)
    same = paired_difference("roc_auc", y, p, p)
    assert (same.value, same.standard_error, same.p_better, same.clear) == (0, 0, 0.5, False)


def test_a_gain_is_positive_when_the_metric_falls() -> None:
    random = np.random.default_rng(3)
    y = random.normal(size=200)
    good, bad = y + 0.1 * random.normal(size=200), y + random.normal(size=200)
    gap = paired_difference("rmse", y, good, bad)
    assert gap.value < 0 < gap.gain_low <= gap.gain
    assert gap.p_better == 1
    assert gap.clear
    assert not paired_difference("rmse", y, bad, good).clear


def test_rows_of_one_group_are_drawn_together() -> None:
    y, p = binary(np.random.default_rng(4), 100)
    repeated = np.repeat(y, 10), np.repeat(p, 10, axis=0)
    customers = np.repeat([f"c{i}" for i in range(100)], 10)
    alone = bootstrap("accuracy", y, p).standard_error
    fooled = bootstrap("accuracy", *repeated).standard_error
    honest = bootstrap("accuracy", *repeated, groups=customers).standard_error
    assert fooled < alone / 2.5
    assert honest == pytest.approx(alone, rel=0.15)


def test_weights_change_the_value_and_its_spread() -> None:
    y, p = binary(np.random.default_rng(4), 200)
    weights = np.where(np.arange(200) < 100, 1.0, 0.0)
    weighted = bootstrap("accuracy", y, p, weights=weights)
    assert weighted.value == bootstrap("accuracy", y[:100], p[:100]).value
    assert weighted.standard_error > bootstrap("accuracy", y, p).standard_error


def test_folds_are_scored_apart_and_averaged() -> None:
    random = np.random.default_rng(4)
    y, p = binary(random, 300)
    folds = random.integers(0, 3, 300)
    score = np.clip(p[:, 1] / 4 + 0.25 * folds, 0, 1)  # each fit on a scale of its own
    q = np.column_stack([1 - score, score])
    parts = [METRICS["roc_auc"](y[folds == f], q[folds == f]) for f in range(3)]
    apart = bootstrap("roc_auc", y, q, folds=folds)
    assert apart.value == pytest.approx(np.average(parts, weights=np.bincount(folds)))
    assert apart.value > bootstrap("roc_auc", y, q).value + 0.05
    assert apart.low < apart.value < apart.high
    pooled = bootstrap("log_loss", y, p)
    split = bootstrap("log_loss", y, p, folds=folds)
    assert (split.value, split.low) == pytest.approx((pooled.value, pooled.low))
    constant = np.column_stack([0.5 + 0.01 * folds, 0.5 - 0.01 * folds])
    assert paired_difference("roc_auc", y, constant, constant, folds=folds).value == 0
    assert bootstrap("roc_auc", y, constant, folds=folds).value == pytest.approx(0.5)


def test_folds_without_a_value_are_left_out_of_the_mean() -> None:
    random = np.random.default_rng(0)
    y, p = binary(random, 100)
    numbers = p[:, 1] * 10
    folds = np.repeat([0, 1, 2], [90, 9, 1])
    y[90:99] = 0
    for metric in METRICS.values():
        truth, said = (y, p) if "binary" in metric.kinds else (numbers, numbers + p[:, 0])
        if metric.needs == "packed":
            truth, said = of_kind(metric.kinds[0], random, 100)
        found = bootstrap(metric, truth, said, Resampling(resamples=300), folds=folds)
        assert np.isfinite([found.low, found.high]).all(), metric.name
    left = bootstrap("roc_auc", y, p, folds=folds)
    assert left.value == pytest.approx(METRICS["roc_auc"](y[:90], p[:90]))


def test_resamples_without_a_class_are_left_out() -> None:
    y = np.array([1] + [0] * 9)
    p = np.column_stack([np.linspace(0.1, 0.9, 10), np.linspace(0.9, 0.1, 10)])
    found = bootstrap("roc_auc", y, p)
    assert np.isfinite([found.low, found.high]).all()
    alone = bootstrap("roc_auc", np.zeros(10, int), p)
    assert json.dumps(alone.to_json()) == (
        '{"value": null, "low": null, "high": null, "standard_error": null, "confidence": 0.95}'
    )


def test_all_rows_right_is_not_certainty() -> None:
    y = np.tile([0, 1], 15)
    found = bootstrap("accuracy", y, np.eye(2)[y])
    assert (found.value, found.high) == (1, 1)
    assert found.low == pytest.approx(0.886, abs=0.001)  # Wilson, 30 of 30
    assert proportion_interval(0, 0) == (0, 1)
    assert proportion_interval(50, 100) == pytest.approx((0.4038, 0.5962), abs=1e-4)


def test_resamples_are_fewer_on_many_rows_unless_asked() -> None:
    plan = Resampling()
    assert [plan.number(rows) for rows in (10, 40_000, 100_000, 10**7)] == [1000, 1000, 400, 200]
    assert Resampling(resamples=50).number(10**7) == 50
    y, p = binary(np.random.default_rng(1), 60)
    assert resample("accuracy", y, [p], Resampling(resamples=50)).draws.shape == (1, 50)


def test_forty_thousand_rows_take_about_a_second() -> None:
    y, p = binary(np.random.default_rng(0), 40_000)
    began = time.process_time()
    bootstrap("roc_auc", y, p)
    assert time.process_time() - began < 3  # 0.8 s measured; room for a busy machine


def test_every_metric_can_be_resampled_in_blocks() -> None:
    random = np.random.default_rng(0)
    y, p = binary(random, 30_000)
    numbers = random.normal(size=30_000)
    for metric in METRICS.values():
        pair = (numbers, numbers + 1 + p[:, 1]) if metric.kinds == ("regression",) else (y, p)
        if metric.needs == "packed":
            pair = of_kind(metric.kinds[0], random, 30_000)
        found = bootstrap(metric, *pair, Resampling(resamples=40))
        assert found.low < found.value < found.high, metric.name


def test_impossible_plans_and_arrays_are_refused() -> None:
    y, p = binary(np.random.default_rng(1), 10)
    with pytest.raises(RecipeError, match=r"confidence is 95"):
        Resampling(confidence=95)
    with pytest.raises(RecipeError, match="at least 2"):
        Resampling(resamples=1)
    with pytest.raises(InputError, match="3 group labels for 10 rows"):
        bootstrap("accuracy", y, p, groups=np.arange(3))
    with pytest.raises(InputError, match="2 fold numbers for 10 rows"):
        bootstrap("accuracy", y, p, folds=np.arange(2))
    with pytest.raises(InputError, match="no predictions"):
        resample("accuracy", y, [])


@pytest.mark.parametrize("metric", ["roc_auc", "balanced_accuracy", "pr_auc", "recall", "f1"])
def test_a_perfect_score_is_as_sure_as_its_smallest_class_is_large(metric) -> None:
    y = np.repeat([0, 1], [40, 10])
    found = bootstrap(metric, y, np.eye(2)[y])
    assert (found.value, found.high) == (1, 1)
    assert found.low == pytest.approx(proportion_interval(10, 10)[0])
    weights = np.repeat([1.0, 0.3], [40, 10])
    assert bootstrap(metric, y, np.eye(2)[y], weights=weights).low == pytest.approx(found.low)
    pairs = bootstrap(metric, y, np.eye(2)[y], groups=np.arange(50) // 2)
    assert pairs.low == pytest.approx(proportion_interval(5, 5)[0])


def test_uneven_weights_make_a_perfect_accuracy_less_sure() -> None:
    y = np.tile([0, 1], 15)
    weights = np.r_[10.0, np.ones(29)]
    found = bootstrap("accuracy", y, np.eye(2)[y], weights=weights)
    rows = 39**2 / (100 + 29)  # (sum w)^2 / sum w^2
    assert found.low == pytest.approx(proportion_interval(rows, rows)[0])


def test_a_perfect_fit_of_numbers_has_no_class_to_be_unsure_of() -> None:
    y = np.arange(30.0)
    found = bootstrap("r2", y, y)
    assert (found.low, found.high) == (1, 1)
