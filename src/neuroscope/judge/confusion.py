"""Which class is taken for which, and the mistakes the model was surest of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neuroscope.base.errors import InputError
from neuroscope.judge._arithmetic import decide
from neuroscope.judge._record import Record
from neuroscope.judge.metrics import METRICS, checked


@dataclass(frozen=True)
class ClassScore(Record):
    """One class: weights of its rows and decisions; nan where there is none to divide by."""

    name: str
    rows: float
    decided: float
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Pair(Record):
    """Rows of class `truth` called `decided`; `share` of the rows of `truth`."""

    truth: str
    decided: str
    rows: float
    share: float


@dataclass(frozen=True)
class Mistake(Record):
    """One wrong row: its number and the probability given to the wrong class."""

    row: int
    truth: str
    decided: str
    probability: float


@dataclass(frozen=True)
class Confusion(Record):
    """counts[i][j]: weight of the rows of class i that are called class j."""

    classes: tuple[str, ...]
    counts: tuple[tuple[float, ...], ...]
    by_class: tuple[ClassScore, ...]
    most_confused: tuple[Pair, ...]  # most rows first, pairs without a row left out
    surest_mistakes: tuple[Mistake, ...]  # most certain first


def confusion(
    y: np.ndarray,
    p: np.ndarray,
    classes: Sequence[str] | None = None,
    threshold: float = 0.5,
    weights: np.ndarray | None = None,
    limit: int = 10,
) -> Confusion:
    """Count decisions by class; `limit` is the number of pairs and of mistakes listed."""
    y, p, weights = checked(METRICS["accuracy"], y, p, weights)
    k = p.shape[1]
    names = tuple(str(c) for c in (range(k) if classes is None else classes))
    if len(names) != k:
        raise InputError(f"{len(names)} class names for {k} classes")
    decided = decide(p, threshold)
    counts = np.bincount(y * k + decided, weights=weights, minlength=k * k).reshape(k, k)
    return Confusion(
        classes=names,
        counts=tuple(tuple(float(c) for c in row) for row in counts),
        by_class=_by_class(names, counts),
        most_confused=_most_confused(names, counts, limit),
        surest_mistakes=_surest_mistakes(names, y, decided, p, limit),
    )


def _by_class(names: Sequence[str], counts: np.ndarray) -> tuple[ClassScore, ...]:
    rows, decided, right = counts.sum(axis=1), counts.sum(axis=0), counts.diagonal()
    return tuple(
        ClassScore(
            name=names[i],
            rows=float(rows[i]),
            decided=float(decided[i]),
            precision=_share(right[i], decided[i]),
            recall=_share(right[i], rows[i]),
            f1=_share(2 * right[i], rows[i] + decided[i]),
        )
        for i in range(len(names))
    )


def _most_confused(names: Sequence[str], counts: np.ndarray, limit: int) -> tuple[Pair, ...]:
    wrong = counts - np.diag(counts.diagonal())
    order = np.argsort(-wrong, axis=None, kind="stable")[:limit]
    pairs = [divmod(int(cell), len(names)) for cell in order]
    rows = counts.sum(axis=1)
    return tuple(
        Pair(names[i], names[j], float(wrong[i, j]), _share(wrong[i, j], rows[i]))
        for i, j in pairs
        if wrong[i, j] > 0
    )


def _surest_mistakes(
    names: Sequence[str], y: np.ndarray, decided: np.ndarray, p: np.ndarray, limit: int
) -> tuple[Mistake, ...]:
    wrong = np.flatnonzero(decided != y)
    sure = p[wrong, decided[wrong]]
    order = np.argsort(-sure, kind="stable")[:limit]
    return tuple(
        Mistake(int(row), names[int(y[row])], names[int(decided[row])], float(p[row, decided[row]]))
        for row in wrong[order]
    )


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else float("nan")
