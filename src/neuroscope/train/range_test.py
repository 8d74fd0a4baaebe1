"""The learning-rate range test: how large may the steps be?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from torch import nn

from neuroscope.base import randomness
from neuroscope.base.recipe import Recipe
from neuroscope.train.data import Rows
from neuroscope.train.engine import Engine
from neuroscope.train.losses import Loss, loss_of
from neuroscope.train.optimizers import Group
from neuroscope.train.precision import device_of, place, workplace
from neuroscope.train.state import copied


def learning_rate_range(
    net: nn.Module,
    data: Rows,
    recipe: Recipe,
    *,
    low: float = 1e-6,
    high: float = 10.0,
    steps: int = 100,
    loss: Loss | None = None,
    groups: Sequence[Group] | None = None,
) -> tuple[list[tuple[float, float]], float]:
    """Learning-rate range test (Smith 2017): let the rate grow each step and watch the loss.

    Returns the (rate, smoothed loss) curve, cut where the loss exceeds four times its best, and the
    rate where it falls steepest (per factor of e), which is a good largest rate. The weights of
    `net` are left as they were.
    """
    device = device_of(recipe)
    place(net, recipe, device)
    start = copied(net)
    once = replace(recipe, average=0.0, epochs=1)
    rates = np.geomspace(low, high, steps)
    try:
        with workplace(recipe, device, None):
            engine = Engine(net, data.on(device), once, loss or loss_of(recipe), device, groups)
            losses = np.array(_losses_while_rising(engine, rates))
    finally:
        net.load_state_dict(start)
        net.eval()
    reach = max(len(losses) // 10, 1)  # steps to each side over which batches are averaged out
    smooth = _averaged(losses, reach)
    curve = list(zip(rates[: len(losses)].tolist(), smooth.tolist(), strict=True))
    if len(losses) <= 4 * reach:
        return curve, low
    falls = smooth[2 * reach :] - smooth[: -2 * reach]
    return curve, curve[reach + int(np.argmin(falls))][0]


def _losses_while_rising(engine: Engine, rates: np.ndarray) -> list[float]:
    """Return the loss of each batch just before its step, up to where it gets out of hand."""
    losses: list[float] = []
    mean, best = 0.0, math.inf
    engine.learn()
    for step, (rate, batches) in enumerate(zip(rates, _endless(engine), strict=False)):
        engine.set_sums(0.0, 0.0)
        engine.step(batches, float(rate), step)
        total, weight = engine.read_sums()
        loss = total / max(weight, 1e-30)
        mean = 0.9 * mean + 0.1 * loss
        running = mean / (1 - 0.9 ** (step + 1))
        if not math.isfinite(running) or running > 4 * best:
            break
        best = min(best, running)
        losses.append(loss)
    return losses


def _endless(engine: Engine) -> Iterator[Sequence[np.ndarray]]:
    """Yield the batches of step after step, epoch after epoch."""
    size, together = int(engine.recipe.batch_size), int(engine.recipe.accumulate)
    epoch = 0
    while True:
        chance = randomness.generator(engine.recipe.seed, "batches", epoch)
        batches = engine.rows.batches(size, chance)
        for first in range(0, len(batches), together):
            yield batches[first : first + together]
        epoch += 1


def _averaged(values: np.ndarray, reach: int) -> np.ndarray:
    """Return the mean of each value and up to `reach` neighbours on either side."""
    window = np.ones(2 * reach + 1)
    return np.convolve(values, window, "same") / np.convolve(np.ones(len(values)), window, "same")
