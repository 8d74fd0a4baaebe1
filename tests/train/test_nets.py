"""The loop as it is trains sequences with masks, in both precisions, and digits well."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from tests.train.making import recipe
from torch import nn

from neuroscope import nets
from neuroscope.base.events import DeadUnits, Event, GradientFlow
from neuroscope.train.augment import augmenter
from neuroscope.train.data import Data
from neuroscope.train.evaluate import outputs
from neuroscope.train.loop import Watch, fit
from neuroscope.train.losses import IGNORED


class Reader(nn.Module):
    """A Transformer encoder or an LSTM over tokens with a mask of what is padding."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.embedding, self.head = nn.Embedding(12, 16), nn.Linear(16, 2)
        self.lstm = nn.LSTM(16, 16, batch_first=True) if kind == "lstm" else None
        layer = nn.TransformerEncoderLayer(16, 2, 32, 0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)

    def forward(self, tokens, padding):
        x = self.embedding(tokens)
        x = self.lstm(x)[0] if self.lstm else self.encoder(x, src_key_padding_mask=padding)
        kept = (~padding).to(x.dtype)[:, :, None]
        return self.head((x * kept).sum(1) / kept.sum(1))


@pytest.mark.parametrize("kind", ["lstm", "transformer"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_sequences_with_masks_are_learned_and_reported(kind, precision) -> None:
    rng = np.random.default_rng(0)
    tokens, lengths = rng.integers(1, 12, (160, 10)), rng.integers(3, 11, 160)
    padding = np.arange(10) >= lengths[:, None]
    y = ((tokens == 3) & ~padding).any(1).astype(np.int64)  # is there a 3?
    data, told = Data((tokens, padding), y), []
    torch.manual_seed(0)
    chosen = recipe(epochs=25, learning_rate=5e-3, precision=precision, clip_norm=1.0)
    module = Reader(kind)
    fit(module, data, chosen, watch=Watch(monitor=told.append))
    found = outputs(module, data, chosen)
    assert found.dtype == np.float32
    assert (found.argmax(1) == y).mean() > 0.95
    flow = [event for event in told if isinstance(event, GradientFlow)][-1]
    dead = [event for event in told if isinstance(event, DeadUnits)]
    if kind == "lstm":
        assert "lstm.weight_ih_l0" in flow.layers
        assert not dead
    else:
        assert "encoder.layers.0.linear1" in flow.layers
        assert dead[-1].layers == ("encoder.layers.0.linear1",)


SEQUENCE_NETS = {
    "recurrent": {"width": 16, "both_ways": True},
    "temporal": {"width": 16},
    "transformer": {"width": 16, "layers": 1},
}


@pytest.mark.parametrize("family", SEQUENCE_NETS)
def test_each_family_of_sequences_is_learned_with_lengths_or_at_every_step(family) -> None:
    rng = np.random.default_rng(0)
    tokens, lengths = rng.integers(1, 12, (160, 10)), rng.integers(3, 11, 160)
    inside = np.arange(10) < lengths[:, None]
    shape = {"channels": 16, "steps": 10, "vocabulary": 12, "outputs": 2, "seed": 1}
    chosen = recipe(epochs=15, learning_rate=1e-2, precision="bfloat16", clip_norm=1.0)

    once = nets.build({"family": family, "options": shape | SEQUENCE_NETS[family]})
    y = ((tokens == 3) & inside).any(1).astype(np.int64)  # is there a 3?
    told: list[Event] = []
    fit(once, Data((tokens, lengths), y), chosen, watch=Watch(monitor=told.append))
    assert (outputs(once, Data((tokens, lengths), y), chosen).argmax(1) == y).mean() > 0.95
    dead = {name for event in told if isinstance(event, DeadUnits) for name in event.layers}
    assert bool(dead) == (family == "temporal")  # the only one with units that can die

    options = shape | SEQUENCE_NETS[family] | {"pooling": "steps"}
    each = nets.build({"family": family, "options": options})
    y = np.where(inside, tokens == 3, IGNORED)  # is this one a 3?
    fit(each, Data((tokens, lengths), y), chosen)
    found = outputs(each, Data((tokens, lengths), y), chosen).argmax(2)
    assert (found == y)[inside].mean() > 0.98


def test_digits_are_learned_with_everything_on() -> None:
    x, y = load_digits(return_X_y=True)
    x = (x / 16).reshape(-1, 1, 8, 8).astype(np.float32)
    augment = augmenter(("brightness", "contrast"))

    def prepare(inputs, chance):
        return inputs if chance is None or augment is None else (augment(inputs[0], chance),)

    data = Data(x, y, prepare=prepare)
    rows = np.random.default_rng(0).permutation(len(y))
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(1, 24, 3, padding=1), nn.BatchNorm2d(24), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(24, 48, 3, padding=1), nn.BatchNorm2d(48), nn.ReLU(), nn.Flatten(),
        nn.Dropout(0.2), nn.Linear(768, 10),
    )  # fmt: skip
    chosen = recipe(epochs=12, batch_size=64, learning_rate=5e-3, schedule="one_cycle",
                    average=0.98, label_smoothing=0.05, optimizer="adamw", weight_decay=0.01,
                    precision="bfloat16")  # fmt: skip
    fit(module, data.some(rows[:1400]), chosen, valid=data.some(rows[1400:1500]))
    held = data.some(rows[1500:])
    assert (outputs(module, held, chosen).argmax(1) == y[rows[1500:]]).mean() > 0.98
