"""Parquet files, one or a glob of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from neuroscope.data.series.zones import named
from neuroscope.data.sources import _files
from neuroscope.data.sources._relation import read_files
from neuroscope.data.sources._sql import literal
from neuroscope.data.table import Table

KIND = "Parquet (.parquet .pq)"
ENDINGS = (".parquet", ".pq")


def accepts(source: Any) -> bool:
    """Tell whether `source` is named like a Parquet file or a glob of them."""
    return _files.ending(source) in ENDINGS


def read(source: str, *, sql: str | None = None) -> Table:
    """Read Parquet; a damaged file is a SourceError."""
    table = read_files(source, lambda path: f"read_parquet({literal(path)})", "Parquet", sql,
                       occurs=_occurs)  # fmt: skip
    return table if sql else replace(table, arrow=named(table.arrow, _types(table)))


def _types(table: Table) -> dict[str, pa.DataType]:
    """Return what the first file says of its columns; DuckDB does not tell the zone of a time."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - only when a file is read

    schema = pq.read_schema(table.origin.files[0])
    return dict(zip(schema.names, schema.types, strict=True))


def _occurs(path: Path, name: str) -> bool:
    import pyarrow.parquet as pq  # noqa: PLC0415 - only when a file is read

    return name in pq.read_schema(path).names
