"""The arithmetic of the metrics: each one is written as weighted sums over rows.

    prepare(y, p, threshold) -> evaluate        once: losses, sorting, one-hot codes
    evaluate(W) -> values                       W (b, n) weights, values (b,)

One row of W is a whole data set: ones give the plain score, sample weights the weighted score,
bootstrap counts a resample. So a score and its thousand resamples come from the same lines.
A value is nan where the metric is undefined (no row of a class, a constant target).

Axes: b resamples, n rows, k classes. y (n,), p (n, k) or (n,) for numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

Evaluate = Callable[[np.ndarray], np.ndarray]
Prepare = Callable[[np.ndarray, np.ndarray, float], Evaluate]

_SMALLEST = float(np.finfo(np.float64).eps)  # keeps log(p) finite, as scikit-learn does
_FEW_CLASSES = 64  # up to which an array of rows times classes is small, and the quicker way


def decide(p: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    """Return the decided class (n,): binary p[:, 1] >= threshold, else the most likely."""
    if p.shape[1] == 2:
        return (p[:, 1] >= threshold).astype(np.int64)
    return p.argmax(axis=1)


def ratio(over: np.ndarray, under: np.ndarray) -> np.ndarray:
    """Return over / under, nan where `under` is 0."""
    return np.divide(over, under, out=np.full(np.shape(over), np.nan), where=under != 0)


def mean_of(losses: Callable[[np.ndarray, np.ndarray, float], np.ndarray]) -> Prepare:
    """Return the metric that is the weighted mean of `losses` (n,)."""

    def prepare(y: np.ndarray, p: np.ndarray, threshold: float) -> Evaluate:
        values = losses(y, p, threshold).astype(np.float64)
        return lambda W: ratio(W @ values, W.sum(axis=1))

    return prepare


def root(prepare: Prepare) -> Prepare:
    """Return the square root of a metric."""

    def prepared(y: np.ndarray, p: np.ndarray, threshold: float) -> Evaluate:
        evaluate = prepare(y, p, threshold)
        return lambda W: np.sqrt(evaluate(W))

    return prepared


def by_fold(prepare: Prepare, folds: np.ndarray) -> Prepare:
    """Return the mean of a metric over folds, by weight of their rows; undefined folds left out.

    Rows of different folds were scored by different fits, so they must not be ranked together.
    """

    def prepared(y: np.ndarray, p: np.ndarray, threshold: float) -> Evaluate:
        rows = [np.flatnonzero(folds == fold) for fold in np.unique(folds)]
        parts = [prepare(y[inside], p[inside], threshold) for inside in rows]

        def evaluate(W: np.ndarray) -> np.ndarray:
            blocks = [W[:, inside] for inside in rows]
            values = np.stack([part(block) for part, block in zip(parts, blocks, strict=True)])
            sizes = np.stack([block.sum(axis=1) for block in blocks]) * ~np.isnan(values)
            return ratio((np.where(sizes > 0, values, 0.0) * sizes).sum(axis=0), sizes.sum(axis=0))

        return evaluate

    return prepared


def hits(y: np.ndarray, p: np.ndarray, threshold: float) -> np.ndarray:
    """1 where the decision is right."""
    return decide(p, threshold) == y


def log_losses(y: np.ndarray, p: np.ndarray, threshold: float) -> np.ndarray:  # noqa: ARG001
    """-log p of the true class, in nats."""
    return -np.log(np.clip(p[np.arange(len(y)), y], _SMALLEST, 1 - _SMALLEST))


def brier_losses(y: np.ndarray, p: np.ndarray, threshold: float) -> np.ndarray:  # noqa: ARG001
    """Squared distance of the probabilities from the truth; binary: of one column only."""
    misses = p.copy()
    misses[np.arange(len(y)), y] -= 1
    squares = (misses**2).sum(axis=1)
    return squares / 2 if p.shape[1] == 2 else squares


def absolute_errors(y: np.ndarray, p: np.ndarray, threshold: float) -> np.ndarray:  # noqa: ARG001
    """|y - p|."""
    return np.abs(y - p)


def squared_errors(y: np.ndarray, p: np.ndarray, threshold: float) -> np.ndarray:  # noqa: ARG001
    """(y - p)**2."""
    return (y - p) ** 2


def r2(y: np.ndarray, p: np.ndarray, threshold: float) -> Evaluate:  # noqa: ARG001
    """1 - sum (y - p)**2 / sum (y - mean y)**2."""
    squares = (y - p) ** 2
    centred = y - y.mean()  # keeps the difference of sums below exact for targets far from 0
    rounding = (_SMALLEST * np.abs(y).max(initial=0.0)) ** 2

    def evaluate(W: np.ndarray) -> np.ndarray:
        total = W.sum(axis=1)
        second = W @ centred**2
        spread = second - ratio((W @ centred) ** 2, total)
        spread = np.where(spread > 1e-12 * second + 4 * rounding * total, spread, 0.0)
        return 1 - ratio(W @ squares, spread)

    return evaluate


def median_absolute_error(y: np.ndarray, p: np.ndarray, threshold: float) -> Evaluate:  # noqa: ARG001
    """Return the weighted median of |y - p|: the mean of the lower and the upper median."""
    errors = np.abs(y - p)
    order = np.argsort(errors, kind="stable")
    errors = errors[order]

    def evaluate(W: np.ndarray) -> np.ndarray:
        below = np.cumsum(W[:, order], axis=1)
        half = below[:, -1:] / 2
        lower, upper = (below >= half).argmax(axis=1), (below > half).argmax(axis=1)
        return np.where(half[:, 0] > 0, (errors[lower] + errors[upper]) / 2, np.nan)

    return evaluate


Tally = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def from_tallies(formula: Tally) -> Prepare:
    """Return the metric `formula(truth, decided, right)`, each (b, k): weights by class."""

    def prepare(y: np.ndarray, p: np.ndarray, threshold: float) -> Evaluate:
        decided, k = decide(p, threshold), p.shape[1]
        hit = decided == y
        tally = _dense_tally if k <= _FEW_CLASSES else _sparse_tally
        truth, chosen, right = tally(y, k), tally(decided, k), tally(y, k, hit)
        return lambda W: formula(truth(W), chosen(W), right(W))

    return prepare


def _dense_tally(classes: np.ndarray, k: int, counted: np.ndarray | None = None) -> Evaluate:
    """Return W -> weights (b, k) by class, of the rows that are counted: one product."""
    codes = np.eye(k)[classes]
    codes = codes if counted is None else codes * counted[:, None]
    return lambda W: W @ codes


def _sparse_tally(classes: np.ndarray, k: int, counted: np.ndarray | None = None) -> Evaluate:
    """The same without an array of rows times classes: sums of rows sorted by class."""
    rows = np.arange(len(classes)) if counted is None else np.flatnonzero(counted)
    rows = rows[np.argsort(classes[rows], kind="stable")]
    present, starts = np.unique(classes[rows], return_index=True)

    def evaluate(W: np.ndarray) -> np.ndarray:
        found = np.zeros((len(W), k))
        if len(rows):
            found[:, present] = np.add.reduceat(W[:, rows], starts, axis=1)
        return found

    return evaluate


def balanced_accuracy(truth: np.ndarray, decided: np.ndarray, right: np.ndarray) -> np.ndarray:  # noqa: ARG001
    """Mean recall over the classes that occur."""
    return _mean_defined(ratio(right, truth))


def recall(truth: np.ndarray, decided: np.ndarray, right: np.ndarray) -> np.ndarray:
    """right / truth; of the positive class, or the mean over classes."""
    return _one_or_mean(ratio(right, truth), truth, decided, undefined=truth)


def precision(truth: np.ndarray, decided: np.ndarray, right: np.ndarray) -> np.ndarray:
    """right / decided; 0 where a class that occurs is never decided."""
    return _one_or_mean(ratio(right, decided), truth, decided, undefined=truth + decided)


def f1(truth: np.ndarray, decided: np.ndarray, right: np.ndarray) -> np.ndarray:
    """2 right / (truth + decided), the harmonic mean of precision and recall."""
    return _one_or_mean(
        ratio(2 * right, truth + decided), truth, decided, undefined=truth + decided
    )


def specificity(truth: np.ndarray, decided: np.ndarray, right: np.ndarray) -> np.ndarray:  # noqa: ARG001
    """Recall of the negative class (binary)."""
    return ratio(right[:, 0], truth[:, 0])


def matthews(truth: np.ndarray, decided: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Matthews' correlation (1975; Gorodkin 2004); 0 where one side is constant."""
    total = truth.sum(axis=1)
    both = right.sum(axis=1) * total - (truth * decided).sum(axis=1)
    spreads = (total**2 - (truth**2).sum(axis=1)) * (total**2 - (decided**2).sum(axis=1))
    return np.divide(both, np.sqrt(spreads), out=np.zeros_like(both), where=spreads > 0)


