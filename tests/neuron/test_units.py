"""Single neurons: their truth tables, their convergence, their closed forms."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroscope.base.errors import InputError, RecipeError
from neuroscope.neuron import units

BITS = [(0, 0), (0, 1), (1, 0), (1, 1)]


@pytest.mark.parametrize(
    ("name", "truth"),
    [
        ("AND", [0, 0, 0, 1]),
        ("OR", [0, 1, 1, 1]),
        ("NOR", [1, 0, 0, 0]),
        ("AND NOT", [0, 0, 1, 0]),
    ],
)
def test_gates_answer_their_truth_tables(name, truth) -> None:
    assert [units.gate(name).fire(bits) for bits in BITS] == truth


def test_not_xor_and_unknown_gates() -> None:
    assert [units.gate("NOT").fire([bit]) for bit in (0, 1)] == [1, 0]
    assert [units.xor(*bits) for bits in BITS] == [0, 1, 1, 0]
    with pytest.raises(RecipeError, match="AND"):
        units.gate("NAN")


def test_one_inhibitory_input_vetoes_whatever_excites() -> None:
    neuron = units.McCullochPittsNeuron(2, (0, 1, 2), (3, 4))
    for bits in itertools.product((0, 1), repeat=5):
        expected = int(sum(bits[:3]) >= 2 and not any(bits[3:]))
        assert neuron.fire(bits) == expected


def test_a_mcculloch_pitts_neuron_takes_bits_and_all_of_them() -> None:
    with pytest.raises(InputError, match="0 and 1 only"):
        units.gate("AND").fire([0, 2])
    with pytest.raises(InputError, match="2 inputs"):
        units.gate("AND").fire([1])


def learn(rule, x, y, *, rate, epochs, l2=0.0, w=None, seed=0):
    """Learn row after row in a new order each epoch; returns theta and the last sums."""
    rng = np.random.default_rng(seed)
    theta, met = np.zeros(x.shape[1] + 1), np.empty(len(x))
    w = np.ones(len(x)) if w is None else w
    for epoch in range(epochs):
        order = rng.permutation(len(x))
        falling = rate / (1 + epoch / 50)
        units.learn_rows(rule, theta, x, y, w, order, falling, l2, met)
    return theta, met


def sums(theta, x):
    z = np.empty(len(x))
    units.weighted_sums(theta, x, z)
    return z


@pytest.mark.parametrize("seed", range(4))
def test_the_perceptron_converges_within_its_mistake_bound(seed) -> None:
    """Novikoff 1962: at most (R / margin)**2 mistakes on separable rows, in any order."""
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=4)
    direction /= np.linalg.norm(direction)
    x = rng.normal(size=(300, 3))
    signed = np.column_stack([x, np.ones(300)]) @ direction
    x, signed = x[np.abs(signed) > 0.1], signed[np.abs(signed) > 0.1]
    y = np.sign(signed)
    radius = np.sqrt((x**2).sum(axis=1) + 1).max()
    bound = (radius / np.abs(signed).min()) ** 2
    theta, mistakes = np.zeros(4), 0
    for _ in range(500):
        before = mistakes
        for row in range(len(x)):
            z = units.learn_row(units.PERCEPTRON, theta, x, row, y[row], 1.0, 0.0)
            mistakes += z * y[row] <= 0
        if mistakes == before:
            break
    assert 0 < mistakes <= bound
    assert np.array_equal(np.where(sums(theta, x) >= 0, 1, -1), y)


def test_the_perceptron_rule_adds_or_takes_the_row_itself() -> None:
    x, theta = np.array([[2.0, -3.0]]), np.array([0.0, 1.0, 0.0])
    z = units.learn_row(units.PERCEPTRON, theta, x, 0, 1.0, 0.5, 0.0)
    assert (z, theta.tolist()) == (-3.0, [1.0, -0.5, 0.5])
    units.learn_row(units.PERCEPTRON, theta, x, 0, 1.0, 0.5, 0.0)
    assert theta.tolist() == [1.0, -0.5, 0.5]  # the answer is right: nothing is learned


@pytest.mark.parametrize("rule", [units.ADALINE, units.LINEAR])
def test_adaline_and_the_linear_neuron_reach_the_closed_form(rule) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal([1.0, 0.0, -2.0], size=(400, 3))
    y = x @ [1.0, -2.0, 0.5] + 0.7 + rng.normal(0, 0.3, 400)
    if rule == units.ADALINE:
        y = np.where(y >= 0, 1.0, -1.0)
    theta, _ = learn(rule, x, y, rate=0.005, epochs=400)
    best = units.least_squares(x, y)
    assert theta == pytest.approx(best, abs=0.01)
    ones = np.ones(len(y))
    least = units.mean_cost(rule, sums(best, x), y, ones)
    assert least <= units.mean_cost(rule, sums(theta, x), y, ones) < least * 1.001


@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_least_squares_is_ridge_and_weights_are_repeated_rows(l2) -> None:
    from sklearn.linear_model import Ridge

    rng = np.random.default_rng(2)
    x, y, times = rng.normal(size=(50, 4)), rng.normal(size=50), rng.integers(0, 4, 50)
    peer = Ridge(alpha=l2 * times.sum()).fit(x, y, sample_weight=times)
    ours = units.least_squares(x, y, w=times, l2=l2)
    assert ours == pytest.approx(np.append(peer.coef_, peer.intercept_), rel=1e-6, abs=1e-9)
    rows = np.repeat(np.arange(50), times)
    assert ours == pytest.approx(units.least_squares(x[rows], y[rows], l2=l2))
    twice = units.least_squares(np.column_stack([x, x[:, 0]]), y)
    assert np.isfinite(twice).all()
    assert twice[0] == pytest.approx(twice[4])  # the shortest solution shares between twins


def test_the_unit_of_a_column_decides_nothing_in_closed_form() -> None:
    """Seconds since 1970 beside a yes or no: one varies a billion times as much as the other."""
    rng = np.random.default_rng(4)
    x = np.column_stack([1.7e9 + rng.uniform(0, 3e8, 500), rng.integers(0, 2, (500, 9))])
    slopes = np.array([2e-8, *np.arange(1.0, 10.0)])
    ours = units.least_squares(x, x @ slopes + 3)
    assert ours[:-1] == pytest.approx(slopes, rel=1e-6)
    tiny = units.least_squares(x * [1e-20, *[1.0] * 9], x @ slopes + 3)
    assert tiny[:-1] == pytest.approx(slopes * [1e20, *[1.0] * 9], rel=1e-6)


def test_a_constant_column_gets_no_weight_in_closed_form() -> None:
    rng = np.random.default_rng(5)
    x = np.column_stack([rng.normal(size=80), np.full(80, 1e9 + 0.1)])
    ours = units.least_squares(x, 2 * x[:, 0] + 5, w=rng.uniform(0.5, 1, 80))
    assert ours == pytest.approx([2, 0, 5])


@pytest.mark.parametrize("l2", [0.0, 0.05])
def test_the_logistic_neuron_reaches_logistic_regression(l2) -> None:
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(3)
    x = rng.normal(size=(500, 3))
    y = (rng.uniform(size=500) < 1 / (1 + np.exp(-(x @ [1.5, -1.0, 0.3] + 0.4)))).astype(float)
    theta, _ = learn(units.LOGISTIC, x, y, rate=0.02, epochs=600, l2=l2)
    penalty = np.inf if l2 == 0 else 1 / (l2 * len(x))
    peer = LogisticRegression(C=penalty, tol=1e-8, max_iter=1000).fit(x, y)
    assert theta == pytest.approx(np.append(peer.coef_[0], peer.intercept_), abs=0.03)


@settings(max_examples=60, deadline=None)
@given(
    rule=st.integers(0, 3),
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    l2=st.sampled_from([0.0, 0.01]),
    seed=st.integers(0, 10_000),
)
def test_learning_rows_is_learning_row_after_row(rule, size, l2, seed) -> None:
    rng = np.random.default_rng(seed)
    x, w = rng.normal(size=size), rng.uniform(0.1, 2, size[0])
    y = rng.integers(0, 2, size[0]) * 1.0
    y = y if rule == units.LOGISTIC else 2 * y - 1
    order = rng.integers(0, size[0], 25)  # rows may come twice running
    start = rng.normal(size=size[1] + 1)
    together, apart, met = start.copy(), start.copy(), np.full(size[0], np.nan)
    units.learn_rows(rule, together, x, y, w, order, 0.05, l2, met)
    z = {row: units.learn_row(rule, apart, x, row, y[row], 0.05 * w[row], l2) for row in order}
    assert together == pytest.approx(apart, rel=1e-9, abs=1e-12)
    for row, value in z.items():
        assert met[row] == pytest.approx(value, rel=1e-9, abs=1e-12)


def test_learning_no_rows_changes_nothing() -> None:
    theta = np.array([1.0, 2.0])
    x, y, w, met = np.zeros((0, 1)), np.zeros(0), np.zeros(0), np.zeros(0)
    units.learn_rows(units.LINEAR, theta, x, y, w, np.zeros(0, np.int64), 0.1, 0.0, met)
    assert theta.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("rule", range(4))
def test_a_step_goes_down_the_slope_of_its_own_cost(rule) -> None:
    """Finite differences of `mean_cost` give the step that `learn_row` takes."""
    rng = np.random.default_rng(rule)
    for _ in range(20):
        x, start = rng.normal(size=(1, 4)), rng.normal(size=5)
        y = np.array([float(rng.integers(0, 2))])
        y = y if rule == units.LOGISTIC else 2 * y - 1
        slope = np.empty(5)
        for j in range(5):
            up, down = (
                units.mean_cost(rule, sums(start + h * np.eye(5)[j], x), y, np.ones(1))
                for h in (1e-6, -1e-6)
            )
            slope[j] = (up - down) / 2e-6
        theta = start.copy()
        units.learn_row(rule, theta, x, 0, y[0], 0.1, 0.0)
        assert theta == pytest.approx(start - 0.1 * slope, abs=1e-8)


def test_l2_shrinks_weights_and_leaves_the_bias_alone() -> None:
    x, plain, shrunk = np.array([[1.0, 2.0]]), np.ones(3), np.ones(3)
    units.learn_row(units.LINEAR, plain, x, 0, 0.0, 0.1, 0.0)
    units.learn_row(units.LINEAR, shrunk, x, 0, 0.0, 0.1, 0.5)
    assert plain - shrunk == pytest.approx([0.05, 0.05, 0.0])


def test_cost_of_a_far_off_logistic_sum_stays_finite() -> None:
    z, y = np.array([-1000.0, 1000.0]), np.array([1.0, 1.0])
    assert units.mean_cost(units.LOGISTIC, z, y, np.array([1.0, 3.0])) == pytest.approx(250.0)
