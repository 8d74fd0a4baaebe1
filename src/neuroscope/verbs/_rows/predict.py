"""Predict, where a case is a row: a model's answers for new rows, in their order."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from neuroscope.base.errors import InputError, NeuroscopeError, SchemaError, did_you_mean
from neuroscope.base.events import Monitor, Progress
from neuroscope.base.nouns import noun_of
from neuroscope.data.table import Table
from neuroscope.data.writing import assembled
from neuroscope.verbs._rows.answers import Answered, Answers, answered
from neuroscope.verbs._save import save_table

if TYPE_CHECKING:
    from neuroscope.verbs.predict import PredictOptions


class Predicted(NamedTuple):
    """The rows of a table as the model knows them, and the columns of the answer, by name."""

    table: Table
    rows: dict[str, Any]  # their numbers
    kept: dict[str, Any]  # columns of the source
    said: dict[str, Any]  # predictions, and probabilities of classes
    answered: Answered


def predict(model: Any, table: Table, options: PredictOptions, monitor: Monitor) -> dict[str, Any]:
    """Answer for every row of a table."""
    options.only("keep", about=f"{noun_of(model.artefact.card.task)}s")
    found = predicted(model, model.as_rows(table), options, answered)
    whole = assembled(found.rows | found.kept | found.said)
    written = saved(whole, options)
    monitor(Progress(label="predicting", done=2, total=2))
    return told(model, found, whole, written)


def predicted(model: Any, table: Table, options: PredictOptions, answers: Answers) -> Predicted:
    """Answer for every row of a table as the model knows them; none is left out."""
    try:
        kept = _kept(table, (*_sequence_name(model, table), *options.keep))
        if not table.rows:
            raise InputError("there are no rows to predict", remedy="give at least one row")
        found = answers(model, table)
    except NeuroscopeError as error:
        known = error.where.startswith(table.origin.text)
        raise (error if known else error.at(table.origin.text)) from error
    rows = {"row": np.arange(1, table.rows + 1)}
    return Predicted(table, rows, kept, _said(model, found, set(kept)), found)


def saved(whole: pa.Table, options: PredictOptions) -> str | None:
    """Write the answer where it is wanted; returns where that was."""
    return None if options.out is None else str(save_table(whole, options.out))


def told(
    model: Any, found: Predicted, whole: pa.Table, out: str | None, *, notes: tuple[str, ...] = (),
    sheet: Path | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return what `predict` tells; `whole` is the table of the answer, `notes` come last."""
    card = model.artefact.card
    return {
        "model": str(model.artefact.path),
        "target": card.target,
        "rung": card.learner,
        "kind": model.codec.kind,
        "rows": found.table.rows,
        "classes": list(model.classes),
        "threshold": model.threshold if model.codec.kind == "binary" else None,
        "origin": list(found.table.origin.notes),
        "noun": noun_of(card.task),
        "notes": [*found.answered.notes, *notes],
        "out": out,
        "sheet": sheet and str(sheet),
        "table": whole,
    }


def _sequence_name(model: Any, table: Table) -> tuple[str, ...]:
    """Return the column that names the sequences of a model, if there is one."""
    column = model.schema.by_role("series")
    return (column.name,) if column is not None and column.name in table.names else ()


def _kept(table: Table, keep: tuple[str, ...]) -> dict[str, Any]:
    for name in keep:
        if name not in table.names:
            hint = did_you_mean(name, table.names)
            listed = f"columns: {', '.join(table.names[:20])}"
            raise SchemaError(
                f"column to keep {name!r} not found", remedy=f"{hint} {listed}".strip()
            )
    return {name: table.arrow.column(name) for name in keep}


def _said(model: Any, found: Answered, taken: set[str]) -> dict[str, Any]:
    """Return the predictions and, for classes, their probabilities, under names of their own.

    Rows with a problem have neither.
    """
    sound = found.problems == ""
    known = found.answer[sound]
    columns = {"prediction": _scattered(model.decide(known), sound)}
    for place, label in enumerate(model.classes):
        columns[f"probability_{label}"] = _scattered(known[:, place], sound)
    clash = taken & (columns.keys() | {"row", "picture", "problem"})
    if clash:
        raise SchemaError(
            f"a kept column is called {sorted(clash)[0]!r}, like one of the answer",
            remedy="rename it in the source, or leave it out of --keep",
        )
    return columns


def _scattered(values: np.ndarray, sound: np.ndarray) -> Any:
    """Return the values in the places of the sound rows, nothing in the others."""
    if sound.all():
        return values
    found = np.full(len(sound), None, dtype=object)
    found[sound] = values
    return pa.array(found.tolist())
