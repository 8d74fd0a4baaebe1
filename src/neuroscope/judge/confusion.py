"""Which class is taken for which, and the mistakes the model was surest of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neuroscope.base.errors import InputError
from neuroscope.judge._arithmetic import decide
from neuroscope.judge._record import Record
from neuroscope.judge.metrics import METRICS, checked

MOST_SHOWN = 30  # classes of a matrix that a person can still read


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
    """counts[i][j]: weight of the rows of class i that are called class j.

    Of many classes the matrix shows those that are mixed up most; `by_class` has them all.
    """

    classes: tuple[str, ...]  # of the matrix, in the order of all classes
    counts: tuple[tuple[float, ...], ...]
    of_classes: int  # how many there are in all
    accuracy: float  # share of all rows that are called what they are
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
    """Count decisions by class; `limit` is the number of pairs and of mistakes listed.

    Above `MOST_SHOWN` classes only those are in the matrix whose rows and decisions are wrong most
    often; memory grows with the rows and the classes, never with the square of the classes.
    """
    y, p, weights = checked(METRICS["accuracy"], y, p, weights)
    k = p.shape[1]
    names = tuple(str(c) for c in (range(k) if classes is None else classes))
    if len(names) != k:
        raise InputError(f"{len(names)} class names for {k} classes")
    decided = decide(p, threshold)
    right = decided == y
    rows, said, hits = (
        np.bincount(part, w, minlength=k)
        for part, w in ((y, weights), (decided, weights), (y, weights * right))
    )
    shown = _shown(rows + said - 2 * hits)
    return Confusion(
        classes=tuple(names[i] for i in shown),
        counts=_matrix(y, decided, weights, shown, k),
        of_classes=k,
        accuracy=_share(hits.sum(), rows.sum()),
        by_class=_by_class(names, rows, said, hits),
        most_confused=_most_confused(names, y[~right], decided[~right], weights[~right], rows,
                                     limit),
        surest_mistakes=_surest_mistakes(names, y, decided, p, limit),
    )  # fmt: skip


def _shown(errors: np.ndarray) -> np.ndarray:
    """Return the classes of the matrix: all, or those with the most weight of wrong decisions."""
    return np.sort(np.argsort(-errors, kind="stable")[:MOST_SHOWN])


def _matrix(
    y: np.ndarray, decided: np.ndarray, weights: np.ndarray, shown: np.ndarray, k: int
) -> tuple[tuple[float, ...], ...]:
    places, size = np.full(k, -1), len(shown)
    places[shown] = np.arange(size)
    true, called = places[y], places[decided]
    inside = (true >= 0) & (called >= 0)
    cells = np.bincount((true * size + called)[inside], weights[inside], minlength=size**2)
    return tuple(tuple(row) for row in cells.reshape(size, size).tolist())


def _by_class(
    names: Sequence[str], rows: np.ndarray, decided: np.ndarray, right: np.ndarray
) -> tuple[ClassScore, ...]:
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


def _most_confused(
    names: Sequence[str], y: np.ndarray, decided: np.ndarray, weights: np.ndarray,
    rows: np.ndarray, limit: int,
) -> tuple[Pair, ...]:  # fmt: skip
    """Return the pairs of the wrong rows given, the heaviest first; `rows` is of each class."""
    pairs, place = np.unique(y * len(names) + decided, return_inverse=True)
    wrong = np.bincount(place, weights, minlength=len(pairs))
    found = []
    for at in np.argsort(-wrong, kind="stable")[:limit]:
        i, j = divmod(int(pairs[at]), len(names))
        if wrong[at] > 0:
            found.append(
                Pair(names[i], names[j], float(wrong[at]), _share(float(wrong[at]), rows[i]))
            )
    return tuple(found)


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
