"""From a table to a problem of its texts: other columns stand aside, and it is said so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from neuroscope.base.errors import NeuroscopeError
from neuroscope.base.events import Monitor
from neuroscope.data.schema import Schema
from neuroscope.data.sources import aligned, builtin
from neuroscope.data.table import Table
from neuroscope.data.text.column import as_texts, mainly_texts
from neuroscope.data.text.summary import summary
from neuroscope.verbs._prepare import DataOptions, Prepared
from neuroscope.verbs._rows import prepare as rows
from neuroscope.verbs._words import fitting_words

NAME = "text_classes"
_ASIDE = "the texts are read, and no other column; --task table reads these"


def claims(table: Table, options: DataOptions) -> bool:
    """Say whether the texts of a table are its main thing, and their label is no text."""
    origin = table.origin
    if options.series or origin.gathered is not None or len(table.names) < 2:
        return False
    if aligned.accepts(origin.text):
        return False
    if not origin.files and builtin.task_of(origin.text) not in (None, "binary", "multiclass"):
        return False
    schema = rows.schema_of(table, options)
    unnamed = ("text", "identifier", "constant")  # what no label is
    target = schema.target
    return target is not None and target.kind not in unnamed and mainly_texts(schema)


def prepare(table: Table, options: DataOptions, seed: int, monitor: Monitor) -> Prepared:
    """Take the texts, and go on as with rows."""
    try:
        schema, aside = _texts(table, options)
        found = rows.posed(table, schema, replace(options, task=NAME), seed, monitor)
    except NeuroscopeError as error:
        known = error.where.startswith(table.origin.text)
        raise (error if known else error.at(table.origin.text)) from error
    return replace(found, dropped=(*found.dropped, *((name, _ASIDE) for name in aside)))


def look(table: Table, options: DataOptions, seed: int) -> tuple[Schema, dict[str, Any]]:
    """Return the schema and what `look` tells of a table of texts."""
    schema, aside = _texts(table, options)
    found = rows.audited(table, schema, options, seed)
    found["dropped"] += [{"column": name, "reason": _ASIDE} for name in aside]
    return schema, fitting_words(found, NAME) | {"texts": summary(table, schema)}


def _texts(table: Table, options: DataOptions) -> tuple[Schema, list[str]]:
    """Return a schema with no features but texts, and the names of the others."""
    schema = as_texts(table, rows.schema_of(table, options))
    aside = [column.name for column in schema.features if column.kind != "text"]
    return schema.with_roles(dict.fromkeys(aside, "ignore"), "beside the texts"), aside
