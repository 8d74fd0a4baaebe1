"""Torch nets that translate: learned from pairs by the loop of `train`, written with a beam."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroscope.base import randomness
from neuroscope.base.recipe import Recipe
from neuroscope.tasks import _torch
from neuroscope.tasks._learning import Training, Watch
from neuroscope.tasks._translation import scoring
from neuroscope.tasks._translation.room import Room
from neuroscope.tasks._translation.sentences import (
    PairEncoder,
    Sentences,
    Vocabulary,
)

if TYPE_CHECKING:
    from torch import nn

    from neuroscope.nets._pairs import Pairs
    from neuroscope.train.pairs import PairRows

IGNORES = ("class_weight",)  # of a recipe
BEAM = 4
LENGTH_PENALTY = 0.6
_AT_ONCE = 4000  # tokens of sources that are translated together
_READ = 128  # pairs of mean length that are read together after a fit
_WRITING = 5  # readings of a pair that cost as much as writing it with a beam
_VISITS = 450_000  # pairs times epochs from which more epochs add little
_MOST_EPOCHS = 60
_MANY = 5000  # pairs from which the larger net pays
_PLENTY = 300_000  # pairs from which less must be dropped out
_HELD = 0.03  # share of the training pairs that say when more epochs only memorise
_FEWEST_HELD, _MOST_HELD = 50, 1000


@dataclass(frozen=True)
class NetTranslator:
    """A net of pairs behind its tokens; `record` builds the same net without weights."""

    net: Pairs
    record: Mapping[str, Any]
    encoder: PairEncoder | None
    recipe: Recipe | None
    own: Vocabulary | None = None  # of a pretrained net; else it is the encoder's
    room: Room = field(default_factory=Room)  # for what is written

    @property
    def parameters(self) -> int:
        """Number of weights and biases."""
        return sum(weight.numel() for weight in self.net.parameters())

    @property
    def vocabulary(self) -> Vocabulary:
        """The tokens that the net reads and writes."""
        if self.own is not None:
            return self.own
        assert self.encoder is not None
        return self.encoder.vocabulary

    def predict(self, x: Sentences) -> np.ndarray:
        """Return the packed predictions of sentences with references, see `judge`."""
        rows = scoring.translated_rows(len(x))
        written = self.write([x.source[row] for row in rows])
        bits = bits_of(self.net, replace(x, vocabulary=self.vocabulary))
        return scoring.packed(bits, rows, written, x.references)

    def write(self, texts: Sequence[str], beam: int = BEAM) -> list[str]:
        """Return the translation of each text."""
        return self.translated(texts, beam)[0]

    def translated(self, texts: Sequence[str], beam: int = BEAM) -> tuple[list[str], int]:
        """Return the translation of each text, and how many were cut; the longest share a batch."""
        import torch  # noqa: PLC0415 - slow to import

        from neuroscope.nets.beam import Search, write  # noqa: PLC0415
        from neuroscope.train.pairs import Ragged  # noqa: PLC0415

        said = self.vocabulary
        tokens = Ragged.of(said.read(texts))
        search = Search(said.start, said.end, beam=beam, length_penalty=LENGTH_PENALTY,
                        never=said.never, longest_ratio=self.room.ratio,
                        longest_extra=self.room.extra)  # fmt: skip
        device, found, cut = next(self.net.parameters()).device, [""] * len(texts), 0
        for rows in _blocks(tokens.lengths, max(_AT_ONCE // beam, 1)):
            source = torch.from_numpy(tokens.padded(rows, said.padding)).to(device)
            if not source.shape[1]:
                continue  # nothing but empty texts
            lengths = torch.from_numpy(tokens.lengths[rows]).to(device)
            for row, one in zip(rows, write(self.net, source, lengths, search), strict=True):
                if tokens.lengths[row]:
                    found[row] = said.cutter.decode(one.tokens).strip()
                    cut += one.cut
        return found, cut

    def attention(self, text: str, written: str) -> tuple[list[str], list[str], np.ndarray]:
        """Return the tokens of a text and of what was written, its end last, and (t, s) weights."""
        import torch  # noqa: PLC0415 - slow to import

        said, device = self.vocabulary, next(self.net.parameters()).device
        source, target = said.read([text])[0], said.written([written])[0]
        self.net.eval()
        with torch.inference_mode():
            weights = self.net.attention(
                torch.from_numpy(source[None].astype(np.int64)).to(device),
                torch.tensor([len(source)], device=device),
                torch.from_numpy(np.array([[said.start, *target]], np.int64)).to(device),
            )
        read, out = ([said.cutter.decode([int(t)]) for t in side] for side in (source, target))
        return read, [*out, ""], weights[0].float().cpu().numpy()

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the net's record as JSON and its weights as arrays."""
        return {"net": dict(self.record), "room": self.room.to_json()}, _torch.arrays_of(self.net)


