"""Temporal convolution: dilated convolutions over time in residual blocks.

    h <- relu(h + f(h)),  f(h) = dropout(conv(dropout(relu(conv(h)))))

The dilation doubles from block to block, 1, 2, 4, ..., so that what a step has seen grows with the
power of the depth: 1 + 2 (kernel - 1) (2^blocks - 1) steps (Bai et al. 2018, 1803.01271, section
3). Causal, a convolution pads in front and no step sees a later one; else it pads on both sides.

Other than in the paper there is no weight norm, and no ReLU before the sum: the second
convolution of a block starts at 0, so that the block starts as a pass and depth costs nothing, as
in `residual`.
Norms over a batch would let padding and the future in.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from neuroscope.base.errors import RecipeError
from neuroscope.nets._dropout import Dropout
from neuroscope.nets._sequences import (
    Body,
    Sequences,
    assemble,
    check_choices,
    counting,
    groups,
    inside,
)
from neuroscope.nets._staged import check, seeded

__all__ = ["build", "groups", "inside"]

MOST_BLOCKS = 10  # of those that are chosen: 4,093 steps with a kernel of 3


def build(  # noqa: PLR0913 - the options of one net, all by name
    *,
    channels: int,
    steps: int,
    outputs: int,
    width: int = 64,
    blocks: int = 0,
    kernel: int = 3,
    causal: bool = True,
    dropout: float = 0.0,
    pooling: str = "",
    vocabulary: int = 0,
    word_dropout: float = 0.0,
    seed: int = 0,
) -> Sequences:
    """Build `blocks` residual blocks of `width` filters over `kernel` steps.

    `blocks` 0 is as many as see `steps` steps. `channels` are the numbers a step, or with a
    `vocabulary` of that many tokens the width of their embedding, of which `word_dropout` is left
    out while learning. `pooling` (see `Pooling`) is "last" when `causal`, because only the last
    step has seen all; else "mean", because every step has seen as much. An option out of range, or
    an even kernel that is not causal, is a RecipeError.
    """
    check(channels=channels, steps=steps, outputs=outputs, width=width, kernel=kernel)
    check(dropout=dropout, **({"blocks": blocks} if blocks != 0 else {}))
    pooling = pooling or ("last" if causal else "mean")
    check_choices(vocabulary=vocabulary, pooling=pooling, word_dropout=word_dropout)
    if not causal and kernel % 2 == 0:
        raise RecipeError(f"kernel is {kernel}", remedy="give an odd number, or set causal")
    fitting = (b for b in range(1, MOST_BLOCKS) if reach(b, kernel) >= steps)
    blocks = blocks or next(fitting, MOST_BLOCKS)
    with seeded(seed):
        body = Temporal(channels, width, blocks, kernel, causal=causal, dropout=dropout)
        return assemble(body, channels=channels, outputs=outputs, vocabulary=vocabulary,
                        pooling=pooling, dropout=dropout, word_dropout=word_dropout)  # fmt: skip


def reach(blocks: int, kernel: int) -> int:
    """Return how many steps the last block sees, its own included."""
    return 1 + 2 * (kernel - 1) * (2**blocks - 1)


class Temporal(Body):
    """Residual blocks whose dilation doubles."""

    def __init__(
        self, channels: int, width: int, blocks: int, kernel: int, *, causal: bool, dropout: float
    ) -> None:
        super().__init__()
        self.width, self.causal = width, causal
        self.blocks = nn.ModuleList(
            Block(width if number else channels, width, kernel, 2**number,
                  causal=causal, dropout=dropout) for number in range(blocks)
        )  # fmt: skip

    def forward(self, h: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return the maps (n, t, width) of the last block."""
        *_, last = self._maps(h, lengths).values()
        return last, lengths

    def parts(self) -> list[list[nn.Module]]:
        """Return one group a block."""
        return [[block] for block in self.blocks]

    def inside(self, h: Tensor, lengths: Tensor | None) -> dict[str, Tensor]:
        """Return the maps (n, t, width) of each block."""
        return self._maps(h, lengths)

    def _maps(self, h: Tensor, lengths: Tensor | None) -> dict[str, Tensor]:
        h, found = h.transpose(1, 2), {}
        over = None
        if lengths is not None and not self.causal:
            over = ~counting(lengths, h.shape[2])[:, None, :]
        for number, block in enumerate(self.blocks, 1):
            h = block(h, over)
            found[f"block{number}.hidden"] = h.transpose(1, 2)
        return found


class Block(nn.Module):
    """relu(h + f(h)) with f two dilated convolutions."""

    def __init__(
        self, d: int, k: int, kernel: int, dilation: int, *, causal: bool, dropout: float
    ) -> None:
        super().__init__()
        room = (kernel - 1) * dilation
        self.room = (room, 0) if causal else (room // 2, room // 2)
        self.first = nn.Conv1d(d, k, kernel, dilation=dilation)
        self.second = nn.Conv1d(k, k, kernel, dilation=dilation)
        # The first block reads numbers of any sign, and the ReLU may not cut them unseen.
        self.passed = nn.Identity() if d == k and dilation > 1 else nn.Conv1d(d, k, 1)
        self.dropout = Dropout(dropout)
        nn.init.kaiming_normal_(self.first.weight, nonlinearity="relu")
        nn.init.zeros_(self.second.weight)
        for layer in self.modules():
            if isinstance(layer, nn.Conv1d) and layer.bias is not None:
                nn.init.zeros_(layer.bias)

    def forward(self, h: Tensor, over: Tensor | None) -> Tensor:
        """Return maps (n, k, t); steps that are `over` (n, 1, t) are read as zeros."""
        branch = functional.relu(self._convolved(self.first, h, over))
        branch = self._convolved(self.second, self.dropout(branch), over)
        return functional.relu(self.passed(h) + self.dropout(branch))

    def _convolved(self, layer: nn.Module, h: Tensor, over: Tensor | None) -> Tensor:
        blanked = h if over is None else h.masked_fill(over, 0.0)
        return layer(functional.pad(blanked, self.room))
