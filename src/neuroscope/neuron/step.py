"""One step and one epoch of descent: forward -> loss -> backprop -> update, batch after batch.

Stochastic (one row), mini-batch and batch descent are the same loop with another batch_size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from neuroscope.base import randomness
from neuroscope.base.recipe import Recipe
from neuroscope.base.sparse import SparseRows
from neuroscope.base.types import Floats1D, Floats2D, Integers1D
from neuroscope.neuron._compile import compiled, compiled_into_caller
from neuroscope.neuron.backprop import backprop
from neuroscope.neuron.forward import (
    Shape,
    Workspace,
    block,
    forward,
    make_workspace,
    weights_of,
    zeros,
)
from neuroscope.neuron.losses import batch_loss
from neuroscope.neuron.network import Network
from neuroscope.neuron.update import Rule, norm, penalise, rate_at, update


@compiled
def shuffle(
    order: Integers1D,  # (n,)  changed
    state: np.ndarray,  # (1,) uint64, changed: where the random sequence stands
) -> None:
    """Put rows in a random order (Fisher and Yates), with splitmix64 (Steele et al. 2014)."""
    for i in range(order.size - 1, 0, -1):
        j = (draw(state) >> np.uint64(32)) * np.uint64(i + 1) >> np.uint64(32)
        order[i], order[j] = order[j], order[i]


@compiled
def draw(state: np.ndarray) -> np.uint64:
    """Return the next 64 random bits and move `state` on."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    h = state[0]
    h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return h ^ (h >> np.uint64(31))


@compiled
def train_epoch(
    shape: Shape,
    rule: Rule,
    step: int,  # steps taken so far
    chance: np.ndarray,  # (1,) uint64, changed: random state
    theta: Floats1D,  # (p,)  changed: weights, then biases
    moments: Floats2D,  # (2, p)  changed: what the update rule remembers
    gradient: Floats1D,  # (p,)  scratch
    x: Floats2D,  # (n, d)
    y: Floats2D,  # (n, k)
    w: Floats1D,  # (n,)  row weights
    order: Integers1D,  # (n,)  changed: the order of the rows
    work: Workspace,
    xb: Floats2D,  # (batch, d)  scratch
    yb: Floats2D,  # (batch, k)  scratch
    wb: Floats1D,  # (batch,)  scratch
    norms: Floats1D,  # (L,)  written: mean gradient norm of each layer's weights
) -> float:
    """Take one pass over the rows; returns the mean loss, measured as the batches went by."""
    n = x.shape[0]
    total, weight, steps = 0.0, 0.0, 0
    norms[:] = 0
    shuffle(order, chance)
    for first in range(0, n, rule.batch_size):
        rows = order[first : first + rule.batch_size]
        weight += gather(rows, x, y, w, xb, yb, wb)
        here, salt = rows.size, int(np.int64(draw(chance) >> np.uint64(40)))  # int64, as in predict
        total += train_step(shape, rule, step + steps, salt, theta, moments, gradient,
                            xb[:here], yb[:here], wb[:here], work, norms)  # fmt: skip
        steps += 1
    for layer in range(norms.size):
        norms[layer] /= steps
    return float(total / max(weight, 1e-30))


@compiled_into_caller
def train_step(
    shape: Shape, rule: Rule, step: int, chance: int, theta: Floats1D, moments: Floats2D,
    gradient: Floats1D, x: Floats2D, y: Floats2D, w: Floats1D, work: Workspace, norms: Floats1D,
) -> float:  # fmt: skip
    """Take one step on one batch; returns the sum of weight times loss before the step."""
    loss = learn_slopes(shape, rule.dropout, chance, theta, gradient, x, y, w, work)
    add_norms(shape, gradient, norms)
    bound(shape, rule, theta, gradient)
    rate, biases = rate_at(rule, step), shape.bias_at[0]  # weights lie before the biases
    change(rule, rate, step, rule.weight_decay, theta, gradient, moments, 0, biases)
    change(rule, rate, step, 0.0, theta, gradient, moments, biases, theta.size)
    return loss


@compiled_into_caller
def change(
    rule: Rule, rate: float, step: int, weight_decay: float, theta: Floats1D, gradient: Floats1D,
    moments: Floats2D, first: int, last: int,
) -> None:  # fmt: skip
    """Take the rule's step with the parameters first to last."""
    update(rule, rate, step, weight_decay, theta[first:last], gradient[first:last],
           moments[0, first:last], moments[1, first:last])  # fmt: skip


