"""The products, e**z and log(z) against NumPy, for every remainder of the blocks."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from tests.neuron.reference import ACTIVATIONS

from neuroscope.base.recipe import Recipe
from neuroscope.neuron import activations, elementary, losses, matmul
from neuroscope.neuron._compile import compiled
from neuroscope.neuron.forward import block
from neuroscope.neuron.network import Network
from neuroscope.neuron.step import State, make_scratch

SIZES = list(itertools.product((1, 2, 3, 4, 5, 7, 8), repeat=3))
TOLERANCE = {"float32": 1e-6, "float64": 1e-14}


def three_products(left, right, matmul_function=None):
    """Return left @ right by each of the three kernels, each given what it turns itself."""
    (n, d), k = left.shape, right.shape[1]
    room = np.empty(max(n * d, d * k), left.dtype)
    outs = [np.full((n, k), np.nan, left.dtype) for _ in range(3)]
    matmul.matmul(left, right, outs[0])
    matmul.matmul_left_turned(np.ascontiguousarray(left.T), 0, n, right, room, outs[1])
    matmul.matmul_right_turned(left, np.ascontiguousarray(right.T), room, outs[2])
    return outs


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_products_of_every_size_remainder(precision) -> None:
    rng = np.random.default_rng(0)
    for n, d, k in SIZES:
        left, right = rng.normal(size=(n, d)), rng.normal(size=(d, k))
        left, right = left.astype(precision), right.astype(precision)
        for out in three_products(left, right):
            bound = TOLERANCE[precision] * (np.abs(left) @ np.abs(right))
            assert (np.abs(out - left.astype(float) @ right.astype(float)) <= bound).all()


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_products_of_large_layers(precision) -> None:
    rng = np.random.default_rng(1)
    left = rng.normal(size=(133, 201)).astype(precision)
    right = rng.normal(size=(201, 157)).astype(precision)
    for out in three_products(left, right):
        bound = 10 * TOLERANCE[precision] * (np.abs(left) @ np.abs(right))
        assert (np.abs(out - left.astype(float) @ right.astype(float)) <= bound).all()


@compiled
def exp_of(z, out):
    for i in range(z.size):
        out[i] = elementary.exp(z[i])


@compiled
def log_of(z, out):
    for i in range(z.size):
        out[i] = elementary.log(z[i])


@pytest.mark.parametrize(("precision", "bound"), [("float32", 2e-7), ("float64", 1e-15)])
def test_exponential_and_logarithm_are_exact_to_the_last_digits(precision, bound) -> None:
    z = np.linspace(-87, 88, 200_001).astype(precision)
    out = np.empty_like(z)
    exp_of(z, out)
    assert np.abs(out / np.exp(z.astype(np.float64)) - 1).max() < bound
    z = np.exp(np.linspace(-86, 88, 200_001)).astype(precision)
    log_of(z, out)
    exact = np.log(z.astype(np.float64))
    assert (np.abs(out - exact) <= bound * np.maximum(np.abs(exact), 1)).all()


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_plain_and_compiled_elementary_functions_agree(precision) -> None:
    real, out = np.dtype(precision).type, np.empty(1, precision)
    for z in (0.001, 0.5, 1.0, 3.3, 80.0):
        exp_of(np.array([z], precision), out)
        assert elementary.exp(real(z)) == pytest.approx(out[0], rel=3e-7)
        log_of(np.array([z], precision), out)
        assert elementary.log(real(z)) == pytest.approx(out[0], rel=3e-7, abs=1e-7)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"softmax"}))
def test_activations_from_far_left_to_far_right(name, precision) -> None:
    """No overflow, no NaN, and the values of PyTorch on the whole range."""
    import torch

    z = np.linspace(-300, 300, 4801).astype(precision)
    a, slope = np.full_like(z, np.nan), np.full_like(z, np.nan)
    activations.activate(activations.CODES[name], z, a, slope)
    exact = torch.tensor(z.astype(np.float64), requires_grad=True)
    value = ACTIVATIONS[name](exact)
    bound = {"float32": 2e-6, "float64": 1e-12}[precision]
    assert a == pytest.approx(value.detach().numpy(), rel=bound, abs=bound)
    if name != "threshold":
        value.sum().backward()
        away = z != 0  # at its kink a function has no one slope
        assert slope[away] == pytest.approx(exact.grad.numpy()[away], rel=bound, abs=bound)
    else:
        assert not slope.any()


def test_softmax_does_not_overflow_and_sums_to_one() -> None:
    z = np.array([[1000.0, 0.0, -1000.0], [-5e4, -5e4, -5e4], [0.0, 1.0, 2.0]])
    a = np.empty_like(z)
    activations.softmax_rows(z, a)
    assert a.sum(axis=1) == pytest.approx(1)
    assert a[:2] == pytest.approx(np.array([[1, 0, 0], [1 / 3] * 3]))
    assert a[2] == pytest.approx(np.exp(z[2]) / np.exp(z[2]).sum())


def test_a_number_that_is_none_stays_visible_in_the_loss() -> None:
    """Fast arithmetic must not optimise NaN away: it is how divergence is found."""
    z = np.array([[np.nan, 1.0]], np.float32)
    a, y, w = np.zeros_like(z), np.zeros_like(z), np.ones(1, np.float32)
    activations.activate(activations.SIGMOID, z.ravel(), a.ravel(), np.zeros(2, np.float32))
    for kind in (losses.BINARY_CROSS_ENTROPY, losses.MEAN_SQUARED_ERROR):
        shown = z if kind == losses.MEAN_SQUARED_ERROR else a
        assert np.isnan(losses.batch_loss(kind, 1.0, z, shown, y, w))


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_what_the_products_read_and_write_begins_at_a_cache_line(precision) -> None:
    recipe = Recipe(hidden=(5, 7), precision=precision, loss="cross_entropy")
    network = Network.build(3, 2, recipe, output="softmax")
    state = State.start(network, recipe, rows=10)
    work, xb, *_ = make_scratch(network, 9)
    rooms = [network.theta, state.theta, state.moments, xb, work.turned]
    for layer, width in enumerate((5, 7, 2)):
        for room in (work.z, work.a, work.slope, work.delta):
            units = block(network.shape, work, room, layer, 9)
            assert units.shape == (9, width)
            rooms.append(units)
    assert all(room.ctypes.data % 64 == 0 for room in rooms)
    assert not any(room.any() for room in rooms[1:] if room is not state.theta)
    assert all(room.dtype == precision for room in rooms)
