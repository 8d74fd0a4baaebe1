"""Training rows before the first step: their order, their weights, the ones held back.

Rows are sorted by what they hold, so that a fit depends on the seed and on the set of rows, not on
the order in which they came. A row of weight k, k a whole number, is learned k times; together this
makes `sample_weight` and repeated rows the same thing, bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from neuroscope.base import randomness
from neuroscope.base.recipe import Recipe
from neuroscope.tasks.estimators._errors import DataError, ParameterError

MOST_COPIES = 4.0  # mean copies a row up to which whole weights become copies
PIECE = 8192  # rows brought to float64 at a time
UNSCALED = 1000.0  # root mean square of a feature, or ratio of two, from which descent suffers

# The share of the largest stable step, 2 / mean squared length of a row (Widrow and Hoff 1960), at
# which the noise of single rows stays at a few per cent of the loss.
_CALM_STEP = 0.1
_ADAPTIVE_RATES = {"adam": 1e-3, "adamw": 1e-3, "rmsprop": 1e-3, "adagrad": 1e-2}


@dataclass(frozen=True)
class Rows:
    """Rows to learn from: features (n, d), codes or targets (n,) or (n, k), weights (n,)."""

    x: np.ndarray
    y: np.ndarray
    w: np.ndarray | None

    def take(self, index: np.ndarray) -> Rows:
        """Return the rows at `index` as new arrays."""
        w = None if self.w is None else self.w[index]
        return Rows(self.x.take(index, axis=0), self.y.take(index, axis=0), w)


def in_canonical_order(rows: Rows) -> Rows:
    """Return the rows that weigh anything, sorted by their projection on a fixed direction."""
    n, d = rows.x.shape
    y = rows.y.reshape(n, -1)
    direction = np.random.Generator(np.random.PCG64(0)).normal(size=d + y.shape[1])
    key = y @ direction[d:]
    for first in range(0, n, PIECE):
        piece = slice(first, first + PIECE)
        key[piece] += rows.x[piece].astype(np.float64) @ direction[:d]
    if rows.w is None:
        return rows.take(np.argsort(key))
    order = np.lexsort((rows.w, key))  # equal rows of unequal weight stand in one order, too
    return rows.take(order[rows.w[order] > 0])


def with_copies(rows: Rows) -> Rows:
    """Replace whole weights by copies, unless they would multiply the rows more than fourfold."""
    if rows.w is None or rows.w.sum() > MOST_COPIES * len(rows.w) or (rows.w % 1).any():
        return rows
    repeated = rows.take(np.repeat(np.arange(len(rows.w)), rows.w.astype(np.int64)))
    return Rows(repeated.x, repeated.y, None)


def hold_back(rows: Rows, fraction: float, seed: int, *, stratify: bool) -> tuple[Rows, Rows]:
    """Split sorted rows at random into those to learn from and those to watch, by class if asked.

    Rows that are equal stay together: a row that is learned cannot tell how well others do.
    """
    group = _groups(rows)
    n = int(group[-1]) + 1
    held = max(1, round(fraction * n))
    if held >= n:
        raise DataError(
            f"early stopping cannot hold back {held} different rows of n_samples = {n}",
            remedy="give more rows, a smaller validation_fraction or early_stopping=False",
        )
    shuffled = randomness.generator(seed, "split").permutation(n)
    if stratify:
        firsts = np.flatnonzero(np.diff(group, prepend=-1))
        shuffled = shuffled[np.argsort(rows.y[firsts][shuffled], kind="stable")]
    watched = np.zeros(n, bool)
    watched[shuffled[((np.arange(held) + 0.5) * n / held).astype(np.int64)]] = True
    return rows.take(np.flatnonzero(~watched[group])), rows.take(np.flatnonzero(watched[group]))


def _groups(rows: Rows) -> np.ndarray:
    """Return a number for each of the sorted rows (n,), shared by those that are equal."""
    y = rows.y.reshape(len(rows.y), -1)
    new = (rows.x[1:] != rows.x[:-1]).any(axis=1) | (y[1:] != y[:-1]).any(axis=1)
    return np.concatenate([[0], np.cumsum(new)])


def class_weighted(
    codes: np.ndarray,  # (n,)
    classes: np.ndarray,  # (k,)
    class_weight: Mapping[Any, float] | str | None,
    w: np.ndarray | None,  # (n,)
) -> np.ndarray | None:
    """Return row weights times the weight of each row's class.

    "balanced": n / (k * rows of the class), rows counted by their weight (King and Zeng 2001).
    """
    if class_weight is None:
        return w
    ones = np.ones(len(codes)) if w is None else w
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            raise ParameterError(
                f"class_weight is {class_weight!r}",
                remedy="give None, 'balanced' or a weight for each class",
            )
        totals = np.bincount(codes, ones, minlength=len(classes))
        each = ones.sum() / (len(classes) * np.maximum(totals, 1e-12))
    else:
        unknown = [label for label in class_weight if label not in classes.tolist()]
        if unknown:
            raise ParameterError(
                f"class_weight names {unknown[0]!r}, which is not a class",
                remedy=f"the classes are: {', '.join(map(str, classes.tolist()))}",
            )
        each = np.array([float(class_weight.get(label, 1.0)) for label in classes.tolist()])
    return ones * each[codes]


@dataclass(frozen=True)
class Sizes:
    """How large features and rows are."""

    squares: np.ndarray  # (d,)  mean square of each feature
    longest: float  # largest squared length of a row

    @classmethod
    def of(cls, x: np.ndarray) -> Sizes:
        """Measure rows x (n, d)."""
        squares, longest = np.zeros(x.shape[1]), 0.0
        for first in range(0, len(x), PIECE):
            piece = np.square(x[first : first + PIECE], dtype=np.float64)
            squares += piece.sum(axis=0)
            longest = max(longest, float(piece.sum(axis=1).max()))
        return cls(squares / len(x), longest)


def suitable_rate(recipe: Recipe, sizes: Sizes, curvature: float = 1.0) -> tuple[float, str]:
    """Return a learning rate for the optimizer and the sizes of the rows, and the reason.

    `curvature` is the largest second derivative of the loss by z: 1 squared loss, 1/4 log loss.
    A row of the largest size is answered exactly after its own step, never beyond.
    """
    if recipe.optimizer in _ADAPTIVE_RATES:
        return _ADAPTIVE_RATES[recipe.optimizer], f"the usual rate of {recipe.optimizer}"
    length = 1.0 + float(sizes.squares.sum())
    rate = min(_CALM_STEP / length, 1.0 / (1.0 + sizes.longest)) / curvature
    if recipe.optimizer in ("momentum", "nesterov"):  # which multiply a step by 1 / (1 - momentum)
        rate *= 1.0 - recipe.momentum
    return rate, f"rows have a squared length of {length:.3g}, at most {1 + sizes.longest:.3g}"


def scale_alert(squares: np.ndarray) -> str | None:
    """Return a sentence when the features' scales will keep descent from settling, else None."""
    sizes = np.sqrt(squares[squares > 0])
    if not sizes.size or (sizes.max() < UNSCALED and sizes.max() / sizes.min() < UNSCALED):
        return None
    return (
        f"the features are not scaled (typical sizes from {sizes.min():.3g} to {sizes.max():.3g}), "
        "so descent may stop far from the best weights; put a StandardScaler before this estimator"
    )
