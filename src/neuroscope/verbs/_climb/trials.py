"""One rung on all folds: its recipes tried, and for each fold the one that the others pick."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import ModuleType

import numpy as np

from neuroscope.base.errors import BudgetError, DivergedError
from neuroscope.base.events import Event, FoldFinished, Monitor, SearchTried, WarningRaised
from neuroscope.base.recipe import Recipe
from neuroscope.judge.metrics import Metric
from neuroscope.tasks._learning import Training, Watch
from neuroscope.tasks._search import (
    LANES,
    differences,
    explained,
    pick,
    pick_by_others,
    score,
    search,
    side_by_side,
)
from neuroscope.verbs._climb.rung_run import FINAL_FITS, RungRun

_SEARCH_SHARE = 0.25  # of a rung's seconds, for a search on inner splits
_FITS_SHARE = 0.6  # of a rung's seconds, for the first of several recipes
_ONLY_SHARE = 0.95  # of a rung's seconds, for the folds of its only recipe and the final fit
_TRIALS_SHARE = 0.85  # of a rung's seconds; no further recipe is begun that would end later
_SAVE_SECONDS = 2.0  # a fold that took longer is kept at once: a killed run goes on after it

FAILURES = (DivergedError, BudgetError, MemoryError)  # that end a rung, and not the run


def reason(error: Exception) -> str:
    """Return what is to be said of one of FAILURES."""
    return str(error) or "not enough memory"


def fitted_again(rung: ModuleType, folds: int) -> bool:
    """Say whether a chosen rung is fitted once more, on all development rows.

    A yardstick is never chosen; a costly net that one held-out part judges is kept as it is.
    """
    return not rung.YARDSTICK and (rung.REFITTED or folds > 1)


@dataclass
class Trials:
    """The fits of one rung on the folds; what is done is kept in `run`."""

    rung: ModuleType
    run: RungRun
    folds: Sequence[Training]
    metric: Metric
    seconds: float | None  # for this rung, its final fit included; None is no limit
    monitor: Monitor
    stop: threading.Event
    save: Callable[[], None]
    _warnings: dict[int, list[Event]] = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)
    _saving: threading.Lock = field(default_factory=threading.Lock)

    def _left(self, share: float) -> float | None:
        """Return `share` of the seconds that this rung has left."""
        if self.seconds is None:
            return None
        return max(share * (self.seconds - (time.monotonic() - self._began)), 0.0)

    @property
    def _later(self) -> float:
        """How many fits of a fold are still to come when all folds are fitted."""
        return FINAL_FITS if fitted_again(self.rung, len(self.folds)) else 0.0

    def fit(self, candidates: Sequence[Recipe]) -> None:
        """Fit the candidates on all folds while there is time, the best guess first, and pick.

        Raises one of FAILURES when none of them could be fitted.
        """
        if len(self.folds) == 1 and len(candidates) > 1:
            candidates = [self._searched(candidates)]
        tried: list[Recipe | None] = [*candidates] or [None]
        failures: list[Exception] = []
        done = 0
        for trial, recipe in enumerate(tried):
            round_began = time.monotonic()
            try:
                self._fit_folds(trial, recipe, len(tried))
            except FAILURES as error:
                failures.append(error)
            done = trial + 1
            self.save()
            if recipe is not None and len(tried) > 1:
                self._tell(trial, candidates, time.monotonic() - round_began)
            now = time.monotonic()
            ahead = now - round_began + self._later * self.run.fold_seconds
            if (
                self.seconds is not None
                and now - self._began + ahead > _TRIALS_SHARE * self.seconds
            ):
                break
        self._pick(candidates[:done])
        if not self.run.folds:
            raise failures[0]
        for event in self._warnings.get(self.run.trial, []):
            self.monitor(event)

    def _searched(self, candidates: Sequence[Recipe]) -> Recipe:
        """Return the recipe that inner splits of the training rows favour."""
        if not self.run.searched or self.run.recipe is None:
            seconds = self._left(_SEARCH_SHARE)
            watch = Watch(self.run.name, 0, self.monitor, seconds, self.stop)
            found = search(self.rung, candidates, self.folds[0], self.metric, watch)
            (self.run.recipe, self.run.trials), self.run.searched = found, True
            self.save()
        return self.run.recipe

    def _fit_folds(self, trial: int, recipe: Recipe | None, trials: int) -> None:
        todo = [fold for fold in range(len(self.folds)) if (trial, fold) not in self.run.tried]
        if not todo:
            return
        seconds = self._left(_FITS_SHARE if trials > 1 else _ONLY_SHARE)
        lanes = min(LANES if self.rung.PARALLEL else 1, len(todo))
        share = None if seconds is None else seconds / (len(todo) / lanes + self._later)
        if share is not None and trial:
            share = max(share, 1.2 * self.run.fold_seconds)  # as long as the recipes before it
        if share is not None and len(todo) < len(self.folds):
            share = max(share, self.run.fold_seconds)  # taken up again: no shorter than the others

        def fit(fold: int) -> None:
            began, part = time.monotonic(), self.folds[fold]
            watch = Watch(self.run.name, fold, self._monitor(trial), share, self.stop,
                          alone=len(self.folds) == 1, trial=trial, trials=trials)  # fmt: skip
            learner = self.rung.fit(part, recipe, watch)
            predicted = part.predict_held(learner)
            value = self.metric.sign * score(part, predicted, self.metric)
            took = time.monotonic() - began
            self.run.parameters = learner.parameters
            if len(self.folds) == 1 and not fitted_again(self.rung, 1):
                self.run.learner = learner
            self.run.fold_seconds = max(self.run.fold_seconds, took)
            self.run.tried[trial, fold] = predicted
            watch.tell(FoldFinished(
                rung=self.run.name, fold=fold, folds=len(self.folds), trial=trial, trials=trials,
                metric=self.metric.name, value=value, seconds=took,
            ))  # fmt: skip
            if took > _SAVE_SECONDS:
                with self._saving:
                    self.save()

        side_by_side(fit, todo, parallel=self.rung.PARALLEL, stop=self.stop)

    def _monitor(self, trial: int) -> Monitor:
        """Keep warnings back until it is known which recipe is followed."""

        def tell(event: Event) -> None:
            if isinstance(event, WarningRaised):
                self._warnings.setdefault(trial, []).append(event)
            else:
                self.monitor(event)

        return tell

    def _scores(self, trials: int) -> np.ndarray:
        """Return the score of each trial on each fold, greater is better; -inf where it failed."""
        scores = np.full((trials, len(self.folds)), -np.inf)
        for (trial, fold), predicted in self.run.tried.items():
            if trial < trials:
                scores[trial, fold] = score(self.folds[fold], predicted, self.metric)
        return scores

    def _tell(self, trial: int, candidates: Sequence[Recipe], seconds: float) -> None:
        value = self.metric.sign * float(self._scores(trial + 1)[trial].mean())
        record = {"changes": differences(candidates[0], candidates[trial]), "value": value,
                  "seconds": seconds}  # fmt: skip
        self.run.trials[trial:] = [record]
        self.monitor(SearchTried(rung=self.run.name, trial=trial + 1, trials=len(candidates),
                                 metric=self.metric.name, **record))  # fmt: skip

    def _pick(self, candidates: Sequence[Recipe]) -> None:
        """Say which recipe each fold follows, and which one all folds together pick."""
        run, whole = self.run, range(len(self.folds))
        fitted = [
            t for t in range(max(len(candidates), 1)) if all((t, f) in run.tried for f in whole)
        ]
        if not fitted:
            return
        scores = self._scores(max(fitted) + 1)[fitted]
        in_time = self.folds[0].problem.split.method == "time"
        picks = pick_by_others(scores, in_time=in_time)
        run.trial = fitted[pick(scores)]
        run.folds = {fold: run.tried[fitted[picks[fold]], fold] for fold in whole}
        if len(self.folds) > 1 and candidates:
            what = f"{self.metric.title} of {len(fitted)} recipes tried on {len(whole)} folds"
            tried = [candidates[t] for t in fitted]
            run.recipe = (
                explained(candidates[run.trial], tried, what) if len(tried) > 1 else tried[0]
            )
        elif candidates:
            run.recipe = candidates[0]
