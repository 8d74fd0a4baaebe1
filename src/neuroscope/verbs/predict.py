"""Predict: a trained model's answers for new rows, in their order."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroscope.base.errors import InputError, NeuroscopeError, SchemaError, did_you_mean
from neuroscope.base.events import Monitor, Progress, ignore
from neuroscope.data.sources import read
from neuroscope.data.table import Table
from neuroscope.data.writing import assembled, check_ending
from neuroscope.verbs._save import save_table
from neuroscope.verbs.load import load


def predict(
    model: Any,
    source: Any,
    *,
    out: str | None = None,
    keep: tuple[str, ...] = (),
    sql: str | None = None,
    monitor: Monitor = ignore,
) -> dict[str, Any]:
    """Predict every row of `source`; the rows stay in their order, none is left out.

    `model` is what `load` takes, or a loaded model. `keep` names columns of the source that are
    carried along. The result has "table" (Arrow): the row number from 1, the kept columns,
    "prediction" and for classes the probability of each. It is written to `out`
    (.csv, .parquet, .jsonl) when that is given. "notes" says what was ignored or unseen.
    Raises SchemaError for missing columns, ModelError for an unusable model.
    """
    if out is not None:
        check_ending(out)
    trained = load(model) if isinstance(model, str) or hasattr(model, "__fspath__") else model
    monitor(Progress(label="reading the data", done=0, total=2))
    table = read(source, sql=sql)
    monitor(Progress(label="predicting", done=1, total=2))
    try:
        kept = _kept(table, keep)
        if not table.rows:
            raise InputError("there are no rows to predict", remedy="give at least one row")
        answer, notes = trained.raw(table)
    except NeuroscopeError as error:
        known = error.where.startswith(table.origin.text)
        raise (error if known else error.at(table.origin.text)) from error
    answers = assembled(
        {"row": np.arange(1, table.rows + 1), **kept} | _columns(trained, answer, set(kept))
    )
    written = str(save_table(answers, out)) if out is not None else None
    monitor(Progress(label="predicting", done=2, total=2))
    card = trained.artefact.card
    return {
        "model": str(trained.artefact.path),
        "target": card.target,
        "rung": card.learner,
        "kind": trained.codec.kind,
        "rows": table.rows,
        "classes": list(trained.classes),
        "threshold": trained.threshold if trained.codec.kind == "binary" else None,
        "origin": list(table.origin.notes),
        "notes": list(notes),
        "out": written,
        "table": answers,
    }


def _kept(table: Table, keep: tuple[str, ...]) -> dict[str, Any]:
    for name in keep:
        if name not in table.names:
            hint = did_you_mean(name, table.names)
            listed = f"columns: {', '.join(table.names[:20])}"
            raise SchemaError(
                f"column to keep {name!r} not found", remedy=f"{hint} {listed}".strip()
            )
    return {name: table.arrow.column(name) for name in keep}


def _columns(trained: Any, answer: np.ndarray, taken: set[str]) -> dict[str, Any]:
    """Return the predictions and, for classes, their probabilities, under names of their own."""
    columns: dict[str, Any] = {"prediction": trained.decide(answer)}
    if trained.codec.kind != "regression":
        for place, label in enumerate(trained.classes):
            columns[f"probability_{label}"] = answer[:, place]
    clash = taken & (columns.keys() | {"row"})
    if clash:
        raise SchemaError(
            f"a kept column is called {sorted(clash)[0]!r}, like one of the answer",
            remedy="rename it in the source, or leave it out of --keep",
        )
    return columns
