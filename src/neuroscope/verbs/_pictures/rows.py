"""Rows that may hold pictures that cannot be read: each keeps its place, with the reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from neuroscope.base.errors import InputError
from neuroscope.data.images.column import is_arrays, owns_pictures, picture_column
from neuroscope.data.table import SetAside, Table
from neuroscope.verbs._rows.answers import Answered, answered


def answers(trained: Any, table: Table) -> Answered:
    """Answer for all rows: what `trained.raw` gives of those it can read.

    A row whose picture cannot be read has the answer nan, and says why. Raises InputError when no
    picture can be read.
    """
    column = model_pictures(trained)
    if column not in table.names or is_arrays(table.arrow.column(column).type):
        return answered(trained, table)
    from neuroscope.data.images.facts import facts  # noqa: PLC0415 - loads Pillow

    problems = np.full(table.rows, "", dtype=object)
    problems[:] = facts(table, column).problem
    good = np.flatnonzero(problems == "")
    if len(good) == table.rows:
        return answered(trained, table)
    if not len(good):
        raise InputError(f"no picture can be read: the first one {problems[0]}",
                         remedy="look at the files, or give others")  # fmt: skip
    known, notes = trained.raw(table.take(pa.array(good)))
    answer = np.full((table.rows, *known.shape[1:]), np.nan)
    answer[good] = known
    return Answered(answer, notes, problems)


def model_pictures(trained: Any) -> str | None:
    """Return the column that a model reads pictures from, or None."""
    return next((c.name for c in trained.schema.features if c.kind == "image"), None)


def renamed(table: Table, trained: Any) -> Table:
    """Return a table whose column of pictures is called as the model knows it."""
    wanted = model_pictures(trained)
    if wanted is None or wanted in table.names:
        return table
    found = picture_column(table)
    if found is None:
        return table
    names = [wanted if name == found else name for name in table.names]
    return replace(table, arrow=table.arrow.rename_columns(names))


def names_of(table: Table, column: str) -> list[str] | None:
    """Return the file of each picture; None where pictures are arrays."""
    values = table.arrow.column(column)
    return None if is_arrays(values.type) else [name or "" for name in values.to_pylist()]


def outside(table: Table) -> tuple[SetAside, ...]:
    """Return the files of the source that are no rows of the table, with the reason."""
    return table.origin.set_aside if owns_pictures(table.origin) else ()
