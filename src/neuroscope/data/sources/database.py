"""SQLite and DuckDB files, and SQL over files; always opened read only, never over a network."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote

import pyarrow as pa

from neuroscope.base.errors import NeuroscopeError, SourceError, did_you_mean
from neuroscope.data.sources import _files
from neuroscope.data.sources._names import clean_names
from neuroscope.data.sources._query import failed
from neuroscope.data.sources._settle import settle
from neuroscope.data.sources._sql import as_relation, connect, identifier, is_query, refuse_writing
from neuroscope.data.table import Origin, Table

KIND = "databases (sqlite:///file.db?table=T, duckdb:///file.duckdb?table=T, .db .sqlite .duckdb)"
ENDINGS = (".db", ".sqlite", ".sqlite3", ".duckdb")
_SCHEMES = ("sqlite:", "duckdb:")
_CHUNK_ROWS = 50_000


@dataclass(frozen=True)
class _Address:
    path: Path
    table: str | None


def accepts(source: Any) -> bool:
    """Tell whether `source` is a database URL, a database file or a SQL query."""
    if not isinstance(source, str):
        return False
    return source.startswith(_SCHEMES) or is_query(source) or _files.ending(source) in ENDINGS


def read(source: str, *, sql: str | None = None) -> Table:
    """Read a table (the only one, `?table=`) or the answer to a query.

    A file is SQLite or DuckDB by its first bytes, whatever its name. Queries that write are
    refused before they run.
    """
    if is_query(source):
        return _read_query(source, sql)
    address = _parse(source)
    _files.expand(str(address.path))
    with address.path.open("rb") as file:
        start = file.read(16)
    if start.startswith(b"SQLite format 3\0"):
        arrow, notes, query = _read_sqlite(address, source, sql)
    elif start[8:12] == b"DUCK":
        arrow, notes, query = _read_duckdb(address, source, sql)
    else:
        raise SourceError("this is neither an SQLite nor a DuckDB file", where=str(address.path))
    if arrow.num_rows == 0:
        raise SourceError("the table or query has no rows", where=source)
    return Table(arrow, Origin(source, (str(address.path),), tuple(notes), query))


def _parse(source: str) -> _Address:
    if not source.startswith(_SCHEMES):
        return _Address(Path(source), None)
    place, _, asked = source.partition(":")[2].partition("?")
    place = unquote(place)
    options = parse_qs(asked, keep_blank_values=True)
    unknown = [name for name in options if name != "table"]
    if unknown:
        raise SourceError(
            f"unknown option {unknown[0]!r}", where=source, remedy="write ?table=NAME"
        )
    path = Path(place[3:] if place.startswith("///") else place.removeprefix("//"))
    if place.startswith("///") and not path.exists() and Path(place[2:]).exists():
        path = Path(place[2:])  # sqlite:///home/... was meant absolute
    return _Address(path, options.get("table", [None])[0])


def _read_query(source: str, sql: str | None) -> Table:
    if sql is not None:
        raise SourceError("both the source and --sql are queries", remedy="give one of them")
    refuse_writing(source)
    import duckdb  # noqa: PLC0415

    with connect() as connection:
        try:
            arrow, notes = settle(connection, as_relation(source))
        except duckdb.Error as error:
            raise failed(error, "SQL") from error
    if arrow.num_rows == 0:
        raise SourceError("the SQL query returns no rows", where="SQL")
    return Table(arrow, Origin(source, (), tuple(notes), source))


def _choose(tables: list[str], asked: str | None, source: str) -> str:
    listed = ", ".join(tables)
    if asked is not None:
        if asked in tables:
            return asked
        hint = did_you_mean(asked, tables)
        remedy = f"{hint} tables: {listed}".strip()
        raise SourceError(f"there is no table {asked!r}", where=source, remedy=remedy)
    if len(tables) == 1:
        return tables[0]
    if not tables:
        raise SourceError("the database holds no table", where=source)
    remedy = f"say which with ?table=NAME or --sql; tables: {listed}"
    raise SourceError(f"the database holds {len(tables)} tables", where=source, remedy=remedy)


def _read_duckdb(
    address: _Address, source: str, sql: str | None
) -> tuple[pa.Table, list[str], str]:
    import duckdb  # noqa: PLC0415

    if sql is not None:
        refuse_writing(sql)
    try:
        with connect(address.path) as connection:
            names = "SELECT table_name FROM information_schema.tables ORDER BY table_name"
            if sql is None:
                tables = [row[0] for row in connection.execute(names).fetchall()]
                sql = f"SELECT * FROM {identifier(_choose(tables, address.table, source))}"
            arrow, notes = settle(connection, as_relation(sql))
    except duckdb.Error as error:
        raise failed(error, source) from error
    return arrow, notes, sql


def _read_sqlite(
    address: _Address, source: str, sql: str | None
) -> tuple[pa.Table, list[str], str]:
    uri = f"file:{quote(str(address.path.absolute()))}?mode=ro"
    try:
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as database:
            if sql is None:
                found = database.execute(
                    "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') "
                    "AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY name"
                )
                chosen = _choose([row[0] for row in found], address.table, source)
                sql = f"SELECT * FROM {identifier(chosen)}"
            elif not is_query(sql):
                word = sql.split(maxsplit=1)[0].upper() if sql.strip() else "nothing"
                raise SourceError(f"the SQL would change something ({word})", where=source,
                                  remedy="give one SELECT")  # fmt: skip
            cursor = database.execute(sql)
            names, notes = clean_names((row[0] for row in cursor.description), source)
            arrow, found_notes = _settled(cursor, names)
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise failed(error, source) from error
    except NeuroscopeError as error:
        raise (error if error.where else error.at(source)) from None
    return arrow, notes + found_notes, sql


def _settled(cursor: sqlite3.Cursor, names: list[str]) -> tuple[pa.Table, list[str]]:
    """Pass the rows on in chunks through a file of Arrow batches, then type them together."""
    with tempfile.TemporaryDirectory(prefix="neuroscope-") as folder:
        parts = list(_spilled(cursor, names, Path(folder)))
        tables = [pa.ipc.open_file(pa.memory_map(str(part))).read_all() for part in parts]
        try:
            rows = pa.concat_tables(tables, promote_options="permissive")
        except (pa.ArrowInvalid, pa.ArrowTypeError):  # a column changes its type on the way
            rows = pa.concat_tables([_as_text(table) for table in tables])
        with connect() as connection:
            connection.register("source", rows)
            return settle(connection, "source")


def _spilled(cursor: sqlite3.Cursor, names: list[str], folder: Path) -> Iterator[Path]:
    place = 0
    while (chunk := cursor.fetchmany(_CHUNK_ROWS)) or place == 0:
        columns = zip(*chunk, strict=True) if chunk else [()] * len(names)
        table = pa.table([_typed(values) for values in columns], names=names)
        path = folder / f"{place}.arrow"
        with pa.ipc.new_file(str(path), table.schema) as out:
            out.write_table(table)
        yield path
        place += 1


def _typed(values: tuple[Any, ...]) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # SQLite lets one column hold several types
        return pa.array([None if value is None else str(value) for value in values], pa.string())


def _as_text(table: pa.Table) -> pa.Table:
    return pa.table(
        [column.cast(pa.string()) for column in table.columns], names=table.column_names
    )
