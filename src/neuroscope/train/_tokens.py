"""The cross-entropy of tokens out of a large vocabulary, computed while their logits are at hand.

    loss = log sum_j exp z_j - (1 - s) z_y - s mean_j z_j
    d loss / d z = softmax(z) - (1 - s) e_y - s / k

torch widens bfloat16 logits and makes four arrays of their size in float32 on the way there and
back; taking that memory anew each step costs more than the arithmetic. Here a few rows at a time
are widened, turned into losses and slopes and narrowed again: one array in the logits' own type is
all that is made (docs/log.md, "Cross-entropy of tokens").
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

IGNORED = -100  # a class index that stands for "no answer here", as padding
_LARGE = 1024  # tokens of a vocabulary from which the memory is what costs
_AT_ONCE = 1 << 19  # logits that are looked at together: 2 MB in float32


def tokens_cross_entropy(logits: Tensor, targets: Tensor, smoothing: float) -> Tensor:
    """Return the loss (m,) of logits (m, k) with class indices (m,), 0 where they are IGNORED.

    In float32 at least. Label smoothing: target (1 - s) y + s / k (Szegedy et al. 2016).
    """
    if logits.device.type == "cpu" and logits.shape[1] >= _LARGE:
        return _CrossEntropy.apply(logits, targets, smoothing)  # type: ignore[no-any-return]
    if logits.dtype is torch.bfloat16:
        logits = logits.float()
    return functional.cross_entropy(logits, targets, reduction="none", ignore_index=IGNORED,
                                    label_smoothing=smoothing)  # fmt: skip


class _CrossEntropy(torch.autograd.Function):
    """Losses and slopes in one pass; the slopes are kept, the logits are not."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, targets: Tensor, smoothing: float) -> Tensor:
        kind = torch.float32 if logits.dtype is torch.bfloat16 else logits.dtype
        losses = torch.empty(len(logits), dtype=kind)
        slopes = torch.empty_like(logits) if ctx.needs_input_grad[0] else None
        counts = targets != IGNORED
        answers = targets.masked_fill(~counts, 0)[:, None]
        rows = max(_AT_ONCE // logits.shape[1], 1)
        for first in range(0, len(logits), rows):
            some = slice(first, first + rows)
            z = logits[some].to(kind, copy=True)
            z -= z.amax(1, keepdim=True)
            right = (1 - smoothing) * z.gather(1, answers[some])[:, 0]
            if smoothing:
                right += smoothing * z.mean(1)
            total = z.exp_().sum(1)
            losses[some] = total.log() - right
            if slopes is not None:
                z *= (1 / total)[:, None]
                z -= smoothing / z.shape[1]
                z.scatter_add_(1, answers[some], z.new_full((len(z), 1), smoothing - 1))
                slopes[some] = z
        if slopes is not None:
            ctx.slopes, ctx.counts, ctx.rows = slopes, counts, rows
        return losses.masked_fill_(~counts, 0)

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride] - as typed by the decorator
        ctx: Any, *grads: Tensor
    ) -> tuple[Tensor, None, None]:
        slopes, share = ctx.slopes, grads[0].masked_fill(~ctx.counts, 0)[:, None]
        ctx.slopes = None  # they become the gradient: a second pass would find them scaled
        for first in range(0, len(slopes), ctx.rows):
            some = slice(first, first + ctx.rows)
            slopes[some] = slopes[some] * share[some]
        return slopes, None, None
