"""Judge, where a case is a row: scores of the rows whose target is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroscope.base.errors import InputError, NeuroscopeError, SchemaError, did_you_mean
from neuroscope.base.events import Monitor, Progress
from neuroscope.base.nouns import called, noun_of
from neuroscope.data.align import align
from neuroscope.data.columns import cells
from neuroscope.data.fingerprint import fingerprint
from neuroscope.data.sketch import SEEN_ROWS, Seen, recognise
from neuroscope.data.splits import whole_groups
from neuroscope.data.table import Table
from neuroscope.judge.calibration import calibration
from neuroscope.judge.confusion import confusion
from neuroscope.judge.detection import detection
from neuroscope.judge.groups import by_group
from neuroscope.judge.intervals import Resampling, bootstrap
from neuroscope.judge.metrics import METRICS, applicable, primary_metric, scores
from neuroscope.judge.residuals import residuals
from neuroscope.judge.threshold import Cost, best_threshold, mean_cost
from neuroscope.tasks._rows.posing import row_weights
from neuroscope.verbs._rows.answers import Answers, answered

if TYPE_CHECKING:
    from neuroscope.verbs.judge import JudgeOptions

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


def judge(model: Any, table: Table, options: JudgeOptions, monitor: Monitor) -> dict[str, Any]:
    """Score a model on the rows of a table whose target is known."""
    return judged(model, model.as_rows(table), options, monitor, answered)


def judged(
    model: Any, table: Table, options: JudgeOptions, monitor: Monitor, answers: Answers
) -> dict[str, Any]:
    """Score what `answers` gives for the rows of a table as the model knows them."""
    try:
        groups = None if options.group is None else _groups(table, options.group)
        monitor(Progress(label="predicting", done=1, total=3))
        known, notes = _judged(model, table, options.seed, answers)
    except NeuroscopeError as error:
        named = error.where.startswith(table.origin.text)
        raise (error if named else error.at(table.origin.text)) from error
    monitor(Progress(label="judging", done=2, total=3))
    found = _report(known) | _views(known)
    if options.cost is not None:
        found["cost"] = _cost(known, options.cost)
    if groups is not None:
        said = by_group(known.kind, known.y, known.p, groups[known.rows], plan=known.plan,
                        weights=known.weights)  # fmt: skip
        found["groups"] = {"column": options.group} | said.to_json()
    monitor(Progress(label="judging", done=3, total=3))
    seen = recognise(align(table, model.schema)[0], model.schema,
                     model.artefact.parts.get(SEEN_ROWS, {}))  # fmt: skip
    own = model.artefact.card.data_fingerprint == fingerprint(table)
    warning = _OWN_ROWS if own else _partly_seen(seen)
    noun = noun_of(model.artefact.card.task)
    return found | {
        "warnings": [called(warning, noun)] if warning else [],
        "notes": notes,
        "seen_in_training": None if seen is None else {
            "rows": round(seen.share * seen.rows), "share": seen.share,
            "exact": seen.looked_at == seen.rows,
        },
    }  # fmt: skip


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


def _groups(table: Table, name: str) -> np.ndarray:
    if name not in table.names:
        hint = did_you_mean(name, table.names)
        listed = f"columns: {', '.join(table.names[:20])}"
        raise SchemaError(f"group column {name!r} not found", remedy=f"{hint} {listed}".strip())
    codes, labels = cells(table, name).categories()
    return np.array([*labels, None], dtype=object)[codes]


def _judged(trained: Any, table: Table, seed: int, answers: Answers) -> tuple[_Judged, list[str]]:
    target, noun = trained.codec.column, noun_of(trained.artefact.card.task)
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
        raise InputError(f"no {noun} with a true value can be read", remedy="mend the files")
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
        notes.append(f"{noun}s that cannot be read, left out: {int(unread.sum()):,}")
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
