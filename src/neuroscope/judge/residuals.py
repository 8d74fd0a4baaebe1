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
    y: np.ndarray, p: np.ndarray, bins: int = 10, limit: int = 10, points: int = 500
) -> Residuals:
    """Summarise the misses y - p (n,); bins of about equal numbers of rows, by prediction.

    limit: worst rows listed; points: at most so many evenly taken rows in `sample`.
    """
    if bins < 1:
        raise InputError(f"{bins} bins", remedy="ask for at least 1")
    y, p, _ = checked(METRICS["rmse"], y, p, None)
    miss = y - p
    bias = float(miss.mean())
    error = float(miss.std(ddof=1) / np.sqrt(len(y))) if len(y) > 1 else float("nan")
    half, most = np.quantile(np.abs(miss), [0.5, 0.9])
    worst = np.argsort(-np.abs(miss), kind="stable")[:limit]
    taken = np.unique(np.linspace(0, len(y) - 1, min(points, len(y))).astype(int))
    return Residuals(
        bias=bias,
        bias_error=error,
        half_within=float(half),
        nine_in_ten_within=float(most),
        bins=_bins(y, p, miss, bins),
        worst=tuple(WorstRow(int(r), float(y[r]), float(p[r]), float(miss[r])) for r in worst),
        sample=tuple((float(p[r]), float(y[r])) for r in taken),
        sentence=_sentence(bias, error, float(half), float(most)),
    )


def _bins(y: np.ndarray, p: np.ndarray, miss: np.ndarray, bins: int) -> tuple[ResidualBin, ...]:
    edges = np.quantile(p, np.linspace(0, 1, bins + 1))
    number = np.searchsorted(edges[1:-1], p, side="left")
    parts = []
    for i in np.unique(number):
        inside = number == i
        low, median, high = np.quantile(miss[inside], [0.1, 0.5, 0.9])
        parts.append(
            ResidualBin(
                lower=float(edges[i]),
                upper=float(edges[i + 1]),
                rows=int(inside.sum()),
                predicted=float(p[inside].mean()),
                actual=float(y[inside].mean()),
                miss_low=float(low),
                miss_median=float(median),
                miss_high=float(high),
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
