"""The learning-rate range test: how large may the steps be?"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from neuroscope.base.errors import RecipeError
from neuroscope.base.recipe import Recipe
from neuroscope.base.types import Floats1D
from neuroscope.neuron.forward import zeros
from neuroscope.neuron.network import Network
from neuroscope.neuron.step import Examples, State, make_scratch, shuffle, train_epoch
from neuroscope.neuron.update import make_rule

LEAST_STEPS = 10


class RangeTest(NamedTuple):
    """What a learning-rate range test saw, and what follows from it."""

    rates: Floats1D  # (m,)  the rates that were tried
    losses: Floats1D  # (m,)  smoothed loss at each; cut where it exceeds four times its best
    suggestion: float  # where the loss falls steepest per factor of e: a good largest rate


def learning_rate_range(
    network: Network,
    train: Examples,
    recipe: Recipe,
    *,
    low: float = 1e-6,
    high: float = 10.0,
    steps: int = 100,
) -> RangeTest:
    """Learning-rate range test (Smith 2017): let the rate grow each step and watch the loss.

    The rates go from `low` to `high` by equal factors. `network` is left as it was. Raises
    RecipeError for rates that do not grow and for fewer than 10 steps.
    """
    if not 0 < low < high < math.inf or steps < LEAST_STEPS:
        raise RecipeError(
            f"a range test cannot go from rate {low:g} to {high:g} in {steps} steps",
            remedy=f"give 0 < low < high and at least {LEAST_STEPS} steps",
        )
    rates = np.geomspace(low, high, steps)
    losses = np.array(_losses_while_rising(network, train, recipe, rates))
    reach = max(len(losses) // 10, 1)  # steps to each side over which batches are averaged out
    smooth = _averaged(losses, reach)
    rates = rates[: len(losses)]
    if len(losses) <= 4 * reach:
        return RangeTest(rates, smooth, low)
    falls = smooth[2 * reach :] - smooth[: -2 * reach]
    return RangeTest(rates, smooth, float(rates[reach + int(np.argmin(falls))]))


def _losses_while_rising(
    network: Network,
    train: Examples,
    recipe: Recipe,
    rates: Floats1D,
) -> list[float]:
    """Return the loss of each batch just before its step, up to where it gets out of hand."""
    shape, dtype = network.shape, network.theta.dtype
    state = State.start(network, recipe, len(train.x))
    batch_size = min(recipe.batch_size, len(train.x))
    constant = replace(recipe, schedule="constant", warmup=0.0)
    scratch = make_scratch(network, batch_size)
    gradient, norms = zeros(state.theta.size, dtype), np.empty(len(network.widths) - 1, dtype)
    losses: list[float] = []
    mean, best, first = 0.0, math.inf, 0
    for step, rate in enumerate(rates):
        rule = make_rule(
            replace(constant, learning_rate=float(rate)),
            batch_size=batch_size,
            total_steps=len(rates),
        )
        if first + batch_size > len(train.x) or step == 0:
            shuffle(state.order, state.chance)
            first = 0
        rows = state.order[first : first + batch_size]
        first += batch_size
        loss = train_epoch(
            shape, rule, step, state.chance, state.theta, state.moments, gradient,
            train.x[rows], train.y[rows], train.w[rows], np.arange(batch_size), *scratch, norms,
        )  # fmt: skip
        mean = 0.9 * mean + 0.1 * loss
        running = mean / (1 - 0.9 ** (step + 1))
        if not math.isfinite(running) or running > 4 * best:
            break
        best = min(best, running)
        losses.append(loss)
    return losses


def _averaged(values: Floats1D, reach: int) -> Floats1D:
    """Return the mean of each value and up to `reach` neighbours on either side."""
    window = np.ones(2 * reach + 1)
    return np.convolve(values, window, "same") / np.convolve(np.ones(len(values)), window, "same")
