"""Numbers at the ends of float32 and float64: refused with a word, and nothing learned is lost."""

from __future__ import annotations

import numpy as np
import pytest

from neuroscope import (
    AdalineClassifier,
    DenseClassifier,
    DenseRegressor,
    LinearNeuron,
    LogisticNeuron,
    PerceptronClassifier,
)

CLASSIFIERS = [AdalineClassifier, DenseClassifier, LogisticNeuron, PerceptronClassifier]


def weights(model) -> list[np.ndarray]:
    parts = model.coefs_ if hasattr(model, "coefs_") else [model.coef_]
    return [np.array(part) for part in parts]


# scikit-learn casts before it looks
@pytest.mark.filterwarnings("ignore:overflow encountered in cast:RuntimeWarning")
@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_a_row_beyond_float32_is_refused_online_and_costs_no_weight(kind, two_classes) -> None:
    x, y = two_classes
    model = kind(epochs=2, random_state=0).fit(x, y)
    before = weights(model)
    with pytest.raises(ValueError, match="too large for dtype"):
        model.partial_fit(np.full((1, 4), 1e300), y[:1])
    assert all(np.array_equal(a, b) for a, b in zip(before, weights(model), strict=True))
    kind(epochs=2, precision="float64", random_state=0).fit(x, y).partial_fit(x[:1] * 1e39, y[:1])


@pytest.mark.parametrize("kind", [DenseRegressor, LinearNeuron])
def test_a_target_beyond_float32_is_refused_online_and_costs_no_weight(kind, numbers) -> None:
    x, y = numbers
    model = kind(epochs=2, random_state=0).fit(x, y)
    before = weights(model)
    for rows in (1, 2):
        with pytest.raises(ValueError, match="targets hold a value that is too large for float32"):
            model.partial_fit(x[:rows], np.full(rows, 1e300))
    assert all(np.array_equal(a, b) for a, b in zip(before, weights(model), strict=True))


def test_a_network_refuses_to_answer_a_row_beyond_float32(two_classes) -> None:
    x, y = two_classes
    model = DenseClassifier(epochs=2, random_state=0).fit(x, y)
    with pytest.raises(ValueError, match="features hold a value that is too large for float32"):
        model.predict(np.full((1, 4), 1e300))
    assert np.isfinite(LogisticNeuron(epochs=2).fit(x, y).predict_proba(x * 1e39)).all()


@pytest.mark.parametrize("unit", [1e-250, 1e250])
def test_the_unit_of_a_target_does_not_matter_to_a_network(unit, numbers) -> None:
    x, y = numbers
    whole = {"batch_size": 200, "precision": "float64"}  # one batch: the order says nothing
    plain, moved = (
        DenseRegressor(epochs=9, random_state=0, **whole).fit(x, target).predict(x)
        for target in (y, y * unit)
    )
    np.testing.assert_allclose(moved / unit, plain, rtol=1e-6)


def test_the_score_takes_targets_in_a_column_as_fit_does(two_classes) -> None:
    x, y = two_classes
    model = LogisticNeuron(epochs=3, random_state=0).fit(x, y)
    right = float((model.predict(x) == y).mean())
    assert model.score(x, y) == right > 0.8
    assert model.score(x, y[:, None]) == right
    with pytest.raises(ValueError, match="one target for each row"):
        model.score(x, y[:7])


def test_the_score_of_several_labels_counts_rows_that_are_right_in_all(two_classes) -> None:
    x, y = two_classes
    labels = np.column_stack([y, 1 - y])
    model = DenseClassifier(epochs=3, random_state=0).fit(x, labels)
    expected = (model.predict(x) == labels).all(axis=1).mean()
    assert model.score(x, labels) == pytest.approx(expected)
    with pytest.raises(ValueError, match=r"shape \(200, 2\) and targets of shape \(200,\)"):
        model.score(x, y)


def test_whole_numbers_may_come_as_floats(two_classes) -> None:
    x, y = two_classes
    for kind in (LogisticNeuron, PerceptronClassifier, DenseClassifier):
        ints, floats = (kind(epochs=n, random_state=0).fit(x, y) for n in (3, 3.0))
        assert all(map(np.array_equal, weights(ints), weights(floats)))
