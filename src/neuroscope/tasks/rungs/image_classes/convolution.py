"""Rung 3: a convolutional network as it is taught: convolve, pool, and again; then dense."""

from __future__ import annotations

from typing import Any

from neuroscope.base.recipe import Recipe
from neuroscope.tasks import _torch
from neuroscope.tasks._learning import Training, Watch
from neuroscope.tasks._pictures import defaults
from neuroscope.tasks._pictures.encoders import Store
from neuroscope.tasks._torch import TorchLearner, unpack

__all__ = [
    "CORE", "FOLLOWS", "ORDER", "PARALLEL", "REFITTED", "SHARE", "TITLE", "YARDSTICK", "fit",
    "recipes", "unpack",
]  # fmt: skip

TITLE = "a convolutional network"
ORDER = 3
YARDSTICK = False
PARALLEL = False
SHARE = 1.5
CORE = False
REFITTED = False
FOLLOWS = ("hidden", "mixup", "cutmix", "augment", "image_size", "width")


def recipes(training: Training) -> list[Recipe]:
    """Return the recipe for these pictures."""
    recipe = defaults.deep(training, "convolution", 1e-3)
    channels = Store.of(training.problem).channels
    return [defaults.precise(recipe, _torch.built(_record(training, recipe)), channels)]


def fit(training: Training, recipe: Recipe, watch: Watch) -> TorchLearner:
    """Train the net from scratch."""
    record = _record(training, recipe)
    return _torch.fit(training, recipe, watch, _torch.built(record), record)


def _record(training: Training, recipe: Recipe) -> dict[str, Any]:
    options = {"width": recipe.width or 32, "hidden": recipe.hidden or (128,)}
    options |= {"dropout": recipe.dropout, "hidden_norm": True}
    options |= {"channels": Store.of(training.problem).channels, "size": recipe.image_size,
                "outputs": _torch.outputs(training.problem), "seed": recipe.seed}  # fmt: skip
    return {"family": "convolution", "options": options}
