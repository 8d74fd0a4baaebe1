"""How early a model of sequences knows: its answers from what was there up to each moment.

Every answer at a moment comes from the readings until then alone; who calls gives them so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neuroscope.base import randomness
from neuroscope.judge._record import Record
from neuroscope.judge.metrics import Metric

RATES = (0.01, 0.05, 0.1, 0.2)  # shares of false alarms that are told


@dataclass(frozen=True)
class Alarms(Record):
    """What alarms find at a share of false alarms, when the first moment at a threshold counts.

    An alarm is raised at the first moment at which the probability reaches the threshold.
    `rate` was wanted, `false_alarms` came out: the threshold is set on one half of the rows and
    counted on the other, and the other way round.
    """

    rate: float
    threshold: float  # set on all rows: the one to use
    false_alarms: float  # share of the negatives that raise an alarm at any moment
    found: float  # share of the positives
    median: float | None  # moment of the first alarm of half of the positives that are found
    early: float | None  # a quarter of them is found by then
    late: float | None  # three quarters


@dataclass(frozen=True)
class Settled(Record):
    """From when on the answer stays: `median` and quarters over the rows, in units of the times."""

    early: float
    median: float
    late: float


def scores_by_moment(
    metric: Metric,
    y: np.ndarray,  # (n,)
    said: np.ndarray,  # (moments, n, k) probabilities
    weights: np.ndarray | None = None,
) -> list[float]:
    """Return the metric of the answers at each moment."""
    return [float(metric(y, p, weights)) for p in said]


def settled(moments: np.ndarray, said: np.ndarray) -> Settled:
    """Return when rows have their last answer for good; `said` (moments, n, k)."""
    answers = said.argmax(axis=2)
    other = answers != answers[-1]
    last = np.where(other.any(axis=0), len(moments) - 1 - other[::-1].argmax(axis=0), -1)
    early, median, late = np.quantile(moments[last + 1], (0.25, 0.5, 0.75), method="lower")
    return Settled(float(early), float(median), float(late))


def alarms(
    moments: np.ndarray,  # (m,)
    y: np.ndarray,  # (n,) 0 or 1
    said: np.ndarray,  # (m, n) probability of the positive class at each moment
    rates: tuple[float, ...] = RATES,
) -> list[Alarms]:
    """Return what is found at each share of false alarms that the rows can tell of.

    Below one negative row in 1 / rate there is nothing to tell.
    """
    negatives, positives = np.flatnonzero(y == 0), np.flatnonzero(y == 1)
    if not len(negatives) or not len(positives):
        return []
    highest = said.max(axis=0)
    chance = randomness.generator(0, "halves")
    mixed = chance.permutation(negatives), chance.permutation(positives)
    halves = [np.concatenate([some[k::2] for some in mixed]) for k in (0, 1)]
    found = []
    for rate in rates:
        if rate * len(negatives) < 1:
            continue
        raised = np.full(len(y), -1)
        for mine, other in (halves, halves[::-1]):
            limit = _threshold(highest[mine][y[mine] == 0], rate)
            over = said[:, other] >= limit
            raised[other] = np.where(over.any(axis=0), over.argmax(axis=0), -1)
        caught = moments[raised[positives][raised[positives] >= 0]]
        early, median, late = (
            np.quantile(caught, (0.25, 0.5, 0.75), method="lower").tolist()
            if len(caught)
            else (None, None, None)
        )
        found.append(Alarms(
            rate, _threshold(highest[negatives], rate), float((raised[negatives] >= 0).mean()),
            float((raised[positives] >= 0).mean()), median, early, late,
        ))  # fmt: skip
    return found


def _threshold(highest: np.ndarray, rate: float) -> float:
    """Return the least threshold that at most `rate` of these highest probabilities reach."""
    ordered = np.sort(highest)[::-1]
    allowed = int(rate * len(ordered))
    if allowed >= len(ordered):
        return 0.0
    return float(np.nextafter(ordered[allowed], 2.0))
