"""Single neurons: what they learn, online and at once, and what they refuse."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge

from neuroscope import AdalineClassifier, LinearNeuron, LogisticNeuron, PerceptronClassifier
from neuroscope.base.errors import DivergedError, NeuroscopeError

NEURONS = [PerceptronClassifier, AdalineClassifier, LogisticNeuron]


@pytest.mark.parametrize("neuron", NEURONS)
def test_three_classes_are_told_apart(neuron, three_classes) -> None:
    x, y = three_classes
    fitted = neuron(random_state=0).fit(x, y)
    assert fitted.score(x, y) > 0.9
    assert fitted.classes_.tolist() == ["a", "b", "c"]
    assert fitted.coef_.shape == (3, 2)
    assert fitted.intercept_.shape == (3,)
    assert np.allclose(fitted.decision_function(x), x @ fitted.coef_.T + fitted.intercept_)


def test_perceptron_ends_when_no_row_is_wrong() -> None:
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
    fitted = PerceptronClassifier(random_state=0).fit(x, [0, 0, 0, 1])
    assert fitted.predict(x).tolist() == [0, 0, 0, 1]
    assert fitted.n_iter_ == len(fitted.loss_curve_) < 100


def test_perceptron_keeps_the_epoch_with_the_fewest_wrong_rows(two_classes) -> None:
    x, y = two_classes
    scores = [
        PerceptronClassifier(random_state=0, epochs=epochs).fit(x, y).score(x, y)
        for epochs in (1, 5, 25)
    ]
    assert scores == sorted(scores)
    assert scores[0] < scores[2]


def test_adaline_comes_near_least_squares_on_signs(two_classes) -> None:
    x, y = two_classes
    fitted = AdalineClassifier(learning_rate=1e-3, epochs=200, random_state=0).fit(x, y)
    best = LinearRegression().fit(x, 2 * y - 1)
    assert np.allclose(fitted.coef_[0], best.coef_, atol=0.02)


def test_logistic_neuron_comes_near_maximum_likelihood(two_classes) -> None:
    x, y = two_classes
    fitted = LogisticNeuron(learning_rate=1e-3, epochs=2000, random_state=0).fit(x, y)
    best = LogisticRegression(C=np.inf).fit(x, y)
    assert np.allclose(fitted.predict_proba(x), best.predict_proba(x), atol=0.03)
    assert fitted.loss_curve_[-1] < fitted.loss_curve_[0]


def test_linear_neuron_descends_to_the_closed_form(numbers) -> None:
    x, y = numbers
    best = LinearRegression().fit(x, y)
    closed = LinearNeuron(solver="closed_form", precision="float64").fit(x, y)
    assert np.allclose(closed.coef_, best.coef_)
    assert closed.intercept_ == pytest.approx(best.intercept_)
    assert closed.closed_form_gap_ == 0
    descended = LinearNeuron(random_state=0).fit(x, y)
    assert 0 <= descended.closed_form_gap_ < 1e-3
    assert np.allclose(descended.coef_, best.coef_, atol=0.05)
    with pytest.warns(ConvergenceWarning, match="closed_form"):
        early = LinearNeuron(random_state=0, epochs=1, learning_rate=1e-5).fit(x, y)
    assert early.closed_form_gap_ > 0.4
    assert LinearNeuron(random_state=0, l1=0.01).fit(x, y).closed_form_gap_ is None


def test_linear_neuron_closed_form_takes_l2_and_weights(numbers) -> None:
    x, y = numbers
    w = np.arange(200) % 5
    fitted = LinearNeuron(solver="closed_form", l2=0.1, precision="float64").fit(x, y, w)
    best = Ridge(alpha=0.1 * w.sum()).fit(x, y, w)
    assert np.allclose(fitted.coef_, best.coef_)
    with pytest.raises(ValueError, match="l1 has no closed form"):
        LinearNeuron(solver="closed_form", l1=0.1).fit(x, y)


def test_threshold_moves_the_answer(two_classes) -> None:
    x, y = two_classes
    share = {
        t: LogisticNeuron(threshold=t, random_state=0).fit(x, y).predict(x).mean()
        for t in (0.1, 0.5, 0.9)
    }
    assert share[0.1] > share[0.5] > share[0.9]
    fitted = LogisticNeuron(threshold=0.9, random_state=0).fit(x, y)
    assert np.array_equal(fitted.predict(x), (fitted.predict_proba(x)[:, 1] > 0.9) * 1)


def test_threshold_is_for_two_classes(three_classes) -> None:
    with pytest.raises(ValueError, match="two classes"):
        LogisticNeuron(threshold=0.4).fit(*three_classes)


@pytest.mark.parametrize("neuron", [*NEURONS, LinearNeuron])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_row_at_a_time_equals_all_rows_in_order(neuron, dtype, two_classes) -> None:
    x, y = two_classes
    x = x.astype(dtype)
    more = {} if neuron is LinearNeuron else {"classes": [0, 1]}
    together = neuron(learning_rate=0.01, l2=0.1).partial_fit(x, y, **more)
    singly = neuron(learning_rate=0.01, l2=0.1).partial_fit(x[:1], y[:1], **more)
    for row in range(1, len(x)):
        singly.partial_fit(x[row : row + 1], y[row : row + 1])
    assert np.allclose(together.coef_, singly.coef_, rtol=1e-4)


def test_the_short_way_and_the_checked_way_are_one_step(two_classes) -> None:
    x, y = two_classes
    short, checked = (
        LogisticNeuron(learning_rate=0.1, random_state=0, epochs=3).fit(x, y) for _ in range(2)
    )
    short.partial_fit(x[:1], y[:1])
    checked.partial_fit(x[:1].tolist(), y[:1], sample_weight=[1.0])
    assert np.array_equal(short.coef_, checked.coef_)
    before = short.coef_.copy()
    short.partial_fit(x[1:2], [int(y[1])])
    assert not np.array_equal(short.coef_, before)


@pytest.mark.parametrize("neuron", [*NEURONS, LinearNeuron])
@pytest.mark.parametrize(
    ("rows", "targets", "says"),
    [
        ([[np.nan, 0, 0, 0]], [1], "NaN"),
        ([[np.inf, 0, 0, 0]], [1], "infinity"),
        ([[0.0, 0, 0]], [1], "3 features"),
        ([[0.0, 0, 0, 0]], [np.nan], "NaN"),
        ([[0.0, 0, 0, 0]], [1, 0], "inconsistent"),
    ],
)
def test_bad_rows_are_refused_online(neuron, rows, targets, says, two_classes) -> None:
    fitted = neuron(random_state=0, epochs=2, learning_rate=0.01).fit(*two_classes)
    before = fitted.coef_.copy()
    for x in (np.array(rows), rows):
        with pytest.raises(ValueError, match=says):
            fitted.partial_fit(x, np.array(targets))
    assert np.array_equal(fitted.coef_, before)


def test_partial_fit_wants_its_classes(two_classes) -> None:
    x, y = two_classes
    for neuron in NEURONS:
        with pytest.raises(ValueError, match=r"classes=\[\.\.\.\]"):
            neuron().partial_fit(x, y)
        fitted = neuron().partial_fit(x, y, classes=[0, 1])
        with pytest.raises(ValueError, match="not among the classes"):
            fitted.partial_fit(x[:1], [2])
        with pytest.raises(ValueError, match="differ"):
            fitted.partial_fit(x, y, classes=[0, 2])
        with pytest.raises(ValueError, match="balanced"):
            neuron(class_weight="balanced").partial_fit(x, y, classes=[0, 1])


@pytest.mark.parametrize("neuron", [AdalineClassifier, LinearNeuron])
def test_a_divergence_halves_the_rate_and_says_so(neuron, two_classes) -> None:
    x, y = two_classes
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        fitted = neuron(learning_rate=1.0, random_state=0).fit(x, y)
    assert {entry.category for entry in said} == {ConvergenceWarning}
    assert "began again" in str(said[0].message)
    assert fitted.learning_rate_ < 1
    assert np.isfinite(fitted.coef_).all()
    assert any("diverged" in alert for alert in fitted.alerts_)
    with pytest.warns(ConvergenceWarning), pytest.raises(DivergedError, match="learning_rate"):
        neuron(learning_rate=1e6, random_state=0).fit(x, y)
    online = neuron(random_state=0, epochs=1).fit(x, y)
    online.set_params(learning_rate=1e30)
    with pytest.raises(DivergedError, match="online"):
        for row in range(50):
            online.partial_fit(x[row : row + 1], y[row : row + 1])


@pytest.mark.parametrize("neuron", [*NEURONS, LinearNeuron])
def test_features_in_the_thousands_are_said_and_survived(neuron, two_classes) -> None:
    x, y = two_classes
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        fitted = neuron(random_state=0).fit(x * 5000, y)
    assert "StandardScaler" in str(said[0].message)
    assert any("not scaled" in alert for alert in fitted.alerts_)
    assert np.isfinite(fitted.coef_).all()
    assert fitted.score(x * 5000, y) > (0.3 if neuron is LinearNeuron else 0.8)


def test_errors_are_of_both_trees(two_classes) -> None:
    x, _ = two_classes
    with pytest.raises(ValueError, match="one class") as caught:
        LogisticNeuron().fit(x, np.ones(len(x)))
    assert isinstance(caught.value, NeuroscopeError)


def test_one_long_row_lowers_the_automatic_rate(two_classes) -> None:
    x, y = two_classes
    longer = x.copy()
    longer[0] *= 40
    plain, lowered = (AdalineClassifier(random_state=0).fit(rows, y) for rows in (x, longer))
    assert lowered.learning_rate_ == pytest.approx(1 / (1 + (longer[0] ** 2).sum()), rel=1e-5)
    assert lowered.learning_rate_ < plain.learning_rate_
    assert lowered.alerts_ == []
