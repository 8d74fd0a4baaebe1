"""What is asked of data, and a source made into a problem by the task that it is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from neuroscope.base.errors import choice_error
from neuroscope.base.events import Monitor, Progress
from neuroscope.data.audit import Finding
from neuroscope.data.fingerprint import fingerprint
from neuroscope.data.schema import Schema, read_schema
from neuroscope.data.sources import read
from neuroscope.data.splits import Split, TaskKind
from neuroscope.data.table import Table
from neuroscope.tasks import catalogue
from neuroscope.tasks._learning import Problem


@dataclass(frozen=True, kw_only=True)
class DataOptions:
    """What the user says about the data; empty is "find out". Each task reads what concerns it."""

    target: str | None = None
    positive: str | None = None  # the class of a binary target that is looked for
    drop: tuple[str, ...] = ()
    split: str | None = None
    group: str | None = None
    time: str | None = None
    series: str | None = None  # says which sequence, or series, a row belongs to
    weight: str | None = None
    schema: str | None = None  # an edited schema file
    sql: str | None = None
    task: str | None = None
    backbone: str | None = None  # a pretrained net, by name or folder
    vectors: str | None = None  # a file of word vectors
    horizon: int | None = None  # steps to forecast
    look_back: int | None = None  # readings that a forecast is made from
    future: tuple[str, ...] = ()  # columns beside the targets that are known ahead
    past: tuple[str, ...] = ()  # and those known up to now; "all" are all other numbers
    calendar: str = "auto"  # "none", or parts of it
    zone: str | None = None  # whose clocks the times of a forecast go by

    def overrides(self) -> Mapping[str, Mapping[str, str]]:
        """Return what the schema file says, by column."""
        return read_schema(self.schema) if self.schema else {}


@dataclass(frozen=True)
class Prepared:
    """A source, read and understood; what was found and what was dropped on the way."""

    table: Table
    schema: Schema
    kind: TaskKind
    kind_reason: str
    split: Split
    findings: tuple[Finding, ...]
    dropped: tuple[tuple[str, str], ...]  # (column, reason)
    task: ModuleType
    problem: Problem

    @cached_property
    def fingerprint(self) -> str:
        """The fingerprint of the whole table."""
        return fingerprint(self.table)


def check_task(name: str | None) -> None:
    """Refuse a task that this version does not have."""
    if name not in (None, "auto", *catalogue.names()):
        raise choice_error("task", str(name), catalogue.names())


def prepare(source: Any, options: DataOptions, *, seed: int, monitor: Monitor) -> Prepared:
    """Read a source and make the problem of it that its task poses; errors name the source."""
    from neuroscope.verbs._tasks import asked_hooks  # noqa: PLC0415 - stands on this

    check_task(options.task)
    monitor(Progress(label="reading the data", done=0, total=3))
    table = read(source, sql=options.sql, monitor=monitor)
    hooks = asked_hooks(table, options)
    return hooks.prepare(hooks.arranged(table, source, options), options, seed, monitor)


def source_name(source: Any) -> str:
    """Return a short name for runs: the file's stem, a built-in set's name, or "table"."""
    if isinstance(source, str | Path):
        text = str(source)
        if text.lower().lstrip().startswith(("select ", "with ")):
            return "query"
        name = Path(text.split("?", maxsplit=1)[0].rsplit("://", maxsplit=1)[-1]).name
        return name.split(".")[0].strip("*") or "table"
    return "table"
