"""Recurrent nets of sentence pairs with attention: what is written looks back at what was read.

    m_1 .. m_s   states of an encoder that reads both ways, the last of its layers
    h_t          state of the lowest layer of the decoder, after the token written last
    a_t = softmax(h_t . W m / sqrt(k)),   c_t = sum_s a_ts m_s
    the layers above read [h_t, c_t];   y_t+1 ~ softmax(E tanh(W' [top_t, c_t]))

Attention over all states, in place of one vector a sentence: Bahdanau et al. 2015, 1409.0473; by a
product: Luong et al. 2015, 1508.04025 ("general"); asked by the lowest layer, and its answer read
by those above it: Wu et al. 2016, 1609.08144. The answer is not fed back into the lowest layer, so
that each layer reads all steps of a given sentence in one call.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from neuroscope.base.errors import choice_error
from neuroscope.nets._pairs import (
    State,
    Tied,
    attention,
    blanked,
    check_vocabulary,
    groups,
)
from neuroscope.nets._staged import check, seeded
from neuroscope.nets.recurrent import Layer

__all__ = ["attention", "build", "groups"]

CELLS = ("gru", "lstm")


def build(
    *,
    vocabulary: int,
    cell: str = "gru",
    channels: int = 256,
    width: int = 256,
    layers: int = 2,
    dropout: float = 0.0,
    seed: int = 0,
) -> RecurrentPairs:
    """Build an encoder and a decoder of `layers` layers of `width` units of a `cell`.

    `channels` is the width of the embedding. The encoder gives each direction half of the units (at
    least one). `dropout` falls on embeddings, between layers and before the logits. An option out
    of range is a RecipeError.
    """
    check(channels=channels, width=width, layers=layers, dropout=dropout)
    check_vocabulary(vocabulary)
    if cell not in CELLS:
        raise choice_error("cell", cell, CELLS)
    with seeded(seed):
        return RecurrentPairs(cell, vocabulary, channels, width, layers, dropout)


class RecurrentPairs(Tied):
    """Layers of recurrent units on both sides, joined by attention and by their first states."""

    def __init__(
        self, cell: str, vocabulary: int, channels: int, width: int, layers: int, dropout: float
    ) -> None:
        super().__init__(vocabulary, channels, dropout)
        half = max(width // 2, 1)
        self.one_way, self.gated = half, cell == "lstm"
        below = [channels] + [2 * half] * (layers - 1)
        self.encoder = nn.ModuleList(Layer(cell, d, half, both_ways=True) for d in below)
        below = [channels] + [width + 2 * half] + [width] * max(layers - 2, 0)
        self.decoder = nn.ModuleList(Layer(cell, d, width, both_ways=False) for d in below[:layers])
        self.first = nn.ModuleList(_linear(2 * half, width) for _ in range(layers))
        self.keys = _linear(2 * half, width)
        self.out = _linear(width + 2 * half, channels)

    def parts(self) -> list[list[nn.Module]]:
        """Return one group a layer, the encoder's first."""
        first, *upper = ([layer] for layer in self.decoder)
        return [
            *([layer] for layer in self.encoder),
            [*self.first, self.keys, *first],
            *upper,
            [self.out],
        ]

    def read(self, source: Tensor, lengths: Tensor) -> State:
        """Return states and keys of the source, what of them counts, and the first states."""
        source, lengths, seen = blanked(source, lengths)
        h = self.dropout(self.embedding(source))
        for number, layer in enumerate(self.encoder):
            h = layer(self.dropout(h) if number else h, lengths)
        last = h.gather(1, (lengths - 1)[:, None, None].expand(-1, 1, h.shape[2]))[:, 0]
        ends = torch.cat([last[:, : self.one_way], h[:, 0, self.one_way :]], 1)
        return {
            "values": h,
            "keys": self.keys(h),
            "seen": seen,
            **{f"first{i}": first(ends).tanh() for i, first in enumerate(self.first)},
        }

    def begin(self, memory: State) -> State:
        """Return the first state of each layer, made of what the encoder ended with."""
        state = {}
        for i in range(len(self.decoder)):
            first = memory[f"first{i}"]
            state[f"hidden{i}"] = first
            if self.gated:
                state[f"cell{i}"] = torch.zeros_like(first)
        return state

    def write(self, given: Tensor, memory: State) -> Tensor:
        """Return the logits (n, t, vocabulary); each layer reads all steps in one call."""
        return self.logits(self._written(given, memory, self.begin(memory))[0])

    def step(self, tokens: Tensor, memory: State, state: State) -> tuple[Tensor, State]:
        """Return the logits (n, vocabulary) after one more token, and the new state."""
        h, state, _ = self._written(tokens[:, None], memory, state)
        return self.logits(h[:, 0]), state

    def attention(self, source: Tensor, lengths: Tensor, given: Tensor) -> Tensor:
        """Return the attention (n, t, s)."""
        memory = self.read(source, lengths)
        weights = self._written(given, memory, self.begin(memory))[2]
        return nn.functional.pad(weights, (0, source.shape[1] - weights.shape[2]))

    def _written(self, given: Tensor, memory: State, state: State) -> tuple[Tensor, State, Tensor]:
        """Return what the logits are read from, the state behind the last step, and attention."""
        lowest, *upper = range(len(self.decoder))
        after: State = {}
        h = self._layer(lowest, self.dropout(self.embedding(given)), state, after)
        scores = h @ memory["keys"].transpose(1, 2) / math.sqrt(h.shape[2])
        weights = scores.masked_fill(~memory["seen"][:, None, :], -torch.inf).softmax(2)
        found = weights.to(h.dtype) @ memory["values"]
        for number in upper:
            above = torch.cat([h, found], 2) if number == 1 else h
            h = self._layer(number, self.dropout(above), state, after)
        return self.dropout(self.out(torch.cat([h, found], 2)).tanh()), after, weights

    def _layer(self, number: int, h: Tensor, state: State, after: State) -> Tensor:
        """Return what one layer makes of `h` (n, t, d), and put its last state into `after`."""
        layer = self.decoder[number]
        assert isinstance(layer, Layer)
        hidden = state[f"hidden{number}"][None].to(h.dtype)
        if not self.gated:
            h, last = layer.onward(h, hidden)
            after[f"hidden{number}"] = last[0]
            return h
        h, (last, cell) = layer.onward(h, (hidden, state[f"cell{number}"][None].to(h.dtype)))
        after[f"hidden{number}"], after[f"cell{number}"] = last[0], cell[0]
        return h


def _linear(d: int, k: int) -> nn.Linear:
    """Return a linear layer with first weights uniform in +-sqrt(6 / (d + k)), biases 0."""
    layer = nn.Linear(d, k)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
