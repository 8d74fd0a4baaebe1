"""Rung 4: a recurrent network; it reads the window piece by piece and carries a state."""

from __future__ import annotations

from neuroscope.base.recipe import Recipe
from neuroscope.tasks._forecast import nets
from neuroscope.tasks._forecast.nets import NetForecaster, unpack
from neuroscope.tasks._learning import Training, Watch

__all__ = [
    "CORE", "FOLLOWS", "IGNORES", "ORDER", "PARALLEL", "REFITTED", "SHARE", "TITLE",
    "YARDSTICK", "fit", "recipes", "unpack",
]  # fmt: skip

TITLE = "a recurrent network"
ORDER = 4
YARDSTICK = False
PARALLEL = False
SHARE = 1.0
CORE = False
REFITTED = False
FOLLOWS = ("mixup", "width", "look_back")
IGNORES = nets.IGNORES


def recipes(training: Training) -> list[Recipe]:
    """Return the recipe for these windows."""
    return [nets.recipe_of(training, "rnn", 1e-3, width=64, dropout=0.1)]


def fit(training: Training, recipe: Recipe, watch: Watch) -> NetForecaster:
    """Train the net from scratch."""
    record = nets.over_time(training, recipe, "recurrent", cell="rnn", width=recipe.width or 64,
                            dropout=recipe.dropout)  # fmt: skip
    return nets.fit(training, recipe, watch, record)
