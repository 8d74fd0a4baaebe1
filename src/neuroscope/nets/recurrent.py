"""Recurrent networks: a state is carried from step to step.

    RNN    h_t = tanh(W x_t + U h_t-1 + b)                 Elman 1990
    LSTM   c_t = f * c_t-1 + i * g,  h_t = o * tanh(c_t)   Hochreiter and Schmidhuber 1997;
                                                           f: Gers et al. 2000
    GRU    h_t = (1 - z) * n + z * h_t-1                   Cho et al. 2014, 1406.1078

with the gates i, f, o, r, z = sigmoid(W x_t + U h_t-1 + b), g = tanh(...) likewise and n =
tanh(W x_t + b + r * (U h_t-1 + b')). The recurrent weights U start orthogonal, so that a gradient
neither grows nor shrinks on its way back through them (Saxe et al. 2014, 1312.6120); the LSTM's
forget gate and the GRU's update gate start with bias 1, so that they keep until they have learnt to
forget (Jozefowicz et al. 2015). `explain.memory` shows how far each of them looks back.

Read both ways, a second net of the same kind reads each sequence from its own end, so that padding
never comes before it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from neuroscope.base.errors import choice_error
from neuroscope.nets._dropout import Dropout
from neuroscope.nets._sequences import (
    Body,
    Sequences,
    assemble,
    check_choices,
    groups,
    inside,
)
from neuroscope.nets._staged import check, seeded

__all__ = ["build", "groups", "inside"]

CELLS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


def build(  # noqa: PLR0913 - the options of one net, all by name
    *,
    channels: int,
    steps: int,
    outputs: int,
    cell: str = "lstm",
    width: int = 64,
    layers: int = 1,
    both_ways: bool = False,
    dropout: float = 0.0,
    pooling: str = "last",
    vocabulary: int = 0,
    word_dropout: float = 0.0,
    seed: int = 0,
) -> Sequences:
    """Build `layers` layers of `width` units of a `cell` ("rnn", "lstm", "gru").

    `channels` are the numbers a step, or with a `vocabulary` of that many tokens the width of their
    embedding, of which `word_dropout` is left out while learning. Sequences may be longer than
    `steps`. `both_ways` gives each direction `width` units; what comes out at a step then knows the
    future. `dropout` falls between layers and before the head. `pooling`, see `Pooling`: "last",
    because the last state has read everything.
    An option out of range is a RecipeError.
    """
    check(channels=channels, steps=steps, outputs=outputs, width=width, layers=layers)
    check(dropout=dropout)
    check_choices(vocabulary=vocabulary, pooling=pooling, word_dropout=word_dropout)
    if cell not in CELLS:
        raise choice_error("cell", cell, CELLS)
    with seeded(seed):
        body = Recurrent(cell, channels, width, layers, both_ways=both_ways, dropout=dropout)
        return assemble(body, channels=channels, outputs=outputs, vocabulary=vocabulary,
                        pooling=pooling, dropout=dropout, word_dropout=word_dropout)  # fmt: skip


class Recurrent(Body):
    """Layers of recurrent units, one upon the other."""

    def __init__(
        self, cell: str, channels: int, width: int, layers: int, *, both_ways: bool, dropout: float
    ) -> None:
        super().__init__()
        self.both_ways = both_ways
        self.width = width * (2 if both_ways else 1)
        widths = [channels] + [self.width] * (layers - 1)
        self.layers = nn.ModuleList(Layer(cell, d, width, both_ways=both_ways) for d in widths)
        self.dropout = Dropout(dropout)

    def forward(self, h: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return the states (n, t, width) of the last layer."""
        for number, layer in enumerate(self.layers):
            h = layer(self.dropout(h) if number else h, lengths)
        return h, lengths

    def parts(self) -> list[list[nn.Module]]:
        """Return one group a layer."""
        return [[layer] for layer in self.layers]

    def inside(self, h: Tensor, lengths: Tensor | None) -> dict[str, Tensor]:
        """Return hidden states, cells and gates (n, t, width of one direction) of each layer."""
        found: dict[str, Tensor] = {}
        for number, layer in enumerate(self.layers, 1):
            assert isinstance(layer, Layer)
            for name, values in layer.inside(h, lengths).items():
                found[f"layer{number}.{name}"] = values
            h = layer(h, lengths)
        return found


