"""The Transformer that writes: each token looks at those before it and says what comes next.

    h <- h + attention(norm(h)),  h <- h + mlp(norm(h)),  and a last norm, then logits
    attention = softmax(q k' / sqrt(d)) v over the tokens so far, d = width / heads

Radford et al. 2019 (GPT-2: the norm before each part, GELU, learned positions, smaller first
weights in front of each sum, input and output tokens share their vectors); without biases, as in
nanoGPT. Su et al. 2021, 2104.09864: rotary positions, turned into queries and keys, so that
attention depends on how far two tokens are apart.

Reading on, keys and values of the tokens so far are kept, and each new token costs one row.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from neuroscope.base.errors import RecipeError, choice_error
from neuroscope.nets._dropout import Dropout
from neuroscope.nets._language import (
    Language,
    check_room,
    check_vocabulary,
    groups,
    normal,
    read,
)
from neuroscope.nets._staged import check, seeded

__all__ = ["build", "groups", "read"]

POSITIONS = ("learned", "rotary")
FIRST = 0.02  # standard deviation of the first weights
LONGEST_WAVE = 10_000.0  # of rotary positions, in tokens over 2 pi
# Tokens up to which attention written out is quicker on a processor than torch's fused kernel,
# which is slow there in bfloat16 (docs/log.md, "Text making").
WRITTEN_OUT = {torch.float32: 128, torch.bfloat16: 512}


def build(  # noqa: PLR0913 - the options of one net, all by name
    *,
    vocabulary: int,
    steps: int,
    width: int = 128,
    layers: int = 4,
    heads: int = 4,
    feed_forward: int = 0,
    positions: str = "learned",
    tied: bool = True,
    dropout: float = 0.0,
    seed: int = 0,
) -> Gpt:
    """Build a net that looks back on `steps` tokens of `vocabulary` kinds.

    `layers` layers of attention with `heads` heads, each with a hidden layer of `feed_forward`
    units (0: 4 `width`). `tied`: the vector of a token is also its output weights. `dropout` falls
    on embeddings and on what is added to them, not on attention, where it costs most. An option out of range, or heads that do not divide
    the width, is a RecipeError.
    """
    check_vocabulary(vocabulary)
    check(steps=steps, width=width, layers=layers, heads=heads, dropout=dropout)
    feed_forward = feed_forward or 4 * width
    check(feed_forward=feed_forward)
    if width % heads:
        raise RecipeError(f"{heads} heads do not divide the width {width}",
                          remedy="choose a width that is a multiple of heads")  # fmt: skip
    if positions not in POSITIONS:
        raise choice_error("positions", positions, POSITIONS)
    if positions == "rotary" and width // heads % 2:
        raise RecipeError(f"rotary positions turn pairs of numbers; a head has {width // heads}",
                          remedy="choose an even number of units a head")  # fmt: skip
    with seeded(seed):
        blocks = [Block(width, heads, feed_forward, steps, dropout) for _ in range(layers)]
        return Gpt(vocabulary, steps, width, blocks, positions=positions, tied=tied,
                   dropout=dropout)  # fmt: skip


@dataclass
class Cache:
    """Keys and values (n, heads, steps, d) of each layer; the first `count` tokens are there."""

    keys: list[Tensor]
    values: list[Tensor]
    count: int = 0


class Gpt(Language[Cache]):
    """Embedding and positions, blocks of causal attention, a norm and logits."""

    future: Tensor
    waves: Tensor

    def __init__(
        self, vocabulary: int, steps: int, width: int, blocks: list[Block], *, positions: str,
        tied: bool, dropout: float,
    ) -> None:  # fmt: skip
        super().__init__()
        self.vocabulary, self.room = vocabulary, steps
        self.reader = nn.Embedding(vocabulary, width)
        self.positions = nn.Embedding(steps, width) if positions == "learned" else None
        self.dropout, self.blocks = Dropout(dropout), nn.ModuleList(blocks)
        self.norm = nn.LayerNorm(width, bias=False)
        self.head = None if tied else nn.Linear(width, vocabulary, bias=False)
        self.register_buffer("future", torch.full((steps, steps), -math.inf).triu(1),
                             persistent=False)  # fmt: skip
        waves = torch.empty(0) if self.positions is not None else _waves(steps, blocks[0].depth)
        self.register_buffer("waves", waves, persistent=False)
        for layer in (self.reader, self.positions, self.head):
            if layer is not None:
                normal(layer, FIRST)
        for block in blocks:
            block.begin(len(blocks))

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits (n, t, vocabulary) of tokens (n, t)."""
        check_room(tokens.shape[1], len(self.future))
        h, place = self._begun(tokens, 0)
        for block in self.blocks:
            h = block(h, place)
        return self._logits(h)

    def read(self, tokens: Tensor, memory: Cache | None = None) -> tuple[Tensor, Cache]:
        """Return the logits of tokens (n, t) that come after what the cache holds, and the cache.

        The cache has room for `steps` tokens; beyond that begin anew with the last of them.
        """
        memory = memory or self._empty(len(tokens))
        check_room(memory.count + tokens.shape[1], len(self.future))
        h, place = self._begun(tokens, memory.count)
        for block, keys, values in zip(self.blocks, memory.keys, memory.values, strict=True):
            assert isinstance(block, Block)
            h = block(h, place, (keys, values))
        memory.count += tokens.shape[1]
        return self._logits(h), memory

    def parts(self) -> list[list[nn.Module]]:
        """Return embedding and positions, one group a block, and the norm with the head."""
        first = [part for part in (self.reader, self.positions) if part is not None]
        last = [part for part in (self.norm, self.head) if part is not None]
        return [[*first], *([block] for block in self.blocks), [*last]]

    def _begun(self, tokens: Tensor, start: int) -> tuple[Tensor, Place]:
        """Return the vectors of tokens with their positions, and what attention asks of these."""
        end = start + tokens.shape[1]
        h = self.reader(tokens)
        if self.positions is not None:
            h = h + self.positions.weight[start:end]
        waves = self.waves[:, start:end] if len(self.waves) else None
        return self.dropout(h), Place(start, self.future[start:end, :end], waves)

    def _logits(self, h: Tensor) -> Tensor:
        weight = self.reader.weight if self.head is None else self.head.weight
        return functional.linear(self.norm(h), weight)

    def _empty(self, n: int) -> Cache:
        keys, values = [], []
        for block in self.blocks:
            assert isinstance(block, Block)
            shape = (n, block.heads, len(self.future), block.depth)
            keys.append(self.reader.weight.new_zeros(shape))
            values.append(self.reader.weight.new_zeros(shape))
        return Cache(keys, values)


