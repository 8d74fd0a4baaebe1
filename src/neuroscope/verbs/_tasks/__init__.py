"""How the verbs go about each task: one file a task, only where it differs from a table of rows.

A file has HOOKS, a record of `_hooks.Hooks`; a task without a file is gone about as rows are.
"""

from __future__ import annotations

from neuroscope.base.catalogue import Catalogue
from neuroscope.data.table import Table
from neuroscope.verbs._prepare import DataOptions
from neuroscope.verbs._tasks._hooks import Hooks

catalogue = Catalogue(__name__, "task")
_ROWS = Hooks()


def hooks_of(task: str | None) -> Hooks:
    """Return how the verbs go about a task; None is a table of rows, whatever is in it."""
    return catalogue.get(task).HOOKS if task in catalogue.names() else _ROWS


def asked_hooks(table: Table, options: DataOptions) -> Hooks:
    """Return the hooks of the task that is asked for: by its name, or by what it claims."""
    if options.task not in (None, "auto"):
        return hooks_of(options.task)
    return next((m.HOOKS for m in catalogue if m.HOOKS.claims(table, options)), _ROWS)
