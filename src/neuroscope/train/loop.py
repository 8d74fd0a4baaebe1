"""The training loop of every torch net: `fit` gets a module and rows, whatever they show.

A step is in `engine`, the epochs in `course`, the place on the schedule in `clock`, and what
survives a crash in `state`.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from neuroscope.base.errors import DivergedError, InputError, RecipeError
from neuroscope.base.events import WarningRaised
from neuroscope.base.recipe import Recipe
from neuroscope.train.course import Course, Diverged, Fitted, Watch
from neuroscope.train.data import Data, Rows
from neuroscope.train.engine import Engine
from neuroscope.train.evaluate import Forward, cost
from neuroscope.train.losses import Loss, class_weights, loss_of
from neuroscope.train.norms import learning_norms
from neuroscope.train.optimizers import Group, trainable
from neuroscope.train.precision import device_of, place, weights_dtype, workplace
from neuroscope.train.state import State, copied, identify

__all__ = ["RATE_HALVINGS", "Fitted", "Watch", "fit"]

RATE_HALVINGS = 5  # how often a diverged fit is begun again with half the learning rate


def fit(
    net: nn.Module,
    data: Rows,
    recipe: Recipe,
    *,
    valid: Rows | None = None,
    loss: Loss | None = None,
    groups: Sequence[Group] | None = None,
    watch: Watch | None = None,
) -> Fitted:
    """Train `net` in place by `recipe`; the same seed, machine and threads give the same weights.

    valid   rows that are watched; with recipe.patience so many epochs without a lower loss of
            theirs end the fit, and the weights of the best epoch stay
    loss    rows' losses from outputs and targets (see `losses`); None is the recipe's
    groups  layer groups, lowest first and head last, for recipe.layer_decay

    A loss that stops being finite begins the fit again with half the learning rate. Raises
    DivergedError after RATE_HALVINGS of them, InputError when the rows hold no finite numbers,
    Interrupted (the checkpoint is kept) when watch.stop is set.
    """
    watch = watch or Watch()
    if not trainable(net):
        raise InputError("every layer of the net is frozen", remedy="set unfreeze to 1 or more")
    device = device_of(recipe)
    place(net, recipe, device)
    start = copied(net)
    rows = _weighted(data, recipe).on(device)
    plain = loss or loss_of(recipe, smooth=False)
    watched = None if valid is None else (valid.on(device), plain)
    state = _begin(watch, recipe, len(data), start)
    while True:
        recipe = Recipe.from_json(state.recipe)
        learned = loss or loss_of(recipe)
        with workplace(recipe, device, watch.threads):
            engine = Engine(net, rows, recipe, learned, device, groups)
            _check_norms(engine)
            try:
                return Course(engine, watched, watch, state).run()
            except Diverged:
                net.load_state_dict(start)
                _check_rows(engine)
                state = _halved(state, recipe, watch)


def _begin(watch: Watch, recipe: Recipe, rows: int, start: Mapping[str, Tensor]) -> State:
    """Return the state of the checkpoint, or that of a fit which has not begun."""
    record = recipe.to_json()
    identity = identify(record, rows, start)
    if watch.checkpoint is None or not watch.checkpoint.exists():
        return State(identity=identity, recipe=record)
    state = State.load(watch.checkpoint)
    if state.identity != identity:
        raise InputError(
            "this checkpoint belongs to a fit with another recipe, other rows or another net",
            where=str(watch.checkpoint), remedy="delete it to begin again",
        )  # fmt: skip
    return state


def _halved(state: State, recipe: Recipe, watch: Watch) -> State:
    """Return the state of a new beginning with half the learning rate, and say so."""
    rate = recipe.learning_rate
    if state.halvings == RATE_HALVINGS:
        raise DivergedError(
            f"the loss stopped being finite, also at learning rate {rate:.3g}",
            remedy="check the inputs for extreme numbers, or set clip_norm to 1",
        )
    halved = recipe.because(f"halved, because the loss diverged at {rate:g}",
                            learning_rate=rate / 2)  # fmt: skip
    watch.monitor(WarningRaised(
        message=f"the loss diverged; begun again with learning rate {rate / 2:.3g}, half of what "
        "it was", rung=watch.rung,
    ))  # fmt: skip
    return State(identity=state.identity, recipe=halved.to_json(), halvings=state.halvings + 1,
                 seconds=state.seconds, told_of_budget=state.told_of_budget)  # fmt: skip


def _weighted(data: Rows, recipe: Recipe) -> Rows:
    """Return the rows with weights of mean 1, classes balanced where the recipe asks for it."""
    balanced = recipe.class_weight == "balanced"
    if not isinstance(data, Data):
        if balanced:
            raise RecipeError("class_weight does not go with these rows", remedy="leave it out")
        return data
    if data.weights is None and not balanced:
        return data
    at = np.arange(len(data.targets)) if data.rows is None else data.rows
    given = None if data.weights is None else torch.as_tensor(np.asarray(data.weights)[at])
    if given is not None and not (given.isfinite().all() and (given >= 0).all()):
        raise InputError("row weights must be finite and not negative")
    targets = torch.as_tensor(np.asarray(data.targets)[at]) if balanced else torch.empty(0)
    here = class_weights(targets, given) if balanced else torch.as_tensor(given)
    weights = torch.zeros(len(data.targets), dtype=weights_dtype(recipe))
    weights[torch.from_numpy(at)] = (here / here.double().mean().clamp_min(1e-12)).to(weights)
    return dataclasses.replace(data, weights=weights)


def _check_norms(engine: Engine) -> None:
    """Refuse batches of one row for batch norms, which find no variance in it."""
    rows, size = len(engine.rows), int(engine.recipe.batch_size)
    if min(rows, size) > 1 or not learning_norms(engine):
        return
    if rows == 1:
        raise InputError("one row to learn from, and this net's batch norms need two or more",
                         remedy="give more rows, or take a plainer net")  # fmt: skip
    raise RecipeError("batch_size is 1, and this net's batch norms need two rows or more a batch",
                      remedy="set batch_size to 2 or more")  # fmt: skip


@torch.inference_mode()
def _check_rows(engine: Engine) -> None:
    """Tell rows that no learning rate can mend from a rate that is too high.

    Raises InputError when the loss is not finite before the first step.
    """
    net, rows = engine.net, engine.rows
    net.eval()
    forward = Forward(net, engine.recipe, engine.device, rows.prepare)
    for positions in rows.batches(int(engine.recipe.batch_size), None):
        batch = rows.take(positions)
        inputs = forward.prepared(batch.inputs)
        if math.isfinite(float(cost(engine.loss, forward(inputs), batch)[0])):
            continue
        bad = [
            int(positions[i])
            for i in range(len(positions))
            if not all(bool(part[i].isfinite().all()) for part in (*inputs, batch.targets))
        ]
        where = f"row {bad[0]} of the training rows, counted from 0" if bad else "the training rows"
        raise InputError(
            "the loss is not a finite number before the first step", where=where,
            remedy="look for missing values, infinities or extreme numbers there",
        )  # fmt: skip
