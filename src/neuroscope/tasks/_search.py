"""The small search: try a few recipes on an inner split of the training rows, keep the best.

It is made once, on the training rows of the first fold. Where there are several folds, these rows
are held out in the others, whose scores are therefore those of a recipe that has seen some of
their labels: with five candidates a slight flattery. Searching in every fold anew would be free of
it at five times the cost; the test rows are free of it in any case.
Groups stay whole. With a time column the inner splits are random ones of the older rows.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import ModuleType
from typing import Any, TypeVar

import numpy as np

from neuroscope.base import settings
from neuroscope.base.events import SearchTried, ignore
from neuroscope.base.recipe import Recipe
from neuroscope.data.splits import inner_split
from neuroscope.judge.metrics import Metric
from neuroscope.tasks._learning import Training, Watch, predict

_JUDGED_ROWS = 2000  # inner rows below which a score is too noisy to pick by one split alone
_MOST_SPLITS = 5

LANES = settings.cores()  # fits that run side by side

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
    workers = min(len(items), LANES) if parallel else 1
    if workers <= 1:
        return [work(item) for item in items]
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 - scans the loaded libraries

    # One thread of BLAS a lane: two lanes with two threads each would wait for one another.
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(workers) as pool:
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
    """Return the recipe to use, and all trials with their scores on inner splits.

    The candidates come best guess first, and the first one stays unless a later one is better by
    more than one standard error over the splits (where there are several). `watch.seconds` is the
    time of the whole search; candidates that no longer fit are left out.
    """
    if len(candidates) == 1:
        return candidates[0], []
    problem = training.problem
    parts = _parts(training)
    seconds = watch.seconds and watch.seconds / (len(candidates) * len(parts)) * LANES
    quiet = replace(watch, monitor=ignore, seconds=seconds, fold=-1, valid=None, alone=False)

    def score(trial: tuple[Recipe, tuple[Training, np.ndarray]]) -> float:
        recipe, (learn, held) = trial
        p = predict(problem, rung.fit(learn, recipe, quiet), held)
        return metric.sign * metric(problem.y[held], p, problem.weights_of(held))

    began, scores, trials = time.monotonic(), [], []
    together = LANES if len(parts) == 1 else 1  # candidates tried at once
    for first in range(0, len(candidates), together):
        spent = time.monotonic() - began
        if watch.seconds is not None and first and spent * (1 + together / first) > watch.seconds:
            break
        batch = candidates[first : first + together]
        work = [(recipe, part) for recipe in batch for part in parts]
        values = side_by_side(score, work, parallel=True, stop=watch.stop)
        took = (time.monotonic() - began - spent) / len(batch)
        for number, recipe in enumerate(batch, start=first):
            mine = np.array(values[len(parts) * (number - first) :][: len(parts)])
            scores.append(mine)
            record = {"changes": _differences(candidates[0], recipe),
                      "value": metric.sign * float(mine.mean()), "seconds": took}  # fmt: skip
            trials.append(record)
            watch.tell(SearchTried(
                rung=watch.rung, trial=number + 1, trials=len(candidates), metric=metric.name,
                **record,
            ))  # fmt: skip
    best = candidates[_pick(np.array(scores))]
    return _explained(best, candidates, f"{metric.title} of {len(trials)} recipes tried"), trials


def _parts(training: Training) -> list[tuple[Training, np.ndarray]]:
    """Return inner (training, held-out rows) splits of the training rows."""
    problem, parts = training.problem, []
    groups = problem.groups_of(training.rows)
    for number in range(splits_for(len(training.rows))):
        learn, held = inner_split(
            training.y, seed=problem.seed + number, stratify=problem.kind != "regression",
            groups=groups,
        )  # fmt: skip
        parts.append((training.some(learn), training.rows[held]))
    return parts


def _pick(scores: np.ndarray) -> int:
    """Return the first candidate that is not behind the best by more than one standard error.

    `scores` (candidates, splits), greater is better; with one split, the best.
    """
    means = np.where(np.isfinite(scores).all(axis=1), scores.mean(axis=1), -np.inf)
    if not np.isfinite(means).any():
        return 0
    best, splits = int(means.argmax()), scores.shape[1]
    if splits == 1:
        return best
    behind = scores[best] - scores
    error = behind.std(axis=1, ddof=1) / np.sqrt(splits)
    return int(np.flatnonzero((behind.mean(axis=1) <= error) & np.isfinite(means))[0])


def _explained(best: Recipe, candidates: Sequence[Recipe], what: str) -> Recipe:
    """Add to the reasons of the fields in which the candidates differ that the search kept them."""
    fields = {name for other in candidates for name in _differences(best, other)}
    kept = f"kept by {what} on inner splits"
    reasons = {name: "; ".join(filter(None, [best.reasons.get(name), kept])) for name in fields}
    return replace(best, reasons=dict(best.reasons) | reasons)


def _differences(base: Recipe, other: Recipe) -> dict[str, Any]:
    ours, theirs = base.to_json(), other.to_json()
    return {n: theirs[n] for n in ours if n != "reasons" and ours[n] != theirs[n]}
