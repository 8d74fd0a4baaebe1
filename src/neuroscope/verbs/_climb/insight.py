"""After the climb: what the model looks at, and the linear neuron beside its closed form."""

from __future__ import annotations

from typing import Any

from neuroscope.base.events import Progress
from neuroscope.tasks._learning import Learner
from neuroscope.tasks._rows.closed_form import closed_form
from neuroscope.tasks._rows.explained import explained
from neuroscope.verbs._climb.climb import Climb

_SHARE = 0.5  # of the seconds that are left
_LEAST_SHARE = 0.02  # of the whole budget, also when it is used


def insight(climb: Climb, learner: Learner, temperature: float = 1.0) -> dict[str, Any]:
    """Return the blocks "importance", "weights" and "closed_form" of a run that has them.

    Importance is measured on the test rows, which by then have been opened; nothing is chosen
    by it.
    """
    problem, neuron = climb.problem, climb.runs.get("neuron")
    climb.monitor(Progress(label="seeing what it looks at", done=0, total=1))
    seconds = seconds_of(climb)
    found = explained(
        problem, learner, problem.split.test, climb.metric,
        seconds=seconds, temperature=temperature,
    )  # fmt: skip
    if neuron is not None and (neuron.trial, 0) in neuron.tried:
        said = neuron.tried[neuron.trial, 0]
        found["closed_form"] = closed_form(problem, neuron.recipe, said)
    climb.monitor(Progress(label="seeing what it looks at", done=1, total=1))
    return {name: block for name, block in found.items() if block}


def seconds_of(climb: Climb) -> float | None:
    """Return how long a look at the model may take; None is as long as it likes."""
    left = climb.budget.left(_SHARE)
    return None if left is None else max(left, _LEAST_SHARE * (climb.budget.seconds or 0))
