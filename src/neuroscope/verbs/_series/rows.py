"""Sources whose rows are readings of sequences, brought to one row a sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuroscope.base.errors import NeuroscopeError, SchemaError
from neuroscope.data._kinds import is_series
from neuroscope.data.series.gather import gathered
from neuroscope.data.sources import arrays
from neuroscope.data.table import Table

if TYPE_CHECKING:
    from neuroscope.verbs._prepare import DataOptions

_TASK = "series_classes"


def as_sequences(table: Table, source: Any, options: DataOptions) -> Table:
    """Gather the rows of a source into sequences where these are asked for; else they stay.

    Arrays that passed for pictures are read again as what they were said to be.
    """
    asked = options.task == _TASK
    if asked and arrays.accepts(source):
        table = arrays.read(source, sql=options.sql, pictures=False)
    there = any(is_series(column.type) for column in table.arrow.columns)
    if there or not (options.series or asked):
        return table
    try:
        kept = _without(table, options.drop)
        plain = (options.target, options.split, options.group, options.weight)
        named = tuple(name for name in plain if name is not None)
        return gathered(kept, series=options.series, time=options.time, plain=named)
    except NeuroscopeError as error:
        raise error.at(table.origin.text) from error


def _without(table: Table, drop: tuple[str, ...]) -> Table:
    for name in drop:
        if name not in table.names:
            raise SchemaError(f"column to drop {name!r} not found",
                              remedy=f"columns: {', '.join(table.names[:20])}")  # fmt: skip
    return Table(table.arrow.drop_columns(list(drop)), table.origin) if drop else table


def axis_of(table: Table, options: DataOptions) -> str | None:
    """Return the time column where it holds a list of moments for each sequence."""
    name = options.time
    if name is None or name not in table.names:
        return None
    return name if is_series(table.arrow.column(name).type) else None


def sequence_name(trained: Any, table: Table) -> tuple[str, ...]:
    """Return the column that names the sequences of a model, if there is one."""
    column = trained.schema.by_role("series")
    return (column.name,) if column is not None and column.name in table.names else ()
