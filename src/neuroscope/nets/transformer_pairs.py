"""The Transformer of sentence pairs: an encoder reads, a decoder looks at it and at itself.

    encoder   h <- h + attention(norm(h)),  h <- h + mlp(norm(h))
    decoder   h <- h + attention to what is written so far,  h <- h + attention to the source,
              h <- h + mlp(norm(h));   y_t+1 ~ softmax(E norm(h_t))

Vaswani et al. 2017, 1706.03762; the norm before each part: Xiong et al. 2020, 2002.04745. While
writing, keys and values of the tokens before are kept, so that a step costs one token.
"""

from __future__ import annotations

import math
from contextlib import nullcontext

import torch
from torch import Tensor, nn
from torch.nn import functional

from neuroscope.base.errors import RecipeError
from neuroscope.nets._dropout import Dropout
from neuroscope.nets._pairs import (
    State,
    Tied,
    attention,
    blanked,
    check_vocabulary,
    groups,
)
from neuroscope.nets._staged import check, seeded
from neuroscope.nets.transformer import Block, sinusoids

__all__ = ["attention", "build", "groups"]

Asked = tuple[Tensor, Tensor, Tensor]  # keys and values of the source, and what of them counts
_PLACES = 512  # whose waves are kept; beyond they are computed again


def build(
    *,
    vocabulary: int,
    width: int = 256,
    layers: int = 3,
    heads: int = 4,
    feed_forward: int = 0,
    dropout: float = 0.0,
    seed: int = 0,
) -> TransformerPairs:
    """Build `layers` layers of `heads` heads on both sides; `feed_forward` 0 is 4 `width`.

    An option out of range, or heads that do not divide the width, is a RecipeError.
    """
    feed_forward = feed_forward or 4 * width
    check(width=width, layers=layers, heads=heads, feed_forward=feed_forward, dropout=dropout)
    check_vocabulary(vocabulary)
    if width % heads:
        raise RecipeError(f"{heads} heads do not divide the width {width}",
                          remedy="choose a width that is a multiple of heads")  # fmt: skip
    with seeded(seed):
        return TransformerPairs(vocabulary, width, layers, heads, feed_forward, dropout)


class TransformerPairs(Tied):
    """Blocks of attention on both sides, a norm behind each."""

    waves: Tensor

    def __init__(
        self, vocabulary: int, width: int, layers: int, heads: int, feed_forward: int,
        dropout: float,
    ) -> None:  # fmt: skip
        super().__init__(vocabulary, width, dropout)
        self.encoder = nn.ModuleList(
            Block(width, heads, feed_forward, False, dropout) for _ in range(layers)
        )
        self.decoder = nn.ModuleList(
            Decoding(width, heads, feed_forward, dropout) for _ in range(layers)
        )
        self.read_norm, self.written_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.register_buffer("waves", sinusoids(_PLACES, width), persistent=False)

    def parts(self) -> list[list[nn.Module]]:
        """Return one group a block, the encoder's first; a norm belongs to the last of its side."""
        *lower, last = self.encoder
        *below, top = self.decoder
        return [
            *([block] for block in lower), [last, self.read_norm],
            *([block] for block in below), [top, self.written_norm],
        ]  # fmt: skip

    def read(self, source: Tensor, lengths: Tensor) -> State:
        """Return what each layer of the decoder asks: keys and values of the source."""
        source, _, seen = blanked(source, lengths)
        h = self._placed(source, 0)
        for block in self.encoder:
            h = block(h, seen[:, None, None, :])
        h = self.read_norm(h)
        memory: State = {"seen": seen[:, None, None, :]}
        for number, block in enumerate(self.decoder):
            assert isinstance(block, Decoding)
            memory[f"keys{number}"], memory[f"values{number}"] = block.source.told(h)
        return memory

    def begin(self, memory: State) -> State:
        """Return keys and values of no tokens yet."""
        return {name: part[:, :, :0] for name, part in memory.items() if name != "seen"}

    def write(self, given: Tensor, memory: State) -> Tensor:
        """Return the logits (n, t, vocabulary), all at once; no step sees a later one."""
        h = self._placed(given, 0)
        for number, block in enumerate(self.decoder):
            h, _ = block(h, _asked(memory, number))
        return self.logits(self.written_norm(h))

    def step(self, tokens: Tensor, memory: State, state: State) -> tuple[Tensor, State]:
        """Return the logits (n, vocabulary) after one more token, and the longer state."""
        h, after = self._placed(tokens[:, None], state["keys0"].shape[2]), dict[str, Tensor]()
        for number, block in enumerate(self.decoder):
            names = f"keys{number}", f"values{number}"
            before = state[names[0]], state[names[1]]
            h, kept = block(h, _asked(memory, number), before)
            after |= dict(zip(names, kept, strict=True))
        return self.logits(self.written_norm(h[:, 0])), after

    def attention(self, source: Tensor, lengths: Tensor, given: Tensor) -> Tensor:
        """Return the attention (n, t, s) to the source, the mean over heads and layers."""
        memory, h, found = self.read(source, lengths), self._placed(given, 0), []
        for number, block in enumerate(self.decoder):
            assert isinstance(block, Decoding)
            found.append(block.looking(h, _asked(memory, number)))
            h, _ = block(h, _asked(memory, number))
        weights = torch.stack(found).mean((0, 2))
        return functional.pad(weights, (0, source.shape[1] - weights.shape[2]))

    def _placed(self, tokens: Tensor, first: int) -> Tensor:
        """Return embeddings (n, t, width) with the waves of their places, the first at `first`."""
        width, last = self.embedding.embedding_dim, first + tokens.shape[1]
        waves = self.waves if last <= len(self.waves) else sinusoids(last, width).to(self.waves)
        return self.dropout(self.embedding(tokens) * math.sqrt(width) + waves[first:last])


