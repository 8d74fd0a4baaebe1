"""Cross-entropy of 2,200 tokens out of 8,000, forward and backward: milliseconds.

bfloat16 logits with label smoothing, as a batch of sentence pairs gives them. The peer widens them
and calls torch's cross_entropy. Goal: ours takes two thirds of the time.

Measured figures, with machine, versions and spread: docs/log.md, "Cross-entropy of tokens".
"""

from __future__ import annotations

import os

os.environ.setdefault("GOMP_SPINCOUNT", "1000")

from collections.abc import Callable

import torch
from measuring import Contender, Reached, Work, compare
from torch import Tensor
from torch.nn.functional import cross_entropy

from neuroscope.train.losses import tokens_cross_entropy

ROWS, TOKENS, SMOOTHING, RUNS = 2_200, 8_000, 0.1, 10

torch.manual_seed(0)
LOGITS = torch.randn(ROWS, TOKENS).bfloat16()
TARGETS = torch.randint(0, TOKENS, (ROWS,))


def by_torch(logits: Tensor) -> Tensor:
    """Return the losses of widened logits."""
    return cross_entropy(logits.float(), TARGETS, reduction="none", label_smoothing=SMOOTHING)


def by_ours(logits: Tensor) -> Tensor:
    """Return the losses, a few rows at a time."""
    return tokens_cross_entropy(logits, TARGETS, SMOOTHING)


def repeated(loss: Callable[[Tensor], Tensor]) -> Work:
    """Return RUNS times forward and backward."""

    def once() -> Reached:
        logits = LOGITS.clone().requires_grad_()
        mean = loss(logits).mean()
        mean.backward()
        return float(mean.detach())

    def work() -> Reached:
        return [once() for _ in range(RUNS)][-1]

    work()
    return work


if __name__ == "__main__":
    compare(
        "cross-entropy of 2,200 tokens out of 8,000, bfloat16, forward and backward",
        {
            "neuroscope": Contender(lambda: repeated(by_ours), RUNS),
            "torch": Contender(lambda: repeated(by_torch), RUNS, goal=1.5),
        },
        unit="ms",
        reached="loss",
    )
