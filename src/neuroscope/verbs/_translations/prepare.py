"""From a source to a problem of sentence pairs, and what `look` tells of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroscope.base.errors import InputError, NeuroscopeError
from neuroscope.base.events import Monitor, Progress
from neuroscope.data.audit import Finding
from neuroscope.data.schema import Schema
from neuroscope.data.sources import aligned, builtin
from neuroscope.data.table import Table
from neuroscope.data.text.pairs import pair_findings
from neuroscope.tasks import catalogue
from neuroscope.tasks._translation.posing import (
    KIND,
    UNREAD,
    Columns,
    columns_of,
    paired,
    pose,
    schema_of,
)
from neuroscope.tasks._translation.sentences import texts_of
from neuroscope.verbs._prepare import DataOptions, Prepared
from neuroscope.verbs._words import fitting_words

TASK = "translation"


def wanted(table: Table, options: DataOptions) -> bool:
    """Say whether sentence pairs are to be translated: two aligned files, or a built-in set."""
    del options
    origin = table.origin
    if origin.files:
        return len(origin.files) == 2 and aligned.accepts(origin.text)
    return builtin.task_of(origin.text) == TASK


def _columns(table: Table, options: DataOptions) -> Columns:
    foreign = {"--time": options.time, "--series": options.series, "--weight": options.weight,
               "--positive": options.positive, "--horizon": options.horizon,
               "--look-back": options.look_back}  # fmt: skip
    for option, said in foreign.items():
        if said is not None:
            raise InputError(f"{option} says nothing about translations",
                             remedy=f"leave {option} out")  # fmt: skip
    named = (_split(table, options), options.group, *options.drop)
    return columns_of(table, options.target, named)


def _split(table: Table, options: DataOptions) -> str | None:
    return options.split or next((n for n in table.names if n.casefold() == "split"), None)


def _read(table: Table, options: DataOptions) -> tuple[Table, Schema, Columns, list[Finding]]:
    columns = _columns(table, options)
    names = columns.source, columns.target
    found = pair_findings(texts_of(table, names[0]), texts_of(table, names[1]), names)
    table = paired(table, columns)
    schema = schema_of(table, columns, split=_split(table, options), group=options.group,
                       drop=options.drop)  # fmt: skip
    return table, schema, columns, found


def prepare(table: Table, options: DataOptions, seed: int, monitor: Monitor) -> Prepared:
    """Name the columns, look at the pairs and pose the problem; errors name the source."""
    try:
        monitor(Progress(label="auditing the data", done=1, total=3))
        task = catalogue.get(TASK)
        pairs, schema, columns, found = _read(table, options)
        problem = pose(task.ENCODING, pairs, schema, columns, seed=seed,
                       backbone=options.backbone or "")  # fmt: skip
        monitor(Progress(label="ready", done=3, total=3))
        return Prepared(table, schema, KIND, _reason(columns), problem.split, tuple(found),
                        _dropped(schema, options), task, problem)  # fmt: skip
    except NeuroscopeError as error:
        raise error.at(table.origin.text) from error


def _reason(columns: Columns) -> str:
    return f"{columns.source!r} is read and {columns.target!r} is written: {columns.reason}"


def _dropped(schema: Schema, options: DataOptions) -> tuple[tuple[str, str], ...]:
    asked = [(name, "dropped as asked") for name in options.drop]
    return (*asked, *((c.name, UNREAD) for c in schema.columns if c.reason.endswith(UNREAD)))


def look(table: Table, options: DataOptions, seed: int) -> tuple[Schema, dict[str, Any]]:
    """Return the schema and what `look` tells; what stands in the way of training is a blocker."""
    try:
        table, schema, columns, found = _read(table, options)
    except NeuroscopeError as error:
        raise error.at(table.origin.text) from error
    split, blockers = None, []
    try:
        split = pose(catalogue.get(TASK).ENCODING, table, schema, columns, seed=seed).split
    except InputError as error:
        blockers.append(str(error))
    told = {
        "target": {"column": columns.target, "chosen_because": columns.reason, "kind": KIND,
                   "reason": f"from {columns.source!r}: a text", "classes": [],
                   "missing": int(table.arrow.column(columns.target).null_count)},
        "split": split and {"method": split.method, "reason": split.reason,
                            "notes": list(split.notes), "rows": split.counts,
                            "folds": len(split.folds)},
        "findings": [finding.to_json() for finding in found],
        "dropped": [{"column": name, "reason": why} for name, why in _dropped(schema, options)],
        "blockers": blockers,
        "pairs": summary(table, columns),
    }  # fmt: skip
    return schema, fitting_words(told, TASK)


def summary(table: Table, columns: Columns) -> dict[str, Any]:
    """Return lengths of both sides and some pairs."""
    sides = {name: texts_of(table, name) for name in (columns.source, columns.target)}
    whole = [row for row, text in enumerate(sides[columns.target]) if text]
    shown = whole[:: max(len(whole) // 3, 1)][:3]
    return {
        "pairs": len(whole),
        "source": columns.source,
        "target": columns.target,
        "words": {name: _lengths([texts[row] for row in whole]) for name, texts in sides.items()},
        "examples": [[texts[row] for texts in sides.values()] for row in shown],
    }


def _lengths(texts: list[str]) -> list[int]:
    """Return the fewest, the usual and the most words of a text."""
    counts = np.array([len(text.split()) for text in texts] or [0])
    return [int(counts.min()), int(np.median(counts)), int(counts.max())]
