"""Arrow columns as NumPy arrays: numbers, category codes, moments in time, row hashes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from neuroscope.base.errors import SchemaError
from neuroscope.data import _kinds
from neuroscope.data.table import Table


@dataclass(frozen=True)
class Cells:
    """The values of one column, with what an error message needs to name a cell."""

    values: pa.ChunkedArray
    column: str
    rows: np.ndarray | None = None  # row numbers (from 0) of the values in the table; None is all

    def numbers(self) -> np.ndarray:
        """Return float64 values (n,), NaN where missing; dates and times count in seconds.

        Text that is a number is read as one; other text is a SchemaError that names its row.
        """
        values = _decoded(self.values)
        if pa.types.is_temporal(values.type):
            return _seconds(values)
        if pa.types.is_large_string(values.type):
            values = self._cast(_trimmed(values), pa.float64(), "number")
        try:
            return _filled(values.cast(pa.float64(), safe=False))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise SchemaError(
                f"values of type {self.values.type} are not numbers",
                where=f"column {self.column!r}",
                remedy="change the kind of the column with --schema",
            ) from error

    def moments(self) -> np.ndarray:
        """Return float64 seconds since 1970 in UTC (n,), NaN where missing.

        Text is read as ISO 8601; a time of day counts from midnight; numbers are taken as they
        are.
        """
        values = _decoded(self.values)
        if pa.types.is_large_string(values.type):
            return _seconds(self._cast(_trimmed(values), pa.timestamp("us"), "date"))
        return self.numbers()

    def categories(self) -> tuple[np.ndarray, list[str]]:
        """Return codes (n,) int64 with -1 for missing, and the label that each code stands for.

        A label is the same text whether 3 was stored as integer, float or text; NaN is missing.
        Each label has at least one row.
        """
        values = self.values
        if pa.types.is_nested(values.type):
            values = pa.chunked_array([[None if v is None else str(v) for v in values.to_pylist()]])
        if not pa.types.is_dictionary(values.type):
            values = values.dictionary_encode()
        joined = values.unify_dictionaries().combine_chunks()
        codes = joined.indices.cast(pa.int64())
        codes = np.asarray(pc.fill_null(codes, -1) if codes.null_count else codes)
        texts = [label(value) for value in joined.dictionary.to_pylist()]
        used = np.bincount(codes[codes >= 0], minlength=len(texts)) > 0
        labels = dict.fromkeys(t for t, u in zip(texts, used, strict=True) if u and t)
        place = {text: code for code, text in enumerate(labels)}
        lookup = np.array([place.get(text, -1) for text in texts] + [-1], dtype=np.int64)
        return lookup[codes], list(labels)

    def _cast(self, values: pa.ChunkedArray, wanted: pa.DataType, noun: str) -> pa.ChunkedArray:
        """Read text as `wanted`; the error names the first value that is something else."""
        try:
            return values.cast(wanted)
        except pa.ArrowInvalid:
            low, high = 0, len(values)
        while high - low > 1:
            middle = (low + high) // 2
            try:
                values.slice(low, middle - low).cast(wanted)
                low = middle
            except pa.ArrowInvalid:
                high = middle
        row = 1 + int(low if self.rows is None else self.rows[low])
        raise SchemaError(
            f"{values[low].as_py()!r} is not a {noun}",
            where=f"column {self.column!r}, row {row}",
            remedy="correct the value, or change the kind of the column with --schema",
        )


def cells(table: Table, name: str, rows: np.ndarray | None = None) -> Cells:
    """Return the column `name`, or its values in `rows` (numbers from 0) in their order."""
    return reader(table, rows)(name)


def reader(table: Table, rows: np.ndarray | None = None) -> Callable[[str], Cells]:
    """Return `cells` of one table and its `rows`, which are made ready once for all columns."""
    index = None if rows is None else pa.array(rows, type=pa.int64())

    def read(name: str) -> Cells:
        values = table.arrow.column(name)
        return Cells(values if index is None else values.take(index), name, rows)

    return read


def label(value: object) -> str:
    """Return the canonical text of one value; "" for a missing one."""
    if value is None or (isinstance(value, float) and value != value):  # noqa: PLR0124 - NaN
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def row_hashes(table: Table, names: Sequence[str]) -> np.ndarray:
    """Return one uint64 for each row: equal rows have equal hashes.

    Among a million different rows the chance of one false match is about 3e-8.
    """
    hashes = np.full(table.rows, 0x9E3779B97F4A7C15, dtype=np.uint64)
    for name in names:
        hashes = mixed(hashes ^ _bits(cells(table, name)))
    return hashes


def _bits(column: Cells) -> np.ndarray:
    kind = column.values.type
    if _kinds.is_series(kind):
        return list_bits(column.values)
    if pa.types.is_floating(kind) or pa.types.is_temporal(kind) or pa.types.is_integer(kind):
        values = column.numbers() + 0.0  # -0.0 becomes 0.0
        values[np.isnan(values)] = np.nan  # one bit pattern for every NaN
        return values.view(np.uint64)
    return column.categories()[0].view(np.uint64)


def list_bits(values: pa.ChunkedArray) -> np.ndarray:
    """Return one uint64 for each list of numbers (n,): equal lists have equal ones.

    An exclusive or over the readings, each mixed with its place and its value.
    """
    lengths = pc.fill_null(pc.call_function("list_value_length", [values]), 0).to_numpy()
    flat = pc.call_function("list_flatten", [values])
    flat = flat.cast(pa.int64()) if pa.types.is_temporal(flat.type) else flat
    numbers = _filled(flat.cast(pa.float64(), safe=False)) + 0.0  # -0.0 becomes 0.0
    numbers[np.isnan(numbers)] = np.nan  # one bit pattern for every NaN
    starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    place = np.arange(len(numbers)) - np.repeat(starts[:-1], lengths)
    bits = mixed(numbers.view(np.uint64) ^ mixed(place.astype(np.uint64)))
    found = lengths.astype(np.uint64)
    some = lengths > 0
    if some.any():
        found[some] ^= np.bitwise_xor.reduceat(bits, starts[:-1][some])
    return mixed(found)


def mixed(values: np.ndarray) -> np.ndarray:
    """Scatter the bits of uint64 values (the finaliser of splitmix64; Steele et al., 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _decoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return text of every storage as large_string, other values as they are."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_string(kind) or pa.types.is_string_view(kind):
        return column.cast(pa.large_string())
    return column


def _filled(column: pa.ChunkedArray) -> np.ndarray:
    if column.null_count:
        column = pc.fill_null(column, float("nan"))
    return np.array(column.to_numpy(), dtype=np.float64)


def _seconds(column: pa.ChunkedArray) -> np.ndarray:
    kind = column.type
    if pa.types.is_date(kind):
        column = column.cast(pa.timestamp("s"))
        kind = column.type
    if not hasattr(kind, "unit"):
        raise SchemaError(f"values of type {kind} are neither numbers nor dates")
    per_second = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}[kind.unit]
    whole = pa.int32() if pa.types.is_time32(kind) else pa.int64()
    return _filled(column.cast(whole).cast(pa.float64(), safe=False)) / per_second


def _trimmed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return text without outer white space; empty text is missing."""
    trimmed = pc.call_function("utf8_trim_whitespace", [column])
    empty = pc.call_function("equal", [trimmed, pa.scalar("", trimmed.type)])
    return pc.call_function("if_else", [empty, pa.scalar(None, trimmed.type), trimmed])
