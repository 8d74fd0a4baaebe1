"""Target leakage: a feature that alone predicts the target almost perfectly."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neuroscope.base import randomness
from neuroscope.base.wording import counted
from neuroscope.data.audit.finding import Finding, Subject
from neuroscope.data.schema import Column
from neuroscope.data.statistics import FOLDS, target_statistics

# A feature is a suspected leak from here on. Honest strong features stay below: the best of
# breast-cancer has ROC AUC 0.975, of iris a skill of 0.94, of california-housing R² 0.48.
LEAK_AUC = 0.99
LEAK_SKILL = 0.97  # (accuracy - share of the largest class) / (1 - that share)
LEAK_R2 = 0.98
_SAMPLE_ROWS, _SAMPLE_CELLS = 20_000, 20_000_000  # bound the time on many columns
_FEWEST_ROWS = 50
_BINS = 64


def check(subject: Subject) -> Iterator[Finding]:
    """Yield a finding for each feature that is suspected to tell the target."""
    unread = ("identifier", "text", "image", "series")
    features = [c for c in subject.schema.features if c.kind not in unread]
    limit = max(1_000, min(_SAMPLE_ROWS, _SAMPLE_CELLS // max(1, len(features))))
    rows = subject.sample(limit)
    if len(rows) < _FEWEST_ROWS:
        return
    y = subject.y[rows]
    for column in features:
        score, name, limit_of = _score(subject, column, rows, y)
        if score >= limit_of:
            yield _leak(subject, column.name, score, name, len(rows))


def _score(
    subject: Subject, column: Column, rows: np.ndarray, y: np.ndarray
) -> tuple[float, str, float]:
    """Return how well one feature alone predicts, what the measure is called, and its limit.

    The feature is cut into categories or 64 quantile bins (missing is a bin of its own), and each
    row is predicted by the mean target of its bin in the other folds.
    """
    codes, values = _bins(subject, column, rows)
    fold = randomness.generator(subject.seed, "leakage").permutation(len(y)) % FOLDS
    if subject.task_kind == "regression":
        y = y / (np.abs(y).max() or 1.0)  # whose squares neither overflow nor vanish
        guess = target_statistics(codes, int(codes.max()) + 1, y[:, None], fold, prior_rows=1)[1][
            :, 0
        ]
        r2 = 1 - np.sum((y - guess) ** 2) / max(np.sum((y - y.mean()) ** 2), 1e-300)
        linear = 0.0 if values is None else _correlation(values, y) ** 2
        return max(float(r2), linear), "R²", LEAK_R2
    names, labels = np.unique(y, return_inverse=True)
    if len(names) < 2:
        return 0.0, "", 1.0
    if len(names) == 2:
        target = (labels == 1).astype(np.float64)
        guess = target_statistics(codes, int(codes.max()) + 1, target[:, None], fold)[1][:, 0]
        raw = 0.0 if values is None else _auc(values, target)
        return max(_auc(guess, target), raw, 1 - raw if raw else 0.0), "ROC AUC", LEAK_AUC
    targets = np.eye(len(names))[labels]
    guess = target_statistics(codes, int(codes.max()) + 1, targets, fold, prior_rows=1)[1]
    accuracy = float((guess.argmax(axis=1) == labels).mean())
    base = float(np.bincount(labels).max() / len(labels))
    return (accuracy - base) / (1 - base), "skill", LEAK_SKILL


def _bins(
    subject: Subject, column: Column, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return a bin (n,) for each row, and the values (n,) of a number, missing at the median."""
    cells = subject.cells(column.name, rows)
    if column.kind not in ("numeric", "datetime"):
        codes, labels = cells.categories()
        return np.where(codes < 0, len(labels), codes), None
    values = cells.numbers() if column.kind == "numeric" else cells.moments()
    missing = np.isnan(values)
    known = values[~missing]
    if not len(known):
        return np.zeros(len(rows), dtype=np.int64), None
    edges = np.unique(known)
    if len(edges) > 2 * _BINS:
        at = np.linspace(0, len(known) - 1, _BINS + 1)[1:-1].astype(np.int64)
        edges = np.unique(np.sort(known)[at])
    codes = np.searchsorted(edges, values, side="right")
    values = np.where(missing, np.median(known), values)
    return np.where(missing, len(edges) + 1, codes), values


def _auc(score: np.ndarray, target: np.ndarray) -> float:
    """Return ROC AUC as the rank sum of the positives (Mann and Whitney, 1947), ties halved."""
    _, place, counts = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[place]
    positive = target.sum()
    above = rank[target == 1].sum() - positive * (positive + 1) / 2
    return float(above / (positive * (len(target) - positive)))


def _correlation(values: np.ndarray, y: np.ndarray) -> float:
    """Return Pearson's r, 0 where it is not defined."""
    finite = np.abs(values) < 1e300  # beyond, differences leave float64
    values, y = values[finite], y[finite]
    if len(y) < _FEWEST_ROWS or np.ptp(values) == 0 or np.ptp(y) == 0:
        return 0.0
    values = values / np.abs(values).max()
    return float(np.corrcoef(values, y)[0, 1]) if values.std() > 0 else 0.0


def _leak(subject: Subject, name: str, score: float, measure: str, rows: int) -> Finding:
    return Finding(
        code="leakage",
        severity="serious",
        column=name,
        count=rows,
        what=f"{name!r} alone predicts {subject.target!r} almost perfectly"
        f" ({measure} {score:.3f} on {counted(rows, 'row')})",
        meaning="either the task is that easy, or the column is only known after the answer is,"
        " and the model will fail on new rows",
        remedy=f"if you do not have it at the time of predicting: --drop {name}",
    )
