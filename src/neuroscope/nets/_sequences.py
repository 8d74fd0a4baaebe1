"""What the nets of sequences share: a reader, a body over time, pooling, a head.

    x -> reader -> (n, t, channels) -> body -> (n, t, k) -> pooling -> (n, k) -> head -> logits

Numbers are read as they are, tokens by an embedding; nothing above the reader knows which it was.

Sequences of different lengths share a batch: each lies at the beginning of its row, `lengths` (n,)
says how many of its steps count, and what follows is padding, which may hold anything. A gap inside
a sequence is no padding; it is told by a channel of its own (1 where a reading is missing).
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional

from neuroscope.base.errors import RecipeError, choice_error
from neuroscope.nets._dropout import Dropout
from neuroscope.nets._staged import check

SMALL = 0.1  # deviation of a token's first numbers
POOLINGS = ("last", "mean", "attention", "steps")


class Body(nn.Module, ABC):
    """What works over time: (n, t, channels) to (n, t', width)."""

    width: int  # numbers a step that come out
    both_ways = False  # the second half of them has read the sequence from its end

    @abstractmethod
    def forward(self, h: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return what is made of `h`, and how many of its steps count.

        What stands in steps that do not count must reach no other step.
        """

    @abstractmethod
    def parts(self) -> list[list[nn.Module]]:
        """Return the layer groups, lowest first; together they hold each parameter once."""

    @abstractmethod
    def inside(self, h: Tensor, lengths: Tensor | None) -> dict[str, Tensor]:
        """Return what the body makes step by step: states, gates or attention, n in front."""


class Words(nn.Embedding):
    """A vector a token; while learning the vectors of a share of the tokens are 0.

    The net then cannot lean on single words ("word dropout"; Iyyer et al. 2015, "Deep Unordered
    Composition Rivals Syntactic Methods for Text Classification", 2.3). The vectors begin small:
    a rare word takes few steps away from its first numbers, and large ones would be noise.
    """

    def __init__(self, vocabulary: int, channels: int, word_dropout: float = 0.0) -> None:
        super().__init__(vocabulary, channels)
        nn.init.normal_(self.weight, std=SMALL)
        self.word_dropout = word_dropout

    def forward(self, input: Tensor) -> Tensor:
        """Return (n, t, channels) of tokens (n, t)."""
        h = super().forward(input)
        if not self.training or not self.word_dropout:
            return h
        stays = torch.rand(input.shape, device=h.device) >= self.word_dropout
        return h * stays[:, :, None]


class Pooling(nn.Module):
    """One vector of a sequence, or as many as it has steps.

    last        the last step that counts; of a body that reads both ways the end of each reading
    mean        the mean over the steps that count
    attention   sum_t a_t h_t, a = softmax(v . tanh(W h_t)): it learns which steps matter (Yang et
                al. 2016, "Hierarchical Attention Networks for Document Classification", eq. 5-7)
    steps       all of them; 0 where the sequence is over
    """

    def __init__(self, how: str, width: int, *, both_ways: bool = False) -> None:
        super().__init__()
        self.how, self.both_ways = how, both_ways
        self.score: nn.Module | None = None
        if how == "attention":
            self.score = nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1))

    def forward(self, h: Tensor, lengths: Tensor | None) -> Tensor:
        """Return (n, k), or with "steps" (n, t, k), of `h` (n, t, k)."""
        if self.how == "last":
            return self._last(h, lengths)
        if self.score is not None:
            weights = self.weights(h, lengths)
            return (weights[:, :, None].to(h.dtype) * h).sum(1)
        if lengths is not None:
            h = h.masked_fill(~counting(lengths, h.shape[1])[:, :, None], 0.0)
        if self.how == "steps":
            return h
        total = h.sum(1, dtype=torch.promote_types(h.dtype, torch.float32))
        return total / (h.shape[1] if lengths is None else lengths[:, None])

    def weights(self, h: Tensor, lengths: Tensor | None) -> Tensor:
        """Return how much each step counts in attention, (n, t); a sequence's sum to 1."""
        assert self.score is not None, "this pooling has no weights"
        scores = self.score(h)[:, :, 0]
        if lengths is not None:
            scores = scores.masked_fill(~counting(lengths, h.shape[1]), -torch.inf)
        return scores.softmax(1)

    def _last(self, h: Tensor, lengths: Tensor | None) -> Tensor:
        k = h.shape[2]
        if lengths is None:
            last = h[:, -1]
        else:
            last = h.gather(1, (lengths - 1)[:, None, None].expand(-1, 1, k))[:, 0]
        if not self.both_ways:
            return last
        return torch.cat([last[:, : k // 2], h[:, 0, k // 2 :]], 1)


class Sequences(nn.Module):
    """A net of sequences."""

    def __init__(
        self, reader: nn.Module, body: Body, pooling: Pooling, head: nn.Sequential
    ) -> None:
        super().__init__()
        self.reader, self.body, self.pooling, self.head = reader, body, pooling, head

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the logits (n, outputs), or with pooling "steps" (n, t, outputs).

        x (n, t, channels) floats, or token ids (n, t); lengths (n,) whole numbers, None when all
        steps count. A length of 0 is read as one step of zeros. After a sequence's end its outputs
        a step are what zeros give; a loss leaves them out.
        """
        return self.head[-1](self.features(x, lengths))

    def features(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return what the last layer reads, (n, d) or with pooling "steps" (n, t, d)."""
        h, kept = self._read(x, lengths)
        h = self.pooling(*self.body(h, kept))
        if self.pooling.how == "steps" and h.shape[1] < x.shape[1]:
            h = functional.pad(h, (0, 0, 0, x.shape[1] - h.shape[1]))
        for layer in list(self.head)[:-1]:
            h = layer(h)
        return h

    def inside(self, x: Tensor, lengths: Tensor | None = None) -> dict[str, Tensor]:
        """Return states, gates and attention of each layer by name, n sequences in front."""
        h, kept = self._read(x, lengths)
        found = self.body.inside(h, kept)
        if self.pooling.score is not None:
            found["pooling.attention"] = self.pooling.weights(*self.body(h, kept))
        return found

    def _read(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return the reading of `x`, padding blanked; on a processor cut to the longest."""
        if lengths is None:
            return self.reader(x), None
        blank = ~counting(lengths, x.shape[1])
        lengths = lengths.clamp(1, x.shape[1])
        if x.device.type == "cpu":  # elsewhere the processor would wait for the device
            longest = int(lengths.max())
            x, blank = x[:, :longest], blank[:, :longest]
        return self.reader(x.masked_fill(blank if x.ndim == 2 else blank[:, :, None], 0)), lengths


def counting(lengths: Tensor, steps: int) -> Tensor:
    """Return which of `steps` steps count, (n, steps) bool, for lengths (n,)."""
    return torch.arange(steps, device=lengths.device) < lengths[:, None]


def groups(net: Sequences) -> list[list[nn.Module]]:
    """Return the layer groups, lowest first, head last."""
    ends: tuple[nn.Module, nn.Module] = net.reader, net.pooling
    reader, pooling = ([[end]] if list(end.parameters()) else [] for end in ends)
    return [*reader, *net.body.parts(), *pooling, [net.head]]


def inside(net: Sequences, x: Tensor, lengths: Tensor | None = None) -> dict[str, Tensor]:
    """Return states, gates and attention of each layer by name, n sequences in front."""
    return net.inside(x, lengths)


def assemble(
    body: Body, *, channels: int, outputs: int, vocabulary: int, pooling: str, dropout: float,
    word_dropout: float,
) -> Sequences:  # fmt: skip
    """Put a reader under `body`, and pooling and a head upon it."""
    reader = Words(vocabulary, channels, word_dropout) if vocabulary else nn.Identity()
    pooled = Pooling(pooling, body.width, both_ways=body.both_ways)
    head = nn.Sequential(*[Dropout(dropout)] * (dropout > 0), nn.Linear(body.width, outputs))
    for layer in (*pooled.modules(), head[-1]):
        if isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return Sequences(reader, body, pooled, head)


def check_choices(*, vocabulary: int, pooling: str, word_dropout: float) -> None:
    """Refuse what no net of sequences has, with a RecipeError."""
    check(word_dropout=word_dropout)
    if type(vocabulary) is not int or vocabulary < 0:
        raise RecipeError(
            f"vocabulary is {vocabulary!r}", remedy="give the number of tokens, 0 for numbers"
        )
    if word_dropout and not vocabulary:
        raise RecipeError(f"word_dropout is {word_dropout:g}, and this net reads no words",
                          remedy="set word_dropout to 0")  # fmt: skip
    if pooling not in POOLINGS:
        raise choice_error("pooling", pooling, POOLINGS)
