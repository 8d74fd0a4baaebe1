"""The climb: every rung fitted on the same folds and judged on the same held-out rows."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

from neuroscope.base.errors import DivergedError, NeuroscopeError, RecipeError
from neuroscope.base.events import (
    CheckpointSaved,
    FoldFinished,
    Monitor,
    Progress,
    RungFinished,
    RungStarted,
    WarningRaised,
)
from neuroscope.base.recipe import Recipe
from neuroscope.judge.choice import RungScore
from neuroscope.judge.intervals import Interval, Resampling, bootstrap
from neuroscope.judge.metrics import Metric
from neuroscope.runs.folder import RunFolder
from neuroscope.tasks._learning import Budget, Problem, Watch, predict
from neuroscope.tasks._net import warm_up
from neuroscope.tasks._search import LANES, search, side_by_side
from neuroscope.tasks.table import rung_name

_SEARCH_SHARE = 0.25  # of a rung's seconds
_FITS_SHARE = 0.6  # of a rung's seconds, for its folds and the final fit
FINAL_FITS = 1.25  # how many fits of a fold the final fit on all rows is worth
_LEAST_SHARE = 0.05  # of the budget; a rung above the neuron does not begin with less


@dataclass
class RungRun:
    """How one rung did; kept in the checkpoint, so that a resumed run need not fit it again."""

    name: str
    recipe: Recipe | None = None
    trials: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    parameters: int = 0
    status: str = ""  # "done", or why not; "" while it runs
    searched: bool = False
    fold_seconds: float = 0.0  # of the slowest fit of a fold
    folds: dict[int, np.ndarray] = field(default_factory=dict)  # fold -> its held-out predictions
    interval: Interval | None = None

    def to_json(self) -> dict[str, Any]:
        """Return all but the predictions."""
        record = {k: v for k, v in vars(self).items() if k not in ("folds", "interval", "recipe")}
        return record | {"recipe": self.recipe.to_json() if self.recipe else None}


@dataclass
class Climb:
    """The rungs of one run on one problem."""

    problem: Problem
    metric: Metric
    rungs: Sequence[ModuleType]
    budget: Budget
    folder: RunFolder
    monitor: Monitor
    given: Recipe | None = None  # a recipe to replay instead of searching
    epochs: int | None = None  # epochs of every recipe, as asked
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
        self.monitor(Progress(label="loading the neuron core", done=0, total=1))
        warm_up(self.given.precision if self.given else "float32")
        self.monitor(Progress(label="loading the neuron core", done=1, total=1))
        for position, rung in enumerate(self.rungs):
            name = rung_name(rung)
            run = self.runs.setdefault(name, RungRun(name))
            self.monitor(RungStarted(rung=name, position=position, total=len(self.rungs)))
            if not run.status:
                self._fit(rung, run)
            self._finish(run)

    def _fit(self, rung: ModuleType, run: RungRun) -> None:
        began = time.monotonic()
        spent_before = run.seconds
        left = self.budget.left()
        if left is not None and rung.ORDER > 1 and left < _LEAST_SHARE * (self.budget.seconds or 0):
            run.status = "skipped: the time budget is used"
            return
        try:
            self._search(rung, run)
            self._fit_folds(rung, run)
            run.status = "done"
        except DivergedError as error:
            run.status = f"failed: {error}"
            self.monitor(WarningRaised(message=str(error), rung=run.name))
        finally:
            run.seconds = spent_before + time.monotonic() - began
            self._save()

    def _watch(self, name: str, seconds: float | None, fold: int = 0) -> Watch:
        valid = self.problem.split.folds[fold][1] if fold == 0 else None
        alone = len(self.problem.split.folds) == 1
        return Watch(name, fold, self.monitor, seconds, self.stop, valid, alone)

    def _search(self, rung: ModuleType, run: RungRun) -> None:
        if run.searched:
            return
        training = self.problem.training(self.problem.split.folds[0][0])
        candidates = rung.recipes(training)
        if self.given is not None and self.given.net == run.name:
            _check_given(self.given, candidates)
            candidates = [self.given]
        if self.epochs is not None:
            candidates = [c.because("as asked", epochs=self.epochs) for c in candidates]
        if candidates:
            seconds = self.budget.left(rung.SHARE * _SEARCH_SHARE)
            watch = self._watch(run.name, seconds)
            run.recipe, run.trials = search(rung, candidates, training, self.metric, watch)
        run.searched = True
        self._save()

    def _fit_folds(self, rung: ModuleType, run: RungRun) -> None:
        folds = [i for i in range(len(self.problem.split.folds)) if i not in run.folds]
        seconds = self.budget.left(rung.SHARE * _FITS_SHARE)
        lanes = min(LANES if rung.PARALLEL else 1, max(len(folds), 1))
        later = 0 if rung.YARDSTICK else FINAL_FITS  # a yardstick is not fitted again
        share = seconds and seconds / (len(folds) / lanes + later)

        def fit(fold: int) -> None:
            began = time.monotonic()
            train, valid = self.problem.split.folds[fold]
            watch = self._watch(run.name, share, fold)
            learner = rung.fit(self.problem.training(train), run.recipe, watch)
            run.folds[fold] = predict(self.problem, learner, valid)
            run.parameters = learner.parameters
            run.fold_seconds = max(run.fold_seconds, time.monotonic() - began)
            value = self.metric(self.problem.y[valid], run.folds[fold],
                                self.problem.weights_of(valid))  # fmt: skip
            watch.tell(FoldFinished(
                rung=run.name, fold=fold, folds=len(self.problem.split.folds),
                metric=self.metric.name, value=value, seconds=time.monotonic() - began,
            ))  # fmt: skip

        side_by_side(fit, folds, parallel=rung.PARALLEL, stop=self.stop)

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
            seconds=run.seconds, parameters=run.parameters, status=run.status,
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

    def _save(self) -> None:
        arrays = {
            f"{name}.{fold}": values
            for name, run in self.runs.items()
            for fold, values in dict(run.folds).items()
        }
        state = {"rungs": {name: run.to_json() for name, run in self.runs.items()}}
        path = self.folder.checkpoint(state, arrays or {"none": np.zeros(0)})
        self.monitor(CheckpointSaved(path=str(path)))

    def restore(self) -> None:
        """Take up what an interrupted run left in its checkpoint."""
        try:
            state, arrays = self.folder.restore()
        except NeuroscopeError as error:
            if (self.folder.path / "checkpoint.safetensors").exists():
                self.monitor(WarningRaised(message=f"{error}; all rungs are fitted again"))
            return  # else it was stopped before the first checkpoint
        for name, record in state["rungs"].items():
            recipe = Recipe.from_json(record["recipe"]) if record["recipe"] else None
            run = RungRun(**(record | {"recipe": recipe}))
            prefix = f"{name}."
            run.folds = {
                int(key.removeprefix(prefix)): values
                for key, values in arrays.items()
                if key.startswith(prefix)
            }
            self.runs[name] = run


def _check_given(given: Recipe, candidates: Sequence[Recipe]) -> None:
    """Refuse a recipe that says what this rung on these data could not follow."""
    losses = sorted({candidate.loss for candidate in candidates})
    if "mean_squared_error" in losses:
        losses.append("huber")
    if not losses:
        raise RecipeError(f"the rung {given.net!r} follows no recipe", remedy="leave --recipe out")
    if given.loss not in losses:
        raise RecipeError(
            f"the recipe's loss {given.loss!r} does not go with this target",
            remedy=f"change it to {' or '.join(losses)}",
        )
    if given.device not in ("auto", "cpu"):
        raise RecipeError(
            f"the recipe's device is {given.device!r}, and the nets of tables run on the processor",
            remedy="change it to auto",
        )
