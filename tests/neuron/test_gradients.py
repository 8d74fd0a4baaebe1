"""Every gradient meets two oracles, finite differences and PyTorch, compiled and plain."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from numba.core import config
from tests.neuron.reference import autograd, core_gradient, random_case

from neuroscope.base.errors import RecipeError
from neuroscope.base.recipe import ACTIVATIONS, HIDDEN_ACTIVATIONS, LOSSES, Recipe
from neuroscope.neuron import losses
from neuroscope.neuron.network import Network
from neuroscope.neuron.step import Examples

PAIRS = [(loss, output) for loss in LOSSES for output in losses.OUTPUTS[loss]]
CASES = [(loss, output, hidden) for loss, output in PAIRS for hidden in HIDDEN_ACTIVATIONS]
DEPTHS = (0, 2) if config.DISABLE_JIT else (0, 1, 2, 3)  # hidden layers; plain Python is slow
DIRECTIONS = 1 if config.DISABLE_JIT else 3


def generator(*names: object) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(repr(names).encode()))


def mean_loss(network: Network, theta: np.ndarray, examples: Examples) -> float:
    """The loss whose gradient backprop promises: the mean over rows of weight times loss."""
    moved = Network(
        network.widths, network.activations, network.loss_name, theta, network.huber_delta
    )
    return moved.loss(examples) * examples.w.sum() / len(examples.x)


def relative(ours: np.ndarray, theirs: np.ndarray) -> float:
    scale = np.linalg.norm(theirs)
    return float(np.linalg.norm(ours - theirs) / (scale if scale > 0 else 1.0))


@pytest.mark.parametrize(("loss", "output", "hidden"), CASES)
def test_gradient_equals_autograd_and_finite_differences(loss, output, hidden) -> None:
    rng = generator(loss, output, hidden)
    for depth in DEPTHS:
        network, examples = random_case(rng, loss, output, hidden, depth=depth)
        gradient = core_gradient(network, examples)
        assert relative(gradient, autograd(network, examples)) < 1e-10
        for _ in range(DIRECTIONS):
            direction = rng.normal(size=gradient.size)
            up, down = (
                mean_loss(network, network.theta + step * direction, examples)
                for step in (1e-6, -1e-6)
            )
            assert (up - down) / 2e-6 == pytest.approx(gradient @ direction, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize(("loss", "output", "hidden"), CASES)
def test_float32_gradient_equals_autograd(loss, output, hidden) -> None:
    rng = generator(loss, output, hidden, 32)
    for depth in DEPTHS:
        network, examples = random_case(rng, loss, output, hidden, depth=depth, precision="float32")
        assert relative(core_gradient(network, examples), autograd(network, examples)) < 1e-5


@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="this is the plain run")
def test_the_same_holds_in_plain_python() -> None:
    """The code a learner reads and steps through is the code that runs."""
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", __file__],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-3000:]
    passed = re.search(r"(\d+) passed, 1 skipped", run.stdout)
    assert passed, run.stdout[-3000:]
    assert int(passed[1]) >= 2 * len(CASES)


def test_every_activation_and_loss_is_among_the_cases() -> None:
    assert {hidden for _, _, hidden in CASES} == set(ACTIVATIONS) - {"threshold", "softmax"}
    assert {loss for loss, _, _ in CASES} == set(LOSSES)
    assert len(CASES) == 21 * 8


def test_a_loss_refuses_an_output_outside_its_range() -> None:
    for loss in LOSSES:
        for output in set(ACTIVATIONS) - set(losses.OUTPUTS[loss]):
            with pytest.raises(RecipeError, match="does not go with the output activation"):
                Network.build(2, 2, Recipe(loss=loss), output=output)


@pytest.mark.parametrize("error", [-3.0, -0.7000001, -0.7, -0.6999999, 0.0, 0.7, 2.0])
def test_huber_turns_from_square_to_straight_at_its_edge(error) -> None:
    """Loss and slope are both continuous at |a - y| = delta (Huber 1964)."""
    a, edge = np.float64(1.0 + error), 0.7
    square, straight = error**2 / 2, edge * (abs(error) - edge / 2)
    expected = square if abs(error) <= edge else straight
    got = losses.loss_of(losses.HUBER, edge, a, a, np.float64(1.0))
    assert got == pytest.approx(expected, rel=1e-12)
    slope = losses.slope_of(losses.HUBER, edge, a, np.float64(1.0))
    assert slope == pytest.approx(np.clip(error, -edge, edge), abs=1e-12)


def test_softmax_before_squared_loss_goes_through_the_whole_jacobian() -> None:
    network, examples = random_case(
        generator("jacobian"), "mean_squared_error", "softmax", "identity", depth=0
    )
    z, a = network.propagate(examples.x)
    gradient = np.zeros_like(z)
    for row in range(len(z)):
        jacobian = np.diag(a[row]) - np.outer(a[row], a[row])
        gradient[row] = jacobian @ (a[row] - examples.y[row]) * examples.w[row] / len(z)
    expected = np.concatenate([(examples.x.T @ gradient).ravel(), gradient.sum(axis=0)])
    assert core_gradient(network, examples) == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_a_row_of_weight_two_pulls_like_two_rows() -> None:
    network, examples = random_case(
        generator("weights"), "mean_squared_error", "identity", "tanh", depth=1
    )
    n = len(examples.x)
    doubled = Examples.of(
        np.concatenate([examples.x, examples.x[:1]]),
        np.concatenate([examples.y, examples.y[:1]]),
        None,
        np.dtype("float64"),
    )
    weighted = Examples(examples.x, examples.y, np.r_[2.0, np.ones(n - 1)])
    assert core_gradient(network, weighted) * n == pytest.approx(
        core_gradient(network, doubled) * (n + 1), rel=1e-12
    )
    silent = Examples(examples.x, examples.y, np.r_[np.zeros(1), np.ones(n - 1)])
    without = Examples(examples.x[1:], examples.y[1:], np.ones(n - 1))
    assert core_gradient(network, silent) * n == pytest.approx(
        core_gradient(network, without) * (n - 1), rel=1e-12
    )


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_losses_stay_finite_where_a_naive_formula_overflows(precision) -> None:
    real = np.dtype(precision).type
    for z in (-200.0, 200.0):
        for y in (0.0, 1.0):
            a = real(z > 0)
            got = losses.loss_of(losses.BINARY_CROSS_ENTROPY, 1.0, real(z), a, real(y))
            assert got == pytest.approx(200.0 if (z > 0) != (y > 0) else 0.0, abs=1e-6)
    certain = losses.loss_of(losses.CROSS_ENTROPY, 1.0, real(0), real(0), real(1))
    assert 80 < certain < 100
