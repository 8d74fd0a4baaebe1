"""A trained translator: give it texts, or a table with a column of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from neuroscope.base.catalogue import Catalogue
from neuroscope.base.errors import SchemaError, did_you_mean
from neuroscope.base.recipe import Recipe
from neuroscope.data._kinds import is_words
from neuroscope.data.schema import Schema
from neuroscope.data.table import Table
from neuroscope.data.target import TargetCodec
from neuroscope.runs.artefact import Artefact
from neuroscope.tasks._learning import Learner
from neuroscope.tasks._model import opened, recipe_of
from neuroscope.tasks._translation.nets import BEAM, NetTranslator
from neuroscope.tasks._translation.sentences import PairEncoder, texts_of


class Translator(Learner, Protocol):
    """A learner that writes."""

    def write(self, texts: Sequence[str], beam: int = BEAM) -> list[str]:
        """Return the translation of each text, by a beam so wide; 1 is greedy, and fastest."""
        ...


@dataclass(frozen=True)
class TranslationModel:
    """A trained model of sentence pairs."""

    artefact: Artefact
    schema: Schema
    codec: TargetCodec
    learner: Translator
    encoder: PairEncoder
    temperature: float = 1.0
    threshold: float = 0.5

    @property
    def classes(self) -> tuple[str, ...]:
        """No classes: a translation is a text."""
        return ()

    @cached_property
    def recipe(self) -> Recipe | None:
        """The recipe the model was trained by, or None where its rung has none."""
        return recipe_of(self.artefact)

    def source_column(self, table: Table) -> str:
        """Return the column to translate: of the trained name, or the only column of text."""
        if self.encoder.source in table.names:
            return self.encoder.source
        texts = [n for n in table.names if is_words(table.arrow.column(n).type)]
        texts = [name for name in texts if name != self.encoder.target]
        if len(texts) == 1:
            return texts[0]
        raise SchemaError(
            f"column {self.encoder.source!r}, which the model translates, not found",
            remedy=did_you_mean(self.encoder.source, table.names)
            or f"columns: {', '.join(table.names[:20])}",
        )

    def translate(self, texts: Sequence[str], *, beam: int = BEAM) -> list[str]:
        """Return the translation of each text, in order; an empty text stays empty."""
        return self.translated(texts, beam=beam)[0]

    def translated(self, texts: Sequence[str], *, beam: int = BEAM) -> tuple[list[str], int]:
        """Return the translation of each text, and how many were cut for want of room."""
        asked = [text.strip() for text in texts]
        if isinstance(self.learner, NetTranslator):
            return self.learner.translated(asked, beam)
        return self.learner.write(asked, beam), 0

    def predict(self, source: Any, *, beam: int = BEAM) -> np.ndarray:
        """Return the translations (n,) of the rows of a file, a data frame or a list of texts."""
        if isinstance(source, list | tuple) and all(isinstance(one, str) for one in source):
            return np.array(self.translate(source, beam=beam), dtype=object)
        from neuroscope.data.sources import read  # noqa: PLC0415 - only when rows are read

        table = source if isinstance(source, Table) else read(source)
        texts = texts_of(table, self.source_column(table))
        return np.array(self.translate(texts, beam=beam), dtype=object)


def load(artefact: Artefact, rungs: Catalogue) -> TranslationModel:
    """Rebuild a model from its artefact; ModelError when a part is missing or does not fit."""
    schema, codec, learner = opened(artefact, rungs, "encoder")
    encoder = PairEncoder.from_json(artefact.parts["encoder"])
    return TranslationModel(artefact, schema, codec, replace(learner, encoder=encoder), encoder)
