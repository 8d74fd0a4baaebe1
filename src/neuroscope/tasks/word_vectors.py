"""Word vectors: words that stand in the same company come to lie near each other."""

from __future__ import annotations

from neuroscope.data.schema import Schema
from neuroscope.data.table import Table
from neuroscope.runs.artefact import Artefact
from neuroscope.tasks._words.model import WordModel
from neuroscope.tasks._words.model import load as load_model
from neuroscope.tasks._words.posing import WordEncoding
from neuroscope.tasks.rungs.word_vectors import RUNGS

__all__ = ["ENCODING", "GUESS", "NAME", "RUNGS", "accepts", "crossed", "load"]

NAME = "word_vectors"
ENCODING = WordEncoding()
GUESS = "frequency"  # the rung that guesses


def accepts(schema: Schema) -> bool:  # noqa: ARG001 - word vectors are asked for by --task
    """Say that no table is taken for a corpus unasked; see `verbs`."""
    return False


def crossed(table: Table, schema: Schema) -> bool:  # noqa: ARG001 - passages are planned elsewhere
    """Say whether folds may cross: one part judges, for learning takes a pass over all words."""
    return False


def load(artefact: Artefact) -> WordModel:
    """Rebuild a model from its artefact; ModelError when a part is missing or damaged."""
    return load_model(artefact, RUNGS)
