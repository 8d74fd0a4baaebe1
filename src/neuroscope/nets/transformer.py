"""The Transformer encoder over time: every step looks at every other, weighted by what they hold.

    h <- h + attention(norm(h)),  h <- h + mlp(norm(h)),  and a last norm
    attention = softmax(q k' / sqrt(d)) v in each head, d = width / heads

Vaswani et al. 2017, 1706.03762 (attention, sinusoidal positions); Xiong et al. 2020, 2002.04745
(the norm before each part: trains without a warm-up); Nie et al. 2023, 2211.14730 (PatchTST: some
steps together are a token, so that attention compares patterns and is cheaper by their square).

PatchTST feeds each channel of a series as a sequence of its own to one net. That is the caller's to
do: (n, t, channels) becomes (n * channels, t, 1).
"""

from __future__ import annotations

import math
from contextlib import nullcontext

import torch
from torch import Tensor, nn
from torch.nn import functional

from neuroscope.base.errors import InputError, RecipeError, choice_error
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

POSITIONS = ("sinusoidal", "learned")
LONGEST_WAVE = 10_000.0  # of the sinusoids, in steps over 2 pi


def build(  # noqa: PLR0913 - the options of one net, all by name
    *,
    channels: int,
    steps: int,
    outputs: int,
    width: int = 64,
    layers: int = 2,
    heads: int = 4,
    feed_forward: int = 0,
    patch: int = 1,
    stride: int = 0,
    positions: str = "sinusoidal",
    amplitude: float = 1.0,
    causal: bool = False,
    dropout: float = 0.0,
    pooling: str = "",
    vocabulary: int = 0,
    word_dropout: float = 0.0,
    seed: int = 0,
) -> Sequences:
    """Build `layers` layers of attention with `heads` heads and a hidden layer of `feed_forward`.

    `channels` are the numbers a step, or with a `vocabulary` of that many tokens the width of their
    embedding, of which `word_dropout` is left out while learning. `patch` steps together are a
    token, the next begins `stride` steps later (0: `patch` steps). `positions` are "sinusoidal",
    for any length, waves of `amplitude` (if they are much larger than what stands at a step, they
    drown it), or "learned", for up to `steps` steps. `causal`: no step sees a later one.
    `feed_forward` 0 is 4 `width`. `pooling` (see `Pooling`) is "last" when `causal`, because only
    the last step has seen all; else "mean". An option out of range, heads that do not divide the
    width, or pooling "steps" over patches is a RecipeError.
    """
    stride, feed_forward = stride or patch, feed_forward or 4 * width
    check(channels=channels, steps=steps, outputs=outputs, width=width, layers=layers, heads=heads)
    check(feed_forward=feed_forward, patch=patch, stride=stride, dropout=dropout)
    pooling = pooling or ("last" if causal else "mean")
    check_choices(vocabulary=vocabulary, pooling=pooling, word_dropout=word_dropout)
    _check_shape(width, heads, patch, stride, pooling)
    if positions not in POSITIONS:
        raise choice_error("positions", positions, POSITIONS)
    if amplitude <= 0:
        raise RecipeError(f"amplitude is {amplitude!r}", remedy="give a number above 0")
    with seeded(seed):
        plain = bool(vocabulary) and channels == width and patch == 1  # the embedding is enough
        tokens = None if plain else Patches(channels, width, patch, stride)
        most = steps if tokens is None else tokens.count(steps)
        learned = positions == "learned"
        place = Learned(most, width) if learned else Sinusoidal(most, width, amplitude)
        blocks = [Block(width, heads, feed_forward, causal, dropout) for _ in range(layers)]
        body = Encoder(tokens, place, blocks, width, dropout)
        return assemble(body, channels=channels, outputs=outputs, vocabulary=vocabulary,
                        pooling=pooling, dropout=dropout, word_dropout=word_dropout)  # fmt: skip


def _check_shape(width: int, heads: int, patch: int, stride: int, pooling: str) -> None:
    if width % heads:
        raise RecipeError(f"{heads} heads do not divide the width {width}",
                          remedy="choose a width that is a multiple of heads")  # fmt: skip
    if stride > patch:
        raise RecipeError(f"stride {stride} leaves out steps between patches of {patch}",
                          remedy="choose a stride of at most patch")  # fmt: skip
    if pooling == "steps" and patch > 1:
        raise RecipeError("an answer a step does not go with patches of several steps",
                          remedy="set patch to 1")  # fmt: skip


