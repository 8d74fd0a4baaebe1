"""The course of one fit: epoch after epoch, watched, saved, stopped early, the best kept."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from neuroscope.base import randomness
from neuroscope.base.errors import BudgetError, Interrupted
from neuroscope.base.events import (
    CheckpointSaved,
    DeadUnits,
    EpochEnded,
    Event,
    GradientFlow,
    Monitor,
    WarningRaised,
    from_json,
    ignore,
    to_json,
)
from neuroscope.base.recipe import Recipe
from neuroscope.base.wording import counted
from neuroscope.train import _fused
from neuroscope.train.alerts import course_alerts
from neuroscope.train.clock import Clock
from neuroscope.train.data import Rows
from neuroscope.train.engine import Engine
from neuroscope.train.evaluate import WATCH_BATCH, Seen, watched
from neuroscope.train.losses import Loss
from neuroscope.train.memory import recall, remember
from neuroscope.train.norms import rows_settled, settle
from neuroscope.train.optimizers import counting
from neuroscope.train.schedules import rate_factor
from neuroscope.train.signals import PROBE_ROWS, StepProbe, dead_units
from neuroscope.train.state import State, copied, prefixed

_REPORTS = 100  # epochs of a fit whose gradients and dead units are looked at, at most
_FEWEST_STEPS = 10  # in less than an epoch, of which the weights say anything
_DIVERGED_LOOK = 5.0  # seconds between two looks at the loss within an epoch


class Diverged(Exception):  # noqa: N818 - `fit` turns it into a new beginning
    """The loss or a weight stopped being finite in this epoch."""


@dataclass(frozen=True)
class Watch:
    """Who watches a fit, how long it may take, and where it is kept."""

    rung: str = ""
    fold: int = 0
    monitor: Monitor = ignore
    seconds: float | None = None  # that the fit may take; None is no limit
    stop: threading.Event = field(default_factory=threading.Event)  # set: save, then Interrupted
    checkpoint: Path | None = None  # file to go on from when it is there, and to keep up to date
    checkpoint_seconds: float = 30.0  # between two checkpoints; 0 keeps each epoch
    threads: int | None = None  # of the processor; None is one a core
    predicted: int = 0  # rows that are predicted after the fit, in float32: time is kept back


@dataclass(frozen=True)
class Fitted:
    """How a fit went; the net itself holds the weights that stay."""

    recipe: Recipe  # that was followed in the end, with reasons for what was changed on the way
    epochs: tuple[EpochEnded, ...]
    best_epoch: int  # whose weights the net holds
    stopped: str  # "done", "patience" or "time"
    seconds: float
    alerts: tuple[str, ...]  # in plain words


class Course:
    """The epochs of one fit."""

    def __init__(
        self, engine: Engine, valid: tuple[Rows, Loss] | None, watch: Watch, state: State
    ) -> None:
        """Begin, or go on where `state` stands; `valid` holds rows to watch and their loss."""
        self.engine, self.valid, self.watch, self.state = engine, valid, watch, state
        self.recipe, self.net = engine.recipe, engine.net
        self.events = [event for record in state.history if (event := _event(record))]
        self.best: dict[str, Tensor] = {}
        self._rectified: bool | None = None  # whether the net has units that can die
        steps = len(self._groups(0))
        self.clock = Clock(steps * self.recipe.epochs, steps, watch.seconds, state.step, state.done,
                           before=state.seconds, fitted=state.fitted,
                           ending=self._ending())  # fmt: skip
        self._saved = self._looked = time.perf_counter()
        if state.tensors:
            self._restore()

    def run(self) -> Fitted:
        """Train to the end, and leave the weights that count in the net."""
        stopped = self.state.finished
        if not stopped and self.state.epoch and not self.state.epoch_step:
            stopped = self._reason_to_stop()  # taken up between the last epoch and the end
        while not stopped:
            self._epoch()
            stopped = self._reason_to_stop()
            if not stopped and self._due():
                self.save()
        if not self.state.finished:
            self._finish(stopped)
        return self._fitted()

    def _ending(self) -> float:
        """Return how many steps the time after the last one is worth: forward is a third of one."""
        recipe = self.recipe
        slower = 3 if recipe.precision == "bfloat16" else 1
        rows = rows_settled(self.engine) + slower * self.watch.predicted
        return rows / (3 * recipe.batch_size * recipe.accumulate)

    def _reason_to_stop(self) -> str:
        state, patience = self.state, int(self.recipe.patience)
        if state.epoch >= self.recipe.epochs:
            return "done"
        if self.clock.over:
            return "time"
        waited = state.epoch - state.best_epoch
        return "patience" if self.valid and patience and waited >= patience else ""

    def _groups(self, epoch: int) -> list[Sequence[np.ndarray]]:
        """Return the batches of an epoch, those of one step together."""
        chance = randomness.generator(self.recipe.seed, "batches", epoch)
        batches = self.engine.rows.batches(int(self.recipe.batch_size), chance)
        size = int(self.recipe.accumulate)
        return [batches[first : first + size] for first in range(0, len(batches), size)]

    def _epoch(self) -> None:
        state, clock, recipe = self.state, self.clock, self.recipe
        groups = self._groups(state.epoch)
        every = math.ceil(recipe.epochs / _REPORTS)
        reported = state.epoch % every == 0 or state.epoch + 1 == recipe.epochs
        probe: StepProbe | None = None
        rate = 0.0
        self.engine.learn()
        for number in range(state.epoch_step, len(groups)):
            last = number + 1 == len(groups) or clock.step + 1 == clock.fitted
            if last and reported:
                probe = StepProbe.of(self.net)
            rate = recipe.learning_rate * rate_factor(recipe, clock.done, clock.share)
            self.engine.step(groups[number], rate, state.step, probe)
            state.step += 1
            state.epoch_step += 1
            if clock.advance() and not last:
                self._look()
            if clock.over:
                break
        if clock.over and clock.step < min(_FEWEST_STEPS, clock.epoch_steps):
            raise BudgetError(
                f"the time budget allowed {counted(clock.step, 'step')} of {clock.planned:,}",
                remedy="give more time with --budget",
            )
        self._close(rate, groups, probe)

    def _look(self) -> None:
        """Look around within an epoch: asked to stop, short of time, diverged, time to save?"""
        self._tell_of_budget()
        if self.watch.stop.is_set():
            self._interrupt()
        now = time.perf_counter()
        if now - self._looked > _DIVERGED_LOOK:
            self._looked = now
            if not all(map(math.isfinite, self.engine.read_sums())):
                self._diverge()
        if self._due() and self.watch.checkpoint_seconds:
            self.save()

    def _due(self) -> bool:
        return time.perf_counter() - self._saved >= self.watch.checkpoint_seconds

    def _interrupt(self) -> None:
        self.save()
        raise Interrupted("stopped")

    def _diverge(self) -> None:
        self.state.seconds = self.clock.spent  # a new beginning gets the time that is left
        raise Diverged

    def _close(
        self, rate: float, groups: list[Sequence[np.ndarray]], probe: StepProbe | None
    ) -> None:
        """End an epoch: read its loss, watch, keep the best weights, and say so."""
        state = self.state
        loss, weight = self.engine.read_sums()
        state.epoch, state.epoch_step = state.epoch + 1, 0
        self.engine.set_sums(0.0, 0.0)
        if not (math.isfinite(loss) and _finite(self.engine.parameters)):
            self._diverge()
        with counting(self.engine.average):
            if self._reason_to_stop():
                settle(self.engine)
            seen = self._watched()
            if self.recipe.patience and seen is not None and seen.loss < state.best:
                state.best_loss, state.best_epoch = seen.loss, state.epoch
                self.best = copied(self.net)
        self._tell_of_budget()
        self._tell(EpochEnded(
            rung=self.watch.rung, fold=self.watch.fold, epoch=state.epoch,
            epochs=int(self.recipe.epochs), train_loss=loss / max(weight, 1e-30),
            valid_loss=None if seen is None else seen.loss, learning_rate=rate,
            seconds=self.clock.spent, valid_accuracy=None if seen is None else seen.accuracy,
        ))  # fmt: skip
        if probe is not None:
            self._tell_signals(probe, groups)
        if self.watch.stop.is_set():
            self._interrupt()

    def _watched(self) -> Seen | None:
        if self.valid is None:
            return None
        began = time.perf_counter()
        rows, loss = self.valid
        forward = self.engine.forward.with_prepare(rows.prepare)
        found = watched(forward, rows, loss, WATCH_BATCH * int(self.recipe.batch_size))
        self.clock.watched(time.perf_counter() - began)
        return found

    def _tell(self, event: Event) -> None:
        self.events.append(event)
        self.watch.monitor(event)

    def _warn(self, message: str) -> None:
        self.watch.monitor(WarningRaised(message=message, rung=self.watch.rung))

    def _tell_of_budget(self) -> None:
        fitted = self.clock.fitted or self.clock.planned
        told = self.state.told_of_budget or not self.clock.sure
        if told or fitted >= self.clock.planned:
            return
        self.state.told_of_budget = True
        passes = fitted / self.clock.epoch_steps
        self._warn(
            f"{counted(self.recipe.epochs, 'epoch')} planned, the time budget allows about "
            f"{passes:.2g}; the schedule {self.recipe.schedule} is fitted to that; a longer "
            "--budget may do better"
        )

    def _tell_signals(self, probe: StepProbe, groups: list[Sequence[np.ndarray]]) -> None:
        rung, fold, epoch = self.watch.rung, self.watch.fold, self.state.epoch
        layers, norms, updates = probe.read()
        if layers:
            self._tell(GradientFlow(rung=rung, fold=fold, epoch=epoch, norms=norms, layers=layers,
                                    updates=updates))  # fmt: skip
        if self._rectified is None:  # one row tells, where all of them would cost some steps
            self._rectified = bool(dead_units(self.net, lambda: self._probe_forward(groups, 1)))
        if not self._rectified:
            return
        found = dead_units(self.net, lambda: self._probe_forward(groups, PROBE_ROWS))
        if found:
            dead, units = zip(*found.values(), strict=True)
            self._tell(DeadUnits(rung=rung, fold=fold, epoch=epoch, layers=tuple(found),
                                 dead=dead, units=units))  # fmt: skip

    def _probe_forward(self, groups: list[Sequence[np.ndarray]], rows: int) -> None:
        """Run that many rows of the epoch, which lie in random order."""
        self.net.eval()
        seen = 0
        for positions in (batch for group in groups for batch in group):
            some = positions[: rows - seen]
            self.engine.forward(self.engine.forward.prepared(self.engine.rows.take(some).inputs))
            seen += len(some)
            if seen >= rows:
                return

    def _finish(self, stopped: str) -> None:
        state, average = self.state, self.engine.average
        if self.best:
            self.net.load_state_dict(self.best)
            settle(self.engine)
        else:
            state.best_epoch = state.epoch
            if average is not None:
                average.swap()
        if stopped == "time" or (self.clock.fitted or math.inf) < self.clock.planned:
            reason = f"{self.recipe.epochs} planned, stopped by the time budget"
            self.recipe = self.recipe.because(reason, epochs=state.epoch)
            state.recipe = self.recipe.to_json()
        state.alerts = course_alerts(self.events, self.recipe.learning_rate,
                                     restored=bool(self.best),
                                     rows=len(self.valid[0]) if self.valid else 0)  # fmt: skip
        self.best = {}
        for alert in state.alerts:
            self._warn(alert)
        state.finished = stopped
        state.seconds = self.clock.spent
        self.net.eval()
        self.save()

    def _fitted(self) -> Fitted:
        state = self.state
        epochs = tuple(event for event in self.events if isinstance(event, EpochEnded))
        return Fitted(self.recipe, epochs, state.best_epoch, state.finished, state.seconds,
                      tuple(state.alerts))  # fmt: skip

    def save(self) -> None:
        """Keep a checkpoint, where one is asked for."""
        path = self.watch.checkpoint
        self._saved = time.perf_counter()
        if path is None:
            return
        state, engine = self.state, self.engine
        state.history = [to_json(event) for event in self.events]
        state.done, state.fitted = self.clock.done, self.clock.fitted
        state.seconds = state.seconds if state.finished else self.clock.spent
        state.tensors = prefixed("net", self.net.state_dict()) | prefixed("best", self.best)
        if not state.finished:
            state.tensors |= remember(engine, state)
        state.save(path)
        state.tensors = {}
        self.watch.monitor(CheckpointSaved(path=str(path)))

    def _restore(self) -> None:
        state, engine = self.state, self.engine
        self.net.load_state_dict(state.part("net"))
        self.best = {name: value.to(engine.device) for name, value in state.part("best").items()}
        if not state.finished:
            recall(engine, state)
        state.tensors = {}


def _event(record: dict) -> Event | None:
    """Return a kept event; a number that was not finite is nan again."""
    return from_json({
        name: [math.nan if item is None else item for item in value]
        if isinstance(value, list) else value for name, value in record.items()
    })  # fmt: skip


def _finite(parameters: Sequence[Tensor]) -> bool:
    """Say whether all weights are finite numbers; waits for the device."""
    return bool(torch.stack(_fused.norms(parameters)).isfinite().all())
