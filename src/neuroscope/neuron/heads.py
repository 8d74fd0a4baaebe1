"""The last layer for each kind of answer: how targets go in and how outputs are read.

binary      one sigmoid output, binary cross-entropy      y in {0, 1}
multiclass  softmax, cross-entropy                        y in {0 .. k-1}
multilabel  one sigmoid a label, binary cross-entropy     y (n, k) of 0 and 1
regression  identity, squared loss or Huber               y (n,) or (n, k)
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from neuroscope.base.recipe import Recipe
from neuroscope.base.sparse import SparseRows
from neuroscope.neuron.network import Network
from neuroscope.neuron.step import Examples

Kind = Literal["binary", "multiclass", "multilabel", "regression"]

_OUTPUT = {
    "binary": "sigmoid",
    "multiclass": "softmax",
    "multilabel": "sigmoid",
    "regression": "identity",
}
_LOSS = {
    "binary": "binary_cross_entropy",
    "multiclass": "cross_entropy",
    "multilabel": "binary_cross_entropy",
}


def build(kind: Kind, inputs: int, outputs: int, recipe: Recipe) -> Network:
    """Build the net for an answer of `outputs` classes, labels or numbers (binary: 2 classes).

    The loss follows from the kind, except that regression may ask for Huber.
    """
    loss = _LOSS.get(kind, "huber" if recipe.loss == "huber" else "mean_squared_error")
    units = 1 if kind == "binary" else outputs
    return Network.build(inputs, units, replace(recipe, loss=loss), output=_OUTPUT[kind])


def examples(
    kind: Kind,
    x: np.ndarray | SparseRows,  # (n, d)
    y: np.ndarray,  # (n,) class codes, or (n, k)
    classes: int,
    recipe: Recipe,
    *,
    sample_weight: np.ndarray | None = None,  # (n,)
    smooth: bool = True,  # apply label smoothing: while learning yes, while watching no
) -> Examples:
    """Bring rows into the form `descend` reads: one-hot, smoothed, weighted.

    Label smoothing (Szegedy et al. 2016): target (1 - s) y + s / k. Weights are scaled to mean 1.
    """
    targets = np.asarray(y, np.float64)
    if kind == "multiclass":
        targets = np.zeros((len(y), classes))
        targets[np.arange(len(y)), np.asarray(y, np.int64)] = 1
    if smooth and kind != "regression" and recipe.label_smoothing > 0:
        share = 1 / classes if kind == "multiclass" else 0.5
        targets = (1 - recipe.label_smoothing) * targets + recipe.label_smoothing * share
    weights = row_weights(kind, y, classes, recipe.class_weight, sample_weight)
    return Examples.of(x, targets, weights, np.dtype(recipe.precision))


def row_weights(
    kind: Kind,
    y: np.ndarray,
    classes: int,
    class_weight: str | None,
    sample_weight: np.ndarray | None,
) -> np.ndarray | None:
    """Return row weights of mean 1, or None when all rows count alike.

    class_weight "balanced" gives each class the same total: n / (k * rows of the class).
    """
    weights = None if sample_weight is None else np.asarray(sample_weight, np.float64)
    if class_weight == "balanced" and kind in ("binary", "multiclass"):
        codes = np.asarray(y, np.int64)
        ones = np.ones(len(codes)) if weights is None else weights
        totals = np.bincount(codes, ones, minlength=classes)
        weights = ones * (1 / np.maximum(totals, 1e-12))[codes]
    if weights is None:
        return None
    return weights / max(float(weights.mean()), 1e-12)


def answers(kind: Kind, outputs: np.ndarray) -> np.ndarray:
    """Read outputs (n, units): probabilities (n, k), or the values (n,) or (n, k) themselves."""
    if kind == "binary":
        return np.concatenate([1 - outputs, outputs], axis=1)
    return outputs[:, 0] if kind == "regression" and outputs.shape[1] == 1 else outputs
