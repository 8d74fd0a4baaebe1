"""Gradient descent, epoch after epoch: watch, stop early, keep the best, recover from divergence.

`step.train_epoch` is the loop over batches, compiled; `descend` runs it, watches the validation
loss and keeps the best weights. It knows no viewer: it yields a report after each epoch.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from neuroscope.base import collector
from neuroscope.base.errors import DivergedError, InputError
from neuroscope.base.recipe import WHOLE, Recipe
from neuroscope.base.sparse import SparseRows
from neuroscope.neuron.forward import zeros
from neuroscope.neuron.lanes import Lanes, lanes_for
from neuroscope.neuron.network import Network
from neuroscope.neuron.sparse import Columns
from neuroscope.neuron.step import Examples, State, make_scratch, train_epoch
from neuroscope.neuron.update import make_rule, rate_at

RATE_HALVINGS = 6  # how often a diverged fit is begun again with half the learning rate


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


def descend(
    network: Network,
    train: Examples,
    recipe: Recipe,
    *,
    valid: Examples | None = None,
    state: State | None = None,
    lanes: int | None = None,
) -> Iterator[Epoch]:
    """Train `network` in place, yielding a report after each epoch; go on from `state` if given.

    `lanes` threads share each batch; None is one, or one a core where the net is large enough. The
    same number of lanes gives the same weights, bit for bit.

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
    gradient, norms = zeros(state.theta.size, dtype), np.empty(len(network.widths) - 1, dtype)
    team = _team(network, train, batch_size, lanes)
    scratch = (None, None, None, None) if team else make_scratch(network, batch_size)
    began = time.perf_counter()
    try:
        while state.epoch < recipe.epochs and not state.out_of(recipe.patience):
            with collector.at_rest(when=state.epoch == 0):  # compiled code is loaded or made
                if team:
                    loss = team.train_epoch(rule, state, train, gradient, norms)
                else:
                    loss = train_epoch(
                        shape, rule, state.step, state.chance, state.theta, state.moments, gradient,
                        train.x, train.y, train.w, state.order, *scratch, norms,
                    )  # fmt: skip
            state.epoch += 1
            state.step += steps_per_epoch
            network.theta[:] = state.theta
            watched = network.loss(valid) if valid is not None else None
            seen = loss if watched is None else loss + watched
            if not (math.isfinite(seen) and np.isfinite(state.theta).all()):
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
    finally:
        if team:
            team.close()
    network.theta[:] = state.best


def _team(
    network: Network, train: Examples, batch_size: int, lanes: int | None
) -> Lanes | Columns | None:
    """Return who takes the passes over the rows where it is not `train_epoch` itself."""
    if isinstance(train.x, SparseRows):
        return Columns(network, batch_size)
    lanes = lanes_for(network.parameters, batch_size) if lanes is None else lanes
    return Lanes(network, batch_size, lanes) if lanes > 1 else None


def descend_safely(
    network: Network,
    train: Examples,
    recipe: Recipe,
    *,
    valid: Examples | None = None,
    lanes: int | None = None,
) -> Iterator[Epoch | Recipe]:
    """Descend; when the loss diverges, begin again from the start with half the learning rate.

    Before each new beginning the halved recipe is yielded, so that the watcher can say so; after
    RATE_HALVINGS of them the DivergedError goes through.
    """
    if recipe.optimizer == WHOLE:
        from neuroscope.neuron.whole import settle  # noqa: PLC0415 - it reports as this file does

        yield from settle(network, train, recipe, valid=valid)
        return
    start = network.theta.copy()
    for attempt in range(RATE_HALVINGS + 1):
        try:
            yield from descend(network, train, recipe, valid=valid, lanes=lanes)
            return
        except DivergedError:
            network.theta[:] = start
            if attempt == RATE_HALVINGS:
                raise
        reason = f"halved, because the loss diverged at {recipe.learning_rate:g}"
        recipe = recipe.because(reason, learning_rate=recipe.learning_rate / 2)
        yield recipe
