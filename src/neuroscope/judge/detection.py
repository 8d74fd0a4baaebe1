"""What a yes or no finds and what it spares: sensitivity and specificity, with intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neuroscope.base.errors import InputError
from neuroscope.judge._record import Record
from neuroscope.judge.intervals import Resampling, bootstrap, proportion_interval
from neuroscope.judge.metrics import METRICS


@dataclass(frozen=True)
class Rate(Record):
    """A share of rows with its 95 % interval: `right` of `rows` rows."""

    value: float
    low: float
    high: float
    right: float
    rows: float


@dataclass(frozen=True)
class Detection(Record):
    """Decisions at a threshold: positives found (sensitivity), negatives spared (specificity)."""

    threshold: float
    sensitivity: Rate
    specificity: Rate
    sentence: str


def detection(
    y: np.ndarray,  # (n,) 0 or 1
    p: np.ndarray,  # (n, 2) probabilities
    positive: str,
    plan: Resampling,
    weights: np.ndarray | None = None,
    groups: np.ndarray | None = None,
) -> Detection | None:
    """Return both rates at the plan's threshold; None when a class has no row.

    Intervals are Wilson's (1927); where rows weigh or belong together they are bootstrapped.
    """
    if p.ndim != 2 or p.shape[1] != 2 or len(p) != len(y):
        raise InputError(f"{len(y)} truths and probabilities {p.shape}: two classes are needed")
    yes, one = p[:, 1] >= plan.threshold, np.asarray(y) == 1
    if one.all() or not one.any():
        return None
    counted = np.ones(len(y)) if weights is None else weights
    plain = weights is None and groups is None
    rates = []
    for name, members, right in (("recall", one, one & yes), ("specificity", ~one, ~one & ~yes)):
        hits, rows = float(counted[right].sum()), float(counted[members].sum())
        if not rows:
            return None
        if plain:
            low, high = proportion_interval(hits, rows)
        else:
            drawn = bootstrap(METRICS[name], y, p, plan, weights, groups)
            low, high = drawn.low, drawn.high
        rates.append(Rate(hits / rows, low, high, hits, rows))
    found, spared = rates
    return Detection(plan.threshold, found, spared, _sentence(positive, found, spared))


def _sentence(positive: str, found: Rate, spared: Rate) -> str:
    return (
        f"It finds {found.right:,.0f} of {found.rows:,.0f} rows that are {positive!r} "
        f"(sensitivity {found.value:.3f}, 95 % interval {found.low:.3f} to {found.high:.3f}) and "
        f"leaves {spared.right:,.0f} of {spared.rows:,.0f} others alone (specificity "
        f"{spared.value:.3f}, {spared.low:.3f} to {spared.high:.3f})."
    )
