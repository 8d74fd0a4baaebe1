"""Sparse rows give what the same rows give with their zeros: outputs, gradients, steps."""

from __future__ import annotations

import numpy as np
import pytest
from tests.neuron.reference import autograd, random_case

from neuroscope.base.errors import InputError, RecipeError
from neuroscope.base.recipe import Recipe
from neuroscope.base.sparse import SparseRows
from neuroscope.neuron import heads
from neuroscope.neuron.descent import descend
from neuroscope.neuron.network import Network
from neuroscope.neuron.sparse import sparse_gradient, workspace
from neuroscope.neuron.step import Examples
from neuroscope.neuron.whole import settle


def sparse(x: np.ndarray) -> SparseRows:
    rows, places = np.nonzero(x)
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(x)))])
    return SparseRows(starts.astype(np.int64), places.astype(np.int32),
                      x[rows, places].astype(np.float32), x.shape[1])  # fmt: skip


def case(*names: object, loss="cross_entropy", output="softmax", depth=1, precision="float64"):
    rng = np.random.default_rng(sum(map(ord, repr(names))))
    network, examples = random_case(rng, loss, output, "tanh", depth=depth, precision=precision)
    x = examples.x * (rng.random(examples.x.shape) < 0.4)
    x[0] = 0  # a text without words
    x = x.astype(np.float32).astype(examples.x.dtype)
    return network, Examples(x, examples.y, examples.w), Examples(sparse(x), examples.y, examples.w)


def gradient_of(network: Network, examples: Examples) -> tuple[float, np.ndarray]:
    x = examples.x
    assert isinstance(x, SparseRows)
    part, gradient = np.full((2, network.theta.size), np.nan, network.theta.dtype)
    loss = sparse_gradient(network.shape, network.theta, x.starts, x.places, x.values, examples.y,
                           examples.w, workspace(network, len(x)), part, gradient)  # fmt: skip
    return loss, gradient


CASES = [("cross_entropy", "softmax"), ("binary_cross_entropy", "sigmoid"),
         ("mean_squared_error", "identity")]  # fmt: skip


