"""How far back the nets of a climb remember, side by side."""

from __future__ import annotations

from typing import Any

from neuroscope.tasks import rung_name
from neuroscope.tasks._sequences.remembered import remembered
from neuroscope.verbs._climb.climb import Climb


def memory_view(climb: Climb, unit: str) -> dict[str, Any]:
    """Return {"memory": nets over time with their gradient by distance, and their states}.

    `unit` is what a step is called. Empty where no net over time was fitted.
    """
    found = []
    for rung in climb.rungs:
        run = climb.runs[rung_name(rung)]
        kept = remembered(climb.problem, run.name, run.trial) if run.status == "done" else None
        if kept is not None:
            found.append({"name": run.name, "title": rung.TITLE} | kept)
    return {"memory": {"unit": unit, "nets": found}} if found else {}
