"""Every option of the recipe: switched on, it changes exactly what it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.neuron.reference import core_gradient

from neuroscope.base.recipe import INITS, Recipe
from neuroscope.neuron import heads
from neuroscope.neuron.descent import descend
from neuroscope.neuron.forward import forward, make_workspace
from neuroscope.neuron.network import Network, initial_std
from neuroscope.neuron.step import Examples

DOUBLE = np.dtype("float64")
STEP = Recipe(
    hidden=(7,), activation="tanh", loss="mean_squared_error", optimizer="sgd",
    learning_rate=0.1, batch_size=1000, epochs=1, precision="float64",
)  # fmt: skip


def problem(rows: int = 24) -> Examples:
    rng = np.random.default_rng(4)
    return Examples.of(rng.normal(size=(rows, 5)), rng.normal(size=(rows, 2)), None, DOUBLE)


def step_of(
    recipe: Recipe, examples: Examples | None = None
) -> tuple[Network, Network, np.ndarray]:
    """Return the net before, the net after one full-batch step, and the plain gradient."""
    examples = examples or problem()
    before = Network.build(5, 2, recipe, output="identity")
    before.theta[-9:] = 0.3  # biases that a penalty could shrink
    after = replace(before, theta=before.theta.copy())
    list(descend(after, examples, recipe))
    return before, after, core_gradient(before, examples)


def parts(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split a parameter vector of the 5-7-2 net into weights and biases."""
    return theta[:-9], theta[-9:]


@pytest.mark.parametrize(
    ("choice", "pull"),
    [
        ({}, lambda w: 0 * w),
        ({"l2": 0.5}, lambda w: 0.5 * w),
        ({"l1": 0.2}, lambda w: 0.2 * np.sign(w)),
        ({"l1": 0.2, "l2": 0.5}, lambda w: 0.2 * np.sign(w) + 0.5 * w),
    ],
)
def test_penalties_pull_weights_and_leave_biases_alone(choice, pull) -> None:
    before, after, gradient = step_of(replace(STEP, **choice))
    w, b = parts(before.theta)
    dw, db = parts(gradient)
    assert parts(after.theta)[0] == pytest.approx(w - 0.1 * (dw + pull(w)), rel=1e-10, abs=1e-14)
    assert parts(after.theta)[1] == pytest.approx(b - 0.1 * db, rel=1e-10, abs=1e-14)


def test_weight_decay_shrinks_weights_beside_the_step_and_leaves_biases_alone() -> None:
    recipe = replace(STEP, optimizer="adamw")
    before, plain, _ = step_of(recipe)
    _, decayed, _ = step_of(replace(recipe, weight_decay=0.5))
    difference = decayed.theta - plain.theta
    w, _ = parts(before.theta)
    assert parts(difference)[0] == pytest.approx(-0.1 * 0.5 * w, rel=1e-9, abs=1e-13)
    assert not parts(difference)[1].any()


def test_clipping_shortens_a_long_gradient_and_keeps_its_direction() -> None:
    before, after, gradient = step_of(replace(STEP, clip_norm=0.01))
    length = np.linalg.norm(gradient)
    assert length > 0.01
    assert before.theta - after.theta == pytest.approx(0.1 * gradient * 0.01 / length, rel=1e-9)
    _, untouched, _ = step_of(replace(STEP, clip_norm=2 * length))
    _, plain, _ = step_of(STEP)
    assert np.array_equal(untouched.theta, plain.theta)


def hidden_outputs(dropout: float, chance: int, rows: int = 400) -> np.ndarray:
    recipe = Recipe(hidden=(50, 50), activation="sigmoid", loss="mean_squared_error")
    network = Network.build(3, 1, recipe, output="identity")
    network.theta[:] = 0.01
    work = make_workspace(network.shape, rows, network.theta.dtype)
    forward(network.shape, network.theta, np.ones((rows, 3), np.float32), work, dropout, chance)
    return work.a[: rows * 50].reshape(rows, 50)