@pytest.mark.parametrize(("loss", "output"), CASES)
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_the_gradient_equals_autograd_and_finite_differences(loss, output, depth) -> None:
    network, dense, rows = case(loss, depth, loss=loss, output=output, depth=depth)
    mean, gradient = gradient_of(network, rows)
    expected = autograd(network, dense)
    assert np.linalg.norm(gradient - expected) <= 1e-10 * np.linalg.norm(expected)
    assert mean == pytest.approx(network.loss(dense) * dense.w.sum() / len(dense.x), rel=1e-12)
    direction = np.random.default_rng(0).normal(size=gradient.size)
    up, down = (
        gradient_of(Network(network.widths, network.activations, network.loss_name,
                            network.theta + step * direction), rows)[0]
        for step in (1e-6, -1e-6)
    )  # fmt: skip
    assert (up - down) / 2e-6 == pytest.approx(gradient @ direction, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("depth", [0, 2])
def test_outputs_are_those_of_the_rows_with_their_zeros(depth) -> None:
    network, dense, rows = case(depth, depth=depth, precision="float32")
    assert np.allclose(network.predict(rows.x), network.predict(dense.x), atol=1e-6)
    assert network.loss(rows) == pytest.approx(network.loss(dense), rel=1e-5)


def test_many_rows_go_forward_in_chunks() -> None:
    rng = np.random.default_rng(0)
    x = (rng.random((1300, 6)) < 0.3).astype(np.float32)
    network = Network.build(6, 3, Recipe(hidden=(4,), loss="cross_entropy"), output="softmax")
    assert np.allclose(network.predict(sparse(x)), network.predict(x), atol=1e-6)


@pytest.mark.parametrize("optimizer", ["sgd", "adagrad"])
@pytest.mark.parametrize("hidden", [(), (5, 4)])
def test_steps_are_those_of_the_rows_with_their_zeros(optimizer, hidden) -> None:
    """Where a column that is not met rests anyway, whole fits are the same."""
    rng = np.random.default_rng(1)
    x = ((rng.random((60, 20)) < 0.2) * rng.random((60, 20))).astype(np.float32)
    y = rng.integers(3, size=60)
    recipe = Recipe(loss="cross_entropy", hidden=hidden, optimizer=optimizer, epochs=4,
                    learning_rate=0.1, batch_size=8, clip_norm=0.2, activation="tanh")  # fmt: skip
    fitted = []
    for rows in (x, sparse(x)):
        network = heads.build("multiclass", 20, 3, recipe)
        losses = [e.train_loss for e in descend(network, heads.examples(
            "multiclass", rows, y, 3, recipe), recipe)]  # fmt: skip
        fitted.append((network.theta, losses))
    assert np.allclose(fitted[0][0], fitted[1][0], atol=1e-5)
    assert fitted[0][1] == pytest.approx(fitted[1][1], rel=1e-4)
    assert fitted[0][1][-1] < fitted[0][1][0]


def test_a_column_that_is_not_met_rests() -> None:
    x = np.zeros((8, 5), np.float32)
    x[:, :3] = 1
    recipe = Recipe(loss="cross_entropy", optimizer="adam", epochs=3, batch_size=4, hidden=(2,))
    network = heads.build("multiclass", 5, 2, recipe)
    before = network.layer(0)[0].copy()
    y = np.array([0, 1] * 4)
    for _ in descend(network, heads.examples("multiclass", sparse(x), y, 2, recipe), recipe):
        pass
    moved = np.abs(network.layer(0)[0] - before).max(axis=1)
    assert (moved[:3] > 0).all()
    assert (moved[3:] == 0).all()


def test_the_same_seed_gives_the_same_weights_with_dropout() -> None:
    rng = np.random.default_rng(2)
    x = sparse((rng.random((40, 10)) < 0.3).astype(np.float32))
    y = rng.integers(2, size=40)
    thetas = []
    for dropout in (0.5, 0.5, 0.0):
        recipe = Recipe(loss="cross_entropy", hidden=(6,), epochs=2, batch_size=8, dropout=dropout)
        network = heads.build("multiclass", 10, 2, recipe)
        for _ in descend(network, heads.examples("multiclass", x, y, 2, recipe), recipe):
            pass
        thetas.append(network.theta.copy())
    assert (thetas[0] == thetas[1]).all()
    assert (thetas[0] != thetas[2]).any()


def test_rows_can_be_taken_and_filled() -> None:
    x = np.array([[0, 1, 0], [2, 0, 3], [0, 0, 0]], np.float32)
    rows = sparse(x)
    assert (rows.dense() == x).all()
    assert (rows[np.array([2, 1])].dense() == x[[2, 1]]).all()
    assert (rows[:1].dense() == x[:1]).all()
    assert rows.shape == (3, 3)
    assert rows.row(1)[0].tolist() == [0, 2]


def test_rows_of_another_width_are_refused() -> None:
    network = Network.build(4, 1, Recipe(), output="sigmoid")
    with pytest.raises(InputError, match="takes 4 inputs"):
        network.predict(sparse(np.eye(3, dtype=np.float32)))


def settled(x, y, recipe, kind="multiclass", classes=3):
    network = heads.build(kind, x.shape[1], classes, recipe)
    return network, list(settle(network, heads.examples(kind, x, y, classes, recipe), recipe))


def test_whole_passes_end_where_scikit_learn_ends() -> None:
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(3)
    x = ((rng.random((200, 30)) < 0.3) * rng.random((200, 30))).astype(np.float32)
    y = (x @ rng.normal(size=(30, 3)) + rng.normal(size=(200, 3))).argmax(axis=1)
    recipe = Recipe(loss="cross_entropy", init="zeros", optimizer="lbfgs", l2=1 / 200, epochs=500,
                    precision="float64")  # fmt: skip
    theirs = LogisticRegression(C=1.0, tol=1e-8, max_iter=5000).fit(x, y).predict_proba(x)
    for rows in (x, sparse(x)):
        network, course = settled(rows, y, recipe)
        assert np.allclose(network.predict(rows), theirs, atol=1e-3)
        assert course[-1].train_loss < course[0].train_loss
        assert len(course) < 100


def test_whole_passes_of_a_dense_net_bring_the_loss_down() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(600, 4)).astype(np.float32)
    y = (x[:, 0] * x[:, 1] > 0).astype(np.int64)
    recipe = Recipe(hidden=(8,), optimizer="lbfgs", epochs=60, activation="tanh")
    course = settled(x, y, recipe, "binary", 2)[1]
    assert course[-1].train_loss < 0.1 < course[0].train_loss


def test_whole_passes_stop_where_new_rows_no_longer_gain() -> None:
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(30, 40)), rng.integers(2, size=30)
    recipe = Recipe(init="zeros", optimizer="lbfgs", epochs=50, patience=3)
    network = heads.build("binary", 40, 2, recipe)
    valid = heads.examples("binary", rng.normal(size=(50, 40)), rng.integers(2, size=50), 2, recipe)
    course = list(settle(network, heads.examples("binary", x, y, 2, recipe), recipe, valid=valid))
    assert len(course) <= 6
    assert network.loss(valid) == pytest.approx(min(e.valid_loss for e in course), rel=1e-5)


def test_whole_passes_refuse_what_has_no_meaning_there() -> None:
    with pytest.raises(
        RecipeError, match=r"dropout is 0.1, which descent by whole passes does not"
    ):
        settled(np.eye(3), np.arange(3), Recipe(optimizer="lbfgs", dropout=0.1))
    with pytest.raises(RecipeError, match="unknown optimizer of steps 'lbfgs'"):
        network = heads.build("multiclass", 3, 3, Recipe(optimizer="lbfgs"))
        examples = heads.examples("multiclass", np.eye(3), np.arange(3), 3, Recipe())
        next(descend(network, examples, Recipe(optimizer="lbfgs")))