@compiled_into_caller
def learn_slopes(
    shape: Shape, dropout: float, chance: int, theta: Floats1D, gradient: Floats1D, x: Floats2D,
    y: Floats2D, w: Floats1D, work: Workspace,
) -> float:  # fmt: skip
    """Compute the gradient of one batch; returns the sum of weight times loss."""
    n, last = x.shape[0], shape.widths.size - 2
    output = forward(shape, theta, x, work, dropout, chance)
    z = block(shape, work, work.z, last, n)
    loss = batch_loss(shape.loss, shape.huber_delta, z, output, y, w)
    backprop(shape, theta, x, y, w, work, gradient)
    return loss


@compiled_into_caller
def add_norms(shape: Shape, gradient: Floats1D, norms: Floats1D) -> None:
    """Add the gradient norm of each layer's weights to `norms`."""
    for layer in range(norms.size):
        flat = weights_of(shape, gradient, layer)
        norms[layer] += norm(flat.reshape(flat.size))


@compiled_into_caller
def bound(shape: Shape, rule: Rule, theta: Floats1D, gradient: Floats1D) -> None:
    """Add the penalties on weights to the gradient (biases go free), then clip it."""
    biases = shape.bias_at[0]
    if rule.l1 > 0 or rule.l2 > 0:
        penalise(rule, theta[:biases], gradient[:biases])
    if rule.clip_norm > 0:
        gradient *= theta.dtype.type(min(1.0, rule.clip_norm / max(norm(gradient), 1e-30)))


@compiled_into_caller
def gather(
    rows: Integers1D, x: Floats2D, y: Floats2D, w: Floats1D, xb: Floats2D, yb: Floats2D,
    wb: Floats1D,
) -> float:  # fmt: skip
    """Copy the rows of a batch side by side; returns the sum of their weights."""
    weight = 0.0
    for i in range(rows.size):
        row = rows[i]
        for j in range(x.shape[1]):
            xb[i, j] = x[row, j]
        for j in range(y.shape[1]):
            yb[i, j] = y[row, j]
        wb[i] = w[row]
        weight += w[row]
    return float(weight)


@dataclass
class State:
    """Everything a fit needs to go on: plain arrays and numbers, saved as they are."""

    theta: Floats1D
    moments: Floats2D
    chance: np.ndarray  # (1,) uint64
    order: Integers1D
    best: Floats1D
    epoch: int = 0
    step: int = 0
    best_epoch: int = 0
    best_loss: float = math.inf

    @classmethod
    def start(cls, network: Network, recipe: Recipe, rows: int) -> State:
        """Return the state before the first step of a fit of `rows` rows."""
        size, dtype = network.theta.size, network.theta.dtype
        theta = zeros(size, dtype)
        theta[:] = network.theta
        seed = randomness.sequence(recipe.seed, "batches").generate_state(1, np.uint64)
        return cls(theta, zeros((2, size), dtype), seed, np.arange(rows),
                   theta.copy())  # fmt: skip

    def out_of(self, patience: int) -> bool:
        """Say whether `patience` epochs (0: any number) have passed without a better one."""
        return bool(patience) and self.epoch - self.best_epoch >= patience


@dataclass(frozen=True)
class Examples:
    """Rows to learn from or to watch: inputs (n, d), targets (n, k), row weights (n,)."""

    x: Any  # Floats2D or SparseRows
    y: Floats2D
    w: Floats1D

    @classmethod
    def of(
        cls, x: np.ndarray | SparseRows, y: np.ndarray, w: np.ndarray | None, dtype: np.dtype
    ) -> Examples:
        """Bring arrays into the form the compiled loops read; y (n,) becomes (n, 1)."""
        y = np.asarray(y, dtype)
        return cls(
            x if isinstance(x, SparseRows) else np.ascontiguousarray(x, dtype),
            np.ascontiguousarray(y[:, None] if y.ndim == 1 else y),
            np.ones(len(y), dtype) if w is None else np.ascontiguousarray(w, dtype),
        )


def make_scratch(
    network: Network, batch_size: int
) -> tuple[Workspace, Floats2D, Floats2D, Floats1D]:
    """Allocate what `train_epoch` writes on: the workspace and a batch of x, y and w."""
    dtype = network.theta.dtype
    return (
        make_workspace(network.shape, batch_size, dtype),
        zeros((batch_size, network.widths[0]), dtype),
        zeros((batch_size, network.widths[-1]), dtype),
        np.empty(batch_size, dtype),
    )
