"""The learning-rate range test: how large may the steps be?"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from neuroscope.base.recipe import Recipe
from neuroscope.neuron.descent import Examples, State, shuffle, train_step
from neuroscope.neuron.forward import make_workspace
from neuroscope.neuron.network import Network
from neuroscope.neuron.update import make_rule


def learning_rate_range(
    network: Network,
    train: Examples,
    recipe: Recipe,
    *,
    low: float = 1e-6,
    high: float = 10.0,
    steps: int = 100,
) -> tuple[list[tuple[float, float]], float]:
    """Learning-rate range test (Smith 2017): let the rate grow each step and watch the loss.

    Returns the (rate, smoothed loss) curve, cut where the loss exceeds four times its best, and the
    rate where it falls steepest (per factor of e), which is a good largest rate. `network` is left
    as it was.
    """
    trial = replace(network, theta=network.theta.copy())
    state = State.start(trial, recipe, len(train.x))
    dtype, batch_size = trial.theta.dtype, min(recipe.batch_size, len(train.x))
    work = make_workspace(trial.shape, batch_size, dtype)
    gradient, norms = np.empty_like(state.theta), np.empty(len(trial.widths) - 1, dtype)
    curve: list[tuple[float, float]] = []
    mean, best = 0.0, math.inf
    for step in range(steps):
        rate = low * (high / low) ** (step / (steps - 1))
        rule = make_rule(
            replace(recipe, learning_rate=rate, schedule="constant", warmup=0.0),
            batch_size=batch_size,
            total_steps=steps,
        )
        first = step * batch_size % len(train.x)
        if first + batch_size > len(train.x) or step == 0:
            shuffle(state.order, state.chance)
            first = 0
        rows = state.order[first : first + batch_size]
        w = train.w[rows]
        total = train_step(trial.shape, rule, step, 0, state.theta, state.moments, gradient,
                           train.x[rows], train.y[rows], w, work, norms)  # fmt: skip
        mean = 0.9 * mean + 0.1 * total / max(float(w.sum()), 1e-30)
        smooth = mean / (1 - 0.9 ** (step + 1))
        if not math.isfinite(smooth) or smooth > 4 * best:
            break
        best = min(best, smooth)
        curve.append((rate, smooth))
    if len(curve) < 3:
        return curve, low
    slopes = np.gradient([loss for _, loss in curve], np.log([rate for rate, _ in curve]))
    return curve, curve[int(np.argmin(slopes))][0]
