"""After the climb: the final fit, the test rows opened once, the model, the result, the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from neuroscope.base.errors import WorkError
from neuroscope.base.events import Progress, WarningRaised
from neuroscope.base.nouns import called, noun_of
from neuroscope.judge.calibration import apply_temperature, calibration, fit_temperature
from neuroscope.judge.choice import Choice
from neuroscope.judge.confusion import confusion
from neuroscope.judge.detection import detection
from neuroscope.judge.intervals import bootstrap, paired_difference
from neuroscope.judge.kinds import kind_of
from neuroscope.judge.metrics import METRICS, scores
from neuroscope.judge.residuals import residuals
from neuroscope.judge.threshold import Cost, mean_cost
from neuroscope.runs import artefact
from neuroscope.runs.card import Card
from neuroscope.tasks import _model, rung_name
from neuroscope.tasks._learning import Learner, Watch, predict
from neuroscope.tasks._pictures.backbones import licence, origin_of
from neuroscope.tasks._rows import constant
from neuroscope.tasks._torch import on_processor
from neuroscope.verbs._climb.climb import Climb
from neuroscope.verbs._climb.decision import decision, decision_for
from neuroscope.verbs._climb.rung_run import FINAL_FITS
from neuroscope.verbs._climb.trials import fitted_again
from neuroscope.verbs._tasks import hooks_of


class Outcome(NamedTuple):
    """What the model says of the test rows."""

    rows: np.ndarray  # (n,) row numbers of the problem, from 0
    y: np.ndarray  # (n, ...)
    p: np.ndarray  # (n, ...) calibrated
    threshold: float


class Conclusion:
    """What is computed once the rung is chosen; each part is a block of result.json."""

    def __init__(
        self, climb: Climb, choice: Choice, cost: Cost | None, sensitivity: float | None = None
    ) -> None:
        self.climb, self.choice, self.cost, self.sensitivity = climb, choice, cost, sensitivity
        self.problem, self.hooks = climb.problem, hooks_of(climb.task.NAME)
        self.rung: ModuleType = next(
            rung for rung in climb.rungs if rung_name(rung) == choice.chosen
        )
        self.run = climb.runs[choice.chosen]
        self.held = climb.predictions(self.run)
        self.held_y = self.problem.y[climb.held_out]
        self.temperature = self._temperature()
        self.refuted = False  # whether the test rows say that guessing is better

    @cached_property
    def parts(self) -> Mapping[str, Any]:
        """What the model keeps beside its weights, JSON by name."""
        return self.hooks.parts(self)

    @property
    def _probable(self) -> bool:
        """Whether answers are probabilities, which can be calibrated."""
        return kind_of(self.problem.kind).answers == "probabilities"

    def _temperature(self) -> float:
        """Return the temperature that calibrates the held-out probabilities (1 leaves them)."""
        if not self._probable or self.choice.chosen == "majority":
            return 1.0
        weights = self.problem.weights_of(self.climb.held_out)
        return fit_temperature(self.held_y, self.held, weights)

    def calibrated(self, p: np.ndarray) -> np.ndarray:
        """Return probabilities by the model's temperature; other answers stay."""
        return apply_temperature(p, self.temperature) if self._probable else p

    def threshold(self) -> dict[str, Any] | None:
        """Return the decision threshold of a binary task: by cost or sensitivity where given."""
        if self.problem.kind != "binary":
            return None
        said, weights = self.calibrated(self.held), self.problem.weights_of(self.climb.held_out)
        if self.sensitivity is None:
            return decision(self.held_y, said, weights, self.cost)
        positive = str(self.problem.codec.classes[-1])
        return decision_for(self.sensitivity, self.held_y, said, weights, positive)

    def final_fit(self) -> Learner:
        """Fit the chosen rung on all development rows, or keep what the only fold gave."""
        if not self._again_on_all:
            return self._of_the_fold()
        self.climb.monitor(Progress(label="fitting the chosen rung on all rows", done=0, total=1))
        training = self.problem.training(self.problem.split.development)
        left = self.climb.budget.left(0.8)
        # Never less than a fold had, also past the budget: what was judged must be what is kept.
        seconds = None if left is None else max(left, FINAL_FITS * self.run.fold_seconds)
        watch = Watch(self.run.name, -1, self.climb.monitor, seconds, self.climb.stop,
                      alone=True, trial=self.run.trial)  # fmt: skip
        learner = self.rung.fit(training, self.run.recipe, watch)
        self.run.recipe = learner.recipe
        self.climb.monitor(Progress(label="fitting the chosen rung on all rows", done=1, total=1))
        return learner

    @property
    def _again_on_all(self) -> bool:
        return fitted_again(self.rung, len(self.problem.folds))

    def _of_the_fold(self) -> Learner:
        """Return the net of the only fold; after a resumption it is fitted as it was."""
        if self.run.learner is None:
            seconds = None if self.climb.budget.seconds is None else 1.2 * self.run.fold_seconds
            watch = Watch(self.run.name, 0, self.climb.monitor, seconds, self.climb.stop,
                          alone=True, trial=self.run.trial)  # fmt: skip
            self.run.learner = self.rung.fit(self.problem.folds[0], self.run.recipe, watch)
        self.run.recipe = self.run.learner.recipe
        return self.run.learner

    def test(self, learner: Learner, threshold: float) -> tuple[dict[str, Any], dict[str, Any]]:
        """Open the test rows, once; returns the scores with intervals, and the views of them."""
        rows = self.problem.split.test
        y, weights = self.problem.y[rows], self.problem.weights_of(rows)
        p = self.calibrated(predict(self.problem, learner, rows))
        kind, groups = self.problem.kind, self.problem.groups_of(rows)
        test: dict[str, Any] = dict(scores(kind, y, p, threshold=threshold, weights=weights))
        intervals = {}
        plan = replace(self.climb.resampling, threshold=threshold)
        for name in dict.fromkeys([self.climb.metric.name, *kind_of(kind).figures]):
            found = bootstrap(METRICS[name], y, p, plan, weights, groups)
            intervals[name] = [found.low, found.high]
        test["interval"] = intervals
        self._warn_of_luck(y, p, rows)
        self._warn_of_a_gap(intervals[self.climb.metric.name], test[self.climb.metric.name])
        tested = Outcome(rows, y, p, threshold)
        return test, self._views(*tested) | self.hooks.views(self, learner, tested)

    def _warn_of_luck(self, y: np.ndarray, p: np.ndarray, rows: np.ndarray) -> None:
        """Say so when the test rows do not confirm that the chosen rung beats guessing."""
        if not self.choice.usable:
            return
        guess = self._guess().fit(self.problem.training(self.problem.split.development), None,
                                  Watch())  # fmt: skip
        gap = paired_difference(
            self.climb.metric, y, p, predict(self.problem, guess, rows), self.climb.resampling,
            self.problem.weights_of(rows), self.problem.groups_of(rows),
        )  # fmt: skip
        self.refuted = gap.gain_high < 0
        if not gap.clear:
            self.climb.monitor(WarningRaised(
                message=f"on the {len(rows):,} test rows the model is not clearly better than "
                "guessing; gather more rows before you rely on it",
            ))  # fmt: skip

    def _warn_of_a_gap(self, tested: Sequence[float], value: float) -> None:
        """Say so when the test rows score clearly worse than the held-out rows that chose."""
        metric, held = self.climb.metric, self.run.interval
        if held is None or not self.choice.usable:
            return
        low, high = tested
        worse = high < held.low if metric.greater_is_better else low > held.high
        binary = self.problem.kind == "binary"
        check = ", and check a threshold on rows like those to come" if binary else ""
        if worse:
            self.climb.monitor(WarningRaised(
                message=f"{metric.title} is {value:.3f} on the test rows, and was {held.value:.3f} "
                "on the held-out rows: the test rows differ from those that were learned from "
                f"(another time, place or instrument?); rely on the test's figures{check}",
            ))  # fmt: skip

    def _guess(self) -> ModuleType:
        """Return what fits the plainest answer of the task."""
        name = getattr(self.climb.task, "GUESS", None)
        return self.climb.task.RUNGS.get(name) if name else constant

    def _views(
        self, rows: np.ndarray, y: np.ndarray, p: np.ndarray, threshold: float
    ) -> dict[str, Any]:
        weights, answers = self.problem.weights_of(rows), kind_of(self.problem.kind).answers
        if answers == "packed":
            return {}
        if answers == "numbers":
            found = residuals(y, p, weights=weights).to_json()
            return {"residuals": found | {"worst": _numbered(found["worst"], rows)}}
        table = confusion(y, p, self.problem.codec.classes, threshold, weights).to_json()
        mistakes = _numbered(table["surest_mistakes"], rows)
        table["surest_mistakes"] = self.hooks.named(self.problem, mistakes)
        views: dict[str, Any] = {"confusion": table}
        if self.problem.kind == "binary":
            plan = replace(self.climb.resampling, threshold=threshold)
            positive = str(self.problem.codec.classes[-1])
            found = detection(y, p, positive, plan, weights, self.problem.groups_of(rows))
            views["detection"] = None if found is None else found.to_json()
            if self.cost is not None:
                views["cost"] = self._cost(y, p[:, 1], threshold, weights)
        if self.choice.chosen != "majority":
            curve = calibration(y, p, weights=weights).to_json()
            views["calibration"] = curve | {"temperature": self.temperature}
        return views

    def _cost(
        self, y: np.ndarray, p: np.ndarray, threshold: float, weights: np.ndarray | None
    ) -> dict[str, Any]:
        """Return what a test row costs at the threshold, and at one half, which weighs no error."""
        assert self.cost is not None
        paid, half = (mean_cost(y, p, t, self.cost, weights) for t in (threshold, 0.5))
        return {
            "cost": str(self.cost),
            "per_row": paid,
            "at_half": half,
            "sentence": f"On the test rows a decision costs {paid:.4g} a row, instead of "
            f"{half:.4g} at a threshold of 0.5.",
        }

    def save_model(
        self, learner: Learner, test: Mapping[str, Any], threshold: float, fingerprint: str
    ) -> None:
        """Write the model artefact into the run folder and open it again as a check."""
        problem = self.problem
        arrays, parts = _model.pack(
            problem, learner, temperature=self.temperature, threshold=threshold
        )
        parts |= self.parts
        card = Card(
            task=self.climb.task.NAME,
            target=problem.codec.column,
            learner=self.run.name,
            schema=problem.schema.to_json(),
            metrics=dict(test),
            rows=problem.split.counts,
            data_fingerprint=fingerprint,
            intended_use=self.hooks.purpose(self),
            limitations=self.limitations(),
            licence_notes=self._licence(learner),
        )
        saved = artefact.save(self.climb.folder.model, card, arrays, parts)
        rows = problem.split.test[:50]
        there = self.climb.task.load(saved)
        said = self.calibrated(predict(problem, on_processor(learner), rows))
        off = 1e-6 * max(float(np.abs(said).max(initial=0.0)), 1.0)
        if not np.allclose(said, self.hooks.again(self, there, rows), rtol=1e-5, atol=off):
            raise WorkError("the saved model does not predict what the fitted one does",
                            where=str(self.climb.folder.model))  # fmt: skip

    def _licence(self, learner: Learner) -> str:
        origin = origin_of(learner)
        return "" if origin is None else licence(origin)

    def limitations(self) -> tuple[str, ...]:
        """Return what a person must know before relying on the model."""
        notes = [
            "The figures hold for rows drawn like the training rows; "
            "watch them when the world changes."
        ]
        if not self.choice.usable:
            notes.insert(0, "Nothing beat guessing on the held-out rows: do not rely on it.")
        if not self._again_on_all:
            learned, held = (len(rows) for rows in self.problem.split.folds[0])
            notes.append(
                f"It learned from {learned:,} of {learned + held:,} rows; the others judged it. "
                "A second fit on all of them would have cost as much again."
            )
        if self.choice.yardstick_better:
            notes.append("Gradient-boosted trees did better on the same rows.")
        told = (called(note, noun_of(self.climb.task.NAME)) for note in notes)
        return (*told, *self.hooks.limits(self))


def _numbered(entries: list[dict[str, Any]], rows: np.ndarray) -> list[dict[str, Any]]:
    """Replace positions among the test rows by data row numbers, counted from 1."""
    return [entry | {"row": int(rows[entry["row"]]) + 1} for entry in entries]
