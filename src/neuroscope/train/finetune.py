"""Fine-tuning a pretrained net: the head first, then group after group below it.

Gradual unfreezing and smaller rates below keep what the pretrained layers know from being washed
away by a head that knows nothing yet (Howard and Ruder 2018). What is frozen keeps its weights and
the statistics of its norms.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from neuroscope.base.errors import InputError
from neuroscope.base.events import (
    DeadUnits,
    EpochEnded,
    Event,
    GradientFlow,
    Monitor,
    WarningRaised,
)
from neuroscope.base.recipe import Recipe
from neuroscope.base.wording import counted
from neuroscope.train.data import Rows
from neuroscope.train.loop import Fitted, Watch, fit
from neuroscope.train.losses import Loss
from neuroscope.train.optimizers import Group


@dataclass(frozen=True)
class Stage:
    """Some epochs in which the head and `unfrozen` groups below it learn."""

    unfrozen: int
    epochs: int

    def work(self, groups: int) -> float:
        """Return what the stage costs: forward 1 an epoch, backward 2 where all `groups` learn."""
        return self.epochs * (1 + 2 * (self.unfrozen + 1) / groups)


def stages(recipe: Recipe, groups: int, *, ready: bool = False) -> tuple[Stage, ...]:
    """Return the plan: the head alone for a fifth of the epochs, then one more group a stage.

    A head that is `ready`, because it has learned on the frozen features, washes nothing away: all
    groups learn from the first step on, in one stage (Kumar et al. 2022, arXiv 2202.10054).
    recipe.unfreeze groups besides the head come in, the nearest to the head first; the epochs that
    are left are shared evenly, and what cannot be shared goes to the last stage. Fewer epochs than
    stages leave out stages between the head's and the last.
    """
    below = min(int(recipe.unfreeze), groups - 1)
    epochs = int(recipe.epochs)
    if not below or ready or epochs == 1:
        return (Stage(below, epochs),)
    head = max(epochs // 5, 1)
    left = epochs - head
    later = range(1, below + 1) if left >= below else range(below - left + 1, below + 1)
    share = left // len(later)
    plan = [Stage(0, head), *(Stage(count, share) for count in later)]
    plan[-1] = Stage(below, left - share * (len(later) - 1))
    return tuple(plan)


def freeze(groups: Sequence[Group], unfrozen: int) -> None:
    """Let the head (the last group) and `unfrozen` groups below it learn, and no other."""
    first = len(groups) - 1 - unfrozen
    for number, group in enumerate(groups):
        for part in group:
            part.requires_grad_(number >= first)


def finetune(
    net: nn.Module,
    data: Rows,
    recipe: Recipe,
    groups: Sequence[Group],
    *,
    valid: Rows | None = None,
    loss: Loss | None = None,
    watch: Watch | None = None,
    ready: bool = False,
) -> tuple[Fitted, ...]:
    """Train `net` in the stages of `stages`, in place; returns how each stage went.

    Each stage begins from the best weights of the one before, with the schedule of the recipe over
    its own epochs and rates that shrink by recipe.layer_decay from group to group. A checkpoint is
    kept for each stage, beside watch.checkpoint. The time is shared by what the stages cost, so
    that a short one leaves each of them its part; watch.monitor hears of the stages as of one fit.
    `ready` says that the head has learned already.
    """
    watch = watch or Watch()
    if len(groups) < 2:
        raise InputError("fine-tuning needs at least a backbone and a head",
                         remedy="give the layer groups, lowest first and head last")  # fmt: skip
    plan = stages(recipe, len(groups), ready=ready)
    done: list[Fitted] = []
    for number, stage in enumerate(plan):
        freeze(groups, stage.unfrozen)
        part = dataclasses.replace(recipe, epochs=stage.epochs, unfreeze=stage.unfrozen)
        own = _stage_watch(watch, plan, number, done, len(groups))
        fitted = fit(net, data, part, valid=valid, loss=loss, groups=groups, watch=own)
        done.append(fitted)
    freeze(groups, len(groups) - 1)
    if len(plan) > 1:
        _tell_of_budget(watch, recipe, done)
    return tuple(done)


def _stage_watch(
    watch: Watch, plan: Sequence[Stage], number: int, done: list[Fitted], groups: int
) -> Watch:
    """Return the watch of one stage: its share of the time that is left, its own checkpoint."""
    if len(plan) == 1:
        return watch
    seconds, kept = watch.seconds, watch.checkpoint
    if seconds is not None:
        left = seconds - sum(fitted.seconds for fitted in done)
        ahead = sum(stage.work(groups) for stage in plan[number:])
        seconds = max(left, 0.0) * plan[number].work(groups) / ahead
    if kept is not None:
        kept = kept.with_name(f"{kept.stem}-stage{number + 1}{kept.suffix}")
    before = sum(stage.epochs for stage in plan[:number])
    return dataclasses.replace(
        watch, seconds=seconds, checkpoint=kept, predicted=0 if plan[number + 1 :] else
        watch.predicted, monitor=_as_one(watch.monitor, before, sum(s.epochs for s in plan)),
    )  # fmt: skip


def _as_one(monitor: Monitor, before: int, epochs: int) -> Monitor:
    """Count the epochs of a stage on from those `before` it, and keep its words on time back."""

    def tell(event: Event) -> None:
        if isinstance(event, WarningRaised) and "time budget" in event.message:
            return
        if isinstance(event, EpochEnded):
            event = dataclasses.replace(event, epoch=before + event.epoch, epochs=epochs)
        elif isinstance(event, GradientFlow | DeadUnits):
            event = dataclasses.replace(event, epoch=before + event.epoch)
        monitor(event)

    return tell


def _tell_of_budget(watch: Watch, recipe: Recipe, done: Sequence[Fitted]) -> None:
    """Say once, of all stages together, that the time was short."""
    if any("time budget" in fitted.recipe.reasons.get("epochs", "") for fitted in done):
        taken = sum(len(fitted.epochs) for fitted in done)
        watch.monitor(WarningRaised(rung=watch.rung, message=(
            f"{counted(recipe.epochs, 'epoch')} planned in {len(done)} stages, the time budget "
            f"allowed about {taken}, shared by the stages; a longer --budget may do better"
        )))  # fmt: skip
