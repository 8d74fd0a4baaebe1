"""The typed events that a run emits to whoever watches.

A trainer calls `monitor(event)` and knows no viewer; a viewer (progress bar, `events.jsonl`,
report, studio) reads events and never touches a trainer.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from neuroscope.base.plain import plain

_KINDS: dict[str, type[Event]] = {}


@dataclass(frozen=True, kw_only=True)
class Event:
    """Base of all events; `kind` is the class name as it stands in `events.jsonl`."""

    kind: ClassVar[str] = "Event"

    def __init_subclass__(cls) -> None:
        cls.kind = cls.__name__
        _KINDS[cls.kind] = cls


@dataclass(frozen=True, kw_only=True)
class RunStarted(Event):
    """A run begins: what is learned, from where, on how many rows."""

    task: str
    target: str
    source: str
    rows: Mapping[str, int]
    seed: int


@dataclass(frozen=True, kw_only=True)
class AuditFinished(Event):
    """The data were audited; each finding is the JSON form of `data.audit.Finding`."""

    findings: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, kw_only=True)
class WarningRaised(Event):
    """Something a person should know, in plain words, with what to do about it."""

    message: str
    rung: str = ""

    @property
    def text(self) -> str:
        """The message, with the rung it is about."""
        return f"{self.rung}: {self.message}" if self.rung else self.message

    @property
    def cut_short(self) -> bool:
        """Whether it says that the time budget ended a rung's training early."""
        return bool(self.rung) and "time budget" in self.message

    @property
    def gist(self) -> str:
        """The same for warnings of one rung that differ in figures only, as those of its folds."""
        return re.sub(r"[\d.,]+", "#", self.text) if self.rung else self.text


@dataclass(frozen=True, kw_only=True)
class RungStarted(Event):
    """A rung of the ladder begins; `position` counts from 0."""

    rung: str
    position: int
    total: int


@dataclass(frozen=True, kw_only=True)
class SearchTried(Event):
    """One recipe of the small search was tried; `value` is its score on the search rows."""

    rung: str
    trial: int
    trials: int
    changes: Mapping[str, Any]
    metric: str
    value: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class FoldFinished(Event):
    """A rung was fitted and scored on one fold; `trial` counts the recipes tried, from 0."""

    rung: str
    fold: int
    folds: int
    metric: str
    value: float
    seconds: float
    trial: int = 0
    trials: int = 1


@dataclass(frozen=True, kw_only=True)
class EpochEnded(Event):
    """One pass over the training rows; losses are means over rows, `seconds` since fit began.

    Of classes, `valid_accuracy` is the share of the watched rows that are named rightly.
    """

    rung: str
    fold: int
    epoch: int
    epochs: int
    train_loss: float
    valid_loss: float | None
    learning_rate: float
    seconds: float
    trial: int = 0
    trials: int = 1
    valid_accuracy: float | None = None


@dataclass(frozen=True, kw_only=True)
class SampleProduced(Event):
    """What a net that makes something made after an epoch, here a text."""

    rung: str
    epoch: int
    text: str


@dataclass(frozen=True, kw_only=True)
class GradientFlow(Event):
    """The norm of the loss gradient with respect to each layer's weights in an epoch.

    The neuron core reports the mean over the epoch's steps; torch nets, which also name the layers
    and say how far the weights moved, report the epoch's last step.
    """

    rung: str
    fold: int
    epoch: int
    norms: tuple[float, ...]
    layers: tuple[str, ...] = ()
    updates: tuple[float, ...] = ()  # norm of a step's change over the norm of the weights
    trial: int = 0


@dataclass(frozen=True, kw_only=True)
class DeadUnits(Event):
    """How many units of each rectified layer stay at zero for every probed row."""

    rung: str
    fold: int
    epoch: int
    layers: tuple[str, ...]
    dead: tuple[int, ...]
    units: tuple[int, ...]
    trial: int = 0


@dataclass(frozen=True, kw_only=True)
class RungFinished(Event):
    """A rung was judged; `status` is "done", or says why not ("skipped: budget used")."""

    rung: str
    metric: str
    value: float | None
    interval: tuple[float, float] | None
    seconds: float
    parameters: int
    status: str
    trial: int = 0  # the recipe that was picked, as EpochEnded counts them


@dataclass(frozen=True, kw_only=True)
class CheckpointSaved(Event):
    """What was done so far is safe on disk at `path`."""

    path: str


@dataclass(frozen=True, kw_only=True)
class Progress(Event):
    """A step of a job that has no events of its own; `done` of `total` units."""

    label: str
    done: int
    total: int


@dataclass(frozen=True, kw_only=True)
class RunFinished(Event):
    """The ladder has been climbed and a rung chosen."""

    chosen: str
    why: str
    seconds: float


Monitor = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Be the monitor of a caller who does not watch."""


def broadcast(*monitors: Monitor) -> Monitor:
    """Return one monitor that hands each event to all `monitors`, in order."""

    def tell(event: Event) -> None:
        for monitor in monitors:
            monitor(event)

    return tell


def to_json(event: Event) -> dict[str, Any]:
    """Return `event` as a JSON object; a number that is not finite becomes null."""
    fields = {field.name: getattr(event, field.name) for field in dataclasses.fields(event)}
    return {"kind": event.kind} | {name: plain(value) for name, value in fields.items()}


def from_json(record: Mapping[str, Any]) -> Event | None:
    """Return the event that `to_json` wrote, or None for a kind this version does not know."""
    cls = _KINDS.get(record.get("kind", ""))
    if cls is None:
        return None
    known = {field.name for field in dataclasses.fields(cls)}
    fields = {name: value for name, value in record.items() if name in known}
    return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()})
