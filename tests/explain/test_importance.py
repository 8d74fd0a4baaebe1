"""Permutation importance finds what a model uses, how sure that is, and keeps to its time."""

from __future__ import annotations

import time

import numpy as np
import pytest

from neuroscope.explain import importance as module
from neuroscope.explain.importance import effects, permutation_importance

RNG = np.random.default_rng(0)
X = RNG.standard_normal((400, 4))
Y = 2 * X[:, 0] + X[:, 1] * X[:, 2]
COLUMNS = {"a": np.array([0]), "bc": np.array([1, 2]), "none": np.array([3])}


def predict(x: np.ndarray) -> np.ndarray:
    return 2 * x[:, 0] + x[:, 1] * x[:, 2]


def merits(predictions):
    draws = np.random.default_rng(1).integers(0, len(Y), (100, len(Y)))
    errors = np.stack([(Y - p) ** 2 for p in predictions])
    return -errors.mean(axis=1), -errors[:, draws].mean(axis=2)


def test_a_column_that_is_not_used_loses_nothing_and_the_largest_loss_comes_first() -> None:
    found = permutation_importance(predict, merits, X, COLUMNS)
    assert [one.column for one in found] == ["a", "bc", "none"]
    assert found[-1].drop == found[-1].low == found[-1].high == found[-1].share == 0
    assert sum(one.share for one in found) == pytest.approx(1)


def test_the_loss_is_what_theory_says() -> None:
    """The mean over all shuffles of (v - v')² is twice the variance of v."""
    a, bc, _ = permutation_importance(predict, merits, X, COLUMNS)
    assert a.drop == pytest.approx(2 * np.var(2 * X[:, 0]), rel=0.1)
    assert bc.drop == pytest.approx(2 * np.var(X[:, 1] * X[:, 2]), rel=0.1)
    assert a.low < a.drop < a.high


def test_columns_of_one_name_are_shuffled_together() -> None:
    """Of b·b a shuffle of both places keeps the product whole, of one place it does not."""

    def product(x: np.ndarray) -> np.ndarray:
        assert np.array_equal(np.sort(x, axis=0), np.sort(twice, axis=0))  # nothing is lost
        return (x[:, 0] != x[:, 1]).astype(float)

    twice = np.stack([X[:, 0], X[:, 0]], axis=1)

    def broken(predictions):
        return np.array([-p.mean() for p in predictions]), -np.stack(
            [np.full(10, p.mean()) for p in predictions]
        )

    together = permutation_importance(product, broken, twice, {"both": np.array([0, 1])})
    alone = permutation_importance(product, broken, twice, {"one": np.array([0])})
    assert together[0].drop == 0
    assert alone[0].drop > 0.9


def test_the_same_seed_gives_the_same_figures_and_another_one_others() -> None:
    once, again = (permutation_importance(predict, merits, X, COLUMNS, seed=3) for _ in range(2))
    assert once == again
    assert once != permutation_importance(predict, merits, X, COLUMNS, seed=4)


def test_short_of_time_a_column_is_shuffled_less_often_and_the_last_ones_not_at_all() -> None:
    calls = []

    def slow(x: np.ndarray) -> np.ndarray:
        calls.append(1)
        time.sleep(0.02)
        return predict(x)

    ten = {f"c{i}": np.array([i % 4]) for i in range(10)}
    found = permutation_importance(slow, merits, X, ten, seconds=0.1)
    assert 0 < len(found) < 10
    assert len(calls) == 1 + len(found)  # one shuffle each
    calls.clear()
    permutation_importance(slow, merits, X, COLUMNS, seconds=60)
    assert len(calls) == 1 + module.REPEATS * 3


def test_resamples_without_a_value_are_left_out_of_the_interval() -> None:
    def holes(predictions):
        values, draws = merits(predictions)
        draws[:, ::2] = np.nan
        return values, draws

    assert np.isfinite(permutation_importance(predict, holes, X, COLUMNS)[0].low)


def test_an_effect_is_what_a_standard_deviation_adds() -> None:
    weights = np.array([[0.5], [-2.0]])
    x = np.array([[0.0, 1.0], [4.0, 1.0]])  # standard deviations 2 and 0
    assert effects(weights, x).tolist() == [[1.0], [0.0]]


def test_a_shift_of_all_classes_is_no_effect() -> None:
    """Softmax gives the same probabilities when the same is added to each z."""
    weights = RNG.standard_normal((4, 3))
    shifted = weights + RNG.standard_normal((4, 1))
    assert np.allclose(effects(weights, X, classes=True), effects(shifted, X, classes=True))
    assert not np.allclose(effects(weights, X), effects(shifted, X))
