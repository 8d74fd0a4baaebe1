"""A net at work, without learning: its mean loss on rows, and its outputs for them."""

from __future__ import annotations

import copy
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from neuroscope.base.recipe import Recipe
from neuroscope.train.data import Batch, Data, Inputs, Prepare, Rows
from neuroscope.train.losses import Loss
from neuroscope.train.precision import (
    autocast,
    convolves,
    device_of,
    place,
    weights_dtype,
    workplace,
)

WATCH_BATCH = 4  # a batch without gradients may be so many times as large


class Forward:
    """The forward pass of a recipe: prepare, layout, precision."""

    def __init__(
        self, net: nn.Module, recipe: Recipe, device: torch.device, prepare: Prepare | None
    ) -> None:
        self.net, self.prepare = net, prepare
        self.dtype = weights_dtype(recipe)
        self.layout = torch.channels_last if convolves(net) else torch.contiguous_format
        self.context = autocast(recipe, device)
        self.widen = recipe.precision == "bfloat16"
        self.tokens = recipe.loss == "cross_entropy"  # whose loss widens a few rows at a time

    def with_prepare(self, prepare: Prepare | None) -> Forward:
        """Return the same forward pass for rows that are prepared in another way."""
        other = copy.copy(self)
        other.prepare = prepare
        return other

    def prepared(self, inputs: Inputs, chance: torch.Generator | None = None) -> Inputs:
        """Return inputs as the net reads them: floats of the weights' type, in the net's layout."""
        if self.prepare is not None:
            inputs = self.prepare(inputs, chance)
        return tuple(self._laid_out(part) for part in inputs)

    def _laid_out(self, part: Tensor) -> Tensor:
        if part.is_floating_point() and part.dtype != self.dtype:
            part = part.to(self.dtype)
        return part.contiguous(memory_format=self.layout) if part.ndim == 4 else part

    def __call__(self, inputs: Inputs) -> Tensor:
        """Return the outputs for prepared inputs, in the weights' type.

        Logits of tokens (n, t, k) stay in the type they were computed in, for there are many.
        """
        if not self.widen:
            return self.net(*inputs)
        with self.context:
            outputs = self.net(*inputs)
        if not isinstance(outputs, Tensor) or (self.tokens and outputs.ndim == 3):
            return outputs
        return outputs.to(self.dtype)


def cost(loss: Loss, outputs: Tensor, batch: Batch) -> tuple[Tensor, Tensor | None]:
    """Return the sum over rows of weight times loss, and the answers counted, if not one a row."""
    found = loss(outputs, batch.targets)
    each, counts = found if isinstance(found, tuple) else (found, None)
    if batch.weights is not None:
        each = each * batch.weights.to(each.dtype)
    return each.sum(), counts


def weight_of(batch: Batch, counts: Tensor | None) -> Tensor | float:
    """Return what a batch counts in the mean loss: its answers, each with the weight of its row."""
    if counts is None:
        return float(len(batch.targets)) if batch.weights is None else batch.weights.sum()
    return (counts if batch.weights is None else counts * batch.weights).sum()


class Seen(NamedTuple):
    """How a net does on watched rows: weighted mean loss, and the share of classes it names."""

    loss: float
    accuracy: float | None  # None where the targets are no classes of rows


@torch.inference_mode()
def watched(forward: Forward, rows: Rows, loss: Loss, size: int) -> Seen:
    """Return how the net does on the rows (read once, at the end)."""
    forward.net.eval()
    total: Tensor | float = 0.0
    weight: Tensor | float = 0.0
    right: Tensor | float | None = 0.0
    for positions in rows.batches(size, None):
        batch = rows.take(positions)
        outputs = forward(forward.prepared(batch.inputs))
        loss_sum, counts = cost(loss, outputs, batch)
        total = total + loss_sum
        weight = weight + weight_of(batch, counts)
        named = _right(outputs, batch)
        right = None if right is None or named is None else right + named
    share = None if right is None else float(right) / len(rows)
    return Seen(float(total) / max(float(weight), 1e-30), share)


def _right(outputs: Tensor, batch: Batch) -> Tensor | None:
    """Return how many rows of a batch are named rightly, None where rows have no class."""
    targets = batch.targets
    classes = targets.ndim == 1 and not targets.is_floating_point()
    if not classes or outputs.ndim != 2 or outputs.shape[1] < 2:
        return None
    return (outputs.argmax(1) == targets).sum()


@torch.inference_mode()
def outputs(
    net: nn.Module, data: Data, recipe: Recipe, *, threads: int | None = None
) -> np.ndarray:
    """Return the net's outputs for each row of `data`, in its order (logits, not probabilities)."""
    device = device_of(recipe)
    place(net, recipe, device)
    net.eval()
    with workplace(recipe, device, threads):
        here = data.on(device)
        forward = Forward(net, recipe, device, here.prepare)
        size = WATCH_BATCH * recipe.batch_size
        order = [np.arange(i, min(i + size, len(here))) for i in range(0, len(here), size)]
        parts = [forward(forward.prepared(here.take(some).inputs)).to("cpu", forward.dtype)
                 for some in order]  # fmt: skip
    return torch.cat(parts).numpy()
