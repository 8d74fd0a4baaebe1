"""After the climb: what is kept is what was judged, and the test rows have the last word."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import numpy as np
import pytest

from neuroscope.base import events
from neuroscope.judge.intervals import Difference
from neuroscope.tasks._learning import Budget
from neuroscope.verbs import _conclude
from neuroscope.verbs._climb import RungRun
from neuroscope.verbs._conclude import Conclusion
from neuroscope.verbs.train import TrainOptions, train


def after_the_budget() -> tuple[Conclusion, list[float]]:
    """Return a conclusion whose budget is spent, and the seconds its fits are given."""
    given: list[float] = []

    def fit(training, recipe, watch) -> SimpleNamespace:
        given.append(watch.seconds)
        return SimpleNamespace(recipe=None, parameters=1)

    end = Conclusion.__new__(Conclusion)
    end.rung = SimpleNamespace(fit=fit)
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
    assert end.learning_curve() is None
    assert given == []


@pytest.mark.parametrize(("high", "usable"), [(-0.1, False), (0.1, True)])
def test_test_rows_that_contradict_the_verdict_overrule_it(monkeypatch, high, usable) -> None:
    gap = Difference(value=-0.2, low=-0.3, high=high, standard_error=0.05, p_better=0.0)
    monkeypatch.setattr(_conclude, "paired_difference", lambda *_: gap)
    result = train("iris", options=TrainOptions(rungs=("majority", "neuron"), epochs=20))
    assert result["usable"] is usable
    assert result["verdict"] == ("use" if usable else "do_not_use")
    assert ("worse than guessing" in result["headline"]) is not usable
    assert "not clearly better than guessing" in " ".join(result["warnings"])
