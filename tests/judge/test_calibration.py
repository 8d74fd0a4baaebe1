"""Calibration curves, expected error and temperature scaling."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss

from neuroscope.base.errors import InputError, RecipeError
from neuroscope.judge.calibration import apply_temperature, calibration, fit_temperature


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def honest(rows: int, k: int, seed: int = 0):
    """Return truth drawn from the very probabilities that are stated, and their logits."""
    random = np.random.default_rng(seed)
    logits = 1.5 * random.normal(size=(rows, k))
    p = softmax(logits)
    y = (p.cumsum(axis=1) < random.random(rows)[:, None]).sum(axis=1)
    return y, p, logits


@pytest.mark.parametrize("strategy", ["quantile", "uniform"])
def test_the_curve_is_scikit_learns(strategy) -> None:
    y, p, _ = honest(2000, 2)
    found = calibration(y, p, bins=8, strategy=strategy)
    observed, predicted = calibration_curve(y, p[:, 1], n_bins=8, strategy=strategy)
    assert [b.observed for b in found.bins] == pytest.approx(observed)
    assert [b.predicted for b in found.bins] == pytest.approx(predicted)
    assert sum(b.rows for b in found.bins) == 2000
    assert all(b.low <= b.observed <= b.high for b in found.bins)
    assert json.loads(json.dumps(found.to_json()))["bins"][0]["rows"] == found.bins[0].rows


def test_the_expected_error_is_the_weighted_gap() -> None:
    y = np.array([1, 1, 1, 0])
    p = np.column_stack([1 - np.array([0.9] * 4), [0.9] * 4])
    found = calibration(y, p, strategy="uniform")
    assert found.expected_calibration_error == pytest.approx(0.15)
    assert found.about == "positive class"


def test_an_honest_model_reads_as_honest_and_an_overconfident_one_does_not() -> None:
    y, p, logits = honest(5000, 2, seed=4)
    loud = calibration(y, softmax(4 * logits))
    assert calibration(y, p, bins=5).expected_calibration_error < 0.03
    assert loud.expected_calibration_error > 0.08
    assert "where the model says" in loud.sentence
    one = calibration(np.array([0, 1] * 20), np.full((40, 2), 0.5))
    assert one.sentence.endswith("they can be read as they stand.")
    assert len(one.bins) == 1


def test_of_many_classes_the_decided_one_counts() -> None:
    y, p, _ = honest(3000, 4)
    found = calibration(y, p)
    assert found.about == "decided class"
    share = sum(b.rows * b.observed for b in found.bins) / 3000
    assert share == pytest.approx(np.mean(p.argmax(axis=1) == y))


@pytest.mark.parametrize("k", [2, 5])
@pytest.mark.parametrize("true", [0.4, 3.0])
def test_the_temperature_that_spoiled_a_model_is_found(k, true) -> None:
    y, p, logits = honest(20_000, k)
    spoiled = softmax(logits / true)
    found = fit_temperature(y, spoiled)
    assert found == pytest.approx(1 / true, rel=0.05)
    assert apply_temperature(spoiled, 1 / true) == pytest.approx(p)


@given(seed=st.integers(0, 10**6), k=st.integers(2, 5))
@settings(max_examples=25, deadline=None)
def test_temperature_never_hurts_the_rows_it_is_fitted_on_nor_moves_a_decision(seed, k) -> None:
    y, p, _ = honest(200, k, seed)
    shuffled = np.random.default_rng(seed).permutation(y)
    for truth in (y, shuffled):
        temperature = fit_temperature(truth, p)
        scaled = apply_temperature(p, temperature)
        labels = np.arange(k)
        assert log_loss(truth, scaled, labels=labels) <= log_loss(truth, p, labels=labels) + 1e-9
        assert np.array_equal(scaled.argmax(axis=1), p.argmax(axis=1))
        assert scaled.sum(axis=1) == pytest.approx(np.ones(200))


def test_extremes_stay_finite_and_one_changes_nothing() -> None:
    sure = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert np.isfinite(fit_temperature(np.array([1, 1]), sure))
    assert np.isfinite(apply_temperature(sure, 0.01)).all()
    assert apply_temperature(sure, 1.0) is sure


def test_impossible_settings_are_refused() -> None:
    y, p, _ = honest(20, 2)
    with pytest.raises(RecipeError, match="quantile, uniform"):
        calibration(y, p, strategy="even")
    with pytest.raises(InputError, match="at least 1"):
        calibration(y, p, bins=0)
    with pytest.raises(InputError, match="above 0"):
        apply_temperature(p, 0.0)


def test_whole_weights_count_as_repeated_rows() -> None:
    y, p, _ = honest(300, 2, seed=3)
    times = np.random.default_rng(0).integers(0, 4, 300)
    repeated = np.repeat(np.arange(300), times)
    weighted = calibration(y, p, strategy="uniform", weights=times)
    again = calibration(y[repeated], p[repeated], strategy="uniform")
    assert weighted.expected_calibration_error == pytest.approx(again.expected_calibration_error)
    for ours, theirs in zip(weighted.bins, again.bins, strict=True):
        assert ours.observed == pytest.approx(theirs.observed)
        assert ours.predicted == pytest.approx(theirs.predicted)
        assert ours.share == pytest.approx(theirs.share)
        assert ours.low <= theirs.low  # fewer rows than their weights add up to: less sure
    assert sum(b.rows for b in weighted.bins) == (times > 0).sum()
    assert fit_temperature(y, p, times) == pytest.approx(fit_temperature(y[repeated], p[repeated]))


def test_rows_of_weight_0_have_no_say_in_calibration() -> None:
    y, p, logits = honest(2000, 2, seed=4)
    spoiled = np.where((np.arange(2000) < 1000)[:, None], p, softmax(9 * logits))
    weights = (np.arange(2000) < 1000).astype(float)
    assert fit_temperature(y, spoiled, weights) == fit_temperature(y[:1000], p[:1000])
    assert fit_temperature(y, spoiled) > 1.5
    weighted = calibration(y, spoiled, weights=weights)
    assert weighted.to_json() == calibration(y[:1000], p[:1000]).to_json()
