"""What a target column asks for: two classes, several classes, or a number."""

from __future__ import annotations

from typing import Literal, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from neuroscope.base.errors import SchemaError, TargetError
from neuroscope.data import _kinds
from neuroscope.data.schema import Schema
from neuroscope.data.table import Table

MOST_INTEGER_CLASSES = 20  # more different integers than this are amounts, not classes
MOST_WORD_CLASSES = 1000


class TargetKind(NamedTuple):
    """What is to be predicted; `missing` rows have no target and cannot teach or judge."""

    kind: Literal["binary", "multiclass", "regression"]
    reason: str
    classes: tuple[object, ...]  # sorted; empty for regression
    missing: int


def target_kind(table: Table, schema: Schema) -> TargetKind:
    """Tell what the schema's target asks for.

    Raises TargetError when there is nothing to learn: all missing, one value, infinite numbers,
    dates, or more words than classes can be.
    """
    target = schema.target
    if target is None:
        raise SchemaError("the schema has no target", remedy="name one with --target")
    column = _kinds.without_nan(table.arrow.column(target.name))
    counted = _kinds.facts(column)
    where = f"target {target.name!r}"
    if counted.present == 0:
        raise TargetError("all values are missing", where=where, remedy="name another --target")
    if counted.distinct == 1:
        value = _kinds.values_of(column)[0]
        raise TargetError(
            f"every row says {value!r}: one class, nothing to tell apart",
            where=where,
            remedy="give rows of at least two classes, or name another --target",
        )
    if pa.types.is_temporal(column.type):
        remedy = "turn it into a number (days until …) or name another --target"
        raise TargetError("dates cannot be predicted", where=where, remedy=remedy)
    if _kinds.is_number(column.type):
        return _number(column, counted, where, target.kind == "categorical")
    if counted.distinct > MOST_WORD_CLASSES or counted.distinct == counted.present > 2:
        repeated = 2 * counted.distinct <= counted.present
        raise TargetError(
            f"{counted.distinct:,} different words in {counted.present:,} rows are no classes",
            where=where,
            remedy=f"at most {MOST_WORD_CLASSES:,} classes are told apart: put alike ones together"
            if repeated
            else "name a column whose words repeat, or a number",
        )
    return _classes(column, counted, "words")


def _number(
    column: pa.ChunkedArray, counted: _kinds.Facts, where: str, asked_classes: bool
) -> TargetKind:
    whole = pa.types.is_integer(column.type)
    if not whole:
        finite = pc.call_function("is_finite", [column])
        infinite = counted.present - (pc.call_function("sum", [finite]).as_py() or 0)
        if infinite:
            row = pc.call_function(
                "index", [finite], pc.IndexOptions(value=pa.scalar(False))
            ).as_py()
            raise TargetError(
                f"{infinite:,} values are infinite (the first in data row {row + 1})",
                where=where,
                remedy="mend or drop these rows",
            )
        # Integers with gaps arrive as floats from pandas; two whole values are classes as well.
        rounded = pc.call_function("equal", [column, pc.call_function("floor", [column])])
        all_whole = pc.call_function("all", [rounded]).as_py()
        whole = all_whole and (counted.missing > 0 or counted.distinct == 2)
    few = counted.distinct == 2 or (
        counted.distinct <= MOST_INTEGER_CLASSES and 2 * counted.distinct <= counted.present
    )
    if asked_classes or (whole and few):
        return _classes(column, counted, "whole numbers")
    what = "integers" if pa.types.is_integer(column.type) else "decimal numbers"
    reason = f"{counted.distinct:,} different {what} in {counted.present:,} rows: an amount"
    return TargetKind("regression", reason, (), counted.missing)


def _classes(column: pa.ChunkedArray, counted: _kinds.Facts, what: str) -> TargetKind:
    kind = "binary" if counted.distinct == 2 else "multiclass"
    what = "values (true, false)" if pa.types.is_boolean(column.type) else what
    reason = f"{counted.distinct:,} different {what}: classes"
    classes = tuple(sorted(_kinds.values_of(column)))  # type: ignore[type-var]
    return TargetKind(kind, reason, classes, counted.missing)