def _asked(memory: State, number: int) -> Asked:
    """Return keys and values of the source for one layer, and which of them count."""
    return memory[f"keys{number}"], memory[f"values{number}"], memory["seen"]


class Decoding(nn.Module):
    """One layer of the decoder: looks at what is written, at the source, and thinks."""

    def __init__(self, width: int, heads: int, feed_forward: int, dropout: float) -> None:
        super().__init__()
        self.itself = Attention(width, heads, dropout)
        self.source = Attention(width, heads, dropout)
        self.norm, self.source_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mlp_norm = nn.LayerNorm(width)
        self.mlp = nn.Sequential(_linear(width, feed_forward), nn.GELU(), Dropout(dropout),
                                 _linear(feed_forward, width))  # fmt: skip
        self.dropout = Dropout(dropout)

    def forward(
        self, h: Tensor, asked: Asked, before: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Return (n, t, width), and keys and values of all that is written.

        `before` are those of what was written before `h`, which is then a single step.
        """
        h, told = self._itself(h, before)
        keys, values, seen = asked
        h = h + self.dropout(self.source(self.source_norm(h), keys, values, seen))
        return h + self.dropout(self.mlp(self.mlp_norm(h))), told

    def looking(self, h: Tensor, asked: Asked) -> Tensor:
        """Return the attention to the source, (n, heads, t, s)."""
        h, _ = self._itself(h, None)
        return self.source.weights(self.source_norm(h), asked[0], asked[2])

    def _itself(
        self, h: Tensor, before: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        normed = self.norm(h)
        keys, values = self.itself.told(normed)
        if before is not None:
            keys, values = (torch.cat([old.to(new), new], 2)
                            for old, new in zip(before, (keys, values), strict=True))  # fmt: skip
        found = self.itself(normed, keys, values, None, causal=before is None)
        return h + self.dropout(found), (keys, values)


class Attention(nn.Module):
    """Multi-head attention from one sequence to another, or to itself."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.query, self.key_value = _linear(width, width), _linear(width, 2 * width)
        self.out = _linear(width, width)
        for weights in self.key_value.weight.detach().split(width):
            nn.init.xavier_uniform_(weights)

    def told(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """Return keys and values of what may be looked at, each (n, heads, s, width / heads)."""
        keys, values = self.key_value(h).unflatten(2, (2, self.heads, -1)).unbind(2)
        return keys.transpose(1, 2), values.transpose(1, 2)

    def forward(
        self, h: Tensor, keys: Tensor, values: Tensor, seen: Tensor | None, *, causal: bool = False
    ) -> Tensor:
        """Return (n, t, width) by torch's fused kernel; in float32 on a processor, see docs/log."""
        parts = self._asking(h), keys, values
        slow = h.device.type == "cpu" and parts[0].dtype is torch.bfloat16
        with torch.autocast("cpu", enabled=False) if slow else nullcontext():
            mixed = functional.scaled_dot_product_attention(
                *((part.float() for part in parts) if slow else parts), attn_mask=seen,
                is_causal=causal, dropout_p=self.dropout if self.training else 0.0,
            )  # fmt: skip
        return self.out(mixed.transpose(1, 2).flatten(2))

    def weights(self, h: Tensor, keys: Tensor, seen: Tensor) -> Tensor:
        """Return how much each step looks at what may be looked at, (n, heads, t, s)."""
        queries = self._asking(h)
        scores = queries @ keys.transpose(-2, -1) / math.sqrt(queries.shape[-1])
        return scores.masked_fill(~seen, -torch.inf).softmax(-1)

    def _asking(self, h: Tensor) -> Tensor:
        return self.query(h).unflatten(2, (self.heads, -1)).transpose(1, 2)


def _linear(d: int, k: int) -> nn.Linear:
    """Return a linear layer with first weights uniform in +-sqrt(6 / (d + k)), biases 0."""
    layer = nn.Linear(d, k)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
