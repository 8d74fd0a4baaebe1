"""What a fitted model of a table looks at, as blocks of a run's result."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from neuroscope.base import randomness
from neuroscope.base.plain import plain
from neuroscope.data.encoders import Encoder
from neuroscope.explain.importance import Predict, effects, permutation_importance
from neuroscope.judge.intervals import Resampling, resample
from neuroscope.judge.metrics import Metric
from neuroscope.tasks._learning import Learner, Problem
from neuroscope.tasks._net import NetLearner

SECONDS = 10.0  # at most, of importance
_MOST_ROWS = 2000  # shuffled; more would only narrow the intervals
_RESAMPLES = 200
_MOST_WEIGHTS = 200  # features told of a single neuron


def explained(
    problem: Problem,
    learner: Learner,
    rows: np.ndarray,
    metric: Metric,
    *,
    seconds: float | None = None,
    temperature: float = 1.0,
) -> dict[str, Any]:
    """Return the blocks "importance" and, of a single layer of neurons, "weights".

    `rows` are held-out rows, at best those of the test. Empty for a learner that reads no columns,
    and where less than a tenth of a second is left.
    """
    seconds = SECONDS if seconds is None else min(seconds, SECONDS)
    if not isinstance(learner.encoder, Encoder) or seconds < 0.1:
        return {}
    return {
        "importance": importance(problem, learner, rows, metric, problem.seed, seconds),
        "weights": weights(problem, learner, rows, temperature),
    }


def importance(
    problem: Problem,
    learner: Learner,
    rows: np.ndarray,
    metric: Metric,
    seed: int = 0,
    seconds: float = SECONDS,
) -> list[dict[str, Any]]:
    """Return what `metric` loses without each column: {column, drop, interval, share}.

    A loss is positive whichever way the metric points. All encoded columns of one column are
    shuffled together. Above 2,000 rows a sample is taken, drawn by `seed`.
    """
    if not isinstance(learner.encoder, Encoder):
        return []
    rows, x = _sample(problem, learner.encoder, rows, seed)

    def predict(encoded: np.ndarray) -> np.ndarray:
        answer = learner.predict(encoded)
        return problem.codec.decode(answer) if problem.kind == "regression" else answer

    places = _places(learner.encoder)
    return lost(problem, predict, x, places, metric, rows, seed=seed, seconds=seconds)


def lost(
    problem: Problem,
    predict: Predict,
    x: np.ndarray,  # (n, d) what `predict` reads of `rows`
    places: Mapping[str, np.ndarray],  # name -> the places (of d) that are shuffled together
    metric: Metric,
    rows: np.ndarray,  # (n,)
    *,
    seed: int,
    seconds: float,
) -> list[dict[str, Any]]:
    """Return what `metric` loses without each column: {column, drop, interval, share}."""
    y, row_weights = problem.y[rows], problem.weights_of(rows)
    plan = Resampling(seed=seed, resamples=_RESAMPLES)

    def merits(predictions: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        known = resample(metric, y, predictions, plan, row_weights, problem.groups_of(rows))
        return metric.sign * known.values, metric.sign * known.draws

    found = permutation_importance(predict, merits, x, places, seed=seed, seconds=seconds)
    return [
        {"column": one.column, "drop": plain(one.drop), "interval": plain([one.low, one.high]),
         "share": one.share}
        for one in found if math.isfinite(one.drop)
    ]  # fmt: skip


def _sample(
    problem: Problem, encoder: Encoder, rows: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    if len(rows) > _MOST_ROWS:
        random = randomness.generator(seed, "importance rows")
        rows = np.sort(random.choice(rows, _MOST_ROWS, replace=False))
    return rows, encoder.transform(problem.table, rows).x


def _places(encoder: Encoder) -> dict[str, np.ndarray]:
    """Return which encoded columns belong to each column that has some."""
    sources = encoder.sources
    places = {name: np.flatnonzero(sources == i) for i, name in enumerate(encoder.columns)}
    return {name: found for name, found in places.items() if len(found)}


def weights(
    problem: Problem, learner: Learner, rows: np.ndarray, temperature: float = 1.0
) -> dict[str, Any] | None:
    """Return what one standard deviation of each feature adds to a single layer's answer.

    Exact, for the layer is linear: in log-odds of the positive class, in log-odds of each class
    against the average class, or in units of the target. None for any other learner.
    """
    if not isinstance(learner, NetLearner) or learner.network.activations[:-1]:
        return None
    encoder = learner.encoder
    if not isinstance(encoder, Encoder):
        return None
    several = problem.kind == "multiclass"
    x = _sample(problem, encoder, rows, problem.seed)[1]
    found = effects(learner.network.layer(0)[0], x, classes=several) / temperature
    if problem.kind == "regression":
        found = found * problem.codec.scale
    order = np.argsort(-np.abs(found).max(axis=1), kind="stable")
    columns = [encoder.columns[i] for i in encoder.sources]
    return {
        "unit": "target" if problem.kind == "regression" else "log-odds",
        "outputs": list(problem.codec.classes if several else problem.codec.classes[1:])
        or [problem.codec.column],
        "features": [
            {"feature": encoder.names[i], "column": columns[i], "effects": plain(found[i])}
            for i in order[:_MOST_WEIGHTS]
        ],
        "left_out": max(len(order) - _MOST_WEIGHTS, 0),
    }
