"""Rung 3: a dense network on the last readings."""

from __future__ import annotations

from neuroscope.base.recipe import Recipe
from neuroscope.tasks._forecast import nets
from neuroscope.tasks._forecast.nets import NetForecaster, unpack
from neuroscope.tasks._forecast.posing import Posed
from neuroscope.tasks._learning import Training, Watch

__all__ = [
    "CORE", "FOLLOWS", "IGNORES", "ORDER", "PARALLEL", "REFITTED", "SHARE", "TITLE",
    "YARDSTICK", "fit", "recipes", "unpack",
]  # fmt: skip

TITLE = "a dense network"
ORDER = 3
YARDSTICK = False
PARALLEL = False
SHARE = 1.0
CORE = False
REFITTED = False
FOLLOWS = ("hidden", "mixup", "look_back")
IGNORES = nets.IGNORES


def recipes(training: Training) -> list[Recipe]:
    """Return the recipe for these windows."""
    return [nets.recipe_of(training, "dense", 1e-3, hidden=(128,), dropout=0.2)]


def fit(training: Training, recipe: Recipe, watch: Watch) -> NetForecaster:
    """Train the net from scratch."""
    options = {"channels": recipe.look_back or Posed.of(training.problem).setting.look_back,
               "size": 1, "outputs": Posed.of(training.problem).setting.horizon,
               "hidden": recipe.hidden or (128,), "dropout": recipe.dropout,
               "seed": recipe.seed}  # fmt: skip
    return nets.fit(training, recipe, watch, nets.record_of(training, "dense", options))
