"""Files that DuckDB reads whole, with types of their own: shared by Parquet and JSON."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from neuroscope.base.errors import NeuroscopeError, SourceError
from neuroscope.data.sources import _files
from neuroscope.data.sources._names import clean_names, renamed_by_case
from neuroscope.data.sources._query import queried
from neuroscope.data.sources._settle import settle
from neuroscope.data.sources._sql import connect, first_line, identifier
from neuroscope.data.table import Origin, Table


def read_files(
    source: str,
    scan: Callable[[Path], str],
    kind: str,
    sql: str | None,
    *,
    occurs: Callable[[Path, str], bool],
    check: Callable[[Path], None] | None = None,
) -> Table:
    """Read the files of `source`; `scan` gives the SQL that reads one, `kind` names it.

    `occurs` tells whether a file itself gives a column name, and not DuckDB. `check` looks closer
    at a file that DuckDB does not read, and raises a SourceError where it knows better why.
    """
    import duckdb  # noqa: PLC0415

    paths = _files.expand(source)
    notes: list[str] = []
    with connect() as connection:
        selects: list[str] = []
        first: list[str] = []
        path = paths[0]
        try:
            for path in paths:
                described = connection.execute(f"DESCRIBE SELECT * FROM {scan(path)}").fetchall()
                raw = [row[0] for row in described]
                names, said = clean_names(raw, str(path))
                first = first or names
                _files.same_columns(paths[0], first, path, names)
                notes += said + renamed_by_case(raw, partial(occurs, path))
                renamed = ", ".join(
                    f"{identifier(a)} AS {identifier(b)}" for a, b in zip(raw, names, strict=True)
                )
                selects.append(f"SELECT {renamed} FROM {scan(path)}")
            arrow, found = settle(connection, f"({' UNION ALL BY NAME '.join(selects)})")
        except duckdb.Error as error:
            if check is not None:
                for one in paths:
                    check(one)
            raise SourceError(
                f"cannot be read as {kind}: {first_line(error)}",
                where=str(path) if len(selects) < len(paths) or len(paths) == 1 else source,
                remedy="it may be cut short or damaged; write or download it again",
            ) from error
        except NeuroscopeError as error:
            raise (error if error.where else error.at(source)) from None
    if arrow.num_rows == 0:
        raise SourceError("the file has columns and no rows", where=source)
    origin = Origin(source, tuple(map(str, paths)), tuple(dict.fromkeys(notes + found)))
    return queried(Table(arrow, origin), sql)
