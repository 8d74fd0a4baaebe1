"""Tables and schemas made by hand."""

from __future__ import annotations

import pyarrow as pa

from neuroscope.data.schema import Column, Schema
from neuroscope.data.table import Origin, Table


def table(**columns) -> Table:
    """Build a table from its columns."""
    return Table(pa.table(columns), Origin("test"))


def schema(**columns: str) -> Schema:
    """Build a schema from "kind role" texts; the role is "feature" unless given."""
    return Schema(tuple(_column(name, *text.split()) for name, text in columns.items()))


def _column(name: str, kind, role="feature") -> Column:
    return Column(name=name, kind=kind, role=role, storage="", distinct=0, missing=0, reason="")
