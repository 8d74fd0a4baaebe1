"""From which probability on to say yes: by what mistakes cost, or by a wanted sensitivity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neuroscope.base.errors import InputError, RecipeError, TargetError, did_you_mean
from neuroscope.judge._record import Record

_EXAMPLE = "write it like false_positive=1,false_negative=5"


@dataclass(frozen=True)
class Cost(Record):
    """What one row of each outcome costs, in any unit; a gain is negative."""

    false_positive: float = 1.0
    false_negative: float = 1.0
    true_positive: float = 0.0
    true_negative: float = 0.0

    def __post_init__(self) -> None:
        if self.false_positive < self.true_negative or self.false_negative < self.true_positive:
            raise RecipeError("a mistake costs less than the right decision", remedy=_EXAMPLE)
        if (self.false_positive, self.false_negative) == (self.true_negative, self.true_positive):
            raise RecipeError("mistakes cost no more than right decisions", remedy=_EXAMPLE)

    def __str__(self) -> str:
        """Write the costs as `parse_cost` reads them, those of 0 left out."""
        costs = ((name, cost) for name, cost in vars(self).items() if cost)
        return ",".join(f"{name}={cost:g}" for name, cost in costs)

    def calibrated_threshold(self) -> float:
        """Return the best threshold if the probabilities were perfect (Elkan 2001)."""
        alarm, miss = (
            self.false_positive - self.true_negative,
            (self.false_negative - self.true_positive),
        )
        return alarm / (alarm + miss)


@dataclass(frozen=True)
class Threshold(Record):
    """Say yes from probability `value` on; costs are means per row of the rows given."""

    value: float
    expected_cost: float
    cost_at_half: float  # at threshold 0.5
    sensitivity: float  # share of positives found
    specificity: float  # share of negatives left alone
    precision: float  # share of yes that is right; nan when yes is never said
    selected: float  # share of rows called positive
    sentence: str


def parse_cost(text: str) -> Cost:
    """Read "false_positive=1,false_negative=5"; what is not named keeps its default."""
    found: dict[str, float] = {}
    known = list(Cost.__dataclass_fields__)
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, equals, number = (piece.strip() for piece in part.partition("="))
        name = name.replace("-", "_")
        if not equals or name not in known:
            hint = did_you_mean(name, known) or f"the names are {', '.join(known)}"
            raise RecipeError(f"cost {part!r} is not understood", remedy=f"{hint}; {_EXAMPLE}")
        if name in found:
            raise RecipeError(f"cost of {name} is given twice", remedy=_EXAMPLE)
        try:
            found[name] = float(number)
        except ValueError:
            found[name] = float("nan")
        if not np.isfinite(found[name]):
            raise RecipeError(f"cost of {name} is {number!r}, not a number", remedy=_EXAMPLE)
    if not found:
        raise RecipeError("no cost is given", remedy=_EXAMPLE)
    return Cost(**found)


def best_threshold(
    y: np.ndarray,  # (n,) 0 or 1
    p_positive: np.ndarray,  # (n,) probability of class 1
    cost: Cost,
    weights: np.ndarray | None = None,  # (n,)
) -> Threshold:
    """Return the threshold of least mean cost on these rows; of equals the one nearest 0.5.

    All decisions that the rows can tell apart are compared, by one pass over the sorted rows.
    Choose it on rows that the model was not trained on, and report it on others.
    """
    sweep = _Sweep.of(y, p_positive, weights)
    costs = sweep.costs(cost)
    cheapest = np.flatnonzero(costs <= costs.min() + 1e-12 * max(1.0, float(np.abs(costs).max())))
    at = int(cheapest[np.abs(sweep.values[cheapest] - 0.5).argmin()])
    return sweep.threshold(at, costs)


def mean_cost(
    y: np.ndarray,  # (n,) 0 or 1
    p_positive: np.ndarray,  # (n,) probability of class 1
    threshold: float,
    cost: Cost,
    weights: np.ndarray | None = None,  # (n,)
) -> float:
    """Return the mean cost of a row when yes is said from `threshold` on."""
    yes, truth = np.asarray(p_positive) >= threshold, np.asarray(y) == 1
    paid = np.select(
        [yes & truth, yes & ~truth, ~yes & truth],
        [cost.true_positive, cost.false_positive, cost.false_negative],
        cost.true_negative,
    )
    return float(np.average(paid, weights=weights))


def threshold_for_sensitivity(
    y: np.ndarray,
    p_positive: np.ndarray,
    sensitivity: float,
    cost: Cost | None = None,
    weights: np.ndarray | None = None,
) -> Threshold:
    """Return the highest threshold that still finds the share `sensitivity` of the positives."""
    if not 0 < sensitivity <= 1:
        raise RecipeError(f"sensitivity is {sensitivity}", remedy="give a share above 0, up to 1")
    sweep = _Sweep.of(y, p_positive, weights)
    enough = np.flatnonzero(sweep.true_positive >= sensitivity * sweep.positives * (1 - 1e-12))
    at = int(enough[sweep.values[enough].argmax()])
    return sweep.threshold(at, sweep.costs(cost or Cost()))


@dataclass(frozen=True)
class _Sweep:
    """Every decision the rows can tell apart: thresholds rising, with weights of outcomes."""

    values: np.ndarray  # (t,) thresholds
    true_positive: np.ndarray  # (t,) weight of positives at or above
    false_positive: np.ndarray  # (t,) weight of negatives at or above
    positives: float
    negatives: float

    @classmethod
    def of(cls, y: np.ndarray, p: np.ndarray, weights: np.ndarray | None) -> _Sweep:
        y, p = np.asarray(y), np.asarray(p, dtype=np.float64)
        weights = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=np.float64)
        if p.ndim != 1 or not len(y) == len(p) == len(weights):
            raise InputError(f"{len(y)} truths, probabilities {p.shape}, {len(weights)} weights")
        if not (np.isfinite(p).all() and ((p >= 0) & (p <= 1)).all()):
            raise InputError("probabilities must lie between 0 and 1")
        one = y == 1
        positives, negatives = float(weights[one].sum()), float(weights[~one].sum())
        if not (positives > 0 and negatives > 0):
            raise TargetError(
                "the rows hold one class only", remedy="choose a threshold on rows of both classes"
            )
        levels = np.unique(p)
        last = (levels[-1] + 1) / 2 if levels[-1] < 1 else np.nextafter(1.0, 2.0)
        middles = (levels[1:] + levels[:-1]) / 2
        values = np.union1d(np.concatenate([[levels[0] / 2], middles, [last]]), [0.5])
        found = [_at_or_above(values, p[mask], weights[mask]) for mask in (one, ~one)]
        return cls(values, found[0], found[1], positives, negatives)

    def costs(self, cost: Cost) -> np.ndarray:
        missed, spared = self.positives - self.true_positive, self.negatives - self.false_positive
        total = (
            cost.true_positive * self.true_positive
            + cost.false_positive * self.false_positive
            + cost.false_negative * missed
            + cost.true_negative * spared
        )
        return total / (self.positives + self.negatives)

    def threshold(self, at: int, costs: np.ndarray) -> Threshold:
        half = int(np.searchsorted(self.values, 0.5))
        hit, alarm = float(self.true_positive[at]), float(self.false_positive[at])
        value, now, before = float(self.values[at]), float(costs[at]), float(costs[half])
        sensitivity, spared = hit / self.positives, 1 - alarm / self.negatives
        sentence = (
            f"Say yes from {value:.3f} on: finds {100 * sensitivity:.0f} % of the positives, "
            f"false alarms on {100 * (1 - spared):.0f} % of the others; costs {now:.4g} a row "
            f"instead of {before:.4g} at 0.5."
        )
        return Threshold(
            value=value,
            expected_cost=now,
            cost_at_half=before,
            sensitivity=sensitivity,
            specificity=spared,
            precision=hit / (hit + alarm) if hit + alarm else float("nan"),
            selected=(hit + alarm) / (self.positives + self.negatives),
            sentence=sentence,
        )


def _at_or_above(values: np.ndarray, p: np.ndarray, weights: np.ndarray) -> np.ndarray:
    order = np.argsort(p)
    tail = np.append(np.cumsum(weights[order][::-1])[::-1], 0.0)
    return tail[np.searchsorted(p[order], values, side="left")]
