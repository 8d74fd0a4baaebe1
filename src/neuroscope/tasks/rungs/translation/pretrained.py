"""Rung 4: a net that learned from millions of pairs, fine-tuned on these."""

from __future__ import annotations

from neuroscope.base.recipe import Recipe
from neuroscope.tasks._learning import Training, Watch
from neuroscope.tasks._translation import nets, pretrained
from neuroscope.tasks._translation.pretrained import Pretrained, missing, unpack

__all__ = [
    "CORE", "FOLLOWS", "IGNORES", "ORDER", "PARALLEL", "REFITTED", "SHARE", "TITLE",
    "YARDSTICK", "fit", "missing", "recipes", "unpack",
]  # fmt: skip

TITLE = "a pretrained Transformer (fine-tuned)"
ORDER = 4
YARDSTICK = False
PARALLEL = False
SHARE = 2.0
CORE = False
REFITTED = False
FOLLOWS = ("backbone",)
IGNORES = nets.IGNORES


def recipes(training: Training) -> list[Recipe]:
    """Return the recipe of a careful fine-tuning."""
    return [pretrained.recipe_of(training)]


def fit(training: Training, recipe: Recipe, watch: Watch) -> Pretrained:
    """Let the pretrained net learn on."""
    return pretrained.fit(training, recipe, watch)
