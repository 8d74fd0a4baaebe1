"""A table in memory and where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa


class SetAside(NamedTuple):
    """Something of the source that could not be used, and why."""

    name: str  # a file, an entry of an archive, or a file with the row that names it
    reason: str


@dataclass(frozen=True)
class Origin:
    """Where a table came from, in words a person can check."""

    text: str  # what the user named: a path, a URL of a database, a data set's name
    files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  # what was sniffed or repaired: "delimiter ';'", "encoding latin-1"
    sql: str = ""
    set_aside: tuple[SetAside, ...] = ()  # pictures and files that cannot be used
    gathered: Mapping[str, Any] | None = None  # how rows became sequences (`series.gather`)


@dataclass(frozen=True)
class Table:
    """Rows and columns as Arrow, with their origin; row numbers count from 0."""

    arrow: pa.Table
    origin: Origin

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.arrow.num_rows

    @property
    def names(self) -> list[str]:
        """Column names in the order of the source."""
        return self.arrow.column_names

    def take(self, rows: pa.Array) -> Table:
        """Return the table of the given row numbers, in their order."""
        return Table(self.arrow.take(rows), self.origin)
