"""Objects in Python: pandas, polars, Arrow, NumPy, or a dict of columns; none is imported here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from neuroscope.base.errors import NeuroscopeError, SourceError
from neuroscope.data.sources._names import clean_names
from neuroscope.data.sources._query import queried
from neuroscope.data.sources._settle import settle
from neuroscope.data.sources._sql import connect
from neuroscope.data.sources.arrays import columns_of
from neuroscope.data.table import Origin, Table

KIND = "from Python: a pandas or polars frame, an Arrow table, a NumPy array, a dict of columns"


def accepts(source: Any) -> bool:
    """Tell whether `source` is an object that holds a table."""
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
    with connect() as connection:
        connection.register("source", raw.rename_columns(names))
        try:
            arrow, found = settle(connection, "source")
        except NeuroscopeError as error:
            raise error.at(text) from None
    return queried(Table(arrow, Origin(text, (), tuple(notes + found))), sql)


def _library(source: Any) -> str:
    name = type(source).__module__.partition(".")[0]
    return "Python" if name == "builtins" else name


def _arrow(source: Any, text: str) -> tuple[pa.Table, list[Any]]:
    """Return the object as Arrow, and its column names as they were given."""
    if isinstance(source, pa.RecordBatch):
        source = pa.Table.from_batches([source])
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
    if array.ndim != 2:
        shape = "x".join(map(str, array.shape))
        raise SourceError(f"the array has shape {shape}", where=text, remedy="give rows x columns")
    if array.dtype == object:
        digits = len(str(array.shape[1]))
        return {f"x{j + 1:0{digits}}": array[:, j].tolist() for j in range(array.shape[1])}
    return columns_of(array)
