"""Which columns hold sequences, and the readings of some rows laid end to end.

A cell of a series column is a list of numbers, in Arrow list<float>; NaN and null are readings that
are missing. The series columns of one row stand side by side: reading k of each was taken at the
same moment. The moments are in a column of their own (role "axis"), or the readings are taken to be
one step apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from neuroscope.base.errors import SchemaError
from neuroscope.data import _kinds
from neuroscope.data.table import Table

if TYPE_CHECKING:
    from neuroscope.data.schema import Schema


@dataclass(frozen=True)
class Readings:
    """The readings of n rows end to end: row i has those from starts[i] to starts[i + 1]."""

    names: tuple[str, ...]  # of the channels
    starts: np.ndarray  # (n + 1,) int64
    times: np.ndarray  # (m,) float64, never falling within a row; seconds, or steps from 0
    values: np.ndarray  # (m, channels) float32, NaN where missing
    sorted_rows: int = 0  # rows whose readings were out of order

    def __len__(self) -> int:
        return len(self.starts) - 1

    @cached_property
    def lengths(self) -> np.ndarray:
        """Return the number of readings of each row, (n,)."""
        return np.diff(self.starts)

    @cached_property
    def rows(self) -> np.ndarray:
        """Return the row of each reading, (m,)."""
        return np.repeat(np.arange(len(self)), self.lengths)

    @cached_property
    def elapsed(self) -> np.ndarray:
        """Return the time of each reading since the first one of its row, (m,)."""
        if not len(self.times):
            return self.times
        first = self.times[np.minimum(self.starts[:-1], len(self.times) - 1)]
        return self.times - np.repeat(first, self.lengths)

    def kept(self, mask: np.ndarray) -> Readings:
        """Return the readings of `mask` (m,) alone; a row may be left without any."""
        lengths = np.bincount(self.rows[mask], minlength=len(self))
        return Readings(self.names, ends(lengths), self.times[mask], self.values[mask])

    def until(self, moment: float) -> Readings:
        """Return what was known `moment` after the first reading of each row."""
        return self.kept(self.elapsed <= moment)

    def column(self, values: np.ndarray) -> pa.ListArray:
        """Return numbers of the readings (m,) as a series column."""
        return as_lists(values, self.starts)


def ends(lengths: np.ndarray) -> np.ndarray:
    """Return where each of consecutive parts starts, and where the last one ends."""
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def as_lists(values: np.ndarray | pa.Array, starts: np.ndarray) -> pa.ListArray:
    """Return flat values as lists; list i holds those from starts[i] to starts[i + 1]."""
    wide = pa.LargeListArray if starts[-1] > np.iinfo(np.int32).max else pa.ListArray
    offsets = pa.array(starts, pa.int64() if wide is pa.LargeListArray else pa.int32())
    return wide.from_arrays(offsets, values if isinstance(values, pa.Array) else pa.array(values))


def readings(table: Table, schema: Schema, rows: np.ndarray | None = None) -> Readings:
    """Return the readings of a table's series features, of all rows or of some.

    Readings that stand out of order are sorted by their time. Without an axis the steps count from
    0, and steps at the end of a row in which every channel is missing are padding and left out.
    Raises SchemaError where the series of a row differ in length.
    """
    names = tuple(c.name for c in schema.features if c.kind == "series")
    axis = schema.by_role("axis")
    index = None if rows is None else pa.array(rows, pa.int64())
    read = [_flat(table, name, index) for name in (*names, *([axis.name] if axis else []))]
    lengths = np.max([found for _, found in read], axis=0)
    starts = ends(lengths)
    for name, (_, found) in zip((*names, axis.name if axis else ""), read, strict=False):
        _check_lengths(name, found, lengths, rows, table)
    flat = [_placed(values, found, lengths) for values, found in read]
    times = flat.pop() if axis else np.arange(starts[-1]) - np.repeat(starts[:-1], lengths)
    values = np.stack(flat, axis=1).astype(np.float32)
    found = Readings(names, starts, times.astype(np.float64), values)
    return _in_order(found.kept(~np.isnan(found.times))) if axis else _unpadded(found)


def _flat(table: Table, name: str, index: pa.Array | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of a series column end to end, and how many each row has."""
    if name not in table.names:
        raise SchemaError(f"column {name!r} not found", remedy="add it to the file")
    column = table.arrow.column(name)
    if not _kinds.is_series(column.type):
        raise SchemaError(
            f"column {name!r} holds {column.type} where the model reads sequences",
            where=table.origin.text,
            remedy="give lists of numbers, or rows laid out as in training",
        )
    column = column if index is None else column.take(index)
    lengths = pc.fill_null(pc.call_function("list_value_length", [column]), 0)
    flat = pc.call_function("list_flatten", [column])
    if pa.types.is_temporal(flat.type):
        flat = flat.cast(pa.timestamp("us")).cast(pa.int64()).cast(pa.float64(), safe=False)
        flat = pc.call_function("divide", [flat, pa.scalar(1e6)])
    flat = pc.fill_null(flat.cast(pa.float64(), safe=False), float("nan"))
    return np.array(flat.to_numpy()), np.asarray(lengths.to_numpy(), np.int64)


