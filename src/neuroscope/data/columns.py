"""Arrow columns as NumPy arrays: numbers, category codes, moments in time, row hashes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from neuroscope.base.errors import SchemaError
from neuroscope.data.table import Table


def take(table: Table, name: str, rows: np.ndarray | None = None) -> pa.ChunkedArray:
    """Return the column `name`, or its values in `rows` (numbers from 0) in their order."""
    column = table.arrow.column(name)
    return column if rows is None else column.take(pa.array(rows, type=pa.int64()))


def numbers(column: pa.ChunkedArray, name: str, rows: np.ndarray | None = None) -> np.ndarray:
    """Return float64 values (n,), NaN where missing; dates and times count in seconds.

    Text that is a number is read as one; other text is a SchemaError that names its row
    (`rows` are the row numbers of `column` in the table, if it is a part of one).
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_temporal(kind):
        return _seconds(column)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        column = _parse(column, name, rows)
    try:
        column = column.cast(pa.float64(), safe=False)
    except pa.ArrowInvalid as error:
        raise _not_a(f"number (it is {kind})", name) from error
    return _filled(column)


def moments(column: pa.ChunkedArray, name: str, rows: np.ndarray | None = None) -> np.ndarray:
    """Return float64 seconds since 1970 in UTC (n,), NaN where missing.

    Text is read as ISO 8601; a time of day counts from midnight. Numbers keep their order and
    are taken as they are.
    """
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        try:
            column = column.cast(pa.timestamp("us"))
        except pa.ArrowInvalid:
            bad, value = _first_bad(column, pa.timestamp("us"))
            raise _not_a("date", name, value, _number(bad, rows)) from None
    return numbers(column, name, rows)


def categories(column: pa.ChunkedArray) -> tuple[np.ndarray, list[str]]:
    """Return codes (n,) int64 with -1 for missing, and the label that each code stands for.

    A label is the same text whether 3 was stored as integer, float or text; NaN is missing.
    """
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    joined = column.unify_dictionaries().combine_chunks()
    codes = _filled(pa.chunked_array([joined.indices.cast(pa.float64())]))
    codes = np.where(np.isnan(codes), -1, codes).astype(np.int64)
    texts = [label(value) for value in joined.dictionary.to_pylist()]
    known = {text: code for code, text in enumerate(dict.fromkeys(t for t in texts if t))}
    lookup = np.array([known.get(text, -1) for text in texts] + [-1], dtype=np.int64)
    return lookup[codes], list(known)


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
        hashes = _mixed(hashes ^ _bits(table.arrow.column(name)))
    return hashes


def _bits(column: pa.ChunkedArray) -> np.ndarray:
    kind = column.type
    if pa.types.is_floating(kind) or pa.types.is_temporal(kind) or pa.types.is_integer(kind):
        values = numbers(column, "") + 0.0  # -0.0 becomes 0.0
        values[np.isnan(values)] = np.nan  # one bit pattern for every NaN
        return values.view(np.uint64)
    return categories(column)[0].view(np.uint64)


def _mixed(values: np.ndarray) -> np.ndarray:
    """Scatter the bits of uint64 values (the finaliser of splitmix64; Steele et al., 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


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


def _parse(column: pa.ChunkedArray, name: str, rows: np.ndarray | None) -> pa.ChunkedArray:
    trimmed = pc.call_function("utf8_trim_whitespace", [column])
    empty = pc.call_function("equal", [trimmed, pa.scalar("", trimmed.type)])
    trimmed = pc.call_function("if_else", [empty, pa.scalar(None, trimmed.type), trimmed])
    try:
        return trimmed.cast(pa.float64())
    except pa.ArrowInvalid:
        bad, value = _first_bad(trimmed, pa.float64())
        raise _not_a("number", name, value, _number(bad, rows)) from None


def _first_bad(column: pa.ChunkedArray, wanted: pa.DataType) -> tuple[int, str]:
    """Return position and text of the first value that cannot be cast, by bisection."""
    low, high = 0, len(column)
    while high - low > 1:
        middle = (low + high) // 2
        try:
            column.slice(low, middle - low).cast(wanted)
            low = middle
        except pa.ArrowInvalid:
            high = middle
    return low, str(column[low].as_py())


def _number(position: int, rows: np.ndarray | None) -> int:
    return 1 + int(position if rows is None else rows[position])


def _not_a(wanted: str, name: str, value: str = "", row: int = 0) -> SchemaError:
    return SchemaError(
        f"{value!r} is not a {wanted}" if row else f"the values are not a {wanted}",
        where=f"column {name!r}, row {row}" if row else f"column {name!r}",
        remedy="correct the value, or change the kind of the column with --schema",
    )
