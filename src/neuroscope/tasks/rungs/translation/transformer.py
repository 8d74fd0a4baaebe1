"""Rung 3: the Transformer: reading and writing by attention alone."""

from __future__ import annotations

from typing import Any

from neuroscope.base.recipe import Recipe
from neuroscope.tasks._learning import Training, Watch
from neuroscope.tasks._translation import nets
from neuroscope.tasks._translation.nets import NetTranslator, unpack

__all__ = [
    "CORE", "FOLLOWS", "IGNORES", "ORDER", "PARALLEL", "REFITTED", "SHARE", "TITLE",
    "YARDSTICK", "fit", "recipes", "unpack",
]  # fmt: skip

TITLE = "a Transformer"
ORDER = 3
YARDSTICK = False
PARALLEL = False
SHARE = 2.0
CORE = False
REFITTED = False
FOLLOWS = ("width",)
IGNORES = nets.IGNORES

_WIDTH, _LAYERS = 192, 4  # of the larger net; docs/log.md, "Translation"
_HEAD = 32  # numbers that a head looks at


def recipes(training: Training) -> list[Recipe]:
    """Return the recipe for these pairs."""
    recipe = nets.recipe_of(training, "transformer", 2e-3)
    if recipe.width > _WIDTH:
        recipe = recipe.because("narrow layers, more of them: as good as wider ones, and faster",
                                width=_WIDTH)  # fmt: skip
    return nets.recipes(training, recipe, _record)


def fit(training: Training, recipe: Recipe, watch: Watch) -> NetTranslator:
    """Train the net from scratch."""
    return nets.fit(training, recipe, watch, _record(training, recipe))


def _record(training: Training, recipe: Recipe) -> dict[str, Any]:
    encoder = training.encoded(recipe)[0]
    width = recipe.width or _WIDTH
    options = {"vocabulary": len(encoder.tokeniser), "width": width, "layers": _LAYERS,
               "heads": max(width // _HEAD, 1), "feed_forward": 2 * width,
               "dropout": recipe.dropout, "seed": recipe.seed}  # fmt: skip
    return {"family": "transformer_pairs", "options": options}
