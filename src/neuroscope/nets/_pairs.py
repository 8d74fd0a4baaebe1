"""What the nets of sentence pairs share: they read one sequence of tokens and write another.

    p(y | x) = prod_t p(y_t | y_<t, x)

While learning the right tokens are given, so that all steps are computed at once (`forward`). While
writing, one token a step goes in (`step`), and what the net has made of those before it is kept in
a state, so that nothing is computed twice. A state is a dict of tensors with the rows in front:
rows are dropped, repeated and put in another order by `picked`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional

from neuroscope.base.errors import RecipeError
from neuroscope.nets._dropout import Dropout
from neuroscope.nets._sequences import counting

State = dict[str, Tensor]


class Pairs(nn.Module, ABC):
    """A net of sentence pairs, of our own or pretrained."""

    longest: int | None = None  # tokens of a side that it has places for; None is any number

    def forward(self, source: Tensor, lengths: Tensor, given: Tensor) -> Tensor:
        """Return the logits (n, t, vocabulary) of the token after each that is `given` (n, t).

        source (n, s) are token ids of which lengths (n,) count; what follows is padding and may
        hold any ids. Padding behind `given` reaches no logits of the tokens before it.
        """
        return self.write(given, self.read(source, lengths))

    @abstractmethod
    def read(self, source: Tensor, lengths: Tensor) -> State:
        """Return what is to be known of a source (n, s) while writing; it does not change."""

    @abstractmethod
    def write(self, given: Tensor, memory: State) -> Tensor:
        """Return the logits (n, t, vocabulary) after each token, all steps at once."""

    @abstractmethod
    def begin(self, memory: State) -> State:
        """Return the state before the first token is given."""

    @abstractmethod
    def step(self, tokens: Tensor, memory: State, state: State) -> tuple[Tensor, State]:
        """Return the logits (n, vocabulary) of the token after `tokens` (n,), and the new state."""

    @abstractmethod
    def attention(self, source: Tensor, lengths: Tensor, given: Tensor) -> Tensor:
        """Return how much each step of `given` looks at each token of the source, (n, t, s).

        Row t of a pair tells where the token after given[t] comes from; a row sums to 1.
        """


class Tied(Pairs):
    """A net whose table of embeddings reads both sides and names the tokens.

    Press and Wolf 2017, 1608.05859 (three-way weight tying).
    """

    def __init__(self, vocabulary: int, channels: int, dropout: float) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, channels)
        nn.init.normal_(self.embedding.weight, std=channels**-0.5)
        self.bias = nn.Parameter(torch.zeros(vocabulary))  # of the logits: how frequent a token is
        self.dropout = Dropout(dropout)

    @abstractmethod
    def parts(self) -> list[list[nn.Module]]:
        """Return the layer groups above the embedding, lowest first; the bias is in none."""

    def logits(self, h: Tensor) -> Tensor:
        """Return the logits (..., vocabulary) of what a step has written, (..., channels)."""
        return functional.linear(h, self.embedding.weight, self.bias)


def groups(net: Tied) -> list[list[nn.Module]]:
    """Return the layer groups, lowest first; the table of embeddings is the lowest and the head."""
    return [[net.embedding], *net.parts()]


def attention(net: Pairs, source: Tensor, lengths: Tensor, given: Tensor) -> Tensor:
    """Return how much each step of `given` looks at each token of the source, (n, t, s)."""
    return net.attention(source, lengths, given)


def picked(state: State, rows: Tensor) -> State:
    """Return the state of these rows (positions, which may repeat)."""
    return {name: part.index_select(0, rows) for name, part in state.items()}


def blanked(source: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return a source with its padding set to 0, lengths of at least 1, and what counts (n, s).

    On a processor the source is cut to the longest.
    """
    lengths = lengths.clamp(1, source.shape[1])
    if source.device.type == "cpu":
        source = source[:, : int(lengths.max())]
    seen = counting(lengths, source.shape[1])
    return source.masked_fill(~seen, 0), lengths, seen


def check_vocabulary(vocabulary: int) -> None:
    """Refuse a vocabulary that has no token to write, with a RecipeError."""
    if type(vocabulary) is not int or vocabulary < 2:
        raise RecipeError(f"vocabulary is {vocabulary!r}", remedy="give at least 2 tokens")