@dataclass(frozen=True)
class Place:
    """Where the tokens stand that are read."""

    start: int  # tokens before them
    future: Tensor  # (t, start + t): 0 where a token may look, -inf where it would look ahead
    waves: Tensor | None  # (2, t, d / 2) cos and sin, of rotary positions


class Block(nn.Module):
    """Attention and a hidden layer, each added to what it reads through a norm.

    `written_out`: attention in bfloat16 does without torch's fused kernel, up to some length.
    """

    def __init__(
        self, width: int, heads: int, feed_forward: int, steps: int, dropout: float
    ) -> None:
        super().__init__()
        self.heads, self.depth = heads, width // heads
        self.written_out = steps <= WRITTEN_OUT[torch.bfloat16]
        self.norm = nn.LayerNorm(width, bias=False)
        self.query_key_value = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.mlp_norm = nn.LayerNorm(width, bias=False)
        self.up = nn.Linear(width, feed_forward, bias=False)
        self.down = nn.Linear(feed_forward, width, bias=False)
        self.dropout = Dropout(dropout)

    def begin(self, layers: int) -> None:
        """Set the first weights; what is added twice a layer starts smaller (GPT-2, 2.3)."""
        for layer in (self.query_key_value, self.up):
            normal(layer, FIRST)
        for layer in (self.out, self.down):
            normal(layer, FIRST / math.sqrt(2 * layers))

    def forward(self, h: Tensor, place: Place, kept: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """Return (n, t, width); `kept` are the keys and values so far, to which it adds."""
        h = h + self.dropout(self.out(self._attention(self.norm(h), place, kept)))
        return h + self.dropout(self.down(functional.gelu(self.up(self.mlp_norm(h)))))

    def _attention(self, h: Tensor, place: Place, kept: tuple[Tensor, Tensor] | None) -> Tensor:
        split = self.query_key_value(h).unflatten(2, (3, self.heads, self.depth))
        q, k, v = split.permute(2, 0, 3, 1, 4).unbind(0)  # each (n, heads, t, depth)
        if place.waves is not None:
            q, k = turned(q, place.waves), turned(k, place.waves)
        if kept is not None:
            end = place.start + h.shape[1]
            for store, new in zip(kept, (k, v), strict=True):
                store[:, :, place.start : end] = new
            k, v = (store[:, :, :end] for store in kept)
        mixed = self._mixed(q, k, v, place.future, causal=kept is None)
        return mixed.transpose(1, 2).flatten(2)

    def _mixed(self, q: Tensor, k: Tensor, v: Tensor, future: Tensor, *, causal: bool) -> Tensor:
        """Return softmax(q k' / sqrt(d)) v, (n, heads, t, depth)."""
        short = q.device.type == "cpu" and q.shape[2] <= WRITTEN_OUT.get(q.dtype, 0)
        if causal and not short:
            return functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        scores = (q * self.depth**-0.5) @ k.transpose(2, 3)
        return (scores + future.to(scores.dtype)).softmax(3) @ v


def turned(h: Tensor, waves: Tensor) -> Tensor:
    """Return each pair of numbers of `h` (n, heads, t, d) turned by its token's angle."""
    cos, sin = waves.to(h.dtype)
    one, other = h.chunk(2, 3)
    return torch.cat([one * cos - other * sin, one * sin + other * cos], 3)


def _waves(steps: int, depth: int) -> Tensor:
    """Return cos and sin (2, steps, depth / 2) of t / 10000^(2i / depth) (Su et al., eq. 15)."""
    rate = torch.exp(torch.arange(0, depth, 2) * (-math.log(LONGEST_WAVE) / depth))
    angle = torch.arange(steps)[:, None] * rate
    return torch.stack([angle.cos(), angle.sin()])
