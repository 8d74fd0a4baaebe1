"""How a model of numbers misses: by size of the prediction, and where worst."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neuroscope.base.errors import InputError
from neuroscope.judge._record import Record
from neuroscope.judge.metrics import METRICS, amount, checked


@dataclass(frozen=True)
class ResidualBin(Record):
    """Rows of similar prediction; miss = actual - predicted, in units of the target."""

    lower: float
    upper: float
    rows: int
    predicted: float  # mean
    actual: float  # mean
    miss_low: float  # 10th percentile of the miss
    miss_median: float
    miss_high: float  # 90th percentile


@dataclass(frozen=True)
class WorstRow(Record):
    """One of the rows missed most."""

    row: int
    actual: float
    predicted: float
    miss: float


@dataclass(frozen=True)
class Residuals(Record):
    """Misses of a regression; `sample` is rows for a scatter plot, (predicted, actual) each."""

    bias: float  # mean miss; above 0 the model says too little
    bias_error: float  # its standard error
    half_within: float  # half of the rows are missed by less
    nine_in_ten_within: float
    bins: tuple[ResidualBin, ...]
    worst: tuple[WorstRow, ...]
    sample: tuple[tuple[float, float], ...]
    sentence: str


def residuals(
    y: np.ndarray, p: np.ndarray, bins: int = 10, limit: int = 10, points: int = 500, *,
    weights: np.ndarray | None = None,
) -> Residuals:  # fmt: skip
    """Summarise the misses y - p (n,); bins of about equal numbers of rows, by prediction.

    limit: worst rows listed; points: at most so many evenly taken rows in `sample`. weights (n,):
    how much each row counts in means and shares of rows; those of weight 0 are in no part. Raises
    InputError as the metrics do.
    """
    if bins < 1:
        raise InputError(f"{bins} bins", remedy="ask for at least 1")
    plain = weights is None
    y, p, weights = checked(METRICS["rmse"], y, p, weights)
    counted = np.flatnonzero(weights > 0)
    miss = y - p
    w = None if plain else weights[counted]
    bias, error = _bias(miss[counted], weights[counted])
    half, most = _quantiles(np.abs(miss[counted]), [0.5, 0.9], w)
    worst = counted[np.argsort(-np.abs(miss[counted]), kind="stable")[:limit]]
    taken = counted[
        np.unique(np.linspace(0, len(counted) - 1, min(points, len(counted))).astype(int))
    ]
    return Residuals(
        bias=bias,
        bias_error=error,
        half_within=half,
        nine_in_ten_within=most,
        bins=_bins(y[counted], p[counted], w, bins),
        worst=tuple(WorstRow(int(r), float(y[r]), float(p[r]), float(miss[r])) for r in worst),
        sample=tuple((float(p[r]), float(y[r])) for r in taken),
        sentence=_sentence(bias, error, half, most),
    )


def _bias(miss: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Return the weighted mean miss and its standard error, over (sum w)² / sum w² rows (Kish)."""
    share = weights / weights.sum()
    bias, rows = float(share @ miss), 1 / float(share @ share)
    if len(miss) < 2:
        return bias, float("nan")
    return bias, float(np.sqrt(share @ (miss - bias) ** 2 / max(rows - 1, 1e-12)))


def _quantiles(values: np.ndarray, shares: list[float], weights: np.ndarray | None) -> list[float]:
    """Return quantiles of values (n,); weighted ones are values that occur, not between two."""
    if weights is None:
        return np.quantile(values, shares).tolist()
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    at = np.searchsorted(reached, np.multiply(shares, reached[-1]) * (1 - 1e-12))
    return values[order][at].tolist()


def _bins(
    y: np.ndarray, p: np.ndarray, weights: np.ndarray | None, bins: int
) -> tuple[ResidualBin, ...]:
    edges = np.quantile(p, np.linspace(0, 1, bins + 1))
    number = np.searchsorted(edges[1:-1], p, side="left")
    parts = []
    for i in np.unique(number):
        inside = number == i
        w = None if weights is None else weights[inside]
        low, median, high = _quantiles((y - p)[inside], [0.1, 0.5, 0.9], w)
        parts.append(
            ResidualBin(
                lower=float(edges[i]),
                upper=float(edges[i + 1]),
                rows=int(inside.sum()),
                predicted=float(np.average(p[inside], weights=w)),
                actual=float(np.average(y[inside], weights=w)),
                miss_low=low,
                miss_median=median,
                miss_high=high,
            )
        )
    return tuple(parts)


def _sentence(bias: float, error: float, half: float, most: float) -> str:
    spread = (
        f"Half of the rows are missed by less than {amount(half)}, "
        f"nine in ten by less than {amount(most)}"
    )
    if np.isfinite(error) and abs(bias) > 2 * error:
        side = "little" if bias > 0 else "much"
        return f"{spread}; on average the model says {amount(abs(bias))} too {side}."
    return f"{spread}; on average it says neither too much nor too little."
