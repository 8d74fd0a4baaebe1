"""Objects in Python: pandas, polars, Arrow, NumPy, or a dict of columns; none is imported here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from neuroscope.base.errors import NeuroscopeError, SourceError
from neuroscope.data.images.column import IMAGE, LABEL, as_arrays, is_arrays
from neuroscope.data.images.from_arrays import as_pictures
from neuroscope.data.series.zones import named
from neuroscope.data.sources._names import clean_names
from neuroscope.data.sources._query import queried
from neuroscope.data.sources._settle import settle
from neuroscope.data.sources._sql import connect
from neuroscope.data.sources.arrays import columns_of
from neuroscope.data.table import Origin, Table

KIND = "from Python: a pandas or polars frame, an Arrow table, a NumPy array, a dict of columns"
_PAIR = 2  # pictures and their labels


def accepts(source: Any) -> bool:
    """Tell whether `source` is an object that holds a table; a pair is pictures and labels."""
    if isinstance(source, tuple):
        return len(source) == _PAIR and isinstance(source[0], np.ndarray) and source[0].ndim > 2
    return isinstance(source, Table | pa.Table | pa.RecordBatch | np.ndarray | Mapping) or (
        type(source).__name__ == "DataFrame" and _library(source) in ("pandas", "polars")
    )


def read(source: Any, *, sql: str | None = None) -> Table:
    """Read an object in memory; NaN in pandas means missing, elsewhere it stays a float."""
    if isinstance(source, Table):
        return queried(source, sql)
    text = f"{_library(source)} {type(source).__name__}"
    try:
        raw, names = _arrow(source, text)
    except (pa.ArrowException, TypeError, ValueError) as error:
        line = str(error).splitlines()[0]
        raise SourceError(f"cannot be read as a table: {line}", where=text) from error
    names, notes = clean_names(names, text)
    if not names or raw.num_rows == 0:
        raise SourceError("the table has no rows or no columns", where=text)
    arrow, found = _settled(raw.rename_columns(names), text)
    return queried(Table(arrow, Origin(text, (), tuple(notes + found))), sql)


def _settled(raw: pa.Table, text: str) -> tuple[pa.Table, list[str]]:
    """Type all columns but those of pictures, which have their type."""
    pictures = [field.name for field in raw.schema if is_arrays(field.type)]
    others = raw.drop_columns(pictures)
    if not others.num_columns:
        return raw, []
    with connect() as connection:
        connection.register("source", others)
        try:
            arrow, found = settle(connection, "source")
            arrow = named(arrow, dict(zip(others.column_names, others.schema.types, strict=True)))
        except NeuroscopeError as error:
            raise error.at(text) from None
    for name in pictures:
        arrow = arrow.add_column(raw.column_names.index(name), name, raw.column(name))
    return arrow, found


def _library(source: Any) -> str:
    name = type(source).__module__.partition(".")[0]
    return "Python" if name == "builtins" else name


def _arrow(source: Any, text: str) -> tuple[pa.Table, list[Any]]:
    """Return the object as Arrow, and its column names as they were given."""
    if isinstance(source, pa.RecordBatch):
        source = pa.Table.from_batches([source])
    if isinstance(source, tuple):
        source = {IMAGE: source[0], LABEL: source[1]}
    if isinstance(source, np.ndarray):
        source = _numpy_columns(source, text)
    if isinstance(source, Mapping):
        return _numbered([_column(values) for values in source.values()]), list(source)
    if isinstance(source, pa.Table):
        return _numbered(source.columns), source.column_names
    if _library(source) == "polars":
        arrow = source.to_arrow()
        return _numbered(arrow.columns), arrow.column_names
    columns = [_column(source.iloc[:, place]) for place in range(source.shape[1])]
    return _numbered(columns), list(source.columns)


def _numbered(columns: list[Any]) -> pa.Table:
    return pa.table(columns, names=[str(place) for place in range(len(columns))])


def _column(values: Any) -> pa.Array | pa.ChunkedArray:
    if isinstance(values, np.ndarray) and values.ndim > 2:
        pictures = as_pictures(values)
        if pictures is None:
            raise ValueError(f"an array of {values.dtype} {values.shape} holds no pictures")
        return as_arrays(pictures[0])
    try:
        return pa.array(values, from_pandas=_library(values) == "pandas" or None)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        # Mixed Python objects: as words, and the reader says which of them are no numbers.
        words = [None if value is None or _is_nan(value) else str(value) for value in values]
        return pa.array(words, pa.string())


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _numpy_columns(array: np.ndarray, text: str) -> Mapping[str, Any]:
    if array.dtype.names:
        return {name: array[name] for name in array.dtype.names}
    if array.ndim > 2 and as_pictures(array) is not None:
        return {IMAGE: array}
    if array.ndim != 2:
        shape = "x".join(map(str, array.shape))
        raise SourceError(f"the array has shape {shape}", where=text, remedy="give rows x columns")
    if array.dtype == object:
        digits = len(str(array.shape[1]))
        return {f"x{j + 1:0{digits}}": array[:, j].tolist() for j in range(array.shape[1])}
    return columns_of(array)