@pytest.mark.parametrize("dropout", [0.1, 0.5, 0.8])
def test_dropout_silences_its_share_and_scales_the_rest_up(dropout) -> None:
    plain, dropped = hidden_outputs(0.0, 3), hidden_outputs(dropout, 3)
    silent = dropped == 0
    assert silent.mean() == pytest.approx(dropout, abs=0.02)
    assert dropped[~silent] == pytest.approx(plain[~silent] / (1 - dropout), rel=1e-5)
    assert np.abs(silent.mean(axis=0) - dropout).max() < 0.12  # no unit is favoured
    other = hidden_outputs(dropout, 4) == 0
    both = (1 - dropout) ** 2 + dropout**2
    assert (other == silent).mean() == pytest.approx(both, abs=0.03)  # steps draw apart


def test_dropout_is_silent_when_predicting_and_watching() -> None:
    recipe = replace(STEP, dropout=0.5)
    network, examples = Network.build(5, 2, recipe, output="identity"), problem()
    assert np.array_equal(network.predict(examples.x), network.predict(examples.x))
    twin = Network.build(5, 2, STEP, output="identity")
    assert np.array_equal(network.predict(examples.x), twin.predict(examples.x))
    assert network.loss(examples) == twin.loss(examples)


def test_dropout_reaches_the_gradient_of_silenced_units_only() -> None:
    """What a silenced unit fed gets no gradient; the output layer is never silenced."""
    network, examples = Network.build(5, 2, STEP, output="identity"), problem(1)
    gradient = replace(network, theta=core_gradient(network, examples, dropout=0.5, chance=2))
    silent = gradient.layer(1)[0][:, 0] == 0
    assert 0 < silent.sum() < 7
    assert not gradient.layer(0)[0][:, silent].any()
    assert gradient.layer(0)[0][:, ~silent].all()
    assert gradient.layer(1)[1].all()
    _, plain, _ = step_of(STEP)
    _, dropped, _ = step_of(replace(STEP, dropout=0.5))
    assert not np.array_equal(plain.theta, dropped.theta)


def test_sample_weights_equal_repeated_rows() -> None:
    rng = np.random.default_rng(8)
    x, y = rng.normal(size=(30, 4)), rng.integers(0, 3, 30)
    times = rng.integers(0, 4, 30)
    recipe = Recipe(hidden=(6,), precision="float64", batch_size=10_000, epochs=40)
    weighted = heads.build("multiclass", 4, 3, recipe)
    repeated = heads.build("multiclass", 4, 3, recipe)
    one = heads.examples("multiclass", x, y, 3, recipe, sample_weight=times)
    two = heads.examples("multiclass", x.repeat(times, axis=0), y.repeat(times), 3, recipe)
    list(descend(weighted, one, recipe))
    list(descend(repeated, two, recipe))
    assert weighted.theta == pytest.approx(repeated.theta, rel=1e-7, abs=1e-9)
    assert weighted.loss(one) == pytest.approx(weighted.loss(two), rel=1e-10)


@pytest.mark.parametrize("sample_weight", [None, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]])
@pytest.mark.parametrize("kind", ["binary", "multiclass"])
def test_balanced_classes_weigh_the_same(kind, sample_weight) -> None:
    y = np.array([0, 0, 0, 0, 0, 1])
    weights = heads.row_weights(kind, y, 2, "balanced", sample_weight)
    assert weights.mean() == pytest.approx(1)
    assert weights[y == 0].sum() == pytest.approx(weights[y == 1].sum())
    assert heads.row_weights(kind, y, 2, None, None) is None


def test_balanced_is_what_scikit_learn_calls_balanced() -> None:
    from sklearn.utils.class_weight import compute_sample_weight

    y = np.random.default_rng(0).choice(4, 200, p=[0.7, 0.2, 0.05, 0.05])
    ours = heads.row_weights("multiclass", y, 4, "balanced", None)
    assert ours == pytest.approx(compute_sample_weight("balanced", y))