def _one_or_mean(
    by_class: np.ndarray, truth: np.ndarray, decided: np.ndarray, undefined: np.ndarray
) -> np.ndarray:
    if by_class.shape[1] == 2:
        zeroed = np.where(np.isnan(by_class[:, 1]), 0.0, by_class[:, 1])
        return np.where(undefined[:, 1] == 0, np.nan, zeroed)
    occurs = truth + decided > 0  # as scikit-learn: classes of the truth or of the decisions
    return _mean_defined(np.where(occurs, np.where(np.isnan(by_class), 0.0, by_class), np.nan))


def _mean_defined(values: np.ndarray) -> np.ndarray:
    defined = ~np.isnan(values)
    return ratio(np.where(defined, values, 0.0).sum(axis=1), defined.sum(axis=1))


def one_against_rest(prepare: Callable[[np.ndarray, np.ndarray], Evaluate]) -> Prepare:
    """Return the binary ranking metric, or its mean over the classes that occur (macro)."""

    def prepared(y: np.ndarray, p: np.ndarray, threshold: float) -> Evaluate:  # noqa: ARG001
        # A class without rows has no score.
        classes: Sequence[int] = [1] if p.shape[1] == 2 else np.unique(y).tolist()

        def ready() -> Iterator[Evaluate]:
            return (prepare(y == c, p[:, c]) for c in classes)

        # What sorting gives is kept for the resamples, unless it is of very many classes.
        kept = list(ready()) if len(classes) <= _FEW_CLASSES else None
        return lambda W: _mean_defined(
            np.stack([evaluate(W) for evaluate in kept or ready()], axis=1)
        )

    return prepared


