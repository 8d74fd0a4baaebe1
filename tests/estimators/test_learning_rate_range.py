"""The learning-rate range test of the estimators."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone

from neuroscope import DenseClassifier, DenseRegressor, LinearNeuron, LogisticNeuron

CASES = [
    (DenseClassifier(hidden=(16,), epochs=5, random_state=0), "two_classes"),
    (DenseClassifier(hidden=(16,), epochs=5, random_state=0), "three_classes"),
    (DenseRegressor(hidden=(16,), epochs=5, random_state=0), "numbers"),
    (LogisticNeuron(batch_size=16, epochs=5, random_state=0), "two_classes"),
    (LinearNeuron(batch_size=16, epochs=5, random_state=0), "numbers"),
]


@pytest.fixture(params=CASES, ids=lambda case: f"{type(case[0]).__name__}-{case[1]}")
def case(request):
    """Return an estimator that is not fitted, and rows for it."""
    model, rows = request.param
    return (clone(model), *request.getfixturevalue(rows))


@pytest.mark.filterwarnings("ignore:descent ended")  # with the rate that is too small
def test_the_suggested_rate_learns_and_the_estimator_stays_as_it_is(case) -> None:
    model, x, y = case
    before = dict(vars(model))
    rates, losses, suggestion = model.learning_rate_range(x, y)
    assert vars(model) == before
    assert rates.shape == losses.shape
    assert (np.diff(rates) > 0).all()
    assert 1e-4 < suggestion < 10
    reached = [
        clone(model).set_params(learning_rate=rate).fit(x, y).loss_curve_[-1]
        for rate in (suggestion, suggestion * 1e-3)
    ]
    assert reached[0] < reached[1]


def test_it_depends_on_the_seed_only_and_leaves_a_fitted_estimator_alone(case) -> None:
    model, x, y = case
    first = model.learning_rate_range(x, y)
    model.fit(x, y)
    weights, answers = model._network.theta.copy(), model.predict(x)
    second = model.learning_rate_range(x, y)
    assert second.losses.tolist() == first.losses.tolist()
    assert second.suggestion == first.suggestion
    assert np.array_equal(model._network.theta, weights)
    assert np.array_equal(model.predict(x), answers)
    other = model.set_params(random_state=1).learning_rate_range(x, y)
    assert other.losses.tolist() != first.losses.tolist()


def test_range_and_steps_are_those_asked_for(two_classes) -> None:
    model = LogisticNeuron(random_state=0)  # one row a step
    test = model.learning_rate_range(*two_classes, low=1e-5, high=1e-3, steps=300)
    assert test.rates == pytest.approx(np.geomspace(1e-5, 1e-3, 300))


def test_row_weights_count(two_classes) -> None:
    x, y = two_classes
    model = LogisticNeuron(batch_size=16, random_state=0)
    plain = model.learning_rate_range(x, y)
    weighted = model.learning_rate_range(x, y, np.where(y == 1, 1.5, 0.5))
    assert weighted.losses.tolist() != plain.losses.tolist()


@pytest.mark.parametrize("wrong", [{"low": 0.0}, {"low": 1.0, "high": 0.1}, {"steps": 3}])
def test_a_range_that_does_not_grow_is_refused(wrong, two_classes) -> None:
    with pytest.raises(ValueError, match="range test"):
        LogisticNeuron().learning_rate_range(*two_classes, **wrong)


def test_rows_are_checked_like_those_of_a_fit(two_classes) -> None:
    x, y = two_classes
    with pytest.raises(ValueError, match="NaN"):
        DenseClassifier().learning_rate_range(np.where(x > 2, np.nan, x), y)
    with pytest.raises(ValueError, match="one class"):
        DenseClassifier().learning_rate_range(x, np.zeros(len(x)))
