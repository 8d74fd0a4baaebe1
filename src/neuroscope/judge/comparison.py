"""Whether two models really differ on the same rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neuroscope.judge._arithmetic import decide
from neuroscope.judge._record import Record
from neuroscope.judge.intervals import DEFAULT, Difference, Interval, Resampling, resample
from neuroscope.judge.metrics import METRICS, Metric, checked, find


@dataclass(frozen=True)
class McNemar(Record):
    """Rows that one model has right and the other wrong; the p-value of an even split."""

    only_a_right: int
    only_b_right: int
    both_right: int
    both_wrong: int
    p_value: float


@dataclass(frozen=True)
class Comparison(Record):
    """Model a against model b; `mcnemar` is None for numbers."""

    metric: str
    a: Interval
    b: Interval
    difference: Difference
    mcnemar: McNemar | None
    sentence: str


def mcnemar(y: np.ndarray, p_a: np.ndarray, p_b: np.ndarray, threshold: float = 0.5) -> McNemar:
    """Test whether two classifiers err equally often (McNemar 1947, exact binomial form)."""
    from scipy.stats import binomtest  # noqa: PLC0415 - scipy.stats is slow to import

    y, p_a, _ = checked(METRICS["accuracy"], y, p_a, None)
    _, p_b, _ = checked(METRICS["accuracy"], y, p_b, None)
    a, b = decide(p_a, threshold) == y, decide(p_b, threshold) == y
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    p_value = float(binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0
    return McNemar(only_a, only_b, int((a & b).sum()), int((~a & ~b).sum()), p_value)


def compare(
    metric: str | Metric,
    y: np.ndarray,
    p_a: np.ndarray,
    p_b: np.ndarray,
    names: tuple[str, str] = ("the first", "the second"),
    plan: Resampling = DEFAULT,
    groups: np.ndarray | None = None,
) -> Comparison:
    """Compare two models on the same rows: scores, paired difference and, on classes, McNemar."""
    metric = find(metric)
    scored = resample(metric, y, [p_a, p_b], plan, None, groups)
    gap = scored.difference(0, 1)
    test = None if metric.needs in ("numbers", "packed") else mcnemar(y, p_a, p_b, plan.threshold)
    return Comparison(
        metric=metric.name,
        a=scored.interval(0),
        b=scored.interval(1),
        difference=gap,
        mcnemar=test,
        sentence=_sentence(metric, scored.values, gap, names),
    )


def _sentence(metric: Metric, values: np.ndarray, gap: Difference, names: tuple[str, str]) -> str:
    a, b = (metric.text(float(value)) for value in values)
    figures = f"{metric.title} {a} for {names[0]}, {b} for {names[1]}"
    margin = (
        f"difference {metric.text(gap.value)}, 95 % interval {metric.text(gap.low)} to "
        f"{metric.text(gap.high)}"
    )
    if gap.low <= 0 <= gap.high or not np.isfinite(gap.value):
        return f"{figures} ({margin}): these rows cannot tell them apart."
    better = names[0] if gap.gain > 0 else names[1]
    return f"{figures} ({margin}): {better} is better, by more than chance explains."
