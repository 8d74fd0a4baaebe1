"""From a table to a problem of its rows: infer, split, audit, drop; and what `look` tells."""

from __future__ import annotations

import dataclasses
from types import ModuleType
from typing import Any

from neuroscope.base.errors import InputError, NeuroscopeError, SchemaError
from neuroscope.base.events import Monitor, Progress
from neuroscope.data._kinds import is_series
from neuroscope.data.audit import audit, drops
from neuroscope.data.schema import Schema, infer_schema
from neuroscope.data.series.gather import gathered
from neuroscope.data.splits import plan_split
from neuroscope.data.table import Table
from neuroscope.data.task_kind import target_kind
from neuroscope.tasks import catalogue
from neuroscope.tasks._rows.posing import pose
from neuroscope.verbs._prepare import DataOptions, Prepared
from neuroscope.verbs._words import fitting_words


def arranged(table: Table, source: Any, options: DataOptions) -> Table:  # noqa: ARG001
    """Gather rows that are readings into sequences where --series names these; else they stay."""
    return in_sequences(table, options) if options.series else table


def in_sequences(table: Table, options: DataOptions) -> Table:
    """Return a table of one row a sequence: gathered, unless it holds sequences already."""
    if any(is_series(column.type) for column in table.arrow.columns):
        return table
    try:
        kept = _without(table, options.drop)
        plain = (options.target, options.split, options.group, options.weight)
        named = tuple(name for name in plain if name is not None)
        return gathered(kept, series=options.series, time=options.time, plain=named,
                        labelled=options.target is not None)  # fmt: skip
    except NeuroscopeError as error:
        raise error.at(table.origin.text) from error


def _without(table: Table, drop: tuple[str, ...]) -> Table:
    for name in drop:
        if name not in table.names:
            raise SchemaError(f"column to drop {name!r} not found",
                              remedy=f"columns: {', '.join(table.names[:20])}")  # fmt: skip
    return Table(table.arrow.drop_columns(list(drop)), table.origin) if drop else table


def schema_of(table: Table, options: DataOptions) -> Schema:
    """Infer the schema of a table; errors name its source."""
    axis = _axis_of(table, options)
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


def _axis_of(table: Table, options: DataOptions) -> str | None:
    """Return the time column where it holds a list of moments for each sequence."""
    name = options.time
    if name is None or name not in table.names:
        return None
    return name if is_series(table.arrow.column(name).type) else None


def prepare(table: Table, options: DataOptions, seed: int, monitor: Monitor) -> Prepared:
    """Infer, plan the split, audit, and drop what must be dropped; errors name the source."""
    schema = schema_of(table, options)
    try:
        return posed(table, schema, options, seed, monitor)
    except NeuroscopeError as error:
        raise error.at(table.origin.text) from error


def posed(
    table: Table, schema: Schema, options: DataOptions, seed: int, monitor: Monitor
) -> Prepared:
    """Make the problem of a table whose schema is known: split, audit, drop."""
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
    problem = dataclasses.replace(problem, backbone=options.backbone or "",
                                  vectors=options.vectors or "")  # fmt: skip
    monitor(Progress(label="ready", done=3, total=3))
    return Prepared(table, schema, kind, kind_reason, split, tuple(findings),
                    (*asked, *dropped), task, problem)  # fmt: skip


def _task(schema: Schema, asked: str | None) -> ModuleType:
    """Return the task that these columns are for, or the one asked for if it accepts them."""
    if asked not in (None, "auto") and not catalogue.get(asked).accepts(schema):
        raise InputError(f"these data are none for the task {asked!r}", remedy="leave --task out")
    names = catalogue.names() if asked in (None, "auto") else [asked]
    task = _first(schema, names)
    if task is None:
        raise InputError(
            "no column is left to learn from",
            remedy="every feature is constant, an identifier or free text; add columns that vary",
        )
    return task


def _first(schema: Schema, names: list[str]) -> ModuleType | None:
    return next((task for task in map(catalogue.get, names) if task.accepts(schema)), None)


def look(table: Table, options: DataOptions, seed: int) -> tuple[Schema, dict[str, Any]]:
    """Return the schema and what `look` tells; what stands in the way of training is a blocker."""
    from neuroscope.verbs._tasks import hooks_of  # noqa: PLC0415 - stands on this

    schema = schema_of(table, options)
    task = _first(schema, catalogue.names())
    name = "" if task is None else task.NAME
    found = audited(table, schema, options, seed)
    return schema, fitting_words(found, name) | hooks_of(name).facts(table, schema)


def audited(table: Table, schema: Schema, options: DataOptions, seed: int) -> dict[str, Any]:
    """Return what `look` tells of a table whose schema is known."""
    kind, split, blockers = None, None, []
    try:
        kind = target_kind(table, schema)
        split = plan_split(table, schema, seed=seed, task_kind=kind.kind)
    except InputError as error:
        blockers.append(str(error))
    findings = audit(table, schema, split=split, task_kind=kind.kind if kind else None, seed=seed)
    dropped = [(name, "dropped as asked") for name in options.drop] + drops(findings, schema)
    return {
        "target": _target(schema, kind),
        "split": split and {"method": split.method, "reason": split.reason,
                            "notes": list(split.notes), "rows": split.counts,
                            "folds": len(split.folds)},
        "findings": [finding.to_json() for finding in findings],
        "dropped": [{"column": name, "reason": reason} for name, reason in dropped],
        "blockers": blockers,
    }  # fmt: skip


def _target(schema: Schema, kind: Any) -> dict[str, Any] | None:
    if schema.target is None:
        return None
    return {
        "column": schema.target.name,
        "chosen_because": schema.target.reason.rpartition("target: ")[2],
        "kind": kind.kind if kind else None,
        "reason": kind.reason if kind else None,
        "classes": [str(label) for label in kind.classes] if kind else [],
        "missing": schema.target.missing,
    }
