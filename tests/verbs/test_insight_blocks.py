"""What is measured after the climb, and how long it may take."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from neuroscope.base import events
from neuroscope.tasks._learning import Budget
from neuroscope.verbs._climb import insight as inside
from neuroscope.verbs._climb.insight import insight


def climb(budget: Budget, seen: list, **runs) -> SimpleNamespace:
    split = SimpleNamespace(test=np.arange(5))
    return SimpleNamespace(problem=SimpleNamespace(split=split), runs=runs, budget=budget,
                           metric="m", monitor=seen.append)  # fmt: skip


@pytest.mark.parametrize(
    ("budget", "least", "most"),
    [(Budget(None), None, None), (Budget(1e6), 4e5, 5e5), (Budget(100.0, began=-1e3), 2, 2)],
)
def test_half_of_what_is_left_and_never_nothing(monkeypatch, budget, least, most) -> None:
    given = []
    monkeypatch.setattr(inside, "explained", lambda *_, **o: given.append(o["seconds"]) or {})
    seen: list[events.Event] = []
    assert insight(climb(budget, seen), SimpleNamespace()) == {}
    assert given[0] is None if least is None else least <= given[0] <= most
    assert [event.done for event in seen if isinstance(event, events.Progress)] == [0, 1]


def test_the_closed_form_is_asked_for_with_what_descent_said(monkeypatch) -> None:
    monkeypatch.setattr(inside, "explained", lambda *_, **__: {"importance": [], "weights": None})
    monkeypatch.setattr(inside, "closed_form", lambda problem, recipe, said: {"said": said})
    neuron = SimpleNamespace(recipe="r", trial=1, tried={(1, 0): "p", (0, 0): "q"})
    found = insight(climb(Budget(None), [], neuron=neuron), SimpleNamespace())
    assert found == {"closed_form": {"said": "p"}}  # and no empty block
    unfitted = SimpleNamespace(recipe=None, trial=0, tried={})
    assert insight(climb(Budget(None), [], neuron=unfitted), SimpleNamespace()) == {}
