"""The recurrent net that writes: a state carries what was read, and says what comes next.

    h_t, c_t = LSTM(vector of token t, h_t-1, c_t-1),  logits = W h_t + b

Graves 2013, 1308.0850 (text, character by character); cells and first weights are those of
`recurrent`. A window begins with a state of zeros; reading on, the state is carried, so that the
net has no limit to how far it may look back.
"""

from __future__ import annotations

from torch import Tensor, nn

from neuroscope.nets._dropout import Dropout
from neuroscope.nets._language import Language, check_vocabulary, groups, read
from neuroscope.nets._staged import check, seeded
from neuroscope.nets.recurrent import Layer

__all__ = ["build", "groups", "read"]

Carried = list[tuple[Tensor, Tensor]]  # (h, c), each (1, n, width), of each layer


def build(
    *,
    vocabulary: int,
    steps: int,
    width: int = 256,
    layers: int = 1,
    channels: int = 0,
    dropout: float = 0.0,
    seed: int = 0,
) -> LstmWriter:
    """Build `layers` layers of `width` units that read `vocabulary` kinds of tokens.

    `channels` is the length of a token's vector (0: `width`). Windows may be longer than `steps`.
    `dropout` falls between layers and before the logits. An option out of range is a RecipeError.
    """
    check_vocabulary(vocabulary)
    check(steps=steps, width=width, layers=layers, dropout=dropout, channels=channels or width)
    with seeded(seed):
        return LstmWriter(vocabulary, channels or width, width, layers, dropout)


class LstmWriter(Language[Carried]):
    """Embedding, layers of LSTM units one upon the other, logits."""

    def __init__(
        self, vocabulary: int, channels: int, width: int, layers: int, dropout: float
    ) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self.reader = nn.Embedding(vocabulary, channels)
        widths = [channels] + [width] * (layers - 1)
        self.layers = nn.ModuleList(Layer("lstm", d, width, both_ways=False) for d in widths)
        self.dropout, self.head = Dropout(dropout), nn.Linear(width, vocabulary)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits (n, t, vocabulary) of tokens (n, t), from a state of zeros."""
        return self.read(tokens)[0]

    def read(self, tokens: Tensor, memory: Carried | None = None) -> tuple[Tensor, Carried]:
        """Return the logits of tokens (n, t) that come after the carried state, and the new one."""
        h, carried = self.reader(tokens), []
        for number, layer in enumerate(self.layers):
            assert isinstance(layer, Layer)
            h = self.dropout(h) if number else h
            h, state = layer.onward(h, None if memory is None else memory[number])
            carried.append(state)
        return self.head(self.dropout(h)), carried

    def parts(self) -> list[list[nn.Module]]:
        """Return the embedding, one group a layer, and the head."""
        return [[self.reader], *([layer] for layer in self.layers), [self.head]]