def test_label_smoothing_moves_targets_while_learning_only() -> None:
    recipe = Recipe(label_smoothing=0.2)
    x, y = np.zeros((2, 1)), np.array([0, 1])
    assert heads.examples("binary", x, y, 2, recipe).y.ravel() == pytest.approx([0.1, 0.9])
    three = heads.examples("multiclass", x, y, 4, recipe).y
    assert three[1] == pytest.approx([0.05, 0.85, 0.05, 0.05])
    labels = heads.examples("multilabel", x, np.array([[0, 1], [1, 1]]), 2, recipe).y
    assert labels == pytest.approx(np.array([[0.1, 0.9], [0.9, 0.9]]))
    assert heads.examples("binary", x, y, 2, recipe, smooth=False).y.ravel().tolist() == [0, 1]
    assert heads.examples("regression", x, y * 1.0, 1, recipe).y.ravel().tolist() == [0, 1]


@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("activation", ["relu", "tanh", "selu"])
def test_initial_weights_have_the_spread_of_their_rule(init, activation) -> None:
    recipe = Recipe(hidden=(300, 200), activation=activation, init=init, loss="huber")
    network = Network.build(100, 1, recipe, output="identity")
    weights, bias = network.layer(1)
    auto = {"relu": 2 / 300, "tanh": 2 / 500, "selu": 1 / 300}[activation]
    variance = {"auto": auto, "zeros": 0, "normal": 1e-4, "glorot": 2 / 500, "he": 2 / 300}[init]
    assert weights.std() == pytest.approx(np.sqrt(variance), rel=0.02)
    assert initial_std(init, activation, 300, 200) == pytest.approx(np.sqrt(variance))
    assert not bias.any()
    if init != "zeros":
        assert abs(weights.mean()) < 4 * weights.std() / np.sqrt(weights.size)


def test_huber_delta_bounds_the_pull_of_an_outlier() -> None:
    x, y = np.ones((1, 5)), np.array([[1000.0, 1000.0]])
    far = Examples.of(x, y, None, DOUBLE)
    for delta in (0.5, 2.0):
        before, after, _ = step_of(replace(STEP, loss="huber", huber_delta=delta), far)
        assert after.theta[-2:] - before.theta[-2:] == pytest.approx(0.1 * delta)


def test_warmup_shrinks_the_first_step() -> None:
    before, plain, gradient = step_of(STEP)
    recipe = replace(STEP, warmup=0.5, epochs=20)
    network = replace(before, theta=before.theta.copy())
    report = next(descend(network, problem(), recipe))
    assert report.learning_rate == pytest.approx(0.1 / 10)
    assert before.theta - network.theta == pytest.approx(0.01 * gradient, rel=1e-9, abs=1e-15)
    assert not np.array_equal(network.theta, plain.theta)


def test_precision_is_that_of_the_weights_and_outputs() -> None:
    for precision in ("float32", "float64"):
        network = Network.build(5, 2, replace(STEP, precision=precision), output="identity")
        assert network.theta.dtype == network.predict(np.zeros((1, 5))).dtype == precision
    single, double = (
        step_of(
            replace(STEP, precision=precision), Examples.of(p.x, p.y, None, np.dtype(precision))
        )
        for p, precision in ((problem(), "float32"), (problem(), "float64"))
    )
    assert single[1].theta == pytest.approx(double[1].theta, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize(
    ("kind", "outputs", "output", "loss", "units"),
    [
        ("binary", 2, "sigmoid", "binary_cross_entropy", 1),
        ("multiclass", 3, "softmax", "cross_entropy", 3),
        ("multilabel", 3, "sigmoid", "binary_cross_entropy", 3),
        ("regression", 2, "identity", "mean_squared_error", 2),
    ],
)
def test_a_head_fits_its_kind_of_answer(kind, outputs, output, loss, units) -> None:
    network = heads.build(kind, 4, outputs, Recipe(hidden=(3,)))
    assert network.activations == ("relu", output)
    assert (network.loss_name, network.widths) == (loss, (4, 3, units))
    answers = heads.answers(kind, network.predict(np.ones((5, 4))))
    assert answers.shape == (5, outputs)
    if kind in ("binary", "multiclass"):
        assert answers.sum(axis=1) == pytest.approx(1)
    huber = heads.build(kind, 4, outputs, Recipe(loss="huber"))
    assert huber.loss_name == ("huber" if kind == "regression" else loss)
    assert heads.answers("regression", np.ones((5, 1))).shape == (5,)
