"""Gradient descent: forward -> loss -> backprop -> update, batch after batch, epoch after epoch.

Stochastic (one row), mini-batch and batch descent are the same loop with another batch_size.
`train_epoch` is that loop, compiled; `descend` runs epochs, watches the validation loss, stops
early and keeps the best weights. It knows no viewer: it yields a report after each epoch.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from neuroscope.base import randomness
from neuroscope.base.errors import DivergedError, InputError
from neuroscope.base.recipe import Recipe
from neuroscope.base.types import Floats1D, Floats2D, Integers1D
from neuroscope.neuron._compile import compiled, compiled_into_caller
from neuroscope.neuron.backprop import backprop
from neuroscope.neuron.forward import Shape, Workspace, block, forward, make_workspace, weights_of
from neuroscope.neuron.losses import batch_loss
from neuroscope.neuron.network import Network
from neuroscope.neuron.update import Rule, make_rule, norm, penalise, rate_at, update

RATE_HALVINGS = 6  # how often a diverged fit is begun again with half the learning rate


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
        here, salt = rows.size, int(draw(chance) >> np.uint64(40))
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
    n, last = x.shape[0], norms.size - 1
    output = forward(shape, theta, x, work, rule.dropout, chance)
    loss = batch_loss(shape.loss, shape.huber_delta, block(shape, work, work.z, last, n), output,
                      y, w)  # fmt: skip
    backprop(shape, theta, x, y, w, work, gradient)
    for layer in range(norms.size):
        flat = weights_of(shape, gradient, layer)
        norms[layer] += norm(flat.reshape(flat.size))
    biases = shape.bias_at[0]  # weights lie before the biases; penalties leave biases alone
    if rule.l1 > 0 or rule.l2 > 0:
        penalise(rule, theta[:biases], gradient[:biases])
    if rule.clip_norm > 0:
        gradient *= theta.dtype.type(min(1.0, rule.clip_norm / max(norm(gradient), 1e-30)))
    rate = rate_at(rule, step)
    update(rule, rate, step, rule.weight_decay, theta[:biases], gradient[:biases],
           moments[0, :biases], moments[1, :biases])  # fmt: skip
    update(rule, rate, step, 0.0, theta[biases:], gradient[biases:], moments[0, biases:],
           moments[1, biases:])  # fmt: skip
    return loss


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
        theta = network.theta.copy()
        seed = randomness.sequence(recipe.seed, "batches").generate_state(1, np.uint64)
        return cls(theta, np.zeros((2, theta.size), theta.dtype), seed, np.arange(rows),
                   theta.copy())  # fmt: skip

    def out_of(self, patience: int) -> bool:
        """Say whether `patience` epochs (0: any number) have passed without a better one."""
        return bool(patience) and self.epoch - self.best_epoch >= patience


@dataclass(frozen=True)
class Epoch:
    """The report of one epoch; `norms` holds each layer's mean gradient norm."""

    epoch: int  # counted from 1
    train_loss: float
    valid_loss: float | None
    learning_rate: float
    norms: tuple[float, ...]
    seconds: float  # since the fit began
    best: bool


@dataclass(frozen=True)
class Examples:
    """Rows to learn from or to watch: inputs (n, d), targets (n, k), row weights (n,)."""

    x: Floats2D
    y: Floats2D
    w: Floats1D

    @classmethod
    def of(cls, x: np.ndarray, y: np.ndarray, w: np.ndarray | None, dtype: np.dtype) -> Examples:
        """Bring arrays into the form the compiled loops read; y (n,) becomes (n, 1)."""
        y = np.asarray(y, dtype)
        return cls(
            np.ascontiguousarray(x, dtype),
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
        np.empty((batch_size, network.widths[0]), dtype),
        np.empty((batch_size, network.widths[-1]), dtype),
        np.empty(batch_size, dtype),
    )


def descend(
    network: Network,
    train: Examples,
    recipe: Recipe,
    *,
    valid: Examples | None = None,
    state: State | None = None,
) -> Iterator[Epoch]:
    """Train `network` in place, yielding a report after each epoch; go on from `state` if given.

    With `valid` rows the weights of the best epoch are the ones that stay, and `recipe.patience`
    epochs without a better one end the fit. Raises DivergedError when the loss stops being finite.
    """
    network.check_rows(train.x, train.y)
    if not len(train.x):
        raise InputError("there are no rows to learn from")
    state = state or State.start(network, recipe, len(train.x))
    shape, dtype = network.shape, network.theta.dtype
    batch_size = min(recipe.batch_size, len(train.x))
    steps_per_epoch = math.ceil(len(train.x) / batch_size)
    rule = make_rule(recipe, batch_size=batch_size, total_steps=steps_per_epoch * recipe.epochs)
    scratch = make_scratch(network, batch_size)
    gradient, norms = np.empty_like(state.theta), np.empty(len(network.widths) - 1, dtype)
    began = time.perf_counter()
    while state.epoch < recipe.epochs and not state.out_of(recipe.patience):
        loss = train_epoch(
            shape, rule, state.step, state.chance, state.theta, state.moments, gradient,
            train.x, train.y, train.w, state.order, *scratch, norms,
        )  # fmt: skip
        state.epoch += 1
        state.step += steps_per_epoch
        network.theta[:] = state.theta
        watched = network.loss(valid) if valid is not None else None
        if not (math.isfinite(loss) and np.isfinite(state.theta).all()):
            raise DivergedError(
                f"the loss stopped being finite in epoch {state.epoch}",
                remedy=f"lower the learning rate (it is {recipe.learning_rate:g})",
            )
        better = watched is None or watched < state.best_loss
        if better:
            state.best_loss = math.inf if watched is None else watched
            state.best[:], state.best_epoch = state.theta, state.epoch
        yield Epoch(
            state.epoch, loss, watched, rate_at(rule, state.step - 1),
            tuple(float(value) for value in norms), time.perf_counter() - began, better,
        )  # fmt: skip
    network.theta[:] = state.best


def descend_safely(
    network: Network, train: Examples, recipe: Recipe, *, valid: Examples | None = None
) -> Iterator[Epoch | Recipe]:
    """Descend; when the loss diverges, begin again from the start with half the learning rate.

    Before each new beginning the halved recipe is yielded, so that the watcher can say so; after
    RATE_HALVINGS of them the DivergedError goes through.
    """
    start = network.theta.copy()
    for attempt in range(RATE_HALVINGS + 1):
        try:
            yield from descend(network, train, recipe, valid=valid)
            return
        except DivergedError:
            network.theta[:] = start
            if attempt == RATE_HALVINGS:
                raise
        reason = f"halved, because the loss diverged at {recipe.learning_rate:g}"
        recipe = recipe.because(reason, learning_rate=recipe.learning_rate / 2)
        yield recipe
