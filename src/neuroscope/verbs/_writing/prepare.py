"""From a table to a problem of pieces of text: which column, one text or documents, what is odd."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa

from neuroscope.base.errors import InputError, NeuroscopeError, SchemaError, did_you_mean
from neuroscope.base.events import Monitor, Progress
from neuroscope.base.nouns import noun_of
from neuroscope.data.audit import Finding
from neuroscope.data.schema import Column, Schema
from neuroscope.data.sources import text_file
from neuroscope.data.table import Table
from neuroscope.tasks import catalogue
from neuroscope.tasks._writing.posing import TextEncoding, Texts, pose
from neuroscope.verbs._prepare import DataOptions, Prepared

TASK = "text_making"
_UNREAD = "text making reads its text and nothing else"
_FREQUENT = 12  # characters that `look` shows


def wanted(table: Table, options: DataOptions) -> bool:
    """Say whether a text is to be continued: by --task, or because the source is a text file."""
    if options.task not in (None, "auto"):
        return options.task == TASK
    return table.names == [text_file.COLUMN] and text_file.accepts(table.origin.text)


def column_of(table: Table, options: DataOptions) -> str:
    """Return the column of the texts: the target if one is named, else the only one, or "text"."""
    texts = [name for name in table.names if _is_text(table.arrow.column(name).type)]
    if options.target is not None:
        if options.target not in table.names:
            raise SchemaError(
                f"text column {options.target!r} not found",
                remedy=did_you_mean(options.target, table.names) or f"columns: {_listed(texts)}",
            )
        if options.target not in texts:
            raise SchemaError(f"column {options.target!r} holds no texts",
                              remedy=f"columns of text: {_listed(texts)}")  # fmt: skip
        return options.target
    if text_file.COLUMN in texts:
        return text_file.COLUMN
    if len(texts) == 1:
        return texts[0]
    raise SchemaError(
        f"there are {len(texts)} columns of text" if texts else "there is no column of text",
        remedy=f"name the one to learn from with --target: {_listed(texts)}" if texts else
        "give a text file, or a table with a column of text",
    )  # fmt: skip


def documents_of(table: Table, column: str) -> tuple[list[str], int]:
    """Return the documents of a column, and how many rows have none; they are left out."""
    values = table.arrow.column(column).to_pylist()
    known = [value for value in values if value and value.strip()]
    if not known:
        raise InputError("there is no text: all of it is blank", where=f"column {column!r}",
                         remedy="give some text")  # fmt: skip
    return known, len(values) - len(known)


def prepare(table: Table, options: DataOptions, seed: int, monitor: Monitor) -> Prepared:
    """Read the texts and pose the problem; errors name the source."""
    try:
        _refuse_foreign(options)
        column = column_of(table, options)
        documents, empty = documents_of(table, column)
        schema = schema_of(table, column)
        task = catalogue.get(TASK)
        monitor(Progress(label="cutting the text into pieces", done=1, total=3))
        problem = pose(task.ENCODING, table, schema, column, documents, seed=seed)
    except NeuroscopeError as error:
        raise error.at(table.origin.text) from error
    monitor(Progress(label="ready", done=3, total=3))
    dropped = tuple((c.name, _UNREAD) for c in schema.columns if c.role == "ignore")
    return Prepared(table, schema, "text", reason_of(Texts.of(problem)), problem.split,
                    findings(documents, empty), dropped, task, problem)  # fmt: skip


def look(table: Table, options: DataOptions, seed: int) -> tuple[Schema, dict[str, Any]]:
    """Return the schema and what `look` tells of texts; what stands in the way is a blocker."""
    try:
        _refuse_foreign(options)
        column = column_of(table, options)
    except NeuroscopeError as error:
        raise error.at(table.origin.text) from error
    schema = schema_of(table, column)
    found: dict[str, Any] = {
        "target": {"column": column, "kind": "text", "classes": [], "missing": 0,
                   "chosen_because": "as asked" if options.target else "the text",
                   "reason": "a text to be continued"},
        "text": None, "split": None, "findings": [], "blockers": [], "noun": noun_of(TASK),
        "dropped": [{"column": c.name, "reason": _UNREAD} for c in schema.columns
                    if c.role == "ignore"],
    }  # fmt: skip
    try:
        documents, empty = documents_of(table, column)
        found["findings"] = [finding.to_json() for finding in findings(documents, empty)]
        found["text"] = about(documents)
        split = pose(TextEncoding(), table, schema, column, documents, seed=seed).split
        found["split"] = {"method": split.method, "reason": split.reason,
                          "notes": list(split.notes), "rows": split.counts,
                          "folds": len(split.folds)}  # fmt: skip
    except InputError as error:
        found["blockers"].append(str(error))
    return schema, found


def about(documents: list[str]) -> dict[str, Any]:
    """Return how much text there is, of how many characters, and the most frequent ones."""
    signs: Counter[str] = Counter()
    for document in documents:
        signs.update(document)
    characters = sum(signs.values())
    lengths = sorted(map(len, documents))
    return {
        "documents": len(documents), "characters": characters, "kinds": len(signs),
        "words": sum(len(document.split()) for document in documents),
        "shortest": lengths[0], "usual": lengths[len(lengths) // 2], "longest": lengths[-1],
        "frequent": [{"character": sign, "share": count / characters}
                     for sign, count in signs.most_common(_FREQUENT)],
        "begins": documents[0][:300],
    }  # fmt: skip


def findings(documents: list[str], empty: int) -> tuple[Finding, ...]:
    """Return what is odd about the documents."""
    found = []
    if empty:
        found.append(Finding(
            code="empty_text", severity="notice", count=empty,
            what=f"{empty:,} texts are empty", meaning="they say nothing and are left out",
            remedy="fill them in, or leave them",
        ))  # fmt: skip
    twice = len(documents) - len(set(documents))
    if twice:
        found.append(Finding(
            code="repeated_text", severity="notice", count=twice,
            what=f"{twice:,} of {len(documents):,} texts repeat another one word for word",
            meaning="they are learned more than once; none is both learned from and judged",
            remedy="leave the repetitions out unless they are meant",
        ))  # fmt: skip
    strange = sum(document.count("\N{REPLACEMENT CHARACTER}") for document in documents)
    if strange:
        found.append(Finding(
            code="damaged_text", severity="serious", count=strange,
            what=f"{strange:,} characters were lost (�) before the text came here",
            meaning="somebody read it in a wrong encoding, and the model will write them too",
            remedy="get the text again from its source",
        ))  # fmt: skip
    return tuple(found)


def reason_of(texts: Texts) -> str:
    """Return what is to be continued, in words."""
    characters = int(texts.counts.sum())
    if texts.one:
        return (f"one text of {characters:,} characters, cut into {len(texts.pieces):,} pieces "
                "that are judged one by one")  # fmt: skip
    return f"{len(texts.pieces):,} texts, each with an end, {characters:,} characters"


def schema_of(table: Table, column: str) -> Schema:
    """Return the schema: the text is the target, nothing else is read."""
    found = []
    for name in table.names:
        values = table.arrow.column(name)
        mine = name == column
        found.append(Column(
            name=name, kind="text" if _is_text(values.type) else "categorical",
            role="target" if mine else "ignore", storage=str(values.type),
            distinct=len(values.unique()) if values.length() < 1_000_000 else values.length(),
            missing=values.null_count, reason="the text" if mine else _UNREAD,
        ))  # fmt: skip
    return Schema(tuple(found))


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:20]) or "none"


def _refuse_foreign(options: DataOptions) -> None:
    foreign = {
        "--split": options.split, "--group": options.group, "--time": options.time,
        "--series": options.series, "--weight": options.weight, "--positive": options.positive,
        "--backbone": options.backbone, "--horizon": options.horizon,
        "--look-back": options.look_back, "--schema": options.schema,
    }  # fmt: skip
    for option, said in foreign.items():
        if said is not None:
            raise InputError(f"{option} says nothing about text making",
                             remedy=f"leave {option} out")  # fmt: skip
