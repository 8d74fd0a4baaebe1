"""Classes of pictures: a folder a class, a table of paths, or arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from neuroscope.base.recipe import Recipe
from neuroscope.data.images.column import picture_column
from neuroscope.data.images.facts import facts
from neuroscope.data.images.pixels import suggest_size
from neuroscope.data.schema import Schema
from neuroscope.data.table import Table
from neuroscope.runs.artefact import Artefact
from neuroscope.tasks import _model
from neuroscope.tasks._learning import Training
from neuroscope.tasks._pictures.defaults import MAP_SIZE, flat, sized
from neuroscope.tasks._pictures.encoders import (
    FeatureEncoder,
    FlatEncoder,
    PictureEncoder,
    Store,
    read_encoder,
)
from neuroscope.tasks._torch import TorchLearner
from neuroscope.tasks.rungs.image_classes import RUNGS

__all__ = ["ENCODING", "NAME", "RUNGS", "accepts", "crossed", "load"]

NAME = "image_classes"
_FLAT = ("neuron", "dense")
_BLOCK = 8192  # pictures that a net of the core is given at a time, each pixel a number of 4 bytes
_MOST_CROSSED = 1_000_000  # pixels of all pictures up to which folds cross


def accepts(schema: Schema) -> bool:
    """Say whether a schema has a feature that holds pictures."""
    return any(column.kind == "image" for column in schema.features)


def crossed(table: Table, schema: Schema) -> bool:
    """Say whether folds may cross: only where there are few small pictures."""
    column = picture_column(table, schema)
    if column is None:
        return True
    side = suggest_size(facts(table, column), most=MAP_SIZE).pixels
    return table.rows * side**2 <= _MOST_CROSSED


@dataclass(frozen=True)
class PictureEncoding:
    """Pixels for the neuron core, pictures for torch nets, features for a frozen backbone."""

    def key(self, recipe: Recipe) -> tuple[Any, ...]:
        """Return what the encoder depends on."""
        if recipe.net == "transfer":
            return "features", recipe.backbone
        way = "pixels" if recipe.net in _FLAT else "pictures"
        return way, recipe.image_size, recipe.backbone

    def fit(self, training: Training, recipe: Recipe) -> tuple[Any, Any]:
        """Return the encoder fitted on the training rows, and these rows encoded."""
        problem = training.problem
        store = Store.of(problem)
        encoder = self._encoder(store, training, recipe)
        return encoder, encoder.transform(problem.table, training.rows).x

    def _encoder(self, store: Store, training: Training, recipe: Recipe) -> Any:
        if recipe.backbone:
            from neuroscope.tasks._pictures.backbones import open_backbone  # noqa: PLC0415 - torch

            backbone = open_backbone(recipe.backbone)
            if recipe.net == "transfer":
                return FeatureEncoder.fit(store, training.rows, backbone)
            return PictureEncoder.for_backbone(store, backbone.normalisation)
        pixels, problem = recipe.net in _FLAT, training.problem
        start = flat(Recipe(), problem) if pixels else sized(Recipe(), problem, MAP_SIZE)
        maker = FlatEncoder if pixels else PictureEncoder
        return maker.fit(store, training.rows, recipe.image_size or start.image_size)


ENCODING = PictureEncoding()


def load(artefact: Artefact) -> _model.Model:
    """Rebuild a picture model from its artefact; ModelError when a part is missing or damaged."""
    model = _model.load(artefact, RUNGS, read_encoder)
    if isinstance(model.encoder, FlatEncoder):
        return replace(model, block=_BLOCK)
    if not isinstance(model.learner, TorchLearner):
        return model
    assert model.encoder is None or isinstance(model.encoder, PictureEncoder)
    return replace(model, learner=replace(model.learner, encoder=model.encoder))
