"""The dense network (multi-layer perceptron) on flattened input; Rumelhart et al. 1986.

The neuron core trains the dense rung of the ladder. This is the same net in torch, for what needs
autograd or a GPU, and the other side of the tests that hold the two engines together.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from neuroscope.nets._dropout import Dropout
from neuroscope.nets._staged import Staged, check, groups, he_normal, seeded

__all__ = ["build", "groups"]


def build(
    *,
    channels: int,
    size: int,
    outputs: int,
    hidden: Sequence[int] = (128,),
    dropout: float = 0.0,
    seed: int = 0,
) -> Staged:
    """Build linear-ReLU(-dropout) layers of `hidden` units on (n, channels * size * size).

    Rows of a table are channels = d and size = 1. An option out of range is a RecipeError.
    """
    hidden = tuple(hidden)
    check(channels=channels, size=size, outputs=outputs, hidden=hidden, dropout=dropout)
    with seeded(seed):
        widths = [channels * size * size, *hidden]
        stages: dict[str, nn.Module] = {"flat": nn.Flatten()}
        for number, (d, k) in enumerate(zip(widths, hidden, strict=False), 1):
            layers = [nn.Linear(d, k), nn.ReLU()] + [Dropout(dropout)] * (dropout > 0)
            stages[f"hidden{number}"] = nn.Sequential(*layers)
        net = Staged(stages, nn.Sequential(nn.Linear(widths[-1], outputs)))
        he_normal(net)
    return net
