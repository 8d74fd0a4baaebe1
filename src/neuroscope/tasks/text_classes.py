"""Classes of texts: a column of texts with labels, or a folder a class."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from neuroscope.base.recipe import Recipe
from neuroscope.data.schema import Schema
from neuroscope.data.table import Table
from neuroscope.data.text.bag import Bag
from neuroscope.data.text.column import mainly_texts, text_columns
from neuroscope.runs.artefact import Artefact
from neuroscope.tasks import _model
from neuroscope.tasks._learning import Training
from neuroscope.tasks._sequences.nets import SequenceLearner
from neuroscope.tasks._texts.encoders import BagEncoder, Store, TokenEncoder, read_encoder
from neuroscope.tasks.rungs.text_classes import RUNGS

__all__ = ["ENCODING", "NAME", "RUNGS", "accepts", "crossed", "load", "prefers"]

NAME = "text_classes"
READ = ("transfer", "fine_tuning")  # rungs that begin with a pretrained net
BAGS = ("neuron", "embeddings")  # rungs that read bags of words
_BLOCK = 20_000  # texts answered at a time
_MOST_CROSSED = 500_000  # characters of all texts up to which folds cross


def accepts(schema: Schema) -> bool:
    """Say whether a schema has a feature that holds texts."""
    return bool(text_columns(schema))


def prefers(schema: Schema) -> bool:
    """Say whether texts are the main thing, whatever other columns there are."""
    return mainly_texts(schema)


def crossed(table: Table, schema: Schema) -> bool:
    """Say whether folds may cross: only where there is little to read."""
    import pyarrow.compute as pc  # noqa: PLC0415 - only asked once

    total = 0
    for name in text_columns(schema):
        lengths = pc.call_function("utf8_length", [table.arrow.column(name).cast("large_string")])
        total += pc.call_function("sum", [lengths]).as_py() or 0
    return total <= _MOST_CROSSED


@dataclass(frozen=True)
class TextEncoding:
    """Bags of words for the core, tokens for nets, a pretrained net's own tokens or features."""

    def key(self, recipe: Recipe) -> tuple[Any, ...]:
        """Return what the encoder depends on."""
        if recipe.net in BAGS or recipe == Recipe():
            return "bag", recipe.net == "embeddings"
        if recipe.net in READ:
            return recipe.net, recipe.backbone
        return "tokens", recipe.steps

    def fit(self, training: Training, recipe: Recipe) -> tuple[Any, Any]:
        """Return the encoder fitted on the training rows, and these rows encoded."""
        store = Store.of(training.problem)
        if self.key(recipe)[0] == "bag":
            bag = Bag.fit(store.words.some(training.rows), mean=recipe.net == "embeddings")
            encoder: Any = BagEncoder(store.columns, bag, store)
        elif recipe.net in READ:
            from neuroscope.tasks._texts import readers as _readers  # noqa: PLC0415 - imports torch

            if recipe.net == "transfer":
                encoder = _readers.ReadEncoder.fit(store, training.rows, recipe.backbone,
                                                   training.problem.monitor)  # fmt: skip
            else:
                reader, tokeniser = _readers.open_reader(recipe.backbone)
                encoder = _readers.SubwordEncoder.of(reader, tokeniser, store)
        else:
            encoder = TokenEncoder.fit(store, training.rows, recipe.steps)
        return encoder, encoder.transform(training.problem.table, training.rows).x


ENCODING = TextEncoding()


def load(artefact: Artefact) -> _model.Model:
    """Rebuild a model of texts; ModelError when a part is missing or damaged."""
    model = replace(_model.load(artefact, RUNGS, read_encoder), block=_BLOCK)
    if isinstance(model.learner, SequenceLearner):
        return replace(model, learner=replace(model.learner, encoder=model.encoder))
    return model
