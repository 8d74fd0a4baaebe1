"""Dropout that draws little: two random bytes a unit on the processor.

    y = x m / (1 - p),  m ~ Bernoulli(1 - p)      Srivastava et al. 2014, JMLR 15

torch draws a whole number for each unit, one thread at a time, which in a small net takes longer
than the layers around it (docs/log.md, "Dropout"). Here one draw of 64 bits serves four units; p is
met to 1 / 65,536. On other devices torch's own kernel runs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

_STEPS = 1 << 16  # values of the two bytes
_UNITS = 4  # that one draw of 64 bits serves
_LEAST, _MOST = -(1 << 63), (1 << 63) - 1


class Dropout(nn.Module):
    """Sets a share `p` of its input to 0 while learning, and scales the rest by 1 / (1 - p)."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """Return `x`, thinned out while learning; draws from torch's global generator."""
        if not self.training or not self.p:
            return x
        if x.device.type != "cpu":
            return functional.dropout(x, self.p)
        return x * kept(x, self.p)

    def extra_repr(self) -> str:
        """Return the share, as it is shown in a net's listing."""
        return f"p={self.p}"


def kept(x: Tensor, p: float) -> Tensor:
    """Return the factor of each number of `x`: 0, or 1 over the share of those that stay."""
    count, cut = x.numel(), min(max(round(p * _STEPS), 1), _STEPS - 1)
    drawn = torch.randint(_LEAST, _MOST, (-(-count // _UNITS),), dtype=torch.int64)
    stays = drawn.view(torch.int16)[:count] >= cut - _STEPS // 2
    return (stays.to(x.dtype) * (_STEPS / (_STEPS - cut))).view(x.shape)
