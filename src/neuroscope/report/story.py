"""What a run folder tells: its result, filled up from the events where the result is silent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from neuroscope.base.errors import ModelError
from neuroscope.base.events import (
    AuditFinished,
    EpochEnded,
    Event,
    GradientFlow,
    RunFinished,
    RungFinished,
    RunStarted,
    SearchTried,
    WarningRaised,
)
from neuroscope.base.nouns import noun_of
from neuroscope.runs import artefact
from neuroscope.runs.card import Card
from neuroscope.runs.folder import RunFolder

_PICTURES = "pictures"  # the arrays that a picture run keeps for its report


@dataclass(frozen=True)
class Story:
    """Everything the report may show; a block the run does not have is an empty one."""

    name: str
    created: str
    status: str
    message: str  # why it failed or was interrupted
    result: dict[str, Any]
    recipe: dict[str, Any]
    events: tuple[Event, ...]
    card: Card | None
    card_note: str  # why there is no card although there is a model file
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)  # of a picture run, by name

    @classmethod
    def read(cls, folder: Path) -> Story:
        """Read a run folder; a damaged record is an InputError that names it."""
        run = RunFolder(folder)
        head, result = _optional(run, "run.json"), _optional(run, "result.json")
        events = tuple(run.events())
        told = _from_events(events) | {k: v for k, v in result.items() if v is not None}
        card, note = _card(run.model)
        return cls(
            name=_text(head.get("name") or result.get("name") or folder.name),
            created=_text(result.get("created") or head.get("created")),
            # the report is written while its own run still goes on
            status="finished" if result else run.status if head else "interrupted",
            message=_text(head.get("message")),
            result=told,
            recipe=_optional(run, "recipe.json") or as_dict(result.get("recipe")),
            events=events,
            card=card,
            card_note=note,
            arrays=_arrays(run),
        )

    @property
    def noun(self) -> str:
        """What a row of the data is called: "row", "picture"."""
        return noun_of(self.text("task"))

    def dict(self, name: str) -> dict[str, Any]:
        """Return a block of the result that is an object."""
        return as_dict(self.result.get(name))

    def list(self, name: str) -> list[Any]:
        """Return a block of the result that is a list, without its nulls."""
        return entries(self.result.get(name))

    def records(self, name: str) -> list[dict[str, Any]]:
        """Return a block of the result that is a list of objects."""
        return [entry for entry in self.list(name) if isinstance(entry, dict)]

    def text(self, name: str) -> str:
        """Return a block of the result as text."""
        return _text(self.result.get(name))

    @property
    def positive(self) -> str:
        """The class that is looked for, in quotes; "" where there is none."""
        name = self.text("positive")
        return f"“{name}”" if name else ""

    def titles(self) -> dict[str, str]:
        """Return how each rung is called."""
        rungs = ((_text(r.get("name")), _text(r.get("title"))) for r in self.records("rungs"))
        return {name: title or name.replace("_", " ") for name, title in rungs}

    def of_rungs(self, kind: type) -> dict[str, list[Any]]:
        """Return the EpochEnded or GradientFlow events of each rung's own recipe, in order."""
        picked = {_text(r.get("name")): r.get("trial", 0) for r in self.records("rungs")}
        found: dict[str, list[Any]] = {}
        for event in self.events:
            if not (isinstance(event, kind) and isinstance(event, EpochEnded | GradientFlow)):
                continue
            if event.trial == picked.get(event.rung, event.trial):
                found.setdefault(event.rung, []).append(event)
        return found


def entries(value: Any) -> list[Any]:
    """Return a list without its nulls; anything else is an empty one."""
    return [e for e in value if e is not None] if isinstance(value, list | tuple) else []


def _from_events(events: Iterable[Event]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for event in events:
        match event:
            case RunStarted():
                told |= {"target": event.target, "source": event.source, "rows": event.rows}
                told |= {"task": event.task, "seed": event.seed}
            case AuditFinished():
                told["findings"] = [dict(finding) for finding in event.findings]
            case RungFinished():
                told.setdefault("rungs", []).append(_rung(event))
                told["metric"] = {"name": event.metric}
            case SearchTried():
                told.setdefault("search", []).append(
                    {"changes": event.changes, "value": event.value, "seconds": event.seconds}
                )
            case WarningRaised():
                told.setdefault("warnings", []).append(event.message)
            case RunFinished():
                told |= {"chosen": event.chosen, "why": event.why}
            case _:
                pass
    return told


def _rung(event: RungFinished) -> dict[str, Any]:
    names = ("metric", "value", "interval", "seconds", "parameters", "status", "trial")
    return {"name": event.rung} | {name: getattr(event, name) for name in names}


def _optional(run: RunFolder, name: str) -> dict[str, Any]:
    return run.read_json(name) if (run.path / name).exists() else {}


def _arrays(run: RunFolder) -> dict[str, np.ndarray]:
    there = (run.path / f"{_PICTURES}.safetensors").exists()
    return run.restore(_PICTURES)[1] if there else {}


def _card(path: Path) -> tuple[Card | None, str]:
    if not path.exists():
        return None, ""
    try:
        return artefact.load(path).card, ""
    except ModelError as error:
        return None, str(error)


def as_dict(value: Any) -> dict[str, Any]:
    """Return an object; anything else is an empty one."""
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return "" if value is None else str(value)
