"""Pretrained nets of sentence pairs, fine-tuned on the user's: Marian, T5, BART from a folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroscope.base.errors import ModelError
from neuroscope.base.recipe import Recipe
from neuroscope.tasks._learning import Problem, Training, Watch
from neuroscope.tasks._pictures.encoders import part
from neuroscope.tasks._translation.nets import NetTranslator, learn
from neuroscope.tasks._translation.room import Room
from neuroscope.tasks._translation.sentences import LONGEST, Sentences, Vocabulary

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from neuroscope.nets.pretrained_pairs import PretrainedPairs

_ASK = "no backbone is given: give the folder of a pretrained translator with --backbone FOLDER"


@dataclass(frozen=True)
class PretrainedCutter:
    """The tokens of a tokenizer.json; what it adds before and behind a text is left out."""

    text: str

    @cached_property
    def _cutter(self) -> Tokenizer:
        from tokenizers import Tokenizer  # noqa: PLC0415 - only where texts are

        try:
            return Tokenizer.from_str(self.text)
        except Exception as error:  # `tokenizers` raises plain Exception
            raise ModelError(f"tokenizer.json cannot be read ({error})",
                             remedy="download the folder again") from error  # fmt: skip

    def encode(self, texts: Iterable[str]) -> list[np.ndarray]:
        """Return the tokens of each text."""
        cut = self._cutter.encode_batch_fast(list(texts), add_special_tokens=False)
        return [np.array(one.ids, np.int32) for one in cut]

    def decode(self, tokens: Sequence[int] | np.ndarray) -> str:
        """Return the text of tokens, special ones left out."""
        return self._cutter.decode([int(token) for token in tokens], skip_special_tokens=True)


@dataclass(frozen=True)
class Pretrained(NetTranslator):
    """A fine-tuned pretrained net; kept with its own way to cut texts."""

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the net's record and its tokens as JSON, and its weights as arrays."""
        assert isinstance(self.vocabulary.cutter, PretrainedCutter)
        record = {"net": dict(self.record), "tokeniser": json.loads(self.vocabulary.cutter.text),
                  "room": self.room.to_json()}  # fmt: skip
        net: Any = self.net
        arrays: dict[str, np.ndarray] = net.arrays()
        return record, {f"net.{name}": values for name, values in arrays.items()}


def unpack(record: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Pretrained:
    """Rebuild the learner that `pack` wrote; ModelError when its parts do not fit together."""
    from neuroscope.nets.pretrained_pairs import from_record  # noqa: PLC0415 - imports torch

    try:
        net = from_record(record["net"])
        net.put(part(arrays, "net."))
        vocabulary = vocabulary_of(net, json.dumps(record["tokeniser"]))
        room = Room.from_json(record.get("room"))
        return Pretrained(net, record["net"], None, None, vocabulary, room)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"the model's net cannot be read: {error!r}") from error


def vocabulary_of(net: PretrainedPairs, text: str) -> Vocabulary:
    """Return how a net's texts are cut, its sources with an end, as all of these nets learned."""
    told: dict[str, int] = net.tokens
    never = tuple({told["start"], told["padding"]} - {told["end"]})
    places = LONGEST if net.longest is None else min(net.longest - 1, LONGEST)
    return Vocabulary(PretrainedCutter(text), **told, never=never, source_end=True,
                      longest=places)  # fmt: skip


@lru_cache(maxsize=1)
def _opened(name: str, stamp: tuple[tuple[str, int, int], ...]) -> tuple[Any, str]:  # noqa: ARG001
    from neuroscope.nets.pretrained_pairs import open_pairs  # noqa: PLC0415 - imports torch

    return open_pairs(name)


def opened(name: str) -> tuple[PretrainedPairs, str]:
    """Open a pretrained net once, for as long as its files stay as they are; do not train it."""
    folder = Path(name).expanduser()
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    stats = [(file.name, file.stat()) for file in files]
    return _opened(name, tuple((n, s.st_size, s.st_mtime_ns) for n, s in stats))


def missing(problem: Problem) -> str:
    """Return why nothing pretrained can be used; "" when it can.

    A backbone that was asked for and cannot be used is refused with the error that says why.
    """
    if not problem.backbone:
        return _ASK
    opened(problem.backbone)
    return ""


def recipe_of(training: Training) -> Recipe:
    """Return the recipe of a careful fine-tuning: few epochs, small steps."""
    problem, rows = training.problem, len(training.rows)
    epochs = round(min(max(30_000 / rows, 1), 10))
    return (
        Recipe(net="pretrained", seed=problem.seed, loss="cross_entropy")
        .because("what the backbone was trained on", backbone=problem.backbone)
        .because(f"{rows:,} pairs", epochs=epochs, batch_size=32)
        .because("small: the net knows much already", learning_rate=5e-5, optimizer="adamw",
                 weight_decay=0.01)
        .because("large steps at once would tear apart what was learned", warmup=0.1,
                 schedule="cosine", clip_norm=1.0)
        .because("several translations are right: none is taken as quite sure",
                 label_smoothing=0.1)
    )  # fmt: skip


def fit(training: Training, recipe: Recipe, watch: Watch) -> Pretrained:
    """Let a pretrained net learn on, all of it, from the training pairs."""
    from neuroscope.nets.pretrained_pairs import from_record  # noqa: PLC0415 - imports torch

    origin, text = opened(recipe.backbone)
    encoder, x = training.encoded(recipe)
    record = origin.to_json()
    net = from_record(record)
    net.put(origin.arrays())
    vocabulary = vocabulary_of(net, text)
    sentences = Sentences(x.source, x.references, vocabulary)
    followed = learn(training, recipe, watch, net, sentences, None)
    room = Room.learned(sentences)
    return Pretrained(net, record, encoder, followed, vocabulary, room)
