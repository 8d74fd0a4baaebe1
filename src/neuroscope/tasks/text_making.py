"""Text making: what comes next in a text, character by character; and so, writing."""

from __future__ import annotations

from neuroscope.data.schema import Schema
from neuroscope.data.table import Table
from neuroscope.runs.artefact import Artefact
from neuroscope.tasks._writing.model import TextModel
from neuroscope.tasks._writing.model import load as load_model
from neuroscope.tasks._writing.posing import TextEncoding
from neuroscope.tasks.rungs.text_making import RUNGS

__all__ = ["ENCODING", "GUESS", "NAME", "RUNGS", "accepts", "crossed", "load"]

NAME = "text_making"
ENCODING = TextEncoding()
GUESS = "frequencies"  # the rung that guesses


def accepts(schema: Schema) -> bool:  # noqa: ARG001 - text files are recognised by their source
    """Say that no table is taken for a text to be continued unasked; see `verbs`."""
    return False


def crossed(table: Table, schema: Schema) -> bool:  # noqa: ARG001 - one part judges
    """Say whether folds may cross: nets that write cost too much for that."""
    return False


def load(artefact: Artefact) -> TextModel:
    """Rebuild a model from its artefact; ModelError when a part is missing or damaged."""
    return load_model(artefact, RUNGS)
