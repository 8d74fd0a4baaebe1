"""Prediction intervals that hold what they promise, from errors on rows nobody learned from.

Split conformal prediction (Vovk et al. 2005; Lei et al. 2018): the interval of coverage c is the
forecast plus and minus the c-quantile of the absolute errors on held-out rows. Each step ahead has
a quantile of its own (Stankeviciute et al. 2021), and errors count in units of the spread of the
readings that the forecast was made from, so that a lively series has the wider interval.

The promise holds where new rows are exchangeable with the held-out ones, which time does not
grant: the measured coverage on test rows is told beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neuroscope.base.errors import ModelError

LEVELS = (0.8, 0.95)


@dataclass(frozen=True)
class Intervals:
    """Half-widths (levels, h) by coverage and step, in units of a window's spread."""

    levels: tuple[float, ...]
    widths: np.ndarray
    rows: int  # held-out rows they were measured on

    def around(self, forecast: np.ndarray, spread: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the lower and the upper ends, each (levels, n, h), of forecasts (n, h).

        `spread` (n,) is that of each window, or (n, h) where it changes on the way. Behind the last
        step that was measured the half-width grows with the square root of the steps, as the sum of
        independent errors does.
        """
        unit = spread[:, None] if spread.ndim == 1 else spread
        half = self._stretched(forecast.shape[1])[:, None, :] * unit[None, :, :]
        return forecast - half, forecast + half

    def _stretched(self, horizon: int) -> np.ndarray:
        known = self.widths.shape[1]
        if horizon <= known:
            return self.widths[:, :horizon]
        growth = np.sqrt(np.arange(known + 1, horizon + 1) / known)
        return np.concatenate([self.widths, self.widths[:, -1:] * growth], axis=1)

    def to_json(self) -> dict[str, Any]:
        """Return the intervals as a JSON object; `from_json` gives equal ones back."""
        return {"levels": list(self.levels), "widths": self.widths.tolist(), "rows": self.rows}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Intervals:
        """Build what `to_json` wrote; ModelError for anything else."""
        try:
            widths = np.array(record["widths"], np.float64)
            levels = tuple(float(level) for level in record["levels"])
            if widths.ndim != 2 or len(widths) != len(levels):
                raise ValueError(f"{len(levels)} levels, widths {widths.shape}")
            return cls(levels, widths, int(record["rows"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"the model's intervals cannot be read: {error!r}") from error


def measure(
    truth: np.ndarray,  # (n, h), NaN where unknown
    forecast: np.ndarray,  # (n, h)
    spread: np.ndarray,  # (n,), 0 where it is not known
    levels: Sequence[float] = LEVELS,
) -> Intervals:
    """Return the half-widths that held-out forecasts ask for.

    Of m errors it is the ceil((m + 1) c)-th smallest, and the largest where there are too few.
    Rows without a spread say nothing of errors in its unit.
    """
    unit = np.where(spread > 0, spread, np.nan)[:, None]
    errors = np.sort(np.abs(truth - forecast) / unit, axis=0)  # NaN last
    known = np.isfinite(errors).sum(axis=0)
    widths = np.zeros((len(levels), truth.shape[1]))
    for row, level in enumerate(levels):
        rank = np.minimum(np.ceil((known + 1) * level).astype(np.int64), known)
        found = errors[np.maximum(rank - 1, 0), np.arange(truth.shape[1])]
        widths[row] = np.where(known > 0, found, np.nan)
    if not known.any():
        widths[:] = 0.0
    elif not known.all():  # a step that was never read: as wide as the widest
        widths = np.where(np.isnan(widths), np.nanmax(widths, axis=1, keepdims=True), widths)
    return Intervals(tuple(levels), widths, len(truth))


def coverage(truth: np.ndarray, low: np.ndarray, high: np.ndarray) -> float:
    """Return the share of known readings (n, h) that lie within their interval."""
    known = np.isfinite(truth)
    return float(((truth >= low) & (truth <= high))[known].mean()) if known.any() else float("nan")


def quantile_loss(
    truth: np.ndarray, forecast: np.ndarray, lows: np.ndarray, highs: np.ndarray,
    levels: Sequence[float],
) -> float:  # fmt: skip
    """Return the mean pinball loss over all known steps and quantiles, the median among them.

    max(q (y - f), (q - 1) (y - f)) of the quantile q (Koenker and Bassett 1978); lows and highs
    (levels, n, h) are the quantiles (1 - c) / 2 and (1 + c) / 2.
    """
    quantiles = [(0.5, forecast)]
    for level, low, high in zip(levels, lows, highs, strict=True):
        quantiles += [((1 - level) / 2, low), ((1 + level) / 2, high)]
    losses = [np.maximum(q * (truth - said), (q - 1) * (truth - said)) for q, said in quantiles]
    return float(np.nanmean(np.stack(losses)))
