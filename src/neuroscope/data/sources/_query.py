"""A SQL query over the rows of a table that was read, under the name `data`."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from neuroscope.base.errors import SourceError
from neuroscope.data._kinds import is_words
from neuroscope.data.images.column import is_arrays
from neuroscope.data.sources._settle import settle
from neuroscope.data.sources._sql import as_relation, connect, first_line, refuse_writing
from neuroscope.data.table import Table

_STANDS_FOR = "picture "


def queried(table: Table, sql: str | None) -> Table:
    """Return `table`, or the answer to `sql` over it; SourceError in the database's words.

    A column of arrays takes part as words, "picture 0" and so on, which come back as the arrays.
    """
    if sql is None:
        return table
    import duckdb  # noqa: PLC0415

    refuse_writing(sql)
    with connect() as connection:
        connection.register("data", _without_arrays(table.arrow))
        try:
            arrow, notes = settle(connection, as_relation(sql))
        except duckdb.Error as error:
            raise failed(error, table.origin.text) from error
    if arrow.num_rows == 0:
        raise SourceError("the SQL query returns no rows", where=table.origin.text)
    arrow = _with_arrays(arrow, table.arrow)
    kept = tuple(dict.fromkeys((*table.origin.notes, *notes)))
    return Table(arrow, replace(table.origin, sql=sql, notes=kept))


def _without_arrays(arrow: pa.Table) -> pa.Table:
    for place, field in enumerate(arrow.schema):
        if is_arrays(field.type):
            stand_in = pa.array([f"{_STANDS_FOR}{row}" for row in range(arrow.num_rows)])
            arrow = arrow.set_column(place, field.name, stand_in)
    return arrow


def _with_arrays(answer: pa.Table, arrow: pa.Table) -> pa.Table:
    given = next((field.name for field in arrow.schema if is_arrays(field.type)), None)
    for place, field in enumerate(answer.schema):
        if given is None or not is_words(field.type):
            continue
        words = answer.column(place).to_pylist()
        rows = [word and word.removeprefix(_STANDS_FOR) for word in words]
        if all(row is None or (row.isdecimal() and row != word)
               for row, word in zip(rows, words, strict=True)):  # fmt: skip
            taken = pa.array([row and int(row) for row in rows], pa.int64())
            answer = answer.set_column(place, field.name, arrow.column(given).take(taken))
    return answer


def failed(error: Exception, where: str) -> SourceError:
    """Build the error for a query that a database refuses."""
    return SourceError(f"the SQL query failed: {first_line(error)}", where=where)