class Encoder(Body):
    """Patches, positions, blocks of attention, and a norm."""

    def __init__(
        self, tokens: Patches | None, positions: nn.Module, blocks: list[Block], width: int,
        dropout: float,
    ) -> None:  # fmt: skip
        super().__init__()
        self.width = width
        self.tokens, self.positions, self.blocks = tokens, positions, nn.ModuleList(blocks)
        self.dropout, self.norm = Dropout(dropout), nn.LayerNorm(width)

    def forward(self, h: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return what attention makes of each patch, (n, patches, width), and their number."""
        h, lengths, seen = self._begun(h, lengths)
        for block in self.blocks:
            h = block(h, seen)
        return self.norm(h), lengths

    def parts(self) -> list[list[nn.Module]]:
        """Return patches and positions, then one group a block; the norm belongs to the last."""
        first = [part for part in (self.tokens, self.positions) if part and [*part.parameters()]]
        *lower, last = self.blocks
        return [*([first] if first else []), *([block] for block in lower), [last, self.norm]]

    def inside(self, h: Tensor, lengths: Tensor | None) -> dict[str, Tensor]:
        """Return of each layer what it holds (n, t, width) and its attention (n, heads, t, t).

        attention[:, :, i, j] says how much step (or patch) i looks at j; each row sums to 1.
        """
        h, lengths, seen = self._begun(h, lengths)
        found: dict[str, Tensor] = {}
        for number, block in enumerate(self.blocks, 1):
            assert isinstance(block, Block)
            h, weights = block.shown(h, seen)
            found |= {f"layer{number}.hidden": h, f"layer{number}.attention": weights}
        return found

    def _begun(
        self, h: Tensor, lengths: Tensor | None
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Return tokens with their positions, how many there are, and which may be looked at."""
        if self.tokens is not None:
            h, lengths = self.tokens(h, lengths)
        seen = None if lengths is None else counting(lengths, h.shape[1])[:, None, None, :]
        return self.dropout(self.positions(h)), lengths, seen


class Patches(nn.Module):
    """Some steps together as one token: a linear map of (patch * channels) numbers to width.

    The last patch of a sequence may reach beyond its end, into zeros.
    """

    def __init__(self, channels: int, width: int, patch: int, stride: int) -> None:
        super().__init__()
        self.patch, self.stride = patch, stride
        self.project = _linear(patch * channels, width)

    def count(self, steps: int) -> int:
        """Return how many patches cover `steps` steps."""
        return -(-max(steps - self.patch, 0) // self.stride) + 1

    def forward(self, h: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return (n, patches, width) of `h` (n, t, channels), zeros after each end, and counts."""
        if self.patch == 1:
            return self.project(h), lengths
        steps = (self.count(h.shape[1]) - 1) * self.stride + self.patch
        h = functional.pad(h, (0, 0, 0, max(steps - h.shape[1], 0)))
        if lengths is not None:
            h = h.masked_fill(~counting(lengths, h.shape[1])[:, :, None], 0.0)
            over = (lengths - self.patch).clamp_min(0)
            lengths = torch.div(over + self.stride - 1, self.stride, rounding_mode="floor") + 1
        return self.project(h.unfold(1, self.patch, self.stride).flatten(2)), lengths


class Sinusoidal(nn.Module):
    """Adds sin and cos of waves from 2 pi to 20,000 pi steps long: a shift is a rotation."""

    waves: Tensor

    def __init__(self, steps: int, width: int, amplitude: float = 1.0) -> None:
        super().__init__()
        self.amplitude = amplitude
        waves = amplitude * sinusoids(steps, width)
        self.register_buffer("waves", waves, persistent=False)

    def forward(self, h: Tensor) -> Tensor:
        """Return `h` (n, t, width) with its positions, of any length t."""
        n_steps, width = h.shape[1:]
        waves = self.waves
        if n_steps > len(waves):
            waves = (self.amplitude * sinusoids(n_steps, width)).to(waves)
        return h + waves[:n_steps].to(h.dtype)


class Learned(nn.Module):
    """Adds a vector of its own for each of `steps` positions."""

    def __init__(self, steps: int, width: int) -> None:
        super().__init__()
        self.vectors = nn.Parameter(torch.empty(steps, width))
        nn.init.normal_(self.vectors, std=0.02)

    def forward(self, h: Tensor) -> Tensor:
        """Return `h` (n, t, width) with its positions; more than there are is an InputError."""
        if h.shape[1] > len(self.vectors):
            raise InputError(
                f"a sequence fills {h.shape[1]} positions, the net has learnt {len(self.vectors)}",
                remedy="cut it, or train with sinusoidal positions",
            )
        return h + self.vectors[: h.shape[1]].to(h.dtype)


def sinusoids(steps: int, width: int) -> Tensor:
    """Return (steps, width): sin and cos of t / 10000^(2i / width) by turns (Vaswani, 3.5)."""
    rate = torch.exp(torch.arange(0, width, 2) * (-math.log(LONGEST_WAVE) / width))
    angle = torch.arange(steps)[:, None] * rate
    return torch.stack([angle.sin(), angle.cos()], 2).flatten(1)[:, :width]


class Block(nn.Module):
    """Attention and a hidden layer, each added to what it reads through a norm."""

    def __init__(
        self, width: int, heads: int, feed_forward: int, causal: bool, dropout: float
    ) -> None:
        super().__init__()
        self.attention = Attention(width, heads, causal=causal, dropout=dropout)
        self.norm, self.mlp_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mlp = nn.Sequential(_linear(width, feed_forward), nn.GELU(), Dropout(dropout),
                                 _linear(feed_forward, width))  # fmt: skip
        self.dropout = Dropout(dropout)

    def forward(self, h: Tensor, seen: Tensor | None) -> Tensor:
        """Return (n, t, width); steps outside `seen` (n, 1, 1, t) are not looked at."""
        return self._rest(h, self.attention(self.norm(h), seen))

    def shown(self, h: Tensor, seen: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the same, and the attention (n, heads, t, t)."""
        found, weights = self.attention.shown(self.norm(h), seen)
        return self._rest(h, found), weights

    def _rest(self, h: Tensor, found: Tensor) -> Tensor:
        h = h + self.dropout(found)
        return h + self.dropout(self.mlp(self.mlp_norm(h)))


class Attention(nn.Module):
    """Multi-head self-attention.

    Causal, padding needs no mask: it comes last, and nothing that counts looks ahead.
    """

    def __init__(self, width: int, heads: int, *, causal: bool, dropout: float) -> None:
        super().__init__()
        self.heads, self.causal, self.dropout = heads, causal, dropout
        self.query_key_value, self.out = _linear(width, 3 * width), _linear(width, width)
        for weights in self.query_key_value.weight.detach().split(width):
            nn.init.xavier_uniform_(weights)

    def forward(self, h: Tensor, seen: Tensor | None) -> Tensor:
        """Return (n, t, width), by torch's fused kernel.

        On a processor the kernel runs in float32 also where the rest is bfloat16: there it is up to
        five times as fast (docs/log.md, "Nets of sequences").
        """
        q, k, v = self._split(h)
        slow = h.device.type == "cpu" and q.dtype is torch.bfloat16
        with torch.autocast("cpu", enabled=False) if slow else nullcontext():
            mixed = functional.scaled_dot_product_attention(
                *((q.float(), k.float(), v.float()) if slow else (q, k, v)),
                attn_mask=None if self.causal else seen, is_causal=self.causal,
                dropout_p=self.dropout if self.training else 0.0,
            )  # fmt: skip
        return self._joined(mixed)

    def shown(self, h: Tensor, seen: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the same written out, without dropout, and the weights (n, heads, t, t)."""
        q, k, v = self._split(h)
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
        if self.causal:
            seen = torch.ones_like(scores[0, 0], dtype=torch.bool).tril()
        if seen is not None:
            scores = scores.masked_fill(~seen, -torch.inf)
        weights = scores.softmax(-1)
        return self._joined(weights @ v), weights

    def _split(self, h: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys and values, each (n, heads, t, width / heads)."""
        q, k, v = self.query_key_value(h).unflatten(2, (3, self.heads, -1)).unbind(2)
        return q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)

    def _joined(self, mixed: Tensor) -> Tensor:
        return self.out(mixed.transpose(1, 2).flatten(2))


def _linear(d: int, k: int) -> nn.Linear:
    """Return a linear layer with first weights uniform in +-sqrt(6 / (d + k)), biases 0."""
    layer = nn.Linear(d, k)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
