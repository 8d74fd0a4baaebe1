"""Dense networks: kinds of targets, online learning, the standing of scikit-learn's habits."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import neuroscope
from neuroscope import DenseClassifier, DenseRegressor, LogisticNeuron
from neuroscope.tasks import estimators


def test_xor_needs_a_hidden_layer() -> None:
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 8, float)
    y = x[:, 0].astype(int) ^ x[:, 1].astype(int)
    dense = DenseClassifier(hidden=(16,), learning_rate=0.03, random_state=0).fit(x, y)
    assert dense.score(x, y) == 1
    assert LogisticNeuron(random_state=0).fit(x, y).score(x, y) <= 0.75
    assert [w.shape for w in dense.coefs_] == [(2, 16), (16, 1)]
    assert [b.shape for b in dense.intercepts_] == [(16,), (1,)]
    assert dense.n_layers_ == 3


def test_three_classes(three_classes) -> None:
    x, y = three_classes
    fitted = DenseClassifier(hidden=(8,), random_state=0).fit(x, y)
    assert fitted.score(x, y) > 0.95
    assert np.allclose(fitted.predict_proba(x).sum(axis=1), 1)
    assert np.allclose(np.exp(fitted.predict_log_proba(x)), fitted.predict_proba(x))


def test_several_labels(two_classes) -> None:
    x, first = two_classes
    y = np.stack([first, x[:, 1] > 0, x[:, 2] > 0], axis=1).astype(int)
    fitted = DenseClassifier(hidden=(16,), random_state=0).fit(x, y)
    assert fitted.predict(x).shape == (200, 3)
    assert (fitted.predict(x) == y).mean() > 0.9
    assert fitted.classes_.tolist() == [0, 1, 2]
    online = DenseClassifier(hidden=(16,), random_state=0, learning_rate=0.01)
    for _ in range(40):
        online.partial_fit(x, y)
    assert (online.predict(x) == y).mean() > 0.9
    with pytest.raises(ValueError, match="labels"):
        fitted.partial_fit(x, y[:, :2])
    with pytest.raises(ValueError, match="class_weight"):
        DenseClassifier(class_weight="balanced").fit(x, y)
    with pytest.raises(ValueError, match=r"more than 0 and 1|multiclass-multioutput"):
        DenseClassifier().fit(x, y * 2)


@pytest.mark.parametrize("scale", [1e-3, 1e6])
def test_the_unit_of_the_target_does_not_matter(scale: float, numbers) -> None:
    x, y = numbers
    fitted = DenseRegressor(hidden=(16,), random_state=0).fit(x, y * scale)
    assert fitted.score(x, y * scale) > 0.9
    several = np.stack([y * scale, x[:, 0]], axis=1)
    both = DenseRegressor(hidden=(16,), random_state=0).fit(x, several)
    assert both.predict(x).shape == (200, 2)
    assert both.score(x, several) > 0.9


def test_huber_minds_outliers_less(numbers) -> None:
    x, y = numbers
    spoilt = y.copy()
    spoilt[::10] += 50
    error = {
        loss: np.median(abs(
            DenseRegressor(hidden=(), loss=loss, huber_delta=0.05, learning_rate=0.01,
                           random_state=0).fit(x, spoilt).predict(x) - y
        ))
        for loss in ("huber", "mean_squared_error")
    }  # fmt: skip
    assert error["huber"] < error["mean_squared_error"] / 2


def test_partial_fit_goes_on_with_the_optimizers_memory(numbers) -> None:
    x, y = numbers
    online = DenseRegressor(hidden=(16,), random_state=0, learning_rate=0.01).partial_fit(x, y)
    first = online.score(x, y)
    for _ in range(30):
        online.partial_fit(x, y)
    assert online.score(x, y) > max(first, 0.9)
    again = pickle.loads(pickle.dumps(online))
    for estimator in (online, again):
        estimator.partial_fit(x[:1], y[:1])
        estimator.partial_fit(x[:40], y[:40])
    assert all(map(np.array_equal, online.coefs_, again.coefs_))
    with pytest.raises(ValueError, match="columns"):
        online.partial_fit(x, np.stack([y, y], axis=1))


def test_a_row_of_weight_zero_teaches_nothing_online(two_classes) -> None:
    x, y = two_classes
    options = {"hidden": (4,), "optimizer": "sgd", "learning_rate": 0.1, "random_state": 0}
    fitted = DenseClassifier(**options).fit(x, y)
    before = fitted.coefs_[0].copy()
    fitted.partial_fit(x[:1], y[:1], sample_weight=[1e-30])
    assert np.array_equal(before, fitted.coefs_[0])
    fitted.partial_fit(x[:1], 1 - y[:1], sample_weight=[1.0])
    assert not np.array_equal(before, fitted.coefs_[0])


def test_data_frames_and_pipelines_and_searches(two_classes) -> None:
    x, y = two_classes
    frame = pd.DataFrame(x * [1, 1000, 1, 1], columns=list("abcd"))
    net = DenseClassifier(hidden=(8,), epochs=20, random_state=0).fit(frame[["a", "c"]], y)
    assert net.feature_names_in_.tolist() == ["a", "c"]
    with pytest.raises(ValueError, match="feature names"):
        net.predict(frame[["c", "a"]])
    with pytest.warns(UserWarning, match="feature names"):
        net.predict(x[:, [0, 2]])
    search = GridSearchCV(
        make_pipeline(StandardScaler(), DenseClassifier(epochs=40, random_state=0)),
        {
            "denseclassifier__hidden": [(), (8,)],
            "denseclassifier__l2": np.array([0, 1e-3]),
            "denseclassifier__batch_size": np.array([16]),
        },
        cv=3,
    ).fit(frame, y)
    assert search.best_score_ > 0.8


@pytest.mark.parametrize("name", estimators.__all__)
def test_same_seed_same_bits_and_rows_in_any_order(name: str, two_classes) -> None:
    x, y = two_classes
    make = getattr(neuroscope, name)
    options = {"random_state": 7, "epochs": 3}
    fitted, turned = make(**options).fit(x, y), make(**options).fit(x[::-1], y[::-1])
    other = make(**options | {"random_state": np.random.RandomState(5)}).fit(x, y)
    same = make(**options | {"random_state": np.random.RandomState(5)}).fit(x, y)
    assert np.array_equal(fitted.predict(x), clone(fitted).fit(x, y).predict(x))
    for one, two in ((fitted, turned), (other, same), (fitted, pickle.loads(pickle.dumps(fitted)))):
        assert np.array_equal(_sums(one, x), _sums(two, x))
    assert not np.array_equal(_sums(fitted, x), _sums(other, x))


def test_no_seed_draws_a_new_one(two_classes) -> None:
    x, y = two_classes
    first, second = (DenseClassifier(epochs=1).fit(x, y) for _ in range(2))
    assert not np.array_equal(_sums(first, x), _sums(second, x))


def test_fits_worse_than_guessing_are_said(two_classes) -> None:
    x, y = two_classes
    with pytest.warns(ConvergenceWarning, match="guessing"):
        fitted = LogisticNeuron(learning_rate=1e6, random_state=0, epochs=3).fit(x, y)
    assert any("guessing" in alert for alert in fitted.alerts_)


def test_vanishing_gradients_are_said(two_classes) -> None:
    fitted = DenseClassifier(
        hidden=(8,) * 8, activation="sigmoid", init="normal", epochs=2, random_state=0
    ).fit(*two_classes)
    assert any("layer 1 of 9" in alert for alert in fitted.alerts_)
    assert np.shape(fitted.gradient_norms_) == (2, 9)


def _sums(estimator, x):
    return getattr(estimator, "decision_function", estimator.predict)(x)


def test_score_is_scikit_learns_accuracy() -> None:
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(60, 3)), rng.uniform(size=60)
    one, several = (x[:, 0] > 0).astype(int), (x[:, :2] > 0).astype(int)
    for y in (one, np.array(["no", "yes"])[one], several):
        model = neuroscope.DenseClassifier(epochs=3, random_state=0).fit(x, y)
        expected = accuracy_score(y, model.predict(x), sample_weight=w)
        assert model.score(x, y, w) == pytest.approx(expected)
        assert model.score(x, y) == pytest.approx(accuracy_score(y, model.predict(x)))
