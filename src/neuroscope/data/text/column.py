"""Which columns hold texts, and the texts of some rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from neuroscope.base.errors import SchemaError
from neuroscope.base.wording import counted
from neuroscope.data import _kinds
from neuroscope.data.table import Table

if TYPE_CHECKING:
    from neuroscope.data.schema import Column, Schema

MOST_CHARACTERS = 200_000  # read of a text; a long novel has five times as many
BETWEEN = "\n"  # texts of several columns


def text_columns(schema: Schema) -> tuple[str, ...]:
    """Return the names of the features that hold texts."""
    return tuple(column.name for column in schema.features if column.kind == "text")


def other_columns(schema: Schema) -> tuple[str, ...]:
    """Return the names of the features that a table's model could read."""
    unread = ("text", "identifier", "constant", "image", "series")
    return tuple(column.name for column in schema.features if column.kind not in unread)


def mainly_texts(schema: Schema) -> bool:
    """Say whether texts are the main thing: as many columns as all others, or more."""
    return len(text_columns(schema)) >= max(len(other_columns(schema)), 1)


def as_texts(table: Table, schema: Schema) -> Schema:
    """Return the schema with columns of words as texts, for a table without prose.

    Short texts (a question, a name) look like labels or row names until somebody says what they
    are. Raises SchemaError where no column holds words.
    """
    from neuroscope.data.schema import Schema as Made  # noqa: PLC0415 - it stands on this floor

    if text_columns(schema):
        return schema
    words = [
        column.name for column in schema.columns
        if column.role in ("feature", "ignore") and column.kind in ("identifier", "categorical")
        and _kinds.is_words(table.arrow.column(column.name).type) and "asked" not in column.reason
    ]  # fmt: skip
    if not words:
        free = [c for c in schema.columns if c.role in ("feature", "ignore")]
        listed = ", ".join(f"{c.name!r} ({c.kind})" for c in free[:10]) or "none beside the target"
        raise SchemaError(f"no column holds texts; columns: {listed}",
                          remedy=_text_wanted(table, schema, free))  # fmt: skip
    wordiest = max(words, key=lambda name: (_mean_length(table, name), name))
    return Made(tuple(
        _text(column) if column.name == wordiest else column for column in schema.columns
    ))  # fmt: skip


def _text_wanted(table: Table, schema: Schema, free: Iterable[Column]) -> str:
    """Say what to do where no column is taken for texts."""
    words = [
        column.name for column in free if _kinds.is_words(table.arrow.column(column.name).type)
    ]
    if words:
        return (
            f'to read {words[0]!r} as texts, give it "kind": "text" and "role": "feature" in a'
            " file for --schema"
        )
    if schema.target is None or "guessed" in schema.target.reason:
        return "name the label with --target, and give a column of words"
    return "give a column of words, or leave --task out: other columns are read as a table"


def _text(column: Column) -> Column:
    return replace(column, kind="text", role="feature", reason="texts, as the task asks")


def _mean_length(table: Table, name: str) -> float:
    column = table.arrow.column(name).cast(pa.large_string())
    return float(pc.call_function("mean", [pc.call_function("utf8_length", [column])]).as_py() or 0)


def without_words(table: Table, columns: Iterable[str]) -> np.ndarray:
    """Return which rows (n,) have no text in any of the columns, or only blanks."""
    empty = np.ones(table.rows, bool)
    for name in columns:
        words = table.arrow.column(name).cast(pa.large_string())
        bare = pc.call_function("utf8_trim_whitespace", [words])
        empty &= pc.fill_null(
            pc.call_function("equal", [bare, pa.scalar("", pa.large_string())]), True
        ).to_numpy()
    return empty


def texts(
    table: Table, columns: Iterable[str], rows: np.ndarray | None = None
) -> tuple[list[str], list[str]]:
    """Return the text of each row, of all or of some, and notes on what was not read.

    Several columns are read one after the other. A missing text is an empty one.
    """
    parts = [_column(table, name, rows) for name in columns]
    found = [BETWEEN.join(filter(None, some)) for some in zip(*parts, strict=True)]
    long = [place for place, text in enumerate(found) if len(text) > MOST_CHARACTERS]
    for place in long:
        found[place] = found[place][:MOST_CHARACTERS]
    empty = sum(not text.strip() for text in found)
    notes = []
    if empty:
        notes.append(f"{counted(empty, 'text')} {'is' if empty == 1 else 'are'} empty: the answer"
                     " is what is usual without one")  # fmt: skip
    if long:
        first = long[0] if rows is None else int(rows[long[0]])
        notes.append(
            f"{counted(len(long), 'text')} (row {first + 1} first) longer than"
            f" {MOST_CHARACTERS:,} characters: the rest of each is not read"
        )
    return found, notes


def _column(table: Table, name: str, rows: np.ndarray | None) -> list[str]:
    if name not in table.names:
        raise SchemaError(f"column {name!r} not found", remedy="add it to the file")
    column = table.arrow.column(name)
    if not _kinds.is_words(column.type) and not pa.types.is_null(column.type):
        raise SchemaError(
            f"column {name!r} holds {column.type} where the model reads texts",
            where=table.origin.text, remedy="give a column of words",
        )  # fmt: skip
    if rows is not None:
        column = column.take(pa.array(rows, pa.int64()))
    return [value or "" for value in column.to_pylist()]
