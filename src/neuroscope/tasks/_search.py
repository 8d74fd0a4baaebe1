"""The small search: which of a few recipes a rung follows.

With several folds every recipe is fitted on all of them, and each fold follows the recipe that did
best on the *others* (`pick_by_others`), so that no recipe is judged on rows it was picked by; in
time order the others are the older folds. With one held-out part the recipes are compared on inner
splits of the training rows (`search`): groups stay whole, and in time order the newest rows judge.
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
from neuroscope.base.errors import BudgetError, DivergedError
from neuroscope.base.events import SearchTried, ignore
from neuroscope.base.recipe import Recipe
from neuroscope.data.splits import inner_split
from neuroscope.judge.metrics import Metric
from neuroscope.tasks._learning import Training, Watch

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
    parts = _parts(training)
    seconds = watch.seconds and watch.seconds / (len(candidates) * len(parts)) * LANES
    quiet = replace(watch, monitor=ignore, seconds=seconds, fold=-1, alone=False)

    def score_of(trial: tuple[Recipe, Training]) -> float:
        recipe, part = trial
        try:
            return score(part, part.predict_held(rung.fit(part, recipe, replace(quiet))), metric)
        except (DivergedError, BudgetError):
            return -np.inf

    began, scores, trials = time.monotonic(), [], []
    together = LANES if len(parts) == 1 else 1  # candidates tried at once
    for first in range(0, len(candidates), together):
        spent = time.monotonic() - began
        if watch.seconds is not None and first and spent * (1 + together / first) > watch.seconds:
            break
        batch = candidates[first : first + together]
        work = [(recipe, part) for recipe in batch for part in parts]
        values = side_by_side(score_of, work, parallel=True, stop=watch.stop)
        took = (time.monotonic() - began - spent) / len(batch)
        for number, recipe in enumerate(batch, start=first):
            mine = np.array(values[len(parts) * (number - first) :][: len(parts)])
            scores.append(mine)
            record = {"changes": differences(candidates[0], recipe),
                      "value": metric.sign * float(mine.mean()), "seconds": took}  # fmt: skip
            trials.append(record)
            watch.tell(SearchTried(
                rung=watch.rung, trial=number + 1, trials=len(candidates), metric=metric.name,
                **record,
            ))  # fmt: skip
    best = candidates[pick(np.array(scores))]
    what = f"{metric.title} of {len(trials)} recipes tried on inner splits"
    return explained(best, candidates, what), trials


def score(part: Training, predicted: np.ndarray, metric: Metric) -> float:
    """Score predictions of the held-out rows, greater is better; -inf where it has no value."""
    problem, held = part.problem, part.held
    assert held is not None
    value = metric.sign * metric(problem.y[held], predicted, problem.weights_of(held))
    return value if np.isfinite(value) else -np.inf


def _parts(training: Training) -> list[Training]:
    """Return inner splits of the training rows, each with the rows held out of it."""
    problem = training.problem
    times = problem.times_of(training.rows)
    splits = splits_for(len(training.rows)) if times is None else 1
    return [
        training.some(*inner_split(
            training.y, seed=problem.seed + number, stratify=problem.kind != "regression",
            groups=problem.groups_of(training.rows), times=times,
        ))
        for number in range(splits)
    ]  # fmt: skip


def pick_by_others(scores: np.ndarray, *, in_time: bool) -> list[int]:
    """Return for each fold the candidate that the other folds (in time: the older ones) pick.

    `scores` (candidates, folds), greater is better; with no other fold the first guess stays.
    """
    folds = np.arange(scores.shape[1])
    others = [folds < fold if in_time else folds != fold for fold in folds]
    return [pick(scores[:, mask]) if mask.any() else 0 for mask in others]


def pick(scores: np.ndarray) -> int:
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


def explained(best: Recipe, candidates: Sequence[Recipe], what: str) -> Recipe:
    """Add to the reasons of the fields in which the candidates differ that `what` kept them."""
    fields = {name for other in candidates for name in differences(best, other)}
    kept = f"kept by {what}"
    reasons = {name: "; ".join(filter(None, [best.reasons.get(name), kept])) for name in fields}
    return replace(best, reasons=dict(best.reasons) | reasons)


def differences(base: Recipe, other: Recipe) -> dict[str, Any]:
    """Return the choices of `other` that `base` makes otherwise."""
    ours, theirs = base.to_json(), other.to_json()
    return {n: theirs[n] for n in ours if n != "reasons" and ours[n] != theirs[n]}
