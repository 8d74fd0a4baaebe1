"""Whether "80 % sure" is right 80 times in 100, and temperature scaling where it is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from neuroscope.base.errors import InputError, choice_error
from neuroscope.judge._record import Record
from neuroscope.judge.intervals import proportion_interval
from neuroscope.judge.metrics import METRICS, checked

_COLDEST, _HOTTEST = 0.01, 100.0
_LEAST = 1e-12  # probability whose logarithm still says something


@dataclass(frozen=True)
class Bin(Record):
    """Rows of similar probability; low and high: Wilson's 95 % interval of `observed`.

    Means and shares are weighted; the interval counts (sum w)² / sum w² rows (Kish, 1965).
    """

    lower: float
    upper: float
    rows: int
    predicted: float  # mean probability
    observed: float  # share of rows in which the event happened
    low: float
    high: float
    share: float  # of the weight of all rows


@dataclass(frozen=True)
class Calibration(Record):
    """The calibration curve; `about` says which probability is meant."""

    about: Literal["positive class", "decided class"]
    bins: tuple[Bin, ...]
    expected_calibration_error: float
    sentence: str


def calibration(
    y: np.ndarray,
    p: np.ndarray,
    bins: int = 10,
    strategy: str = "quantile",
    weights: np.ndarray | None = None,
) -> Calibration:
    """Compare probabilities with what happened: two classes p[:, 1], more the decided class.

    strategy: "quantile" bins hold about the same number of rows, "uniform" have the same width.
    weights (n,): how much each row counts; those of weight 0 are left out.
    expected_calibration_error = sum over bins of share |observed - predicted| (Naeini 2015).
    """
    if strategy not in ("quantile", "uniform"):
        raise choice_error("strategy", strategy, ["quantile", "uniform"])
    if bins < 1:
        raise InputError(f"{bins} bins", remedy="ask for at least 1")
    y, p, weights = checked(METRICS["log_loss"], y, p, weights)
    y, p, weights = y[weights > 0], p[weights > 0], weights[weights > 0]
    binary = p.shape[1] == 2
    said = p[:, 1] if binary else p.max(axis=1)
    happened = y == (1 if binary else p.argmax(axis=1))
    found = tuple(_bins(said, happened, weights, bins, strategy))
    error = float(sum(part.share * abs(part.observed - part.predicted) for part in found))
    about = "positive class" if binary else "decided class"
    return Calibration(about, found, error, _sentence(found, error))


def _bins(
    said: np.ndarray, happened: np.ndarray, weights: np.ndarray, bins: int, strategy: str
) -> Sequence[Bin]:
    if strategy == "quantile":
        edges = np.quantile(said, np.linspace(0, 1, bins + 1))
    else:
        edges = np.linspace(0, 1, bins + 1)
    number = np.searchsorted(edges[1:-1], said, side="left")
    parts = []
    for i in np.unique(number):
        inside = number == i
        w = weights[inside]
        mean, right = (float(np.average(v[inside], weights=w)) for v in (said, happened))
        effective = w.sum() ** 2 / (w**2).sum()
        low, high = proportion_interval(right * effective, effective)
        share = float(w.sum() / weights.sum())
        parts.append(Bin(float(edges[i]), float(edges[i + 1]), int(inside.sum()), mean, right,
                         low, high, share))  # fmt: skip
    return parts


def _sentence(bins: Sequence[Bin], error: float) -> str:
    off = [part for part in bins if not part.low <= part.predicted <= part.high]
    start = f"The stated probabilities are off by {100 * error:.1f} points on average"
    if not off:
        return f"{start}: no more than chance explains, they can be read as they stand."
    worst = max(off, key=lambda part: part.share * abs(part.observed - part.predicted))
    return (
        f"{start}: where the model says {100 * worst.predicted:.0f} %, it happens in "
        f"{100 * worst.observed:.0f} % ({worst.rows:,} rows)."
    )


def fit_temperature(y: np.ndarray, p: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Return T > 0 for which softmax(log p / T) has the least log loss (Guo et al. 2017).

    Fit it on rows that the model was not trained on. T > 1 softens an overconfident model,
    T < 1 sharpens a timid one, 1 changes nothing. Class order never changes. p (n, k),
    weights (n,): how much each row counts.
    Bounded to 0.01..100, where a model that is always or never right would run away.
    """
    from scipy.optimize import minimize_scalar  # noqa: PLC0415 - keeps the import quick

    y, p, weights = checked(METRICS["log_loss"], y, p, weights)
    logits = _logits(p)
    rows = np.arange(len(y))

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        top = scaled.max(axis=1)
        total = top + np.log(np.exp(scaled - top[:, None]).sum(axis=1))
        return float(np.average(total - scaled[rows, y], weights=weights))

    bounds = (np.log(_COLDEST), np.log(_HOTTEST))
    best = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-6})
    return float(np.exp(best.x)) if best.fun < loss(0.0) else 1.0


def apply_temperature(
    p: np.ndarray,  # (n, k)
    temperature: float,
) -> np.ndarray:
    """Return softmax(log p / temperature), the same shape; 1 returns p itself."""
    if not (np.isfinite(temperature) and temperature > 0):
        raise InputError(f"temperature is {temperature}", remedy="give a number above 0")
    if temperature == 1:
        return p
    scaled = _logits(np.asarray(p, dtype=np.float64)) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _logits(p: np.ndarray) -> np.ndarray:
    return np.log(np.clip(p, _LEAST, None))