def _check_lengths(
    name: str, found: np.ndarray, lengths: np.ndarray, rows: np.ndarray | None, table: Table
) -> None:
    bad = np.flatnonzero((found != lengths) & (found > 0))
    if len(bad):
        row = int(bad[0] if rows is None else rows[bad[0]])
        raise SchemaError(
            f"column {name!r} has {found[bad[0]]:,} readings and another series of the same row"
            f" has {lengths[bad[0]]:,}",
            where=f"{table.origin.text}, row {row + 1}",
            remedy="give all series of a row the same length, with nothing where none was taken",
        )


def _placed(values: np.ndarray, found: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return numbers with NaN in rows that have none."""
    if len(values) == lengths.sum():
        return values
    whole = np.full(lengths.sum(), np.nan)
    there = np.repeat(found == lengths, lengths)
    own = np.repeat(found == lengths, found)
    whole[there] = values[own]
    return whole


def _in_order(found: Readings) -> Readings:
    falls = np.diff(found.times, prepend=-np.inf) < 0
    falls[found.starts[:-1][found.lengths > 0]] = False
    if not falls.any():
        return found
    order = np.lexsort((found.times, found.rows))
    count = len(np.unique(found.rows[falls]))
    return Readings(found.names, found.starts, found.times[order], found.values[order], count)


def _unpadded(found: Readings) -> Readings:
    """Leave out the steps after the last reading of each row."""
    known = ~np.isnan(found.values).all(axis=1)
    last = np.full(len(found), -1)
    np.maximum.at(last, found.rows[known], found.times[known].astype(np.int64))
    padding = found.times > np.repeat(last, found.lengths)
    return found.kept(~padding) if padding.any() else found


def series_reason(column: pa.ChunkedArray) -> str:
    """Return what the lists of a series column are, in plain words; "" when it holds none."""
    if not _kinds.is_series(column.type):
        return ""
    spread = pc.call_function("min_max", [pc.call_function("list_value_length", [column])]).as_py()
    low, high = spread["min"] or 0, spread["max"] or 0
    return f"a sequence of {low:,} to {high:,} readings" if low != high else (
        f"a sequence of {low:,} readings"
    )  # fmt: skip


def replaced(table: Table, schema: Schema, rows: np.ndarray, found: Readings) -> Table:
    """Return some rows of a table with other readings; nothing is left of their own."""
    arrow = table.arrow.take(pa.array(rows, pa.int64()))
    axis = schema.by_role("axis")
    new = {name: found.values[:, place] for place, name in enumerate(found.names)}
    new |= {axis.name: found.times} if axis else {}
    for name, values in new.items():
        place = arrow.schema.get_field_index(name)
        arrow = arrow.set_column(place, name, found.column(values))
    return Table(arrow, table.origin)
