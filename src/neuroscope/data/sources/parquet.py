"""Parquet files, one or a glob of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
    return read_files(source, lambda path: f"read_parquet({literal(path)})", "Parquet", sql,
                      occurs=_occurs)  # fmt: skip


def _occurs(path: Path, name: str) -> bool:
    import pyarrow.parquet as pq  # noqa: PLC0415 - only when a file is read

    return name in pq.read_schema(path).names