class Layer(nn.Module):
    """One layer of recurrent units, reading in one direction or in both."""

    def __init__(self, cell: str, d: int, k: int, *, both_ways: bool) -> None:
        super().__init__()
        self.onward = _cell(cell, d, k)
        self.back = _cell(cell, d, k) if both_ways else None

    def forward(self, h: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the states (n, t, k), or (n, t, 2k) with the backward ones behind."""
        onward = self.onward(h)[0]
        if self.back is None:
            return onward
        back = self.back(turned(h, lengths))[0]
        return torch.cat([onward, turned(back, lengths)], 2)

    def inside(self, h: Tensor, lengths: Tensor | None) -> dict[str, Tensor]:
        """Return what each unit holds at each step, by name."""
        found = unrolled(self.onward, h)
        if self.back is not None:
            for name, values in unrolled(self.back, turned(h, lengths)).items():
                found[f"backward.{name}"] = turned(values, lengths)
        return found


def _cell(cell: str, d: int, k: int) -> nn.RNN | nn.LSTM | nn.GRU:
    """Return one layer with its first weights, gate by gate."""
    layer = CELLS[cell](d, k, batch_first=True)
    parameters = dict(layer.named_parameters())
    for weights in parameters["weight_ih_l0"].split(k):
        nn.init.xavier_uniform_(weights)
    for weights in parameters["weight_hh_l0"].split(k):
        nn.init.orthogonal_(weights)
    for name in ("bias_ih_l0", "bias_hh_l0"):
        nn.init.zeros_(parameters[name])
    if cell != "rnn":  # second of the gates: the LSTM's forget gate, the GRU's update gate
        nn.init.ones_(parameters["bias_ih_l0"].detach()[k : 2 * k])
    return layer


def turned(h: Tensor, lengths: Tensor | None) -> Tensor:
    """Return each sequence of `h` (n, t, k) with its steps in reverse; padding stays behind it."""
    if lengths is None:
        return h.flip(1)
    steps = torch.arange(h.shape[1], device=h.device)
    order = torch.where(steps < lengths[:, None], lengths[:, None] - 1 - steps, steps)
    return h.gather(1, order[:, :, None].expand_as(h))


def unrolled(layer: nn.RNNBase, h: Tensor) -> dict[str, Tensor]:
    """Return hidden states, cells and gates (n, t, k) of one layer that reads `h` (n, t, d).

    The states come from the layer itself; all gates follow from them at once.
    """
    states = layer(h)[0]
    before = torch.cat([torch.zeros_like(states[:, :1]), states[:, :-1]], 1)
    w, u, b, c = (p for _, p in layer.named_parameters())
    new, old = h @ w.T + b, before @ u.T + c
    found = {"hidden": states}
    if isinstance(layer, nn.LSTM):
        i, f, g, o = (new + old).chunk(4, 2)
        i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
        found |= {"cell": _cells(f, i * g), "input_gate": i, "forget_gate": f, "output_gate": o}
    elif isinstance(layer, nn.GRU):
        r, z, _ = (new + old).chunk(3, 2)
        found |= {"reset_gate": r.sigmoid(), "update_gate": z.sigmoid()}
    return found


def _cells(kept: Tensor, written: Tensor) -> Tensor:
    """Return c_t = kept_t * c_t-1 + written_t, from c = 0 on, all (n, t, k)."""
    cell, cells = torch.zeros_like(written[:, 0]), []
    for step in range(written.shape[1]):
        cell = kept[:, step] * cell + written[:, step]
        cells.append(cell)
    return torch.stack(cells, 1)
