"""Fit a later table to the schema a model was trained with."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from neuroscope.base.errors import SchemaError, did_you_mean
from neuroscope.data import _kinds
from neuroscope.data.images.column import picture_column
from neuroscope.data.schema import Column, Schema
from neuroscope.data.table import Table

_Family = Literal["number", "words", "dates", "truth"]


def align(table: Table, schema: Schema) -> tuple[Table, list[str]]:
    """Return the schema's columns of `table` in the schema's order, and notes for people.

    Columns are found by name; others are left out with a note; the target and columns that are
    no features may be missing. A column of another type is cast. Raises SchemaError for missing
    features (with near names) and for a value that cannot be cast (column, row and value).
    """
    table, renamed = _pictures_renamed(table, schema)
    given = set(table.names)
    lacking = [column.name for column in schema.features if column.name not in given]
    known = set(schema.names)
    extra = [name for name in table.names if name not in known]
    if lacking:
        raise _lacking(lacking, extra, table.origin.text)
    notes = [renamed] if renamed else []
    notes += [f"columns not known to the model, left out: {', '.join(extra)}"] if extra else []
    columns: dict[str, pa.ChunkedArray] = {}
    for column in schema.columns:
        if column.name not in given:
            continue
        values = table.arrow.column(column.name)
        columns[column.name] = values
        if column.role != "ignore" and column.kind not in ("image", "series"):
            columns[column.name], said = _fitted(values, column, table.origin.text)
            notes += [said] if said else []
    return replace(table, arrow=pa.table(columns)), notes


def _pictures_renamed(table: Table, schema: Schema) -> tuple[Table, str]:
    """Give the only column of pictures the name that the model knows, and say so."""
    wanted = picture_column(table, schema)
    if wanted is None or wanted in table.names:
        return table, ""
    found = picture_column(table)
    if found is None or found in schema.names:
        return table, ""
    names = [wanted if name == found else name for name in table.names]
    said = f"the pictures of column {found!r} are taken as {wanted!r}"
    return replace(table, arrow=table.arrow.rename_columns(names)), said


def _lacking(lacking: list[str], extra: list[str], where: str) -> SchemaError:
    shown = ", ".join(repr(name) for name in lacking[:10])
    more = f" and {len(lacking) - 10} more" if lacking[10:] else ""
    hints = [(name, did_you_mean(name, extra)) for name in lacking[:3]]
    near = " ".join(f"for {name!r} {hint}" for name, hint in hints if hint)
    remedy = near or "give every column the model was trained on"
    return SchemaError(f"columns are missing: {shown}{more}", where=where, remedy=remedy)


def _family(storage: str) -> _Family:
    if storage == "bool":
        return "truth"
    if storage.startswith(("timestamp", "date", "time")):
        return "dates"
    return "number" if storage.startswith(("int", "uint", "float", "double", "half")) else "words"


def _fitted(values: pa.ChunkedArray, column: Column, where: str) -> tuple[pa.ChunkedArray, str]:
    wanted, found = _family(column.storage), _family(str(values.type))
    if wanted == found and wanted != "dates":
        return values, ""
    if values.null_count == len(values):
        kind = pa.string() if wanted == "words" else _arrow_type(column.storage)
        return pa.chunked_array([pa.nulls(len(values), kind)]), ""
    if wanted == "words":
        return _to_words(values), f"column {column.name!r}: numbers read as words"
    fitted, bad = _cast(values, _arrow_type(column.storage))
    if bad is None:
        said = f"column {column.name!r}: {found} read as {wanted}" if wanted != found else ""
        return fitted, said
    row, value = bad
    what = {"truth": "true or false", "number": "a number", "dates": "a date"}[wanted]
    raise SchemaError(
        f"column {column.name!r} holds {value!r} where the model was trained on {what}",
        where=f"{where}, data row {row + 1}",
        remedy="mend the value or leave it empty",
    )


def _arrow_type(storage: str) -> pa.DataType:
    if storage.startswith("timestamp"):
        return pa.timestamp("us")
    if storage.startswith("date"):
        return pa.date32()
    return {"bool": pa.bool_()}.get(storage, pa.float64())


def _to_words(values: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_floating(values.type):  # a gap makes integers floats: 3.0 is the word "3"
        whole = pc.call_function("equal", [values, pc.call_function("floor", [values])])
        if pc.call_function("all", [whole]).as_py():
            values = values.cast(pa.int64())
    return values.cast(pa.string())


def _cast(
    values: pa.ChunkedArray, kind: pa.DataType
) -> tuple[pa.ChunkedArray, tuple[int, object] | None]:
    """Cast, or return the first row and value that cannot be cast."""
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    try:
        cast = _safely(values, kind)
        return cast, None
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        pass
    refused = set()
    for value in _kinds.values_of(values):
        try:
            _safely(pa.chunked_array([[value]], type=values.type), kind)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            refused.add(value)
    listed = pa.array(list(refused), type=values.type)
    bad = pc.call_function("is_in", [values], pc.SetLookupOptions(value_set=listed))
    row = pc.call_function("index", [bad], pc.IndexOptions(value=pa.scalar(True))).as_py()
    return values, (row, values[row].as_py())


def _safely(values: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """Cast without loss: a number is a truth only when it is 0 or 1, and never a date."""
    if pa.types.is_boolean(kind) and _kinds.is_number(values.type):
        spread = pc.call_function("min_max", [values]).as_py()
        if not {spread["min"], spread["max"]} <= {0, 1}:
            raise pa.ArrowInvalid("neither 0 nor 1")
    if pa.types.is_temporal(kind) and _kinds.is_number(values.type):
        raise pa.ArrowInvalid("a number is no date")
    return values.cast(kind)
