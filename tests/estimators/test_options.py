"""Every option has an effect, and is refused where it makes no sense."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from neuroscope import (
    AdalineClassifier,
    DenseClassifier,
    DenseRegressor,
    LinearNeuron,
    LogisticNeuron,
    PerceptronClassifier,
)
from neuroscope.tasks import estimators

ALL = [getattr(estimators, name) for name in estimators.__all__]
CLASSIFIERS = [PerceptronClassifier, AdalineClassifier, LogisticNeuron, DenseClassifier]
NETWORKS = [LinearNeuron, LogisticNeuron, DenseClassifier, DenseRegressor]
DENSE = [DenseClassifier, DenseRegressor]
CHANGES = {
    "l1": 0.1,
    "momentum": 0.5,
    "schedule": "cosine",
    "warmup": 0.5,
    "clip_norm": 0.1,
    "init": "normal",
    "batch_size": 50,
    "optimizer": "rmsprop",
    "dropout": 0.5,
    "activation": "tanh",
    "label_smoothing": 0.2,
}


def weights(estimator) -> np.ndarray:
    """Return all weights, biases left out."""
    arrays = estimator.coefs_ if hasattr(estimator, "coefs_") else [estimator.coef_]
    return np.concatenate([array.ravel() for array in arrays])


@pytest.mark.parametrize("name", CHANGES)
def test_each_choice_of_descent_changes_the_weights(name: str, two_classes) -> None:
    x, y = two_classes
    tried = 0
    for make in NETWORKS:
        if not hasattr(make, name):
            continue
        options = {"optimizer": "momentum", "learning_rate": 0.01, "batch_size": 20, "epochs": 5}
        plain = make(random_state=0, **options).fit(x, y)
        changed = make(random_state=0, **options | {name: CHANGES[name]}).fit(x, y)
        assert not np.allclose(weights(plain), weights(changed), rtol=1e-3)
        tried += 1
    assert tried >= 2


@pytest.mark.parametrize("make", NETWORKS)
def test_penalties_shrink_the_weights(make, two_classes) -> None:
    x, y = two_classes
    options = {"random_state": 0, "optimizer": "adam", "batch_size": 20, "epochs": 40,
               "learning_rate": 0.01}  # fmt: skip
    plain = np.abs(weights(make(**options).fit(x, y))).sum()
    for change in ({"l1": 0.2}, {"l2": 0.3}, {"optimizer": "adamw", "weight_decay": 3.0}):
        shrunk = np.abs(weights(make(**options | change).fit(x, y))).sum()
        assert shrunk < 0.9 * plain


@pytest.mark.parametrize("make", [PerceptronClassifier, AdalineClassifier, LogisticNeuron])
def test_l2_shrinks_a_neuron_that_learns_row_by_row(make, two_classes) -> None:
    plain, shrunk = (
        make(random_state=0, learning_rate=0.01, l2=l2, epochs=20).fit(*two_classes)
        for l2 in (0.0, 1.0)
    )
    assert np.linalg.norm(shrunk.coef_) < np.linalg.norm(plain.coef_)


def test_row_by_row_is_the_same_step_in_both_loops(two_classes) -> None:
    x, y = two_classes
    options = {"learning_rate": 0.05, "random_state": 0, "epochs": 2, "l2": 0.01}
    for make in (LogisticNeuron, LinearNeuron):
        by_rule = make(**options).fit(x, y)  # the neuron's own loop
        by_network = make(**options, clip_norm=1e9).fit(x, y)  # the network's, clipping nothing
        assert by_rule.__dict__.get("gradient_norms_") is None
        assert len(by_network.gradient_norms_) == 2
        x1, y1 = x[:1], y[:1]
        before = by_rule.coef_.ravel() - by_network.coef_.ravel()
        assert np.abs(before).max() < 0.2  # they meet the rows in other orders
        single = {"learning_rate": 0.1, "epochs": 1, "random_state": 0}
        online = [make(**single), make(**single, clip_norm=1e9)]
        for estimator in online:
            more = {} if make is LinearNeuron else {"classes": [0, 1]}
            estimator.partial_fit(x1, y1, **more).partial_fit(x[1:2], y[1:2])
        assert np.allclose(online[0].coef_, online[1].coef_, rtol=1e-5)


@pytest.mark.parametrize("make", DENSE)
def test_dropout_is_off_when_predicting(make, two_classes) -> None:
    x, y = two_classes
    fitted = make(dropout=0.5, random_state=0, epochs=3).fit(x, y)
    assert np.array_equal(fitted.predict(x), fitted.predict(x))
    sums = getattr(fitted, "decision_function", fitted.predict)
    assert np.allclose(sums(x)[:7], sums(x[:7]), rtol=1e-6)


@pytest.mark.parametrize("make", ALL)
def test_early_stopping_restores_the_best_weights(make, two_classes) -> None:
    x, y = two_classes
    options = {"early_stopping": True, "patience": 3, "validation_fraction": 0.3,
               "epochs": 400, "random_state": 0, "learning_rate": 0.01}  # fmt: skip
    fitted = make(**options).fit(x, y)
    assert fitted.n_iter_ == len(fitted.loss_curve_) < 400
    assert fitted.n_iter_ > 3
    best = make(**options | {"epochs": fitted.n_iter_ - 3}).fit(x, y)
    assert np.array_equal(weights(best), weights(fitted))
    patient = make(**options | {"patience": 6}).fit(x, y)
    assert patient.n_iter_ > fitted.n_iter_
    other = make(**options | {"validation_fraction": 0.1}).fit(x, y)
    assert not np.array_equal(weights(other), weights(fitted))


@pytest.mark.parametrize("make", CLASSIFIERS)
def test_class_weight_moves_the_answers(make, two_classes) -> None:
    x, y = two_classes
    kept = np.flatnonzero((y == 0) | (np.arange(len(y)) % 6 == 0))
    x, y = x[kept], y[kept]
    totals = np.bincount(y)
    share = {}
    for name, weight in {"none": None, "balanced": "balanced", "much": {1: 50.0}}.items():
        fitted = make(class_weight=weight, random_state=0, epochs=30).fit(x, y)
        share[name] = fitted.predict(x).mean()
    by_hand = dict(enumerate(len(y) / (2 * totals)))
    same = make(class_weight=by_hand, random_state=0, epochs=30).fit(x, y)
    balanced = make(class_weight="balanced", random_state=0, epochs=30).fit(x, y)
    assert np.allclose(weights(same), weights(balanced), rtol=1e-5)
    assert share["none"] < share["much"]
    with pytest.raises(ValueError, match="not a class"):
        make(class_weight={7: 1.0}).fit(x, y)
    with pytest.raises(ValueError, match="class_weight"):
        make(class_weight="fair").fit(x, y)


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_whole_weights_are_repeated_rows(make, early_stopping: bool, two_classes) -> None:
    x, y = two_classes
    w = np.arange(len(y)) % 4
    options = {"random_state": 0, "epochs": 3, "early_stopping": early_stopping}
    weighted = make(**options).fit(x, y, sample_weight=w)
    repeated = make(**options).fit(np.repeat(x, w, axis=0), np.repeat(y, w))
    assert np.array_equal(weights(weighted), weights(repeated))
    fractions = make(**options).fit(x, y, sample_weight=w + 0.5)
    assert not np.array_equal(weights(fractions), weights(weighted))
    scaled = make(**options).fit(x, y, sample_weight=(w + 0.5) * 64)
    assert np.allclose(weights(scaled), weights(fractions), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("make", ALL)
def test_warm_start_goes_on(make, two_classes) -> None:
    x, y = two_classes
    if make is PerceptronClassifier:
        x = x * [1, 1, 0, 1]  # not separable: the first fit leaves something to learn
    options = {"random_state": 0, "epochs": 4, "learning_rate": 0.001}
    cold = make(**options).fit(x, y)
    again = make(**options).fit(x, y).fit(x, y)
    warm = make(**options, warm_start=True).fit(x, y)
    assert np.array_equal(weights(cold), weights(again))
    assert np.array_equal(weights(cold), weights(warm))
    warm.fit(x, y)
    assert not np.array_equal(weights(cold), weights(warm))
    with pytest.raises(ValueError, match="precision"):
        warm.set_params(precision="float64").fit(x, y)


def test_warm_start_refuses_another_shape(two_classes) -> None:
    x, y = two_classes
    fitted = DenseClassifier(hidden=(4,), warm_start=True, epochs=1, random_state=0).fit(x, y)
    with pytest.raises(ValueError, match="hidden"):
        fitted.set_params(hidden=(5,)).fit(x, y)
    with pytest.raises(ValueError, match="hidden"):
        fitted.partial_fit(x, y)
    with pytest.raises(ValueError, match="features"):
        fitted.set_params(hidden=(4,)).fit(x[:, :2], y)


@pytest.mark.parametrize("make", ALL)
def test_precision_is_the_type_of_the_weights(make, two_classes) -> None:
    x, y = two_classes
    for precision in ("float32", "float64"):
        fitted = make(precision=precision, epochs=2, random_state=0).fit(x, y)
        assert weights(fitted).dtype == precision


@pytest.mark.parametrize("make", NETWORKS)
def test_the_automatic_rate_follows_the_features(make, two_classes) -> None:
    x, y = two_classes
    options = {"optimizer": "sgd", "epochs": 1, "random_state": 0}
    small, large = (make(**options).fit(x * k, y).learning_rate_ for k in (0.2, 1))
    assert large < small / 3
    asked = make(**options | {"learning_rate": 0.003}).fit(x, y)
    assert asked.learning_rate_ == 0.003
    assert make(epochs=1, optimizer="adagrad").fit(x, y).learning_rate_ == 0.01


def test_hidden_sets_the_layers(two_classes) -> None:
    for make in DENSE:
        fitted = make(hidden=[7, 3], epochs=1, random_state=0).fit(*two_classes)
        assert [w.shape for w in fitted.coefs_] == [(4, 7), (7, 3), (3, 1)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"learning_rate": 0.0}, {"learning_rate": "fast"}, {"epochs": 0}, {"l2": -1.0},
        {"precision": "float16"}, {"random_state": -1}, {"patience": 0, "early_stopping": True},
        {"validation_fraction": 1.5, "early_stopping": True}, {"epochs": "many"},
    ],
)  # fmt: skip
@pytest.mark.parametrize("make", ALL)
def test_parameters_out_of_range_are_refused_in_one_line(make, wrong, two_classes) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong)).replace("random_state", "seed")) as said:
        make(**wrong).fit(*two_classes)
    assert "\n" not in str(said.value)


@pytest.mark.parametrize(
    ("make", "wrong"),
    [
        (LinearNeuron, {"solver": "newton"}), (LogisticNeuron, {"threshold": 1.0}),
        (DenseClassifier, {"activation": "step"}), (DenseClassifier, {"optimizer": "newton"}),
        (DenseRegressor, {"loss": "absolute"}), (DenseClassifier, {"hidden": (0,)}),
        (DenseClassifier, {"hidden": 8}), (DenseClassifier, {"dropout": 1.0}),
        (DenseClassifier, {"schedule": "linear"}), (DenseClassifier, {"batch_size": 0}),
    ],
)  # fmt: skip
def test_unknown_choices_are_refused(make, wrong, two_classes) -> None:
    name = next(iter(wrong)) if wrong != {"hidden": 8} else "type"
    with pytest.raises(ValueError, match=name):
        make(**wrong).fit(*two_classes)


def test_early_stopping_needs_rows_to_hold_back(two_classes) -> None:
    x, _ = two_classes
    twins = np.repeat(x[:1], 10, axis=0)
    with pytest.raises(ValueError, match="hold back"):
        LinearNeuron(early_stopping=True).fit(twins, np.ones(10))


def test_a_network_that_diverges_begins_again(two_classes) -> None:
    x, y = two_classes
    with pytest.warns(ConvergenceWarning, match="began again"):
        fitted = DenseRegressor(
            hidden=(), optimizer="sgd", learning_rate=1.0, random_state=0, epochs=40
        ).fit(x * 2, y)
    assert fitted.learning_rate_ < 1
    assert np.isfinite(fitted.predict(x)).all()
