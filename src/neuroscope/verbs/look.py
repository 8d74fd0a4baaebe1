"""Look: read a source, say what is in it and what would go wrong, and train nothing."""

from __future__ import annotations

import dataclasses
from typing import Any

from neuroscope.base.events import Monitor, Progress, ignore
from neuroscope.data.sources import read
from neuroscope.verbs._command import train_command
from neuroscope.verbs._prepare import DataOptions, check_task
from neuroscope.verbs._tasks import asked_hooks


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
    hooks = asked_hooks(table, data)
    table = hooks.arranged(table, source, data)
    schema, found = hooks.look(table, data, seed)
    monitor(Progress(label="auditing the data", done=2, total=2))
    return {
        "source": table.origin.text,
        "rows": table.rows,
        "origin": {"files": list(table.origin.files), "notes": list(table.origin.notes)},
        "columns": [dataclasses.asdict(column) for column in schema.columns],
        **found,
        "next": train_command(source, data),
    }
