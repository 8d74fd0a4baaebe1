"""DuckDB as the reading engine: connections without network, quoting, errors in one line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from neuroscope.base.errors import SourceError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

BATCH_ROWS = 1 << 17


def connect(path: Path | None = None) -> duckdb.DuckDBPyConnection:
    """Open a database file read only, or an empty one in memory; never loads from the network."""
    import duckdb  # noqa: PLC0415 - 0.1 s that only a reading command pays

    name = ":memory:" if path is None else str(path)
    connection = duckdb.connect(
        name, read_only=path is not None, config={"autoinstall_known_extensions": "false"}
    )
    # DuckDB prints its bar to stdout after two seconds, into the midst of what is printed there.
    connection.execute("SET enable_progress_bar = false")
    return connection


def identifier(name: str) -> str:
    """Quote a column or table name."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: object) -> str:
    """Quote a text value."""
    return "'" + str(text).replace("'", "''") + "'"


def as_relation(query: str) -> str:
    """Return a query as a table expression; the line break ends a comment at its end."""
    return f"({query.strip().rstrip(';')}\n)"


def batches(connection: duckdb.DuckDBPyConnection, query: str) -> pa.RecordBatchReader:
    """Run `query` and return its rows as a stream of Arrow batches."""
    relation = connection.sql(query)
    make = getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader
    return make(BATCH_ROWS)


def first_line(error: Exception) -> str:
    """Return what a database says, as one line without its decoration."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    kept = [line for line in lines if not line.startswith(("LINE ", "^"))]
    text = " ".join(kept[:2]) if kept else type(error).__name__
    return re.sub(r"^[A-Za-z ]+ Error: ", "", text)


def is_query(source: object) -> bool:
    """Tell whether a source is a SQL query and not a name."""
    return isinstance(source, str) and bool(
        re.match(r"\s*(select|with|from|values)\s+\S", source, re.IGNORECASE)
    )


def refuse_writing(sql: str) -> None:
    """Raise SourceError unless `sql` is exactly one query that only reads."""
    import duckdb  # noqa: PLC0415

    remedy = "give one SELECT"
    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        raise SourceError(f"the SQL query cannot be read: {first_line(error)}") from error
    if len(statements) != 1:
        raise SourceError(f"the SQL holds {len(statements)} statements", remedy=remedy)
    if statements[0].type != duckdb.StatementType.SELECT:
        kind = str(statements[0].type).rpartition(".")[2]
        raise SourceError(f"the SQL would change something ({kind})", remedy=remedy)