def rank_auc(positive: np.ndarray, score: np.ndarray) -> Evaluate:
    """P(score of a positive > score of a negative), ties count half (Mann & Whitney 1947).

    Sorting happens once; a resample costs one running sum over the negatives.
    """
    above, below = np.flatnonzero(positive), np.flatnonzero(~positive)
    above, below = above[np.argsort(score[above])], below[np.argsort(score[below])]
    first = np.searchsorted(score[below], score[above], side="left")
    last = np.searchsorted(score[below], score[above], side="right")
    tied = not np.array_equal(first, last)

    def evaluate(W: np.ndarray) -> np.ndarray:
        ones = W[:, above]
        running = np.zeros((len(W), len(below) + 1))
        np.cumsum(W[:, below], axis=1, out=running[:, 1:])
        beaten = np.einsum("bi,bi->b", ones, running[:, first])
        if tied:
            beaten = (beaten + np.einsum("bi,bi->b", ones, running[:, last])) / 2
        return ratio(beaten, ones.sum(axis=1) * running[:, -1])

    return evaluate


def average_precision(positive: np.ndarray, score: np.ndarray) -> Evaluate:
    """Sum over distinct scores, highest first, of (gain in recall) x precision."""
    order = np.argsort(-score, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(order) - 1)
    ones = positive[order].astype(np.float64)

    def evaluate(W: np.ndarray) -> np.ndarray:
        sorted_weights = W[:, order]
        found = np.cumsum(sorted_weights * ones, axis=1)[:, ends]
        asked = np.cumsum(sorted_weights, axis=1)[:, ends]
        gained = np.diff(found, axis=1, prepend=0.0)
        held = np.divide(found, asked, out=np.zeros_like(found), where=asked > 0)
        return ratio(np.einsum("bi,bi->b", gained, held), found[:, -1])

    return evaluate
