"""From a table to a problem of sentence pairs: columns named, sides made sure of, rows divided."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from neuroscope.base.errors import InputError, SchemaError, did_you_mean
from neuroscope.data._kinds import is_words
from neuroscope.data.schema import Role, Schema, infer_schema
from neuroscope.data.splits import plan_split
from neuroscope.data.table import Table
from neuroscope.data.target import TargetCodec
from neuroscope.tasks._learning import Problem
from neuroscope.tasks._translation.sentences import PairEncoding, texts_of

KIND = "translation"
UNREAD = "a translation reads one column of text and writes another"


@dataclass(frozen=True)
class Columns:
    """Which column is read and which is written, and why these."""

    source: str
    target: str
    reason: str


def columns_of(table: Table, target: str | None, besides: tuple[str | None, ...]) -> Columns:
    """Return the two columns of text: the target is the one named, else the last one.

    `besides` have other roles, or none. SchemaError where there are not two.
    """
    named = [name for name in table.names if name not in besides]
    if target is not None and target not in table.names:
        shown = ", ".join(table.names[:20])
        raise SchemaError(f"target column {target!r} not found",
                          remedy=did_you_mean(target, named) or f"columns: {shown}")  # fmt: skip
    texts = [name for name in named if is_words(table.arrow.column(name).type)]
    free = [name for name in texts if name != target]
    chosen = target or (texts or named or [None])[-1]
    others = [name for name in (free or named) if name != chosen]
    if chosen is None or not others:
        raise SchemaError(
            "a translation needs two columns of text, and there is only "
            f"{', '.join(map(repr, named)) or 'none'}",
            remedy="give pairs: two columns of a table, or two aligned files as de.txt,en.txt",
        )
    how = "as asked" if target else "the last column of text; name another with --target"
    return Columns(others[0], chosen, how)


def paired(table: Table, columns: Columns) -> Table:
    """Return the table with both columns as texts; the target is missing where a side is empty."""
    source, target = (texts_of(table, name) for name in (columns.source, columns.target))
    kept = [b if a and b else None for a, b in zip(source, target, strict=True)]
    arrow = table.arrow
    for name, values in ((columns.source, source), (columns.target, kept)):
        place = table.names.index(name)
        arrow = arrow.set_column(place, name, pa.array(values, pa.large_string()))
    return replace(table, arrow=arrow)


def schema_of(table: Table, columns: Columns, *, split: str | None, group: str | None,
              drop: tuple[str, ...]) -> Schema:  # fmt: skip
    """Return the schema with the roles that a translation gives its columns."""
    both = {"kind": "text"}
    schema = infer_schema(
        table, target=columns.target, drop=drop, split=split, group=group,
        overrides={columns.source: {**both, "role": "feature"}, columns.target: both},
    )  # fmt: skip
    others = [c.name for c in schema.features if c.name != columns.source]
    ignored: dict[str, Role] = dict.fromkeys(others, "ignore")
    return schema.with_roles(ignored, UNREAD) if ignored else schema


def pose(
    encoding: PairEncoding, table: Table, schema: Schema, columns: Columns, *, seed: int,
    backbone: str = "",
) -> Problem:  # fmt: skip
    """Return the problem of translating a column; a row of it is a row of the table.

    Raises InputError where too few pairs have two sides, or where all of them are identical.
    """
    source, target = (texts_of(table, name) for name in (columns.source, columns.target))
    both = [row for row in range(table.rows) if target[row]]
    if not both:
        raise InputError("no row has both sides", where=f"{columns.source!r}, {columns.target!r}",
                         remedy="give sentences with their translations")  # fmt: skip
    if all(source[row] == target[row] for row in both):
        raise InputError(
            f"both sides are the same in all {len(both):,} pairs: there is nothing to translate",
            where=f"columns {columns.source!r} and {columns.target!r}",
            remedy="name the column of translations with --target",
        )
    split = plan_split(table, schema, seed=seed, task_kind=KIND, crossed=False)
    codec = TargetCodec(kind=KIND, column=columns.target)
    y = np.array([[len(text) + 1.0] for text in target])
    return Problem(table, schema, KIND, codec, split, seed, encoding, y, backbone=backbone)
