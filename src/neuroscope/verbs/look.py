"""Look: read a source, say what is in it and what would go wrong, and train nothing."""

from __future__ import annotations

import dataclasses
from typing import Any

from neuroscope.base.errors import InputError
from neuroscope.base.events import Monitor, Progress, ignore
from neuroscope.base.nouns import noun_of
from neuroscope.data.audit import audit, drops
from neuroscope.data.images.column import picture_column
from neuroscope.data.schema import Schema
from neuroscope.data.sources import read
from neuroscope.data.splits import plan_split
from neuroscope.data.table import Table
from neuroscope.data.task_kind import target_kind
from neuroscope.verbs._command import train_command
from neuroscope.verbs._forecasts import prepare as forecasts
from neuroscope.verbs._prepare import DataOptions, check_task, schema_of
from neuroscope.verbs._series.rows import as_sequences
from neuroscope.verbs._words import fitting_words


def look(
    source: Any, data: DataOptions | None = None, *, seed: int = 0, monitor: Monitor = ignore
) -> dict[str, Any]:
    """Return the audit of a source: columns, target, split, findings and what training would drop.

    What stands in the way of training is told under "blockers" and raises nothing; a source that
    cannot be read, or a column that is not there, raises an InputError.
    """
    data = data or DataOptions()
    check_task(data.task)
    monitor(Progress(label="reading the data", done=0, total=2))
    table = read(source, sql=data.sql, monitor=monitor)
    monitor(Progress(label="auditing the data", done=1, total=2))
    if forecasts.wanted(table, data):
        schema, found = forecasts.look(table, data, seed=seed)
    else:
        table = as_sequences(table, source, data)
        schema = schema_of(table, data)
        found = _audited(table, schema, data, seed)
    monitor(Progress(label="auditing the data", done=2, total=2))
    pictures = _pictures(table, schema)
    told = fitting_words({
        "source": table.origin.text,
        "rows": table.rows,
        "origin": {"files": list(table.origin.files), "notes": list(table.origin.notes)},
        "columns": [dataclasses.asdict(column) for column in schema.columns],
        **found,
        **pictures,
        "next": train_command(source, data),
    }, "image_classes" if pictures else "table")  # fmt: skip
    return told | ({"noun": noun_of(forecasts.TASK)} if "series" in found else {})


def _audited(table: Table, schema: Schema, data: DataOptions, seed: int) -> dict[str, Any]:
    kind, split, blockers = None, None, []
    try:
        kind = target_kind(table, schema)
        split = plan_split(table, schema, seed=seed, task_kind=kind.kind)
    except InputError as error:
        blockers.append(str(error))
    findings = audit(table, schema, split=split, task_kind=kind.kind if kind else None, seed=seed)
    dropped = [(name, "dropped as asked") for name in data.drop] + drops(findings, schema)
    return {
        "target": _target(schema, kind),
        "split": split and {"method": split.method, "reason": split.reason,
                            "notes": list(split.notes), "rows": split.counts,
                            "folds": len(split.folds)},
        "findings": [finding.to_json() for finding in findings],
        "dropped": [{"column": name, "reason": reason} for name, reason in dropped],
        "blockers": blockers,
    }  # fmt: skip


def _pictures(table: Table, schema: Schema) -> dict[str, Any]:
    """Return {"pictures": summary} where the table holds some."""
    if picture_column(table, schema) is None:
        return {}
    from neuroscope.data.images.summary import summary  # noqa: PLC0415 - loads Pillow

    return {"pictures": summary(table, schema)}


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
