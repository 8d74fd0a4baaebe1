"""Losses of the recipe for torch nets, row by row; the same conventions as in the neuron core.

A loss takes the net's outputs (for class losses: logits) and the targets, and returns the loss of
each row (n,): the sum over a row's outputs, the 1/2 of the squared loss included. Where a row holds
many answers (the tokens of a text) it returns two tensors (n,): the sum, and the count of answers
that it is a sum over; the mean is then over answers, so that padding counts for nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from neuroscope.base.errors import RecipeError
from neuroscope.base.recipe import Recipe
from neuroscope.train._tokens import IGNORED, tokens_cross_entropy

__all__ = ["IGNORED", "Loss", "class_weights", "loss_of", "tokens_cross_entropy"]

Loss = Callable[[Tensor, Tensor], Tensor | tuple[Tensor, Tensor]]


def loss_of(recipe: Recipe, *, smooth: bool = True) -> Loss:
    """Return the recipe's loss; label smoothing only where `smooth` (not while watching).

    cross_entropy: logits (n, k) with class indices (n,) or probabilities (n, k); logits (n, t, k)
    with indices (n, t), IGNORED where there is no answer. The other losses: outputs and targets of
    one shape, (n,) or (n, k).
    """
    smoothing = recipe.label_smoothing if smooth else 0.0
    if recipe.loss == "cross_entropy":
        return lambda outputs, targets: _cross_entropy(outputs, targets, smoothing)
    if recipe.loss == "binary_cross_entropy":
        return lambda outputs, targets: _binary(outputs, targets, smoothing)
    if recipe.loss == "mean_squared_error":
        return lambda outputs, targets: _rows((outputs - _like(outputs, targets)).square() / 2)
    if recipe.loss == "huber":
        delta = recipe.huber_delta
        return lambda outputs, targets: _rows(
            functional.huber_loss(outputs, _like(outputs, targets), reduction="none", delta=delta)
        )
    raise RecipeError(
        f"the loss {recipe.loss!r} is for single neurons",
        remedy="choose binary_cross_entropy or cross_entropy",
    )


def _cross_entropy(
    logits: Tensor, targets: Tensor, smoothing: float
) -> Tensor | tuple[Tensor, Tensor]:
    """Label smoothing: target (1 - s) y + s / k (Szegedy et al. 2016)."""
    if targets.is_floating_point():
        return functional.cross_entropy(logits, targets.to(logits.dtype), reduction="none",
                               label_smoothing=smoothing)  # fmt: skip
    targets = targets.long()
    if targets.ndim == 1:
        return functional.cross_entropy(
            logits, targets, reduction="none", label_smoothing=smoothing
        )
    each = tokens_cross_entropy(logits.flatten(0, -2), targets.flatten(), smoothing)
    rows = each.view(len(targets), -1).sum(1)
    return rows, (targets != IGNORED).flatten(1).sum(1).to(rows.dtype)


def _binary(logits: Tensor, targets: Tensor, smoothing: float) -> Tensor:
    targets = _like(logits, targets)
    if smoothing:
        targets = (1 - smoothing) * targets + smoothing / 2
    return _rows(functional.binary_cross_entropy_with_logits(logits, targets, reduction="none"))


def _like(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return targets in the outputs' type and shape; (n,) meets outputs (n, 1)."""
    if targets.ndim == 1 and outputs.ndim == 2 and outputs.shape[1] == 1:
        targets = targets[:, None]
    return targets.to(outputs.dtype).view_as(outputs)


def _rows(each: Tensor) -> Tensor:
    return each if each.ndim == 1 else each.flatten(1).sum(1)


def class_weights(targets: Tensor, weights: Tensor | None) -> Tensor:
    """Return row weights (n,) that give each class the same total: 1 / (rows of the class).

    targets (n,) are class indices, or 0 and 1. `weights` (n,) count rows beforehand.
    """
    if targets.ndim != 1:
        raise RecipeError(
            "class_weight 'balanced' needs one class a row", remedy="leave class_weight out"
        )
    codes = targets.long()
    ones = torch.ones(len(codes), dtype=torch.float64) if weights is None else weights.double()
    totals = torch.zeros(int(codes.max()) + 1, dtype=torch.float64).index_add_(0, codes, ones)
    return ones / totals.clamp_min(1e-12)[codes]
