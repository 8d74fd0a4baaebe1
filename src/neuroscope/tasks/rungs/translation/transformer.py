"""Rung 2: the Transformer: reading and writing by attention alone."""

from __future__ import annotations

from typing import Any

from neuroscope.base.recipe import Recipe
from neuroscope.tasks._learning import Training, Watch
from neuroscope.tasks._translation import nets
from neuroscope.tasks._translation.nets import NetTranslator, unpack

__all__ = [
    "CORE", "ORDER", "PARALLEL", "REFITTED", "SHARE", "TITLE", "YARDSTICK", "fit", "recipes",
    "unpack",
]  # fmt: skip

TITLE = "a Transformer"
ORDER = 2
YARDSTICK = False
PARALLEL = False
SHARE = 2.0
CORE = False
REFITTED = False


def recipes(training: Training) -> list[Recipe]:
    """Return the recipe for these pairs."""
    return nets.recipes(training, nets.recipe_of(training, "transformer", 1e-3), _record)


def fit(training: Training, recipe: Recipe, watch: Watch) -> NetTranslator:
    """Train the net from scratch."""
    return nets.fit(training, recipe, watch, _record(training, recipe))


def _record(training: Training, recipe: Recipe) -> dict[str, Any]:
    encoder = training.encoded(recipe)[0]
    width = recipe.width or 256
    options = {"vocabulary": len(encoder.tokeniser), "width": width, "layers": 3,
               "heads": max(width // 64, 1), "dropout": recipe.dropout,
               "seed": recipe.seed}  # fmt: skip
    return {"family": "transformer_pairs", "options": options}
