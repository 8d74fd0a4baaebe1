"""Translation: a column of texts written in another language, or in another way."""

from __future__ import annotations

from neuroscope.data.schema import Schema
from neuroscope.data.table import Table
from neuroscope.runs.artefact import Artefact
from neuroscope.tasks._translation.model import TranslationModel
from neuroscope.tasks._translation.model import load as load_model
from neuroscope.tasks._translation.sentences import PairEncoding
from neuroscope.tasks.rungs.translation import RUNGS

__all__ = ["ENCODING", "GUESS", "NAME", "RUNGS", "accepts", "crossed", "load"]

NAME = "translation"
ENCODING = PairEncoding()
GUESS = "dictionary"  # the rung that a net must beat


def accepts(schema: Schema) -> bool:  # noqa: ARG001 - it is asked for, not recognised here
    """Say that no table is taken for sentence pairs unasked; see `verbs`."""
    return False


def crossed(table: Table, schema: Schema) -> bool:  # noqa: ARG001 - nets cost too much for folds
    """Say that one held-out part judges."""
    return False


def load(artefact: Artefact) -> TranslationModel:
    """Rebuild a model from its artefact; ModelError when a part is missing or damaged."""
    return load_model(artefact, RUNGS)
