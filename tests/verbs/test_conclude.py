"""After the climb: what is kept is what was judged, and the test rows have the last word."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from neuroscope.base import events
from neuroscope.base.errors import BudgetError, DivergedError, WorkError
from neuroscope.judge.intervals import Difference
from neuroscope.runs import artefact
from neuroscope.tasks._learning import Budget
from neuroscope.tasks.rungs.table import RUNGS
from neuroscope.verbs._climb import conclude
from neuroscope.verbs._climb.climb import Climb
from neuroscope.verbs._climb.conclude import Conclusion
from neuroscope.verbs._climb.curve import learning_curve
from neuroscope.verbs._climb.rung_run import RungRun
from neuroscope.verbs._prepare import DataOptions
from neuroscope.verbs.train import TrainOptions, train


def after_the_budget() -> tuple[Conclusion, list[float]]:
    """Return a conclusion whose budget is spent, and the seconds its fits are given."""
    given: list[float] = []

    def fit(training, recipe, watch) -> SimpleNamespace:
        given.append(watch.seconds)
        return SimpleNamespace(recipe=None, parameters=1)

    end = Conclusion.__new__(Conclusion)
    end.rung = SimpleNamespace(fit=fit, YARDSTICK=False, REFITTED=True)
    end.run = RungRun("dense", seconds=9.0, fold_seconds=4.0)
    end.choice = SimpleNamespace(chosen="dense")
    end.climb = SimpleNamespace(monitor=events.ignore, budget=Budget(1e-9), stop=threading.Event())
    rows = np.arange(500)
    split = SimpleNamespace(development=rows, folds=[(rows[:400], rows[400:])])
    part = SimpleNamespace(rows=rows[:400])
    end.problem = SimpleNamespace(training=lambda rows: None, split=split, seed=0, folds=(part,))
    return end, given


def test_the_final_fit_has_the_time_of_a_fold_when_the_budget_is_spent() -> None:
    end, given = after_the_budget()
    end.final_fit()
    assert given == [5.0]


def test_no_learning_curve_is_drawn_when_the_budget_is_spent() -> None:
    end, given = after_the_budget()
    assert learning_curve(end) is None
    assert given == []


@pytest.mark.parametrize(("high", "usable"), [(-0.1, False), (0.1, True)])
def test_test_rows_that_contradict_the_verdict_overrule_it(monkeypatch, high, usable) -> None:
    gap = Difference(value=-0.2, low=-0.3, high=high, standard_error=0.05, p_better=0.0)
    monkeypatch.setattr(conclude, "paired_difference", lambda *_: gap)
    result = train("iris", options=TrainOptions(rungs=("majority", "neuron"), epochs=20))
    assert result["usable"] is usable
    assert result["verdict"] == ("use" if usable else "do_not_use")
    assert ("worse than guessing" in result["headline"]) is not usable
    assert "not clearly better than guessing" in " ".join(result["warnings"])


@pytest.mark.parametrize("error", [DivergedError("the loss is nan"), MemoryError()])
def test_a_rung_that_cannot_be_fitted_on_all_rows_gives_way_to_the_next(monkeypatch, error) -> None:
    dense = RUNGS.get("dense")
    fit = dense.fit

    def failing(training, recipe, watch):
        if watch.fold == -1:
            raise error
        return fit(training, recipe, watch)

    options = TrainOptions(rungs=("majority", "neuron", "dense"), epochs=40)
    assert train("two-moons", options=options)["chosen"] == "dense"
    monkeypatch.setattr(dense, "fit", failing)
    result = train("two-moons", options=options)
    assert result["chosen"] == "neuron"
    said = f"fit on all rows failed: {str(error) or 'not enough memory'}"
    assert f"A dense network was to be used, but its {said}" in result["why"]
    assert any(said in warning for warning in result["warnings"])
    assert result["rungs"][2]["status"].startswith("failed: its fit on all rows")
    assert artefact.load(result["model"]).card.learner == "neuron"
    assert "was to be used" in Path(result["report"]).read_text(encoding="utf-8")


def test_a_rung_without_time_is_skipped_and_not_argued_with(monkeypatch) -> None:
    def late(training, recipe, watch):
        raise BudgetError("the time budget allowed 3 steps of 900", remedy="give more time")

    monkeypatch.setattr(RUNGS.get("dense"), "fit", late)
    options = TrainOptions(rungs=("majority", "neuron", "dense"), epochs=10)
    result = train("two-moons", options=options)
    assert result["rungs"][2]["status"].startswith("skipped: the time budget allowed 3 steps")
    assert "did not finish and may do better" in result["headline"]


def test_when_no_rung_is_left_the_run_fails_and_says_why(monkeypatch) -> None:
    def failing(training, recipe, watch):
        raise DivergedError("the loss is nan")

    monkeypatch.setattr(conclude.Conclusion, "final_fit", lambda _: failing(0, 0, 0))
    with pytest.raises(WorkError, match="majority: failed: its fit on all rows: the loss is nan"):
        train("iris", options=TrainOptions(rungs=("majority",)))


@pytest.mark.parametrize(("shift", "told"), [(0.0, False), (1.5, True)])
def test_test_rows_that_score_clearly_worse_are_told(shift, told) -> None:
    random = np.random.default_rng(0)
    late = np.arange(600) >= 400
    y = random.integers(0, 2, 600)
    x = np.where(late, shift, 0.0) + (2 * y - 1) * np.where(late & (shift > 0), 0.1, 1.5)
    table = {"x": x + random.normal(size=600), "noise": random.normal(size=600), "y": y,
             "part": np.where(late, "test", "train")}  # fmt: skip
    options = TrainOptions(rungs=("majority", "neuron"), epochs=20)
    result = train(table, DataOptions(target="y", split="part"), options)
    assert any("differ from those that were learned from" in w for w in result["warnings"]) is told


def test_a_rung_that_has_begun_gets_a_part_of_the_budget_in_any_case() -> None:
    rung = SimpleNamespace(SHARE=1.0, ORDER=5, YARDSTICK=False, REFITTED=False, __name__="x.head")
    problem = SimpleNamespace(split=SimpleNamespace(folds=[0]))
    climb = Climb(None, None, problem, None, [rung], Budget(100.0), None, events.ignore)
    climb.budget.began -= 99.5
    assert climb._seconds(rung) == pytest.approx(3.0)
    climb.budget.began += 79.5
    assert climb._seconds(rung) == pytest.approx(80.0, abs=0.1)


@pytest.mark.parametrize(("kind", "threshold"), [("binary", True), ("forecast", False)])
def test_a_gap_to_the_test_speaks_of_a_threshold_where_there_is_one(kind, threshold) -> None:
    told: list[events.WarningRaised] = []
    end = Conclusion.__new__(Conclusion)
    metric = SimpleNamespace(greater_is_better=False, title="error")
    end.climb = SimpleNamespace(metric=metric, monitor=told.append)
    end.run = SimpleNamespace(interval=SimpleNamespace(low=1.0, high=2.0, value=1.5))
    end.choice, end.problem = SimpleNamespace(usable=True), SimpleNamespace(kind=kind)
    end._warn_of_a_gap((3.0, 5.0), 4.0)
    (warning,) = told
    assert "rely on the test's figures" in warning.message
    assert ("threshold" in warning.message) is threshold
