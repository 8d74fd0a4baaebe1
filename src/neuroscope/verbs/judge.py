"""Judge: honest numbers of a trained model on labelled rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neuroscope.base.errors import InputError, NeuroscopeError, SchemaError, did_you_mean
from neuroscope.base.events import Monitor, Progress, ignore
from neuroscope.base.nouns import called, noun_of
from neuroscope.data.align import align
from neuroscope.data.columns import cells
from neuroscope.data.fingerprint import fingerprint
from neuroscope.data.sketch import SEEN_ROWS, Seen, recognise
from neuroscope.data.sources import read
from neuroscope.data.splits import whole_groups
from neuroscope.data.table import Table
from neuroscope.judge.calibration import calibration
from neuroscope.judge.confusion import confusion
from neuroscope.judge.detection import detection
from neuroscope.judge.groups import by_group
from neuroscope.judge.intervals import Resampling, bootstrap
from neuroscope.judge.metrics import METRICS, applicable, primary_metric, scores
from neuroscope.judge.residuals import residuals
from neuroscope.judge.threshold import Cost, best_threshold, mean_cost, parse_cost
from neuroscope.tasks._posing import row_weights
from neuroscope.verbs._forecasts import judge as forecasts
from neuroscope.verbs._pictures.rows import answers, renamed
from neuroscope.verbs._words import fitting_words
from neuroscope.verbs.load import load

_NO_INTERVAL = ("precision", "recall", "specificity", "f1", "mcc", "median_absolute_error")
_RANKINGS = ("roc_auc", "pr_auc")  # each resample passes over all rows once a class
_FEW_CLASSES = 64  # up to which that takes seconds
_SEEN_MATTERS = 0.02  # share of rows, beyond the twins in the data, from which it is told
_OWN_ROWS = (
    "these are the rows the model was made from, and it was trained on most of them: the figures "
    "flatter it; the test figures in its report are the honest ones"
)


@dataclass(frozen=True)
class _Judged:
    """The rows that have a target: truth, predictions and weights."""

    model: Any
    table: Table
    rows: np.ndarray  # row numbers in the table
    y: np.ndarray
    p: np.ndarray
    weights: np.ndarray | None
    groups: np.ndarray | None  # rows that belong together: the group column of the training
    plan: Resampling

    @property
    def kind(self) -> Any:
        return self.model.codec.kind


def judge(
    model: Any,
    source: Any,
    *,
    group: str | None = None,
    cost: str | None = None,
    sql: str | None = None,
    seed: int = 0,
    monitor: Monitor = ignore,
) -> dict[str, Any]:
    """Score a model on rows whose target is known, with 95 % bootstrap intervals.

    `group` names a column of the source: each of its values is scored apart, with the gaps
    between them. `cost` ("false_positive=1,false_negative=5") prices the decisions of a binary
    model. Rows without a target are left out and counted. "warnings" says when the rows are those
    the model was made from, or some of them are rows it was trained on; "seen_in_training" how
    many (None: the model does not know its rows, or a column is missing).
    """
    trained = load(model) if isinstance(model, str) or hasattr(model, "__fspath__") else model
    priced = _priced(trained, cost)
    monitor(Progress(label="reading the data", done=0, total=3))
    table = read(source, sql=sql, monitor=monitor)
    if trained.codec.kind == "forecast":
        if group is not None:
            raise InputError("groups say nothing about forecasts", remedy="leave --group out")
        found = forecasts.judge(trained, table, seed=seed, monitor=monitor)
        return fitting_words(found, trained.artefact.card.task)
    table = trained.as_rows(renamed(table, trained))
    try:
        groups = None if group is None else _groups(table, group)
        monitor(Progress(label="predicting", done=1, total=3))
        judged, notes = _judged(trained, table, seed)
    except NeuroscopeError as error:
        known = error.where.startswith(table.origin.text)
        raise (error if known else error.at(table.origin.text)) from error
    monitor(Progress(label="judging", done=2, total=3))
    found = _report(judged) | _views(judged)
    if priced is not None:
        found["cost"] = _cost(judged, priced)
    if groups is not None:
        said = by_group(judged.kind, judged.y, judged.p, groups[judged.rows], plan=judged.plan,
                        weights=judged.weights)  # fmt: skip
        found["groups"] = {"column": group} | said.to_json()
    monitor(Progress(label="judging", done=3, total=3))
    seen = recognise(align(table, trained.schema)[0], trained.schema,
                     trained.artefact.parts.get(SEEN_ROWS, {}))  # fmt: skip
    own = trained.artefact.card.data_fingerprint == fingerprint(table)
    warning = _OWN_ROWS if own else _partly_seen(seen)
    task = trained.artefact.card.task
    return fitting_words(found | {
        "warnings": [called(warning, noun_of(task))] if warning else [],
        "notes": notes,
        "seen_in_training": None if seen is None else {
            "rows": round(seen.share * seen.rows), "share": seen.share,
            "exact": seen.looked_at == seen.rows,
        },
    }, task)  # fmt: skip


def _partly_seen(seen: Seen | None) -> str:
    """Say so when more of the rows are training rows than twins in the data explain."""
    if seen is None or not seen.seen or seen.share < seen.usual + _SEEN_MATTERS:
        return ""
    exact = seen.looked_at == seen.rows
    rows = f"{seen.seen:,} of the {seen.rows:,}" if exact else f"about {100 * seen.share:.0f} % of"
    return (
        f"{rows} rows are rows that the model was trained on: the figures flatter it; judge it on "
        "rows that it has not seen"
    )


def _priced(trained: Any, cost: str | None) -> Cost | None:
    if cost is None:
        return None
    if trained.codec.kind != "binary":
        raise InputError(
            f"costs weigh the errors of a yes or no; {trained.codec.column!r} is no such target",
            remedy="leave --cost out",
        )
    return parse_cost(cost)


def _groups(table: Table, name: str) -> np.ndarray:
    if name not in table.names:
        hint = did_you_mean(name, table.names)
        listed = f"columns: {', '.join(table.names[:20])}"
        raise SchemaError(f"group column {name!r} not found", remedy=f"{hint} {listed}".strip())
    codes, labels = cells(table, name).categories()
    return np.array([*labels, None], dtype=object)[codes]


def _judged(trained: Any, table: Table, seed: int) -> tuple[_Judged, list[str]]:
    target = trained.codec.column
    if target not in table.names:
        hint = did_you_mean(target, table.names)
        raise SchemaError(
            f"the target {target!r} is not among the columns, so nothing can be judged",
            remedy=hint or "give rows with their true values, or use predict",
        )
    rows, unlabelled = _labelled(trained, table)
    answer, said, problems = answers(trained, table)
    unread = problems[rows] != ""
    rows = rows[~unread]
    if not len(rows):
        raise InputError("no picture with a true value can be read", remedy="mend the files")
    y = trained.codec.encode(cells(table, target, rows))
    if trained.codec.kind == "regression":
        y = trained.codec.decode(y)
    column = trained.schema.by_role("weight")
    weights = None
    notes = list(said)
    if column is not None and column.name in table.names:
        weights = row_weights(table, column.name, rows)
        if not weights.any():
            weights = None
            notes.append(f"all weights in column {column.name!r} are 0: all rows count alike")
    if unread.any():
        notes.append(f"pictures that cannot be read, left out: {int(unread.sum()):,}")
    if column is not None and column.name not in table.names:
        notes.append(f"no weight column {column.name!r}: all rows count alike")
    if unlabelled:
        notes.append(f"rows without a target, left out: {unlabelled:,} of {table.rows:,}")
    plan = Resampling(seed=seed, threshold=trained.threshold)
    blocks = _blocks(trained, table)
    blocks = None if blocks is None else blocks[rows]
    return _Judged(trained, table, rows, y, answer[rows], weights, blocks, plan), notes


def _blocks(trained: Any, table: Table) -> np.ndarray | None:
    """Return which rows belong together, where the model was trained with --group."""
    column = trained.schema.by_role("group")
    if column is None or column.name not in table.names:
        return None
    groups = whole_groups(table, column.name)
    return groups if len(np.unique(groups)) > 1 else None


def _labelled(trained: Any, table: Table) -> tuple[np.ndarray, int]:
    aligned, _ = align(table, trained.schema)
    column = cells(aligned, trained.codec.column)
    if trained.codec.kind == "regression":
        rows = np.flatnonzero(np.isfinite(column.numbers()))
    else:
        rows = np.flatnonzero(column.categories()[0] >= 0)
    if not len(rows):
        raise InputError(
            "no row has a true value to judge by", where=f"column {trained.codec.column!r}",
            remedy="give labelled rows",
        )  # fmt: skip
    return rows, table.rows - len(rows)


def _report(judged: _Judged) -> dict[str, Any]:
    kind, trained = judged.kind, judged.model
    known = scores(kind, judged.y, judged.p, threshold=trained.threshold, weights=judged.weights)
    positive = trained.classes[-1] if kind == "binary" else ""
    main = METRICS[primary_metric(kind, judged.y)[0]]
    intervals = {}
    skipped = _NO_INTERVAL + (_RANKINGS if len(trained.classes) > _FEW_CLASSES else ())
    for metric in applicable(kind):
        if metric.name not in skipped and np.isfinite(known[metric.name]):
            found = bootstrap(metric, judged.y, judged.p, judged.plan, judged.weights,
                              judged.groups)  # fmt: skip
            intervals[metric.name] = [found.low, found.high]
    return {
        "model": str(trained.artefact.path),
        "source": judged.table.origin.text,
        "target": trained.codec.column,
        "rung": trained.artefact.card.learner,
        "kind": kind,
        "positive": positive,
        "rows": len(judged.y),
        "threshold": trained.threshold if kind == "binary" else None,
        "metric": {"name": main.name, "title": main.title,
                   "meaning": main.words(known[main.name], positive)},
        "scores": [
            {"name": m.name, "title": m.title, "value": known[m.name],
             "interval": intervals.get(m.name), "greater_is_better": m.greater_is_better,
             "in_target_units": m.in_target_units,
             "meaning": m.words(known[m.name], positive)}
            for m in applicable(kind)
        ],
        "test_when_trained": dict(trained.artefact.card.metrics),
    }  # fmt: skip


def _views(judged: _Judged) -> dict[str, Any]:
    if judged.kind == "regression":
        record = residuals(judged.y, judged.p, weights=judged.weights).to_json()
        return {"residuals": record | {"worst": _numbered(record["worst"], judged.rows)}}
    table = confusion(judged.y, judged.p, judged.model.classes, judged.model.threshold,
                      judged.weights).to_json()  # fmt: skip
    table["surest_mistakes"] = _numbered(table["surest_mistakes"], judged.rows)
    curve = calibration(judged.y, judged.p, weights=judged.weights)
    views = {"confusion": table, "calibration": curve.to_json()}
    if judged.kind == "binary":
        found = detection(judged.y, judged.p, judged.model.classes[-1], judged.plan,
                          judged.weights, judged.groups)  # fmt: skip
        views |= {} if found is None else {"detection": found.to_json()}
    return views


def _numbered(entries: list[dict[str, Any]], rows: np.ndarray) -> list[dict[str, Any]]:
    """Replace positions by data row numbers, counted from 1."""
    return [entry | {"row": int(rows[entry["row"]]) + 1} for entry in entries]


def _cost(judged: _Judged, cost: Cost) -> dict[str, Any]:
    """Return what the model's decisions cost per row, and the threshold that would cost least."""
    paid = mean_cost(judged.y, judged.p[:, 1], judged.model.threshold, cost, judged.weights)
    best = best_threshold(judged.y, judged.p[:, 1], cost, judged.weights).to_json()
    return {"cost": str(cost), "per_row": paid, "best_on_these_rows": best}  # fmt: skip
