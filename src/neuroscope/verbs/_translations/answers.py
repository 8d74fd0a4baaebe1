"""A trained translator at work: texts translated, and translations scored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroscope.base.errors import InputError, NeuroscopeError, SchemaError, did_you_mean
from neuroscope.base.events import Monitor, Progress
from neuroscope.base.nouns import noun_of
from neuroscope.data.fingerprint import fingerprint
from neuroscope.data.sources import aligned
from neuroscope.data.sources import read as read_source
from neuroscope.data.table import Table
from neuroscope.data.writing import assembled
from neuroscope.judge.intervals import Resampling, bootstrap
from neuroscope.judge.metrics import METRICS, applicable, primary_metric, scores
from neuroscope.tasks._translation.model import TranslationModel
from neuroscope.tasks._translation.nets import BEAM
from neuroscope.tasks._translation.posing import KIND
from neuroscope.tasks._translation.sentences import Sentences, texts_of
from neuroscope.verbs._save import save_table

if TYPE_CHECKING:
    from neuroscope.verbs.judge import JudgeOptions
    from neuroscope.verbs.predict import PredictOptions

_OWN_ROWS = (
    "these are the rows the model was made from, and it was trained on most of them: the figures "
    "flatter it; the test figures in its report are the honest ones"
)


def read(source: Any, sql: str | None, monitor: Monitor) -> Table:
    """Read a source; of a text file (.txt) each line is a text, whatever signs it holds."""
    if isinstance(source, str | Path) and aligned.is_text(str(source)) and sql is None:
        return aligned.read_lines(str(source))
    return read_source(source, sql=sql, monitor=monitor)


def predict(
    model: TranslationModel, table: Table, options: PredictOptions, monitor: Monitor
) -> dict[str, Any]:
    """Translate a column of a table; its rows stay in their order, none is left out.

    The table of the answer has the row number from 1, the kept columns, the text that was read and
    "translation". Raises SchemaError where no column can be translated.
    """
    options.only("keep", "beam", about="translations")
    beam = BEAM if options.beam is None else options.beam
    if not 1 <= beam <= 100:
        raise InputError(f"beam is {beam}", remedy="give 1 (greedy) to 100")
    try:
        column = model.source_column(table)
        kept = _kept(table, options.keep, column)
        if not table.rows:
            raise InputError("there are no rows to predict", remedy="give at least one row")
    except NeuroscopeError as error:
        raise error.at(table.origin.text) from error
    texts = texts_of(table, column)
    written, cut = model.translated(texts, beam=beam)
    whole = assembled({
        "row": np.arange(1, table.rows + 1), **kept, column: texts,
        "translation": written,
    })  # fmt: skip
    file = str(save_table(whole, options.out)) if options.out is not None else None
    monitor(Progress(label="predicting", done=2, total=2))
    card = model.artefact.card
    return {
        "model": str(model.artefact.path), "target": card.target, "rung": card.learner,
        "kind": KIND, "rows": table.rows, "classes": [], "threshold": None,
        "origin": list(table.origin.notes), "noun": noun_of(card.task), "beam": beam,
        "notes": _notes(model, column, texts, cut), "out": file, "sheet": None, "table": whole,
    }  # fmt: skip


def _kept(table: Table, keep: tuple[str, ...], column: str) -> dict[str, Any]:
    for name in keep:
        if name not in table.names:
            hint = did_you_mean(name, table.names)
            listed = f"columns: {', '.join(table.names[:20])}"
            raise SchemaError(f"column to keep {name!r} not found", remedy=hint or listed)
        if name in ("row", "translation"):
            raise SchemaError(
                f"a kept column is called {name!r}, like one of the answer",
                remedy="rename it in the source, or leave it out of --keep",
            )
    return {name: table.arrow.column(name) for name in keep if name != column}


def _notes(model: TranslationModel, column: str, texts: list[str], cut: int) -> list[str]:
    from neuroscope.tasks._translation.sentences import LONGEST, MOST_CHARACTERS  # noqa: PLC0415

    notes = []
    if column != model.encoder.source:
        notes.append(f"column {column!r} is translated: the model calls it "
                     f"{model.encoder.source!r}")  # fmt: skip
    empty = sum(not text for text in texts)
    if empty:
        notes.append(f"empty texts, which stay empty: {empty:,}")
    tokens = model.encoder.tokeniser.encode(texts)  # a pretrained net's are about as many
    long = sum(len(one) > LONGEST for one in tokens)
    if long:
        notes.append(
            f"texts of more than {LONGEST} tokens, of which only the beginning is translated: "
            f"{long:,}; cut them into sentences"
        )
    endless = sum(len(text) >= MOST_CHARACTERS for text in texts)
    if endless:
        notes.append(f"texts of {MOST_CHARACTERS:,} characters or more, cut there: {endless:,}")
    if cut:
        notes.append(f"translations that found no end in the room that training pairs need, and "
                     f"were cut: {cut:,}")  # fmt: skip
    return notes


def judge(
    model: TranslationModel, table: Table, options: JudgeOptions, monitor: Monitor
) -> dict[str, Any]:
    """Score the translations of the pairs of a table that have both sides."""
    if options.group is not None:
        raise InputError("groups say nothing about translations", remedy="leave --group out")
    try:
        x, lacking = _pairs(model, table)
    except NeuroscopeError as error:
        raise error.at(table.origin.text) from error
    monitor(Progress(label="predicting", done=1, total=3))
    p = model.learner.predict(x)
    y = np.array([[len(text) + 1.0] for text in x.references])
    monitor(Progress(label="judging", done=3, total=3))
    own = model.artefact.card.data_fingerprint == fingerprint(table)
    return _report(model, table, y, p, options.seed) | {
        "warnings": [_OWN_ROWS] if own else [],
        "notes": [f"pairs with an empty side, left out: {lacking:,}"] if lacking else [],
        "seen_in_training": None,
    }  # fmt: skip


def _pairs(model: TranslationModel, table: Table) -> tuple[Sentences, int]:
    """Return the pairs that have both sides, and how many have not."""
    target = model.encoder.target
    if target not in table.names:
        raise SchemaError(
            f"the target {target!r} is not among the columns, so nothing can be judged",
            remedy=did_you_mean(target, table.names)
            or "give texts with their translations, or use predict",
        )
    source, wanted = texts_of(table, model.source_column(table)), texts_of(table, target)
    kept = [(a, b) for a, b in zip(source, wanted, strict=True) if a and b]
    if not kept:
        raise InputError("no row has both sides", where=f"column {target!r}",
                         remedy="give sentences with their translations")  # fmt: skip
    left, right = zip(*kept, strict=True)
    return Sentences(left, right, model.encoder.vocabulary), table.rows - len(kept)


def _report(
    model: TranslationModel, table: Table, y: np.ndarray, p: np.ndarray, seed: int
) -> dict[str, Any]:
    known, plan = scores(KIND, y, p), Resampling(seed=seed)
    main = METRICS[primary_metric(KIND, y)[0]]
    listed = []
    for metric in applicable(KIND):
        interval = None
        if len(y) > 1 and np.isfinite(known[metric.name]):
            found = bootstrap(metric, y, p, plan)
            interval = [found.low, found.high]
        listed.append({
            "name": metric.name, "title": metric.title, "value": known[metric.name],
            "interval": interval, "greater_is_better": metric.greater_is_better,
            "in_target_units": metric.in_target_units, "meaning": metric.words(known[metric.name]),
        })  # fmt: skip
    card = model.artefact.card
    return {
        "model": str(model.artefact.path), "source": table.origin.text, "target": card.target,
        "rung": card.learner, "kind": KIND, "positive": "", "rows": len(y), "threshold": None,
        "metric": {"name": main.name, "title": main.title,
                   "meaning": main.words(known[main.name])},
        "scores": listed, "test_when_trained": dict(card.metrics),
    }  # fmt: skip
