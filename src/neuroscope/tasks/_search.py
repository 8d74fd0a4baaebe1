"""The small search: try a few recipes on an inner split of the training rows, keep the best."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import ModuleType
from typing import Any, TypeVar

import numpy as np

from neuroscope.base.events import SearchTried, ignore
from neuroscope.base.recipe import Recipe
from neuroscope.data.splits import inner_split
from neuroscope.judge.metrics import Metric
from neuroscope.tasks._learning import Training, Watch, predict

_JUDGED_ROWS = 2000  # inner rows below which a score is too noisy to pick by one split alone
_MOST_SPLITS = 5

Result = TypeVar("Result")
Item = TypeVar("Item")


def side_by_side(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    parallel: bool,
    stop: threading.Event | None = None,
) -> list[Result]:
    """Return `work` of each item, in order; the compiled loops release Python's lock.

    Ctrl-C and errors reach the caller only when all running items have stopped; Ctrl-C sets
    `stop`, so that they soon do.
    """
    workers = min(len(items), os.cpu_count() or 1) if parallel else 1
    if workers <= 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(workers) as pool:
        try:
            return list(pool.map(work, items))
        except KeyboardInterrupt:
            if stop is not None:
                stop.set()  # before the pool waits for its threads
            raise


def splits_for(rows: int) -> int:
    """Return how many inner splits a trial is scored on: more where one would be noise."""
    return int(np.clip(np.ceil(_JUDGED_ROWS / (0.2 * rows)), 1, _MOST_SPLITS))


def search(
    rung: ModuleType,
    candidates: Sequence[Recipe],
    training: Training,
    metric: Metric,
    watch: Watch,
) -> tuple[Recipe, list[dict[str, Any]]]:
    """Return the recipe with the best score on inner splits, and all trials with their scores.

    `watch.seconds` is the time of the whole search; candidates that no longer fit are left out.
    """
    if len(candidates) == 1:
        return candidates[0], []
    problem = training.problem
    stratify = problem.kind != "regression"
    parts = []
    for number in range(splits_for(len(training.rows))):
        learn, held = inner_split(training.y, seed=problem.seed + number, stratify=stratify)
        parts.append((training.some(learn), training.rows[held]))
    seconds = watch.seconds and watch.seconds / (len(candidates) * len(parts)) * 2
    quiet = replace(watch, monitor=ignore, seconds=seconds, fold=-1, valid=None)
    began, scores, trials = time.monotonic(), [], []

    def score(recipe: Recipe, part: tuple[Training, np.ndarray]) -> float:
        learner = rung.fit(part[0], recipe, quiet)
        return metric(problem.y[part[1]], predict(problem, learner, part[1]),
                      problem.weights_of(part[1]))  # fmt: skip

    for number, recipe in enumerate(candidates):
        spent = time.monotonic() - began
        if watch.seconds is not None and number and spent * (1 + 1 / number) > watch.seconds:
            break
        values = side_by_side(lambda part, r=recipe: score(r, part), parts, parallel=True,
                              stop=watch.stop)  # fmt: skip
        scores.append(metric.sign * float(np.mean(values)))
        changes = _differences(candidates[0], recipe)
        record = {"changes": changes, "value": float(np.mean(values)),
                  "seconds": time.monotonic() - began - spent}  # fmt: skip
        trials.append(record)
        watch.tell(SearchTried(
            rung=watch.rung, trial=number + 1, trials=len(candidates), metric=metric.name, **record
        ))  # fmt: skip
    best = candidates[int(np.nanargmax(scores))] if np.isfinite(scores).any() else candidates[0]
    changed = _differences(candidates[0], best) or _differences(candidates[-1], best)
    reason = f"best {metric.title} of {len(trials)} recipes tried on an inner split"
    return best.because(reason, **{name: getattr(best, name) for name in changed}), trials


def _differences(base: Recipe, other: Recipe) -> dict[str, Any]:
    ours, theirs = base.to_json(), other.to_json()
    return {n: theirs[n] for n in ours if n != "reasons" and ours[n] != theirs[n]}
