"""Rung 4: a residual network: deeper, and quicker to train than its depth says."""

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

TITLE = "a residual network"
ORDER = 4
YARDSTICK = False
PARALLEL = False
SHARE = 6.0
CORE = False
REFITTED = False
FOLLOWS = ("mixup", "cutmix", "augment", "image_size", "width")


def recipes(training: Training) -> list[Recipe]:
    """Return the recipe for these pictures."""
    recipe = defaults.deep(training, "residual", 5e-3)
    channels = Store.of(training.problem).channels
    return [defaults.precise(recipe, _torch.built(_record(training, recipe)), channels)]


def fit(training: Training, recipe: Recipe, watch: Watch) -> TorchLearner:
    """Train the net from scratch."""
    record = _record(training, recipe)
    return _torch.fit(training, recipe, watch, _torch.built(record), record)


def _record(training: Training, recipe: Recipe) -> dict[str, Any]:
    options = {"width": recipe.width or 32, "blocks": 1, "dropout": recipe.dropout}
    options |= {"channels": Store.of(training.problem).channels, "size": recipe.image_size,
                "outputs": _torch.outputs(training.problem), "seed": recipe.seed}  # fmt: skip
    return {"family": "residual", "options": options}
