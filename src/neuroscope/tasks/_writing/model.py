"""A trained model that writes: it goes on from a prompt, and says how surprising a text is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroscope.base import randomness
from neuroscope.base.catalogue import Catalogue
from neuroscope.base.errors import InputError
from neuroscope.base.recipe import Recipe
from neuroscope.data.schema import Schema
from neuroscope.data.target import TargetCodec
from neuroscope.data.text.tokeniser import END, START, UNKNOWN
from neuroscope.runs.artefact import Artefact
from neuroscope.tasks._learning import Learner
from neuroscope.tasks._model import opened, recipe_of
from neuroscope.tasks._writing.nets import allowed
from neuroscope.tasks._writing.posing import TextEncoder, Texts

if TYPE_CHECKING:
    from neuroscope.nets.sampling import Sampling


@dataclass(frozen=True)
class TextModel:
    """A trained model of texts."""

    artefact: Artefact
    schema: Schema
    codec: TargetCodec
    learner: Learner
    encoder: TextEncoder
    temperature: float = 1.0
    threshold: float = 0.5

    @property
    def classes(self) -> tuple[str, ...]:
        """No classes: it writes."""
        return ()

    @cached_property
    def recipe(self) -> Recipe | None:
        """The recipe the model was trained by, or None where its rung has none."""
        return recipe_of(self.artefact)

    def bits(self, documents: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return characters and bits, each (n, 1), of the pieces of some documents.

        Their ends are asked for where the model has learned of ends, and nowhere else.
        """
        texts, ends = Texts.cut(documents), self.encoder.ends
        if texts.one == ends:
            texts = Texts(list(documents), np.arange(len(documents)), one=not ends)
        passages = texts.passages(self.encoder.tokeniser, np.arange(len(texts.pieces)))
        return texts.counts, self.learner.predict(passages)

    def unknown(self, text: str) -> list[str]:
        """Return the characters of a text that the model has never read, each once."""
        known = self.encoder.tokeniser
        return [sign for sign in dict.fromkeys(text) if UNKNOWN in known.encode_one(sign)]

    def write(
        self, prompt: str, *, count: int, length: int, sampling: Sampling, seed: int
    ) -> Iterator[list[str]]:
        """Yield what `count` texts go on with, token by token; the prompt is not among it.

        Characters of the prompt that the model does not know are passed over (see `unknown`).
        A text that is over adds "". Raises InputError for a count or length below 1.
        """
        from neuroscope.nets.sampling import write  # noqa: PLC0415 - imports torch

        for name, value in (("n", count), ("length", length)):
            if value < 1:
                raise InputError(f"{name} is {value}", remedy="give 1 or more")
        tokeniser, ends = self.encoder.tokeniser, self.encoder.ends
        known = tokeniser.encode_one(prompt)
        known = known[known != UNKNOWN]
        if ends:
            known = np.concatenate([[START], known])
        elif not len(known):
            known = tokeniser.encode_one(self.encoder.begin)
        reader: Any = self.learner.reader()  # type: ignore[attr-defined]
        tokens = write(
            reader, known, count=count, length=length, sampling=sampling,
            chance=randomness.generator(seed, "write"), allowed=allowed(self.encoder),
            end=END if ends else None,
        )  # fmt: skip
        for row in tokens:
            yield [tokeniser.decode(row[at : at + 1]) for at in range(count)]

    def generate(
        self,
        prompt: str = "",
        *,
        count: int = 1,
        length: int = 500,
        sampling: Sampling | None = None,
        seed: int = 0,
    ) -> list[str]:
        """Return `count` texts that go on from the prompt, with it."""
        from neuroscope.nets.sampling import Sampling  # noqa: PLC0415 - imports torch

        parts = list(self.write(prompt, count=count, length=length, seed=seed,
                                sampling=sampling or Sampling()))  # fmt: skip
        return [prompt + "".join(part[row] for part in parts) for row in range(count)]


def load(artefact: Artefact, rungs: Catalogue) -> TextModel:
    """Rebuild a model from its artefact; ModelError when a part is missing or damaged."""
    schema, codec, learner = opened(artefact, rungs, "encoder")
    encoder = TextEncoder.from_json(artefact.parts["encoder"])
    return TextModel(artefact, schema, codec, learner, encoder)
