"""Over the time of a sequence: when a model became sure, and how early it could decide."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from neuroscope.base.events import Progress
from neuroscope.base.plain import plain
from neuroscope.data.columns import cells
from neuroscope.data.schema import Schema
from neuroscope.data.series.column import Readings, readings, replaced
from neuroscope.judge.earliness import alarms, scores_by_moment, settled
from neuroscope.tasks._learning import Learner, Problem
from neuroscope.verbs._climb.climb import Climb
from neuroscope.verbs._series.memory import memory_view

MOST_MOMENTS = 16
_FEWEST_MOMENTS = 4
_MOST_ROWS = 1000  # test rows looked at
_SECONDS = 20.0  # at most, of all moments
_LEAST_SHARE = 0.02  # of the budget, also when it is used
_SHOWN = 2  # sequences of each class that are drawn
_MOST_CLASSES = 4  # of which some are drawn
_UNITS = (("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0), ("seconds", 1.0))

Calibrate = Callable[[np.ndarray], np.ndarray]


def time_views(
    climb: Climb, learner: Learner, rows: np.ndarray, calibrated: Calibrate
) -> dict[str, Any]:
    """Return {"over_time": answers of test rows from growing parts of their sequences, "memory"}.

    At each moment the model is given a table that ends there. Empty for a learner that reads
    nothing, a number as target, and sequences of a single reading.
    """
    return memory_view(climb, "step") | _over_time(climb, learner, rows, calibrated)


def _over_time(
    climb: Climb, learner: Learner, rows: np.ndarray, calibrated: Calibrate
) -> dict[str, Any]:
    problem = climb.problem
    if learner.encoder is None or problem.kind == "regression":
        return {}
    if len(rows) > _MOST_ROWS:
        rows = rows[:: -(-len(rows) // _MOST_ROWS)]
    found = readings(problem.table, problem.schema, rows)
    moments = moments_of(found)
    if len(moments) < 2:
        return {}
    climb.monitor(Progress(label="watching answers over time", done=0, total=len(moments)))
    began = time.monotonic()
    last = calibrated(answer_until(problem, learner, rows, found, moments[-1]))
    moments = moments[_affordable(climb, len(moments), time.monotonic() - began)]
    said = []
    for number, moment in enumerate(moments[:-1]):
        said.append(calibrated(answer_until(problem, learner, rows, found, moment)))
        climb.monitor(Progress(label="watching answers over time", done=number, total=len(moments)))
    climb.monitor(Progress(label="watching answers over time", done=1, total=1))
    whole = np.stack([*said, last])
    unit, size = unit_of(problem, float(moments[-1]))
    return {"over_time": _block(climb, rows, moments / size, whole) | {"unit": unit}}


def moments_of(found: Readings) -> np.ndarray:
    """Return up to 16 moments since the first reading, the last one when all is known.

    They are the moments of readings where these are few and shared by the rows.
    """
    elapsed = np.unique(found.elapsed)
    if not len(elapsed):
        return elapsed
    if len(elapsed) > MOST_MOMENTS:
        return elapsed[-1] * np.arange(1, MOST_MOMENTS + 1) / MOST_MOMENTS
    return elapsed


def answer_until(
    problem: Problem, learner: Learner, rows: np.ndarray, found: Readings, moment: float
) -> np.ndarray:
    """Return the probabilities (n, k) of rows of which nothing is there after `moment`."""
    assert learner.encoder is not None
    table = replaced(problem.table, problem.schema, rows, found.until(moment))
    return learner.predict(learner.encoder.transform(table).x)


def _affordable(climb: Climb, count: int, seconds_each: float) -> np.ndarray:
    """Return which moments fit into the time, evenly taken, the last one always among them."""
    left = climb.budget.left(0.5)
    limit = _SECONDS
    if left is not None:
        limit = min(limit, max(left, _LEAST_SHARE * (climb.budget.seconds or 0)))
    kept = int(np.clip(limit / max(seconds_each, 1e-6), _FEWEST_MOMENTS, count))
    return np.unique(np.linspace(count - 1, 0, min(kept, count)).round().astype(np.int64))


def unit_of(problem: Problem, longest: float) -> tuple[str, float]:
    """Return what moments are told in, and how many of the table's units that is."""
    axis = problem.schema.by_role("axis")
    if axis is None:
        return "steps", 1.0
    if "timestamp" in axis.storage or "date" in axis.storage:
        return next(((n, size) for n, size in _UNITS if longest >= 2 * size), _UNITS[-1])
    return f"units of {axis.name!r}", 1.0


def _block(climb: Climb, rows: np.ndarray, moments: np.ndarray, said: np.ndarray) -> dict[str, Any]:
    problem, metric = climb.problem, climb.metric
    y, weights = problem.y[rows], problem.weights_of(rows)
    scores = scores_by_moment(metric, y, said, weights)
    block: dict[str, Any] = {
        "moments": plain(moments.tolist()),
        "metric": metric.title,
        "scores": plain(scores),
        "settled": settled(moments, said).to_json(),
        "rows": len(rows),
        "examples": examples(problem.schema, problem, rows, y, said),
        "alarms": [],
    }
    if problem.kind == "binary":
        block["alarms"] = [one.to_json() for one in alarms(moments, y, said[:, :, 1])]
        block["positive"] = str(problem.codec.classes[-1])
    return block


def examples(
    schema: Schema, problem: Problem, rows: np.ndarray, y: np.ndarray, said: np.ndarray
) -> list[dict[str, Any]]:
    """Return of each class the sequence in the middle, and the one that went worst."""
    column = schema.by_role("series")
    names = None if column is None else cells(problem.table, column.name, rows).values.to_pylist()
    shown = []
    for place, label in enumerate(problem.codec.classes[:_MOST_CLASSES]):
        mine = np.flatnonzero(y == place)
        order = mine[np.argsort(said[-1, mine, place], kind="stable")]
        for at in dict.fromkeys([len(order) // 2, 0][: min(_SHOWN, len(order))]):
            row = int(order[at])
            shown.append({
                "row": int(rows[row]) + 1, "truth": str(label),
                "name": str(names[row]) if names else None,
                "said": str(problem.codec.classes[int(said[-1, row].argmax())]),
                "probability": plain(said[:, row, place].tolist()),
            })  # fmt: skip
    return shown
