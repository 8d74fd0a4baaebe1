"""How a model does for each group of rows (sites, age bands, sexes), and how far groups differ.

Gaps follow the usual definitions: demographic parity is the gap of the selection rate, equal
opportunity of the true positive rate, equalised odds also of the false positive rate (Hardt,
Price & Srebro 2016). Which of them matters is a question about the use, not about the numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from neuroscope.base.errors import InputError
from neuroscope.judge._arithmetic import decide
from neuroscope.judge._record import Record
from neuroscope.judge.intervals import DEFAULT, Interval, Resampling, bootstrap
from neuroscope.judge.metrics import checked, find, primary_metric, scores

_FEW = 30  # rows below which a group's rates say little


@dataclass(frozen=True)
class GroupScore(Record):
    """One group; rates are of the positive class and None unless there are two classes."""

    group: str
    rows: int
    interval: Interval
    scores: Mapping[str, float]
    base_rate: float | None  # share of positives in the truth
    selection_rate: float | None  # share called positive
    true_positive_rate: float | None
    false_positive_rate: float | None


@dataclass(frozen=True)
class Groups(Record):
    """All groups, largest first; gaps are highest minus lowest over groups of 30 rows or more."""

    metric: str
    groups: tuple[GroupScore, ...]
    gaps: Mapping[str, float]
    sentences: tuple[str, ...]


def by_group(
    kind: str,
    y: np.ndarray,
    p: np.ndarray,
    groups: np.ndarray,  # (n,) labels of any kind; missing ones (None, nan) are a group
    metric: str | None = None,
    plan: Resampling = DEFAULT,
    weights: np.ndarray | None = None,
) -> Groups:
    """Score each group by `metric` (None: the primary one) with an interval, and the rates."""
    chosen = find(metric or primary_metric(kind, np.asarray(y))[0])
    y, p, weights = checked(chosen, y, p, weights)
    labels = _labels(groups)
    if len(labels) != len(y):
        raise InputError(f"{len(labels)} group labels for {len(y)} rows")
    names, counts = np.unique(labels, return_counts=True)
    found = []
    for name in names[np.argsort(-counts, kind="stable")]:
        inside = (labels == name) & (weights > 0)
        if inside.any():
            rows = y[inside], p[inside], weights[inside]
            found.append(_one(kind, str(name), chosen.name, rows, plan))
    gaps = _gaps(found, chosen.name)
    return Groups(chosen.name, tuple(found), gaps, tuple(_sentences(found, chosen.name, gaps)))


def _labels(groups: np.ndarray) -> np.ndarray:
    missing = {"None", "nan", "NaT", "<NA>"}  # of Python, NumPy and pandas
    texts = [str(group) for group in groups]
    return np.array(["(missing)" if t in missing else t for t in texts], dtype=object)


def _one(
    kind: str,
    name: str,
    metric: str,
    rows: tuple[np.ndarray, np.ndarray, np.ndarray],
    plan: Resampling,
) -> GroupScore:
    y, p, w = rows
    known = scores(kind, y, p, plan.threshold, w)
    score = GroupScore(
        name, len(y), bootstrap(metric, y, p, plan, w), known, None, None, None, None
    )
    if kind != "binary":
        return score
    return replace(
        score,
        base_rate=float(np.average(y == 1, weights=w)),
        selection_rate=float(np.average(decide(p, plan.threshold) == 1, weights=w)),
        true_positive_rate=known["recall"],
        false_positive_rate=1 - known["specificity"],
    )


def _gaps(found: list[GroupScore], metric: str) -> dict[str, float]:
    large = [group for group in found if group.rows >= _FEW]
    columns = {metric: [group.interval.value for group in large]}
    for rate in ("selection_rate", "true_positive_rate", "false_positive_rate"):
        columns[rate] = [v for group in large if (v := getattr(group, rate)) is not None]
    spans = {name: [v for v in values if np.isfinite(v)] for name, values in columns.items()}
    return {name: max(values) - min(values) for name, values in spans.items() if len(values) > 1}


def _sentences(found: list[GroupScore], name: str, gaps: Mapping[str, float]) -> list[str]:
    metric = find(name)
    large = [g for g in found if g.rows >= _FEW and np.isfinite(g.interval.value)]
    said = []
    if len(large) > 1:
        worst, *_, best = sorted(large, key=lambda g: metric.sign * g.interval.value)
        figures = (
            f"{metric.title} is {metric.text(best.interval.value)} for {best.group} and "
            f"{metric.text(worst.interval.value)} for {worst.group}"
        )
        said.append(
            f"{figures}, more than chance explains: the model serves them differently."
            if _apart(best.interval, worst.interval, len(large))
            else f"{figures}: these rows do not show a difference."
        )
    words = {
        "selection_rate": "the share of rows called positive",
        "true_positive_rate": "the share of positives found",
        "false_positive_rate": "the share of false alarms",
    }
    said += [
        f"Between groups {text} differs by up to {_points(gaps[rate])}."
        for rate, text in words.items()
        if rate in gaps
    ]
    few = [g.group for g in found if g.rows < _FEW]
    if few:
        listed = ", ".join(few[:5]) + (f" and {len(few) - 5} more" if len(few) > 5 else "")
        said.append(f"Fewer than {_FEW} rows, too few to compare: {listed}.")
    return said


def _apart(a: Interval, b: Interval, groups: int) -> bool:
    """Whether two of so many groups differ at 5 %, Bonferroni over all pairs (other rows each)."""
    pairs = groups * (groups - 1) / 2
    error = float(np.hypot(_error(a), _error(b)))
    return abs(a.value - b.value) > _normal(1 - 0.025 / pairs) * error


def _error(one: Interval) -> float:
    """Return the standard error; where all rows are right, and resamples alike, by the interval."""
    return one.standard_error or (one.high - one.low) / (2 * _normal((1 + one.confidence) / 2))


def _normal(share: float) -> float:
    """Return the quantile of the standard normal distribution."""
    from scipy.special import ndtri  # noqa: PLC0415 - keeps `import neuroscope` quick

    return float(ndtri(share))


def _points(share: float) -> str:
    points = f"{100 * share:.0f}"
    return f"{points} percentage point{'s' * (points != '1')}"
