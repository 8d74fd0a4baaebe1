"""The learning curve of the chosen rung: would more rows help?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuroscope.judge.intervals import bootstrap
from neuroscope.judge.learning_curve import extrapolate
from neuroscope.tasks._learning import Training, Watch
from neuroscope.verbs._climb.trials import FAILURES

if TYPE_CHECKING:
    from neuroscope.verbs._climb.conclude import Conclusion

_CURVE_SHARES = (0.25, 0.5)  # of the training rows, beside all of them


def learning_curve(end: Conclusion) -> dict[str, Any] | None:
    """Train the chosen rung on a quarter and half of the rows: would more rows help?"""
    part = end.problem.folds[0]
    left = end.climb.budget.left()
    needed = end.run.seconds / max(len(end.problem.split.folds), 1) + 1
    if end.choice.chosen == "majority" or len(part.rows) < 100:
        return None
    if left is not None and left < 3 * needed:
        return None  # fits cut to the budget would bend the curve
    rng = np.random.default_rng(end.problem.seed)
    order = rng.permutation(len(part.rows))
    valid, points = end.problem.split.folds[0][1], []
    for share in (*_CURVE_SHARES, 1.0):
        p = _refit(end, part, order, share) if share < 1 else end.run.tried[end.run.trial, 0]
        if p is None:
            return None
        found = bootstrap(end.climb.metric, end.problem.y[valid], p, end.climb.resampling,
                          end.problem.weights_of(valid), end.problem.groups_of(valid)
                          )  # fmt: skip
        points.append((int(share * len(order)), found.value, found.standard_error))
    sizes, values, errors = zip(*points, strict=True)
    if not np.isfinite([*values, *errors]).all():
        return None
    metric = end.climb.metric
    curve = extrapolate(sizes, values, errors, metric.greater_is_better, metric.title,
                        perfect=float(metric.greater_is_better))  # fmt: skip
    return curve.to_json() | {"points": [list(point) for point in points]}


def _refit(end: Conclusion, part: Training, order: np.ndarray, share: float) -> np.ndarray | None:
    some = end.problem.training(part.rows[np.sort(order[: int(share * len(order))])], part.held)
    if end.problem.kind != "regression":
        counts = np.bincount(end.problem.y[some.rows], minlength=end.problem.classes)
        if counts.min() < 2:
            return None
    seconds = end.climb.budget.left(0.3)
    watch = Watch(end.run.name, -2, seconds=seconds, stop=end.climb.stop)
    try:
        learner = end.rung.fit(some, end.run.recipe, watch)
    except FAILURES:
        return None
    if learner.recipe != end.run.recipe:
        return None  # cut or slowed down: no point of the same curve
    return some.predict_held(learner)
