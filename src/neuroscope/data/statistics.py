"""The mean target of each category, and the same without the row's own target."""

from __future__ import annotations

import numpy as np

FOLDS = 5
PRIOR_ROWS = 10.0


def target_statistics(
    codes: np.ndarray,
    labels: int,
    targets: np.ndarray,
    fold: np.ndarray,
    *,
    prior_rows: float = PRIOR_ROWS,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (labels, k) means, (n, k) out-of-fold means of each row, and (k,) overall means.

    mean of category c = (sum of y in c + m · mean of y) / (rows of c + m), m = `prior_rows`
    (Micci-Barreca, 2001); out of fold: the same with the sums and rows of the other folds. The
    mean of y is that of all rows there, too: one of the other folds' rows would differ from fold
    to fold, against the fold's own targets, and so give them away.
    `codes` (n,) below 0 have no category and get the overall mean; `targets` (n, k);
    `fold` (n,) from 0 to 4.
    """
    n, k = targets.shape
    slot = np.where(codes < 0, labels, codes)  # the last slot: no category
    cell = fold * (labels + 1) + slot
    shape = (FOLDS, labels + 1)
    rows = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
    other_rows = rows.sum(axis=0) - rows
    means, honest, prior = np.empty((labels, k)), np.empty((n, k)), targets.mean(axis=0)
    for j, target in enumerate(targets.T):
        sums = np.bincount(cell, target, minlength=rows.size).reshape(shape)
        total = sums.sum(axis=0)
        means[:, j] = ((total + prior_rows * prior[j]) / (rows.sum(axis=0) + prior_rows))[:labels]
        others = total - sums
        pulled = (others + prior_rows * prior[j]) / (other_rows + prior_rows)
        honest[:, j] = pulled[fold, slot]
    honest[codes < 0] = prior
    return means, honest, prior
