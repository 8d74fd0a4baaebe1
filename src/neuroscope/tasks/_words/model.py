"""A trained model of words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from neuroscope.base.catalogue import Catalogue
from neuroscope.base.errors import ModelError
from neuroscope.base.recipe import Recipe
from neuroscope.data.schema import Schema
from neuroscope.data.target import TargetCodec
from neuroscope.data.text.vectors import WordVectors
from neuroscope.runs.artefact import Artefact
from neuroscope.tasks._model import opened, recipe_of
from neuroscope.tasks._words.learner import WordLearner
from neuroscope.tasks._words.posing import Vocabulary


@dataclass(frozen=True)
class WordModel:
    """Word vectors with what they were learned by: ask them with the verb `words`."""

    artefact: Artefact
    schema: Schema
    codec: TargetCodec
    learner: WordLearner
    encoder: Vocabulary
    temperature: float = 1.0
    threshold: float = 0.5

    @property
    def classes(self) -> tuple[str, ...]:
        """No classes."""
        return ()

    @cached_property
    def recipe(self) -> Recipe | None:
        """The recipe the model was trained by, or None where its rung has none."""
        return recipe_of(self.artefact)

    @cached_property
    def word_vectors(self) -> WordVectors | None:
        """The vectors of the words, the most frequent first; None where the rung has none."""
        if not self.learner.learned:
            return None
        form = f"trained: {self.artefact.card.learner}"
        origin = str(self.artefact.path)
        return WordVectors(self.encoder.words, self.learner.vectors, form, origin)


def load(artefact: Artefact, rungs: Catalogue) -> WordModel:
    """Rebuild a model from its artefact; ModelError when a part is missing or does not fit."""
    schema, codec, learner = opened(artefact, rungs, "encoder")
    encoder = Vocabulary.from_json(artefact.parts["encoder"])
    if len(encoder.words) != len(learner.vectors):
        raise ModelError(
            f"{len(encoder.words):,} words and {len(learner.vectors):,} vectors",
            remedy="use another copy",
        )
    return WordModel(artefact, schema, codec, learner, encoder)
