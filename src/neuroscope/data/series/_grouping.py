"""Rows put in the order of their series and times, and what is constant within a series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from neuroscope.base.errors import SchemaError
from neuroscope.base.wording import counted
from neuroscope.data import _kinds
from neuroscope.data.columns import cells
from neuroscope.data.series.column import ends
from neuroscope.data.table import Table


@dataclass(frozen=True)
class Groups:
    """Rows of a long table by series: `order` lists them series after series, oldest first."""

    order: np.ndarray  # (m,) row numbers
    starts: np.ndarray  # (n + 1,) where the rows of each series begin in `order`
    times: np.ndarray | None  # (m,) in that order; None without a time column
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def firsts(self) -> np.ndarray:
        """Return the row number of each series' first reading."""
        return self.order[self.starts[:-1]]


def grouped(table: Table, series: str, time: str | None) -> Groups:
    """Order the rows of a long table; series stay in the order of their first row.

    Rows without an id or a time are left out, and rows out of order are sorted; `notes` says how
    many. Raises SchemaError for a column that is not there, a time that cannot be read, or when no
    row is left.
    """
    for role, name in (("series", series), ("time", time)):
        if name is not None and name not in table.names:
            raise SchemaError(f"{role} column {name!r} not found",
                              remedy=f"columns: {', '.join(table.names[:20])}")  # fmt: skip
    codes, notes = cells(table, series).categories()[0], []
    times = None if time is None else _moments(table, time)
    usable = codes >= 0
    if not usable.all():
        notes.append(f"{counted(int((~usable).sum()), 'row')} without a {series!r} left out")
    if times is not None and (timeless := usable & np.isnan(times)).any():
        notes.append(f"{counted(int(timeless.sum()), 'row')} without a {time!r} left out")
        usable &= ~timeless
    rows = np.flatnonzero(usable)
    if not len(rows):
        raise SchemaError("no row has an id and a time", where=f"columns {series!r}, {time!r}")
    codes = np.unique(codes[rows], return_inverse=True)[1] if len(rows) < len(codes) else codes
    order = np.argsort(codes, kind="stable")
    if times is not None:
        times = times[rows]
        late = np.diff(times[order]) < 0
        late &= np.diff(codes[order]) == 0
        if late.any():
            count = len(np.unique(codes[order][1:][late]))
            notes.append(f"readings out of order in {counted(count, 'sequence')}, sorted by time")
            order = np.lexsort((times, codes))
        times = times[order]
    return Groups(rows[order], ends(np.bincount(codes)), times, tuple(notes))


def _moments(table: Table, time: str) -> np.ndarray:
    column = table.arrow.column(time)
    if _kinds.is_series(column.type) or pa.types.is_boolean(column.type):
        raise SchemaError(f"time column {time!r} holds {column.type}",
                          remedy="give dates, or numbers that grow with time")  # fmt: skip
    return cells(table, time).moments()


def numbers(table: Table, name: str) -> np.ndarray:
    """Return a column as float64 (rows,), words as the codes of their categories; NaN missing."""
    column = table.arrow.column(name)
    if pa.types.is_boolean(column.type) or _kinds.is_number(column.type):
        return cells(table, name).numbers()
    if pa.types.is_temporal(column.type):
        return cells(table, name).moments()
    codes = cells(table, name).categories()[0].astype(np.float64)
    return np.where(codes < 0, np.nan, codes)


def varying(values: np.ndarray, groups: Groups) -> int | None:
    """Return the first series within which values (rows,) change; missing ones do not count."""
    ordered = values[groups.order]
    with np.errstate(invalid="ignore"):
        low = np.fmin.reduceat(ordered, groups.starts[:-1])
        high = np.fmax.reduceat(ordered, groups.starts[:-1])
    changed = low < high  # NaN compares as neither
    return int(changed.argmax()) if changed.any() else None


def constant_rows(values: np.ndarray, groups: Groups) -> np.ndarray:
    """Return for each series the row number of its first value that is there."""
    ordered = values[groups.order]
    place = np.where(np.isnan(ordered), len(ordered), np.arange(len(ordered)))
    first = np.minimum.reduceat(place, groups.starts[:-1])
    first = np.where(first < len(ordered), first, groups.starts[:-1])
    return groups.order[first]


def two_values(table: Table, name: str, groups: Groups, series: int) -> tuple[str, str]:
    """Return the first value of a series and the first that differs, as text."""
    rows = groups.order[groups.starts[series] : groups.starts[series + 1]]
    values = table.arrow.column(name).take(pa.array(rows)).to_pylist()
    known = [value for value in values if value is not None]
    return repr(known[0]), repr(next(value for value in known if value != known[0]))