def unpack(record: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> NetTranslator:
    """Rebuild the learner that `pack` wrote; ModelError when its parts do not fit together."""

    def learner(net: nn.Module) -> NetTranslator:
        room = Room.from_json(record.get("room"))
        return NetTranslator(net, record["net"], None, None, room=room)  # type: ignore[arg-type]

    return _torch.rebuilt(record, arrays, learner)


def bits_of(net: nn.Module, x: Sentences) -> np.ndarray:
    """Return -log2 p of each reference and its end, (n,), all tokens by the net.

    Of a reference that is cut, what is kept stands for the rest.
    """
    import torch  # noqa: PLC0415 - slow to import

    from neuroscope.train.losses import tokens_cross_entropy  # noqa: PLC0415

    if not len(x):
        return np.zeros(0)
    device = next(net.parameters()).device
    rows, bits = x.rows().on(device), np.zeros(len(x))
    net.eval()
    with torch.inference_mode():
        for positions in rows.batches(_READ, None):
            batch = rows.take(positions)
            logits = net(*batch.inputs).flatten(0, 1)
            each = tokens_cross_entropy(logits, batch.targets.flatten(), 0.0)
            sums = each.view(len(positions), -1).sum(1, dtype=torch.float64)
            bits[positions] = sums.cpu().numpy() / math.log(2)
    return bits * x.stretch


def _blocks(lengths: np.ndarray, tokens: int) -> Iterator[np.ndarray]:
    """Yield positions of texts of like length, about `tokens` tokens together."""
    order = np.argsort(-lengths, kind="stable")
    first = 0
    while first < len(order):
        most = max(tokens // max(int(lengths[order[first]]), 1), 1)
        yield order[first : first + most]
        first += most


def recipe_of(training: Training, net: str, learning_rate: float, **changes: Any) -> Recipe:
    """Return the recipe of a net for these pairs; `changes` are its own choices."""
    rows = len(training.rows)
    batch = min(max(2 ** round(math.log2(max(rows / 200, 1))), 16), 128)
    epochs = round(min(max(_VISITS / rows, 2), _MOST_EPOCHS))
    steps = epochs * max(rows // batch, 1)
    recipe = (
        Recipe(net=net, seed=training.problem.seed, loss="cross_entropy")
        .because(f"{rows:,} pairs of mean length, as many tokens with longer ones",
                 batch_size=batch)
        .because(f"{rows:,} pairs", epochs=epochs, width=256 if rows >= _MANY else 128)
        .because("good for nets of this kind", learning_rate=learning_rate, optimizer="adamw",
                 beta2=0.98)
        .because("large steps at once would tear apart what is not yet learned", warmup=0.1)
        .because("smaller and smaller steps", schedule="cosine")
        .because("weights shrink a little each step", weight_decay=0.01)
        .because("one wild batch must not tear the weights away", clip_norm=1.0)
        .because("several translations are right: none is taken as quite sure",
                 label_smoothing=0.1)
        .because("much to memorise in few pairs" if rows < _PLENTY else "many pairs",
                 dropout=0.3 if rows < _PLENTY else 0.1)
        .because("the mean over the last steps translates better than the last one",
                 average=min(max(1 - 20 / steps, 0.5), 0.998))
        .because("some training pairs say when more epochs only memorise", patience=8)
    )  # fmt: skip
    return recipe.because("our choice for sentence pairs", **changes) if changes else recipe


def recipes(training: Training, recipe: Recipe, record: Any) -> list[Recipe]:
    """Return the recipe with the precision that pays for the net that `record` makes."""
    from neuroscope import nets  # noqa: PLC0415 - imports torch
    from neuroscope.train.precision import choose_precision  # noqa: PLC0415

    rows = training.encoded(recipe)[1].some(np.arange(min(len(training.rows), 512))).rows()
    batch = rows.take(rows.batches(min(recipe.batch_size, len(rows)), None)[0])
    return [choose_precision(nets.build(record(training, recipe)), batch.inputs, recipe)]


def fit(training: Training, recipe: Recipe, watch: Watch, record: dict[str, Any]) -> NetTranslator:
    """Train a net by its recipe on the training pairs; a few of them say when to stop."""
    from neuroscope import nets  # noqa: PLC0415 - imports torch
    from neuroscope.nets._pairs import Pairs  # noqa: PLC0415

    encoder, x = training.encoded(recipe)
    net = nets.build(record)
    assert isinstance(net, Pairs)
    layers = nets.catalogue.get(record["family"]).groups(net)
    followed = learn(training, recipe, watch, net, x, layers)
    return NetTranslator(net, record, encoder, followed, room=Room.learned(x))


def learn(
    training: Training, recipe: Recipe, watch: Watch, net: nn.Module, x: Sentences, layers: Any
) -> Recipe:
    """Train a net in place, and return the recipe that was followed in the end."""
    from neuroscope.train import loop  # noqa: PLC0415 - imports torch

    data, valid = divided(x, recipe)
    if valid is None:
        recipe = replace(recipe, patience=0)
    seen = replace(_torch.watching(training, watch), predicted=_predicted(training, recipe))
    followed = loop.fit(net, data, recipe, valid=valid, groups=layers, watch=seen).recipe
    net.eval()
    return followed


def _predicted(training: Training, recipe: Recipe) -> int:
    """Return how many pairs the time after a fit must allow for; writing is counted as reading.

    They are read _READ at a time, which costs hardly more than a smaller batch in training does.
    """
    parts = (0 if training.held is None else len(training.held), len(training.problem.split.test))
    count = sum(n + _WRITING * min(n, scoring.MOST_TRANSLATED) for n in parts)
    return round(count * min(recipe.batch_size / _READ, 1.0))


def divided(x: Sentences, recipe: Recipe) -> tuple[PairRows, PairRows | None]:
    """Return the pairs to learn from, and those that say when to stop; None where too few.

    Pairs of a side that is too long are in neither.
    """
    rows = x.rows()
    kept = x.learnable if len(x.learnable) else np.arange(1)
    count = min(round(_HELD * len(kept)), _MOST_HELD)
    if not recipe.patience or count < _FEWEST_HELD:
        return rows.some(kept), None
    held = randomness.generator(recipe.seed, "held pairs").choice(kept, count, replace=False)
    return rows.some(np.setdiff1d(kept, held)), rows.some(np.sort(held))
