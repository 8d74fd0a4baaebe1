"""From a source to a problem: read, infer, split, audit, drop."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from neuroscope.base.errors import InputError, NeuroscopeError, choice_error
from neuroscope.base.events import Monitor, Progress
from neuroscope.data.audit import Finding, audit, drops
from neuroscope.data.fingerprint import fingerprint
from neuroscope.data.schema import Schema, infer_schema, read_schema
from neuroscope.data.sources import read
from neuroscope.data.splits import Split, TaskKind, plan_split
from neuroscope.data.table import Table
from neuroscope.data.task_kind import target_kind
from neuroscope.tasks import catalogue
from neuroscope.tasks._learning import Problem
from neuroscope.tasks._posing import pose
from neuroscope.verbs._series.rows import as_sequences, axis_of


@dataclass(frozen=True, kw_only=True)
class DataOptions:
    """What the user says about the data; empty is "find out"."""

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


def schema_of(table: Table, options: DataOptions) -> Schema:
    """Infer the schema of a table; errors name its source."""
    axis = axis_of(table, options)
    try:
        return infer_schema(
            table,
            target=options.target,
            drop=options.drop if table.origin.gathered is None else (),
            split=options.split,
            group=options.group,
            time=None if axis else options.time,
            weight=options.weight,
            series=options.series,
            axis=axis,
            overrides=options.overrides(),
        )
    except NeuroscopeError as error:
        raise error.at(table.origin.text) from error


def check_task(name: str | None) -> None:
    """Refuse a task that this version does not have."""
    if name not in (None, "auto", *catalogue.names()):
        raise choice_error("task", str(name), catalogue.names())


def prepare(source: Any, options: DataOptions, *, seed: int, monitor: Monitor) -> Prepared:
    """Read, infer, plan the split, audit, and drop what must be dropped; errors name the source."""
    from neuroscope.verbs._forecasts import prepare as forecasts  # noqa: PLC0415 - stands on this

    check_task(options.task)
    monitor(Progress(label="reading the data", done=0, total=3))
    table = read(source, sql=options.sql, monitor=monitor)
    if forecasts.wanted(table, options):
        return forecasts.prepare(table, options, seed=seed, monitor=monitor)
    table = as_sequences(table, source, options)
    schema = schema_of(table, options)
    try:
        return _prepare(table, schema, options, seed, monitor)
    except NeuroscopeError as error:
        raise error.at(table.origin.text) from error


def _prepare(
    table: Table, schema: Schema, options: DataOptions, seed: int, monitor: Monitor
) -> Prepared:
    kind, kind_reason, *_ = target_kind(table, schema)
    monitor(Progress(label="auditing the data", done=1, total=3))
    task = _task(schema, options.task)
    split = plan_split(
        table, schema, seed=seed, task_kind=kind, crossed=task.crossed(table, schema)
    )
    findings = audit(table, schema, split=split, task_kind=kind, seed=seed)
    dropped = drops(findings, schema)
    asked = [(name, "dropped as asked") for name in options.drop]
    if dropped:
        schema = schema.with_roles({name: "ignore" for name, _ in dropped}, "dropped by the audit")
    if dropped:
        task = _task(schema, options.task)  # what is left may be too little
    problem = pose(task.ENCODING, table, schema, split, kind, seed=seed, positive=options.positive)
    problem = dataclasses.replace(problem, backbone=options.backbone or "")
    monitor(Progress(label="ready", done=3, total=3))
    return Prepared(table, schema, kind, kind_reason, split, tuple(findings),
                    (*asked, *dropped), task, problem)  # fmt: skip


def _task(schema: Schema, asked: str | None) -> ModuleType:
    """Return the task that these columns are for, or the one asked for if it accepts them."""
    if asked not in (None, "auto") and not catalogue.get(asked).accepts(schema):
        raise InputError(f"these data are none for the task {asked!r}", remedy="leave --task out")
    names = catalogue.names() if asked in (None, "auto") else [asked]
    for task in map(catalogue.get, names):
        if task.accepts(schema):
            return task
    raise InputError(
        "no column is left to learn from",
        remedy="every feature is constant, an identifier or free text; add columns that vary",
    )


def source_name(source: Any) -> str:
    """Return a short name for runs: the file's stem, a built-in set's name, or "table"."""
    if isinstance(source, str | Path):
        text = str(source)
        if text.lower().lstrip().startswith(("select ", "with ")):
            return "query"
        name = Path(text.split("?", maxsplit=1)[0].rsplit("://", maxsplit=1)[-1]).name
        return name.split(".")[0].strip("*") or "table"
    return "table"
