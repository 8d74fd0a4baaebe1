"""Which columns a model relies on: permutation importance, and a single layer's exact weights.

Permutation importance (Breiman 2001, "Random Forests", section 10; model-agnostic: Fisher, Rudin &
Dominici 2019): merit of the model on rows minus its merit on the same rows with one column
shuffled, so that the column says nothing while its distribution stays. Not covered: columns that
say the same stand in for each other, so that each of them seems to matter less than it does.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from neuroscope.base import randomness

REPEATS = 5  # shuffles of one column
_TAIL = 0.025  # of the 95 % interval, on each side

Predict = Callable[[np.ndarray], np.ndarray]  # rows (n, d) -> what the model says of each
# Predictions of m models on the same rows -> their merits (m,), greater is better, and the same on
# b resamples of the rows (m, b), drawn alike for all models.
Merits = Callable[[Sequence[np.ndarray]], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Importance:
    """How much merit is lost without one column, with its 95 % interval.

    `share` is the part of all that is lost column by column; columns that help nothing have 0.
    """

    column: str
    drop: float
    low: float
    high: float
    share: float


def permutation_importance(
    predict: Predict,
    merits: Merits,
    x: np.ndarray,  # (n, d)
    columns: Mapping[str, np.ndarray],  # name -> the places (of d) that are shuffled together
    *,
    seed: int = 0,
    seconds: float = math.inf,
) -> list[Importance]:
    """Return the columns by what is lost without them, the largest loss first.

    The interval holds the chance of the shuffles and that of the rows: each resample of the rows
    is paired with one of the shuffles. When `seconds` are short, columns are shuffled fewer
    times; those whose turn does not come are missing from the list.
    """
    began = time.monotonic()
    said = predict(x)
    repeats = _affordable(time.monotonic() - began, len(columns), seconds)
    found: dict[str, tuple[float, float, float]] = {}
    for name, places in columns.items():
        if found and time.monotonic() - began > seconds:
            break
        random = randomness.generator(seed, "importance", name)
        shuffled = [predict(_shuffled(x, places, random)) for _ in range(repeats)]
        found[name] = _lost(*merits([said, *shuffled]))
    whole = sum(max(drop, 0.0) for drop, _, _ in found.values())
    ordered = sorted(found.items(), key=lambda entry: -entry[1][0])
    return [
        Importance(name, *lost, share=max(lost[0], 0.0) / whole if whole else 0.0)
        for name, lost in ordered
    ]


def _affordable(predict_seconds: float, columns: int, seconds: float) -> int:
    """Return how many shuffles of each column fit; scoring takes as long again, at a guess."""
    needed = 2 * predict_seconds * max(columns, 1)
    return REPEATS if REPEATS * needed <= seconds else max(int(seconds / needed), 1)


def _shuffled(x: np.ndarray, places: np.ndarray, random: np.random.Generator) -> np.ndarray:
    changed = x.copy()
    changed[:, places] = x[random.permutation(len(x))][:, places]
    return changed


def _lost(values: np.ndarray, draws: np.ndarray) -> tuple[float, float, float]:
    """Return (drop, low, high) of merits whose first model is the untouched one."""
    drop = float(values[0] - values[1:].mean())
    b = np.arange(draws.shape[1])
    gaps = draws[0] - draws[1 + b % (len(draws) - 1), b]
    gaps = gaps[np.isfinite(gaps)]
    if not len(gaps):
        return drop, math.nan, math.nan
    low, high = np.quantile(gaps, [_TAIL, 1 - _TAIL])
    return drop, float(low), float(high)


def effects(weights: np.ndarray, x: np.ndarray, *, classes: bool = False) -> np.ndarray:
    """Return what one standard deviation of each feature adds to each output z (d, k).

    effect_ij = w_ij · std(x_i) for weights (d, k) of a single layer on rows x (n, d). Of `classes`
    under a softmax only differences count, so the mean over classes is taken off each feature.
    """
    weights = np.asarray(weights, np.float64)
    if classes:
        weights = weights - weights.mean(axis=1, keepdims=True)
    return weights * np.asarray(x, np.float64).std(axis=0)[:, None]
