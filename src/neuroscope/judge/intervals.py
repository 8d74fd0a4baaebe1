"""How sure a score is: bootstrap intervals and paired differences (Efron 1979).

Rows (or whole groups of rows) are drawn with replacement; the models stay as they are, so the
interval of one score says how it would vary over other held-out rows, not over other training runs.
Differences between cross-validated models are widened for that as well (Nadeau and Bengio 2003):
their folds learned from nearly the same rows and share the luck of them.
The draws depend on the seed and the number of rows only: all models and metrics see the same
resamples, and so differences between models are paired.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from neuroscope.base import randomness
from neuroscope.base.errors import InputError, RecipeError
from neuroscope.judge._arithmetic import by_fold
from neuroscope.judge._record import Record
from neuroscope.judge.metrics import Metric, checked, find

_CELLS = 1 << 20  # counts held at once: 8 MB
_AFFORDABLE = 40_000_000  # resamples x rows computed in about a second
_FEWEST = 200
_SAME = 1e-12  # of scores: what is below is rounding
_OF_CLASSES = ("roc_auc", "balanced_accuracy", "pr_auc", "recall", "specificity", "precision", "f1")


@dataclass(frozen=True)
class Resampling:
    """How to resample; `resamples` None is 1000, fewer (at least 200) above 40,000 rows."""

    seed: int = 0
    resamples: int | None = None
    confidence: float = 0.95
    threshold: float = 0.5  # of binary decisions

    def __post_init__(self) -> None:
        if not 0 < self.confidence < 1:
            raise RecipeError(f"confidence is {self.confidence}", remedy="give e.g. 0.95")
        if self.resamples is not None and self.resamples < 2:
            raise RecipeError(f"resamples is {self.resamples}", remedy="give at least 2")

    def number(self, rows: int) -> int:
        """Return the number of resamples for so many rows."""
        if self.resamples is not None:
            return self.resamples
        return int(np.clip(_AFFORDABLE // max(rows, 1), _FEWEST, 1000))


DEFAULT = Resampling()


@dataclass(frozen=True)
class Interval(Record):
    """A score with its interval; `standard_error` is the spread over resamples."""

    value: float
    low: float
    high: float
    standard_error: float
    confidence: float = 0.95


@dataclass(frozen=True)
class Difference(Record):
    """Score of a minus score of b, in units of the metric, on the same resamples.

    `p_better` is the share of resamples in which a is the better one, ties counted half.
    """

    value: float
    low: float
    high: float
    standard_error: float
    p_better: float
    greater_is_better: bool = True

    @property
    def gain(self) -> float:
        """How much better a is than b: positive is better, whichever way the metric points."""
        return self.value if self.greater_is_better else -self.value

    @property
    def gain_low(self) -> float:
        """The lower end of the interval of the gain."""
        return self.low if self.greater_is_better else -self.high

    @property
    def gain_high(self) -> float:
        """The upper end of the interval of the gain."""
        return self.high if self.greater_is_better else -self.low

    @property
    def clear(self) -> bool:
        """Whether a is better than b by more than chance explains."""
        return self.gain_low > 0


@dataclass(frozen=True)
class Resampled:
    """The scores of m models and their resamples; the models' order is the caller's."""

    metric: Metric
    values: np.ndarray  # (m,)
    draws: np.ndarray  # (m, b)
    confidence: float
    units: float  # independent units drawn: rows, or groups of rows, by weight
    widening: float = 1.0  # of differences, for the training rows that the models share
    fewest: float = 0.0  # units of the smallest class, for metrics that weigh classes alike

    def interval(self, model: int = 0) -> Interval:
        """Return the percentile interval of one model."""
        low, high, error = _spread(self.draws[model], self.confidence)
        value = float(self.values[model])
        rows = self.units if self.metric.name == "accuracy" else self.fewest
        if rows and error < _SAME and abs(value - round(value)) < _SAME:
            # Resamples of rows that are all right are all right; Wilson's interval knows better.
            low, high = proportion_interval(round(value) * rows, rows, self.confidence)
        return Interval(value, low, high, error, self.confidence)

    def difference(self, a: int, b: int) -> Difference:
        """Return the paired difference of model a and model b."""
        value = float(self.values[a] - self.values[b])
        gaps = value + self.widening * (self.draws[a] - self.draws[b] - value)
        low, high, error = _spread(gaps, self.confidence)
        gains = self.metric.sign * gaps[np.isfinite(gaps)]
        better = float(np.mean((np.sign(gains) + 1) / 2)) if len(gains) else float("nan")
        return Difference(value, low, high, error, better, self.metric.greater_is_better)


def resample(
    metric: str | Metric,
    y: np.ndarray,
    predictions: Sequence[np.ndarray],
    plan: Resampling = DEFAULT,
    weights: np.ndarray | None = None,
    groups: np.ndarray | None = None,
    folds: np.ndarray | None = None,
) -> Resampled:
    """Score several models on the same resamples of the same rows.

    groups (n,): labels of rows that belong together (a customer, a patient); whole groups are
    drawn. folds (n,): which fit scored a row, in cross-validation; the metric is computed within
    each fold and averaged. 1000 resamples of 40,000 rows take about a second.
    """
    metric = find(metric)
    ready = [checked(metric, y, p, weights) for p in predictions]
    if not ready:
        raise InputError("there are no predictions to judge")
    weights = ready[0][2]
    for labels, what in ((groups, "group labels"), (folds, "fold numbers")):
        if labels is not None and len(labels) != len(weights):
            raise InputError(f"{len(labels)} {what} for {len(weights)} rows")
    prepare = metric.prepare if folds is None else by_fold(metric.prepare, np.asarray(folds))
    evaluates = [prepare(truth, p, plan.threshold) for truth, p, _ in ready]
    values = np.array([evaluate(weights[None, :])[0] for evaluate in evaluates])
    draws = [
        [evaluate(counts * weights) for evaluate in evaluates]
        for counts in _counts(len(weights), plan, groups)
    ]
    joined = np.stack([np.concatenate(parts) for parts in zip(*draws, strict=True)])
    units = _effective_units(weights, groups)
    fewest = _fewest(metric, ready[0][0], weights, groups)
    return Resampled(metric, values, joined, plan.confidence, units, _widening(folds), fewest)


def _fewest(metric: Metric, y: np.ndarray, weights: np.ndarray, groups: np.ndarray | None) -> float:
    """Return the units of the smallest class, on which a metric of classes is least sure.

    0 for metrics that do not say how many rows of a class are right.
    """
    if metric.name not in _OF_CLASSES:
        return 0.0
    sizes = []
    for one in np.unique(y[weights > 0]):
        inside = y == one
        units = None if groups is None else np.asarray(groups)[inside]
        sizes.append(_effective_units(weights[inside], units))
    return min(sizes)


def _effective_units(weights: np.ndarray, groups: np.ndarray | None) -> float:
    """Return how many rows, or groups of rows, of equal weight say as much (Kish, 1965)."""
    if groups is not None:
        weights = np.bincount(np.unique(np.asarray(groups), return_inverse=True)[1], weights)
    weights = weights / weights.max()  # whose squares then neither overflow nor all vanish
    return float(weights.sum() ** 2 / (weights**2).sum())


def _widening(folds: np.ndarray | None) -> float:
    """Return the factor of Nadeau and Bengio (2003) on the standard error of a difference.

    The naive variance of k folds is multiplied by 1 + k * (held-out rows / training rows); for
    k-fold cross-validation that is 1 + k / (k - 1). One fold is taken for a fifth of the rows.
    """
    if folds is None:
        return 1.0
    k = len(np.unique(folds))
    return float(np.sqrt(1 + k / (k - 1))) if k > 1 else float(np.sqrt(1.25))


def bootstrap(
    metric: str | Metric,
    y: np.ndarray,
    p: np.ndarray,
    plan: Resampling = DEFAULT,
    weights: np.ndarray | None = None,
    groups: np.ndarray | None = None,
    folds: np.ndarray | None = None,
) -> Interval:
    """Return a score with its percentile bootstrap interval."""
    return resample(metric, y, [p], plan, weights, groups, folds).interval()


def paired_difference(
    metric: str | Metric,
    y: np.ndarray,
    p_a: np.ndarray,
    p_b: np.ndarray,
    plan: Resampling = DEFAULT,
    weights: np.ndarray | None = None,
    groups: np.ndarray | None = None,
    folds: np.ndarray | None = None,
) -> Difference:
    """Return how much model a's score differs from model b's on the same rows."""
    scored = resample(metric, y, [p_a, p_b], plan, weights, groups, folds)
    return scored.difference(0, 1)


def proportion_interval(
    successes: float, trials: float, confidence: float = 0.95
) -> tuple[float, float]:
    """Return Wilson's score interval (1927) of a proportion; (0, 1) without trials."""
    if trials <= 0:
        return 0.0, 1.0
    from scipy.special import ndtri  # noqa: PLC0415 - keeps `import neuroscope` quick

    z = float(ndtri((1 + confidence) / 2))
    share, shrink = successes / trials, 1 + z * z / trials
    centre = (share + z * z / (2 * trials)) / shrink
    half = z / shrink * np.sqrt(share * (1 - share) / trials + z * z / (4 * trials**2))
    low = 0.0 if successes == 0 else float(centre - half)
    return low, 1.0 if successes == trials else float(centre + half)


def _counts(rows: int, plan: Resampling, groups: np.ndarray | None) -> Iterator[np.ndarray]:
    """Yield (b, n) blocks: how often each row is drawn in each resample."""
    codes = None
    units = rows
    if groups is not None:
        names, codes = np.unique(np.asarray(groups), return_inverse=True)
        units = len(names)
    random = randomness.generator(plan.seed, "bootstrap")
    left, block = plan.number(rows), max(1, _CELLS // max(rows, units))
    while left > 0:
        size = min(block, left)
        drawn = random.integers(0, units, size=(size, units))
        drawn += np.arange(size)[:, None] * units
        counts = np.bincount(drawn.ravel(), minlength=size * units).reshape(size, units)
        yield (counts if codes is None else counts[:, codes]).astype(np.float64)
        left -= size


def _spread(draws: np.ndarray, confidence: float) -> tuple[float, float, float]:
    """Return (low, high, standard error) of the draws that are defined; nan below two."""
    draws = draws[np.isfinite(draws)]
    if len(draws) < 2:
        return float("nan"), float("nan"), float("nan")
    low, high = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high), float(draws.std(ddof=1))
