"""The arithmetic of forecasts: errors by step, and the scales that make series comparable.

The truth of n forecasts is (n, h + 2): h steps in the target's unit, NaN where there is no reading,
and two scales of the row's series, measured on its oldest part:

    naive   mean |y_t - y_t-m|, the error of repeating the season m ago (Hyndman and Koehler 2006)
    spread  standard deviation, in which ETT and its kin are scored (Zhou et al. 2021)

A forecast is (n, h) in the target's unit. Steps without a reading count nowhere.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from neuroscope.base.errors import InputError
from neuroscope.judge._arithmetic import Evaluate, Prepare, ratio

SCALES = 2  # columns behind the steps
LEVELS_DIFFER = 2.0  # ratio of the scales of two series from which their errors do not add up


def packed(truth: np.ndarray, naive: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Return truth (n, h) with both scales (n,) behind it; a scale of 0 has no meaning (NaN)."""
    scales = np.column_stack([naive, spread]).astype(np.float64)
    return np.concatenate([truth, np.where(scales > 0, scales, np.nan)], axis=1)


def check(title: str, y: np.ndarray, p: np.ndarray) -> None:
    """Refuse truths and forecasts of other shapes than (n, h + 2) and (n, h) (InputError)."""
    if y.ndim != 2 or p.shape != (len(y), y.shape[1] - SCALES):
        raise InputError(
            f"{title} needs truths (n, h + {SCALES}) and forecasts (n, h), got {y.shape} and "
            f"{p.shape}"
        )


def steps(y: np.ndarray) -> np.ndarray:
    """Return the truth (n, h) of a packed one."""
    return y[:, :-SCALES]


def scales(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (naive, spread), each (n,), of a packed truth."""
    return y[:, -2], y[:, -1]


def levels_differ(y: np.ndarray) -> bool:
    """Say whether the rows are of series whose errors are of different size."""
    naive = np.unique(scales(y)[0])
    naive = naive[np.isfinite(naive)]
    return len(naive) > 1 and bool(naive[-1] > LEVELS_DIFFER * naive[0])


Loss = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def mean_over_steps(loss: Loss) -> Prepare:
    """Return the metric that is the mean of `loss(y, p, naive, spread)` (n, h) over all steps."""

    def prepare(y: np.ndarray, p: np.ndarray, threshold: float) -> Evaluate:  # noqa: ARG001
        naive, spread = (scale[:, None] for scale in scales(y))
        each = loss(steps(y), p, naive, spread)
        known = np.isfinite(each)
        total, count = np.where(known, each, 0.0).sum(axis=1), known.sum(axis=1).astype(np.float64)
        return lambda W: ratio(W @ total, W @ count)

    return prepare


def absolute(y: np.ndarray, p: np.ndarray, naive: np.ndarray, spread: np.ndarray) -> np.ndarray:  # noqa: ARG001
    """|y - p|."""
    return np.abs(y - p)


def squared(y: np.ndarray, p: np.ndarray, naive: np.ndarray, spread: np.ndarray) -> np.ndarray:  # noqa: ARG001
    """(y - p)**2."""
    return (y - p) ** 2


def standardised(y: np.ndarray, p: np.ndarray, naive: np.ndarray, spread: np.ndarray) -> np.ndarray:  # noqa: ARG001
    """((y - p) / spread)**2."""
    return ((y - p) / spread) ** 2


def scaled(y: np.ndarray, p: np.ndarray, naive: np.ndarray, spread: np.ndarray) -> np.ndarray:  # noqa: ARG001
    """|y - p| / naive."""
    return np.abs(y - p) / naive


def symmetric(y: np.ndarray, p: np.ndarray, naive: np.ndarray, spread: np.ndarray) -> np.ndarray:  # noqa: ARG001
    """200 |y - p| / (|y| + |p|); 0 where both are 0 (Makridakis et al. 2000, M3)."""
    under = np.abs(y) + np.abs(p)
    share = np.divide(np.abs(y - p), under, out=np.zeros_like(under), where=under > 0)
    return np.where(np.isfinite(y), 200 * share, np.nan)
