"""Predict: a trained model's answers for new rows, in their order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from neuroscope.base.errors import InputError, NeuroscopeError, SchemaError, did_you_mean
from neuroscope.base.events import Monitor, Progress, ignore
from neuroscope.base.nouns import noun_of
from neuroscope.data.images.column import owns_pictures
from neuroscope.data.sources import read
from neuroscope.data.table import Table
from neuroscope.data.writing import assembled, check_ending
from neuroscope.verbs._forecasts import predict as forecasts
from neuroscope.verbs._pictures.rows import answers, model_pictures, names_of, outside, renamed
from neuroscope.verbs._pictures.sheet import check_sheet, draw_sheet
from neuroscope.verbs._save import save_table
from neuroscope.verbs._series.rows import sequence_name
from neuroscope.verbs.load import load


def predict(
    model: Any,
    source: Any,
    *,
    out: str | None = None,
    sheet: str | None = None,
    keep: tuple[str, ...] = (),
    sql: str | None = None,
    horizon: int | None = None,
    monitor: Monitor = ignore,
) -> dict[str, Any]:
    """Predict every row of `source`; the rows stay in their order, none is left out.

    `model` is what `load` takes, or a loaded model. `keep` names columns of the source that are
    carried along, as is what names a sequence. The result has "table" (Arrow): the row number from
    1, the kept columns,
    "prediction" and for classes the probability of each. It is written to `out`
    (.csv, .parquet, .jsonl) when that is given. "notes" says what was ignored or unseen.

    A model of series continues each of them by `horizon` steps, see `_forecasts.predict`.
    Pictures in files come with the "picture" (its path) first, and a last column "problem": why
    one has no prediction. A contact sheet of them goes to `sheet` (.png, .jpg), or beside `out`.
    Raises SchemaError for missing columns, ModelError for an unusable model.
    """
    if out is not None:
        check_ending(out)
    if sheet is not None:
        check_sheet(sheet)
    trained = load(model) if isinstance(model, str) or hasattr(model, "__fspath__") else model
    monitor(Progress(label="reading the data", done=0, total=2))
    table = read(source, sql=sql, monitor=monitor)
    monitor(Progress(label="predicting", done=1, total=2))
    if trained.codec.kind == "forecast":
        _refuse(sheet is not None or bool(keep), "--sheet and --keep say nothing about forecasts")
        return forecasts.predict(trained, table, horizon=horizon, out=out, monitor=monitor)
    _refuse(horizon is not None, "--horizon is for forecasts, and this model makes none")
    table = trained.as_rows(renamed(table, trained))
    try:
        kept = _kept(table, (*sequence_name(trained, table), *keep))
        if not table.rows:
            raise InputError("there are no rows to predict", remedy="give at least one row")
        answer, notes, problems = answers(trained, table)
        shown = None if sheet is None and out is None else model_pictures(trained)
        if sheet is not None and shown is None:
            raise InputError("a contact sheet shows pictures, and this model reads none",
                             remedy="leave --sheet out")  # fmt: skip
    except NeuroscopeError as error:
        known = error.where.startswith(table.origin.text)
        raise (error if known else error.at(table.origin.text)) from error
    predicted = _columns(trained, answer, problems, set(kept))
    whole = _assembled(table, trained, kept, predicted, problems)
    written = str(save_table(whole, out)) if out is not None else None
    drawn = None
    if shown is not None:
        place = sheet or str(Path(str(out)).with_suffix("")) + "-sheet.jpg"
        drawn = draw_sheet(table, shown, predicted, place)
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
        "noun": noun_of(card.task),
        "notes": [
            *notes,
            *_unread(problems, table),
            *([drawn.note] if drawn and drawn.note else []),
        ],
        "out": written,
        "sheet": drawn and str(drawn.path),
        "table": whole,
    }


def _refuse(wrong: bool, what: str) -> None:
    if wrong:
        raise InputError(what, remedy="leave it out")


def _kept(table: Table, keep: tuple[str, ...]) -> dict[str, Any]:
    for name in keep:
        if name not in table.names:
            hint = did_you_mean(name, table.names)
            listed = f"columns: {', '.join(table.names[:20])}"
            raise SchemaError(
                f"column to keep {name!r} not found", remedy=f"{hint} {listed}".strip()
            )
    return {name: table.arrow.column(name) for name in keep}


def _columns(
    trained: Any, answer: np.ndarray, problems: np.ndarray, taken: set[str]
) -> dict[str, Any]:
    """Return the predictions and, for classes, their probabilities, under names of their own.

    Rows with a problem have neither.
    """
    sound = problems == ""
    known = answer[sound]
    columns = {"prediction": _scattered(trained.decide(known), sound)}
    if trained.codec.kind != "regression":
        for place, label in enumerate(trained.classes):
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


def _assembled(
    table: Table, trained: Any, kept: dict[str, Any], predicted: dict[str, Any],
    problems: np.ndarray,
) -> pa.Table:  # fmt: skip
    """Return the answer as a table; pictures come with their path, their problem, and the files
    of the source that could not be read at all.
    """
    rows = {"row": np.arange(1, table.rows + 1)}
    column = model_pictures(trained)
    names = names_of(table, column) if column is not None else None
    if names is None:
        return assembled(rows | kept | predicted)
    own = outside(table)
    first = {"picture": names} | ({} if owns_pictures(table.origin) else rows)
    last = {"problem": problems.tolist()}
    whole = assembled(first | kept | predicted | last)
    if not own:
        return whole
    more = pa.table({"picture": [one.name for one in own], "problem": [one.reason for one in own]})
    return pa.concat_tables([whole, more], promote_options="default")


def _unread(problems: np.ndarray, table: Table) -> list[str]:
    """Say how many pictures have no prediction; which ones stands in the table."""
    count = int((problems != "").sum()) + len(outside(table))
    if not count:
        return []
    which = "1 file has no prediction: it" if count == 1 else f"{count:,} files have no prediction:"
    many = "" if count == 1 else " they"
    return [f"{which}{many} cannot be read as a picture; why stands in the column problem"]
