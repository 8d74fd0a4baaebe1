"""Columns beside the targets, laid on the grid of a panel: one line of steps for each series id.

A line reaches from the first row of its id to the last one, also where the target is empty there:
rows that lie in the future, filled with what is known ahead, are a part of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from neuroscope.base.errors import SchemaError
from neuroscope.data import _kinds
from neuroscope.data.columns import cells
from neuroscope.data.table import Table


@dataclass(frozen=True, eq=False)
class Raw:
    """One column: numbers (m,) with NaN where missing, or codes of `labels`, -1 where missing."""

    name: str
    values: np.ndarray
    labels: tuple[str, ...] | None = None  # None is a column of numbers

    @property
    def missing(self) -> np.ndarray:
        """Which steps (m,) have no value."""
        return self.values < 0 if self.labels is not None else ~np.isfinite(self.values)


@dataclass(frozen=True, eq=False)
class Lines:
    """Lines end to end: id o has the steps `bounds[o]` to `bounds[o + 1]`, from `first[o]` on."""

    first: np.ndarray  # (o,) int64, place on the grid
    bounds: np.ndarray  # (o + 1,) int64
    columns: tuple[Raw, ...]

    @property
    def last(self) -> np.ndarray:
        """Place on the grid behind the last row of each id (o,)."""
        return self.first + np.diff(self.bounds)

    def column(self, name: str) -> Raw:
        """Return a column by its name."""
        return next(column for column in self.columns if column.name == name)


def lay(
    table: Table,
    names: Sequence[str],
    rows: np.ndarray,  # (n,) table rows that have a time
    owner: np.ndarray,  # (n,) int64, the id of each row, from 0 without gaps
    index: np.ndarray,  # (n,) int64, its place on the grid
    *,
    categories: Sequence[str] = (),
) -> Lines:
    """Return the lines of columns; of rows with one time the mean counts, of categories the last.

    `categories` names columns of numbers that are codes. A column of dates is a SchemaError.
    """
    count = int(owner.max()) + 1
    first = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(first, owner, index)
    last = np.full(count, np.iinfo(np.int64).min)
    np.maximum.at(last, owner, index)
    bounds = np.concatenate([[0], np.cumsum(last - first + 1)]).astype(np.int64)
    place = bounds[owner] + index - first[owner]
    columns = tuple(
        _laid(table, name, rows, place, int(bounds[-1]), coded=name in categories) for name in names
    )
    return Lines(first, bounds, columns)


def _laid(
    table: Table, name: str, rows: np.ndarray, place: np.ndarray, size: int, *, coded: bool
) -> Raw:
    kind = table.arrow.column(name).type
    if pa.types.is_temporal(kind):
        raise SchemaError("dates cannot be read beside a target", where=f"column {name!r}",
                          remedy="leave it out; the calendar of the time column is read by itself",
                          )  # fmt: skip
    if coded or not _kinds.is_number(kind):
        codes, labels = cells(table, name, rows).categories()
        values = np.full(size, -1, np.int64)
        known = codes >= 0
        values[place[known]] = codes[known]
        return Raw(name, values, tuple(labels))
    numbers = cells(table, name, rows).numbers()
    known = np.isfinite(numbers)
    total = np.bincount(place[known], weights=numbers[known], minlength=size)
    count = np.bincount(place[known], minlength=size)
    return Raw(name, np.divide(total, count, out=np.full(size, np.nan), where=count > 0))
