"""A SQL query over the rows of a table that was read, under the name `data`."""

from __future__ import annotations

from dataclasses import replace

from neuroscope.base.errors import SourceError
from neuroscope.data.sources._settle import settle
from neuroscope.data.sources._sql import as_relation, connect, first_line, refuse_writing
from neuroscope.data.table import Table


def queried(table: Table, sql: str | None) -> Table:
    """Return `table`, or the answer to `sql` over it; SourceError in the database's words."""
    if sql is None:
        return table
    import duckdb  # noqa: PLC0415

    refuse_writing(sql)
    with connect() as connection:
        connection.register("data", table.arrow)
        try:
            arrow, notes = settle(connection, as_relation(sql))
        except duckdb.Error as error:
            raise failed(error, table.origin.text) from error
    if arrow.num_rows == 0:
        raise SourceError("the SQL query returns no rows", where=table.origin.text)
    kept = tuple(dict.fromkeys((*table.origin.notes, *notes)))
    return Table(arrow, replace(table.origin, sql=sql, notes=kept))


def failed(error: Exception, where: str) -> SourceError:
    """Build the error for a query that a database refuses."""
    return SourceError(f"the SQL query failed: {first_line(error)}", where=where)
