"""The climb: every rung fitted on the same folds and judged on the same held-out rows."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import ModuleType

import numpy as np

from neuroscope.base.errors import BudgetError, NeuroscopeError
from neuroscope.base.events import (
    CheckpointSaved,
    Monitor,
    Progress,
    RungFinished,
    RungStarted,
    WarningRaised,
)
from neuroscope.judge.choice import RungScore
from neuroscope.judge.intervals import Resampling, bootstrap
from neuroscope.judge.metrics import Metric
from neuroscope.runs.folder import RunFolder
from neuroscope.tasks import rung_name
from neuroscope.tasks._learning import Budget, Problem
from neuroscope.tasks._net import warm_up
from neuroscope.verbs._climb.rung_run import FINAL_FITS, RungRun, from_state, to_state
from neuroscope.verbs._climb.trials import FAILURES, Trials, fitted_again, reason
from neuroscope.verbs._request import Request

_LEAST_SHARE = 0.05  # of the budget; a rung above the neuron does not begin with less
_FLOOR = 0.03  # of the budget, that a rung which has begun may use at least
_KEPT_BYTES = 1 << 30  # of encoded rows, kept from rung to rung


@dataclass
class Climb:
    """The rungs of one run on one problem; `task` is the file of `tasks/` that it is posed by."""

    asked: Request
    task: ModuleType
    problem: Problem
    metric: Metric
    rungs: Sequence[ModuleType]
    budget: Budget
    folder: RunFolder
    monitor: Monitor
    stop: threading.Event = field(default_factory=threading.Event)
    runs: dict[str, RungRun] = field(default_factory=dict)

    @property
    def held_out(self) -> np.ndarray:
        """Row numbers that rungs are judged on, fold after fold."""
        return np.concatenate([valid for _, valid in self.problem.split.folds])

    @property
    def fold_numbers(self) -> np.ndarray:
        """The fold of each held-out row."""
        sizes = [len(valid) for _, valid in self.problem.split.folds]
        return np.repeat(np.arange(len(sizes)), sizes)

    def up(self) -> None:
        """Climb all rungs; what is done is in the checkpoint, also when the climb is stopped."""
        if any(rung.CORE for rung in self.rungs):
            self.monitor(Progress(label="loading the neuron core", done=0, total=1))
            warm_up(self.asked.given.precision if self.asked.given else "float32")
            self.monitor(Progress(label="loading the neuron core", done=1, total=1))
        for position, rung in enumerate(self.rungs):
            name = rung_name(rung)
            run = self.runs.setdefault(name, RungRun(name))
            self.monitor(RungStarted(rung=name, position=position, total=len(self.rungs)))
            if not run.status:
                self._fit(rung, run)
            self._finish(run)
        for training in self.problem.folds:
            training.forget()

    def _fit(self, rung: ModuleType, run: RungRun) -> None:
        began = time.monotonic()
        spent_before = run.seconds
        left = self.budget.left()
        short = left is not None and left < _LEAST_SHARE * (self.budget.seconds or 0)
        if short and rung.ORDER > 1 and not run.tried:
            run.status = "skipped: the time budget is used"
            return
        try:
            folds = self.problem.folds
            candidates = self.asked.candidates(rung, folds[0])
            seconds = self._seconds(rung)  # what decoding and features took is no longer left
            Trials(rung, run, folds, self.metric, seconds, self.monitor, self.stop, self.save).fit(
                candidates
            )
            run.status = "done"
        except FAILURES as error:
            how = "skipped" if isinstance(error, BudgetError) else "failed"
            run.status = f"{how}: {reason(error)}"
            self.monitor(WarningRaised(message=reason(error), rung=run.name))
        finally:
            run.seconds = spent_before + time.monotonic() - began
            for training in self.problem.folds:
                training.forget(_KEPT_BYTES // len(self.problem.split.folds))
            self.save()

    def _seconds(self, rung: ModuleType) -> float | None:
        """Return a rung's part of the seconds that are left for it and those after it.

        What the final fit of a rung that stands already may take is kept back. A rung that has
        begun gets a little in any case: a head upon features that took long is quick to fit.
        """
        left, folds = self.budget.left(), len(self.problem.split.folds)
        if left is None:
            return None
        again = [other for other in self.rungs if fitted_again(other, folds)]
        known = [run.fold_seconds for o in again if (run := self.runs.get(rung_name(o)))]
        to_come = sum(other.SHARE for other in self.rungs if other.ORDER >= rung.ORDER)
        part = max(left - FINAL_FITS * max(known, default=0.0), 0.0) * rung.SHARE / to_come
        return max(part, _FLOOR * (self.budget.seconds or 0.0))

    def _finish(self, run: RungRun) -> None:
        if run.status == "done":
            held, y = self.held_out, self.problem.y[self.held_out]
            run.interval = bootstrap(
                self.metric, y, self.predictions(run), self.resampling,
                self.problem.weights_of(held), self.problem.groups_of(held), self.fold_numbers,
            )  # fmt: skip
        interval = run.interval
        self.monitor(RungFinished(
            rung=run.name, metric=self.metric.name,
            value=interval.value if interval else None,
            interval=(interval.low, interval.high) if interval else None,
            seconds=run.seconds, parameters=run.parameters, status=run.status, trial=run.trial,
        ))  # fmt: skip

    @property
    def resampling(self) -> Resampling:
        """The draws that all rungs share."""
        return Resampling(seed=self.problem.seed)

    def predictions(self, run: RungRun) -> np.ndarray:
        """Return the rung's predictions of the held-out rows, fold after fold."""
        return np.concatenate([run.folds[fold] for fold in sorted(run.folds)])

    def scores(self) -> list[RungScore]:
        """Return what each rung said about the held-out rows.

        Trees are a yardstick beside networks; asked for without one, they are what is wanted.
        """
        networks = any(not rung.YARDSTICK and rung.ORDER > 0 for rung in self.rungs)
        return [
            RungScore(
                run.name,
                rung.TITLE,
                rung.ORDER,
                self.predictions(run) if run.status == "done" else None,
                yardstick=rung.YARDSTICK and networks,
                parameters=run.parameters,
                status=run.status,
            )
            for rung, run in ((rung, self.runs[rung_name(rung)]) for rung in self.rungs)
        ]

    def save(self) -> None:
        """Write what was done so far into the checkpoint."""
        path = self.folder.checkpoint(*to_state(self.runs, self.budget.spent))
        self.monitor(CheckpointSaved(path=str(path)))

    def restore(self) -> None:
        """Take up what an interrupted run left in its checkpoint."""
        try:
            self.runs, spent = from_state(*self.folder.restore())
        except NeuroscopeError as error:
            if (self.folder.path / "checkpoint.safetensors").exists():
                self.monitor(WarningRaised(message=f"{error}; all rungs are fitted again"))
            return
        self.budget.take_up(spent)
        left = self.budget.left()
        if left is not None:
            self.monitor(WarningRaised(
                message=f"the run goes on with {left:,.0f} s of its time budget: {spent:,.0f} s "
                "were used before it was stopped",
            ))  # fmt: skip
