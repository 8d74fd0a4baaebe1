"""Descent by whole passes, for nets whose loss has one lowest point: L-BFGS.

Each step goes along -H g, where H, the inverse of the curvature, is learned from the last steps
s = w_new - w and the changes y = g_new - g that they made (the two loops of Nocedal 1980; Liu and
Nocedal 1989). A step is lengthened or halved until the loss falls enough and its slope flattens
(weak Wolfe conditions, by bisection; Lewis and Overton 2013). No learning rate, no chance: the same
rows give the same weights.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator

import numpy as np

from neuroscope.base.errors import DivergedError, InputError
from neuroscope.base.recipe import Recipe
from neuroscope.base.sparse import SparseRows
from neuroscope.base.types import Floats1D, Floats2D
from neuroscope.neuron._compile import compiled
from neuroscope.neuron.descent import Epoch
from neuroscope.neuron.forward import make_workspace
from neuroscope.neuron.network import Network
from neuroscope.neuron.sparse import CHUNK, sparse_gradient, workspace
from neuroscope.neuron.step import Examples, learn_slopes

MEMORY = 10  # steps that the curvature is learned from
FLAT = 1e-5  # largest slope of the mean loss at which a net has settled
_DECREASE, _FLATTEN = 1e-4, 0.9  # of the Wolfe conditions
_TRIES = 30  # lengths of one step

Cost = Callable[[Floats1D, Floats1D], float]  # theta, gradient (written) -> loss


def settle(
    network: Network, train: Examples, recipe: Recipe, *, valid: Examples | None = None
) -> Iterator[Epoch]:
    """Train `network` in place, yielding a report after each step, until its slopes are flat.

    `recipe.epochs` steps at most. With `valid` rows the weights of the best step stay, and
    `recipe.patience` steps without a better one end the fit. Raises RecipeError for choices that
    have no meaning here: dropout, l1, clipping.
    """
    recipe.refuse(("dropout", "l1", "clip_norm", "weight_decay"), "descent by whole passes")
    network.check_rows(train.x, train.y)
    if not len(train.x):
        raise InputError("there are no rows to learn from")
    cost = _cost(network, train, recipe.l2)
    theta, gradient = network.theta.copy(), np.empty_like(network.theta)
    value = cost(theta, gradient)
    _check(value, 0)
    curvature = Curvature(theta.size, theta.dtype)
    best, best_loss, best_step = theta.copy(), math.inf, 0
    began = time.perf_counter()
    for step in range(1, recipe.epochs + 1):
        way = curvature.way(gradient)
        found = _search(cost, theta, value, gradient, way, first=not curvature.count)
        if found is None:  # no length of the step helps: as low as the numbers allow
            break
        length, value, new_theta, new_gradient = found
        _check(value, step)
        curvature.remember(new_theta - theta, new_gradient - gradient)
        theta, gradient = new_theta, new_gradient
        network.theta[:] = theta
        watched = network.loss(valid) if valid is not None else None
        better = watched is None or watched < best_loss
        if better:
            best[:], best_step = theta, step
            best_loss = math.inf if watched is None else watched
        yield Epoch(step, _bare(network, value, recipe.l2), watched, length,
                    _norms(network, gradient), time.perf_counter() - began, better)  # fmt: skip
        tired = recipe.patience and step - best_step >= recipe.patience
        if tired or np.abs(gradient).max() <= FLAT:
            break
    network.theta[:] = best


def _check(value: float, step: int) -> None:
    if not math.isfinite(value):
        raise DivergedError(f"the loss stopped being finite in step {step}",
                            remedy="look for extreme numbers in the rows")  # fmt: skip


def _cost(network: Network, train: Examples, l2: float) -> Cost:
    """Return the loss that is brought down: the mean over rows, and l2 / 2 * sum w^2."""
    biases = int(network.shape.bias_at[0])
    gradient_of = _sparse if isinstance(train.x, SparseRows) else _dense
    plain = gradient_of(network, train)

    def cost(theta: Floats1D, gradient: Floats1D) -> float:
        value, weights = plain(theta, gradient), theta[:biases]
        gradient[:biases] += theta.dtype.type(l2) * weights
        return value + 0.5 * l2 * dot(weights, weights)

    return cost


def _sparse(network: Network, train: Examples) -> Cost:
    x, shape = train.x, network.shape
    assert isinstance(x, SparseRows)
    work, part = workspace(network, min(CHUNK, len(x))), np.empty_like(network.theta)

    def cost(theta: Floats1D, gradient: Floats1D) -> float:
        return sparse_gradient(shape, theta, x.starts, x.places, x.values, train.y, train.w, work,
                               part, gradient)  # fmt: skip

    return cost


def _dense(network: Network, train: Examples) -> Cost:
    x, shape, n = train.x, network.shape, len(train.x)
    assert not isinstance(x, SparseRows)
    work = make_workspace(shape, min(CHUNK, n), network.theta.dtype)

    def cost(theta: Floats1D, gradient: Floats1D) -> float:
        total, part = 0.0, np.empty_like(gradient)
        gradient[:] = 0
        for first in range(0, n, CHUNK):
            some = slice(first, first + CHUNK)
            xb, yb, wb = x[some], train.y[some], train.w[some]
            total += learn_slopes(shape, 0.0, 0, theta, part, xb, yb, wb, work)
            gradient += part * (len(xb) / n)
        return total / n

    return cost


class Curvature:
    """The last steps and the changes of the slope that they made."""

    def __init__(self, size: int, dtype: np.dtype) -> None:
        """Begin without any step."""
        self.steps, self.changes = np.zeros((2, MEMORY, size), dtype)
        self.count = 0

    def remember(self, step: Floats1D, change: Floats1D) -> None:
        """Take a step in the place of the oldest one, unless rounding hides what it shows."""
        if dot(step, change) > 1e-10 * dot(change, change):
            place = self.count % MEMORY
            self.steps[place], self.changes[place] = step, change
            self.count += 1

    def way(self, gradient: Floats1D) -> Floats1D:
        """Return -H g."""
        out = gradient.copy()
        two_loops(self.steps, self.changes, self.count, out)
        return -out


@compiled
def two_loops(
    steps: Floats2D,  # (memory, p)  s, the newest in (count - 1) % memory
    changes: Floats2D,  # (memory, p)  y
    count: int,
    way: Floats1D,  # (p,)  the gradient; H times it when done
) -> None:
    """H g = the gradient bent back through the steps, scaled, and forth (Nocedal 1980)."""
    memory = steps.shape[0]
    shares = np.zeros(memory)
    for back in range(1, min(count, memory) + 1):
        at = (count - back) % memory
        shares[at] = dot(steps[at], way) / dot(steps[at], changes[at])
        add(-float(shares[at]), changes[at], way)
    if count > 0:
        at = (count - 1) % memory
        way *= way.dtype.type(dot(steps[at], changes[at]) / dot(changes[at], changes[at]))
    for back in range(min(count, memory), 0, -1):
        at = (count - back) % memory
        share = float(shares[at]) - dot(changes[at], way) / dot(steps[at], changes[at])
        add(share, steps[at], way)


@compiled
def dot(a: Floats1D, b: Floats1D) -> float:
    """Return sum a_i b_i; in one thread, for others are at work beside this one."""
    total = 0.0
    for i in range(a.size):
        total += a[i] * b[i]
    return total


@compiled
def add(factor: float, vector: Floats1D, out: Floats1D) -> None:
    """out += factor * vector."""
    real = out.dtype.type(factor)
    for i in range(out.size):
        out[i] += real * vector[i]


def _search(
    cost: Cost, theta: Floats1D, value: float, gradient: Floats1D, way: Floats1D, *, first: bool
) -> tuple[float, float, Floats1D, Floats1D] | None:
    """Return a good length of the step with loss, weights and slopes there; None without any."""
    slope = dot(gradient, way)
    low, high = 0.0, math.inf
    length = min(1.0, 1.0 / max(float(np.abs(gradient).sum()), 1e-12)) if first else 1.0
    found, new = None, np.empty_like(gradient)
    for _ in range(_TRIES):
        there = theta + theta.dtype.type(length) * way
        reached = cost(there, new)
        if not reached <= value + _DECREASE * length * slope:  # also where it is not a number
            high = length
        else:
            if reached < value:
                found = length, reached, there, new.copy()
            if dot(new, way) >= _FLATTEN * slope:
                return found
            low = length
        length = (low + high) / 2 if high < math.inf else 2 * length
    return found


def _bare(network: Network, value: float, l2: float) -> float:
    """Return the loss without its penalty, as other descents report it."""
    weights = network.theta[: int(network.shape.bias_at[0])]
    return value - 0.5 * l2 * dot(weights, weights)


def _norms(network: Network, gradient: Floats1D) -> tuple[float, ...]:
    shape = network.shape
    sizes = shape.widths[:-1] * shape.widths[1:]
    starts = shape.weights_at
    return tuple(
        float(np.linalg.norm(gradient[first : first + size]))
        for first, size in zip(starts, sizes, strict=True)
    )
