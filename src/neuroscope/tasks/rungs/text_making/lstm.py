"""Rung 3: an LSTM, whose state carries what was read."""

from __future__ import annotations

from typing import Any

from neuroscope.base.recipe import Recipe
from neuroscope.tasks._learning import Training, Watch
from neuroscope.tasks._writing import nets
from neuroscope.tasks._writing.nets import NetWriter, unpack

__all__ = [
    "CORE", "FOLLOWS", "IGNORES", "ORDER", "PARALLEL", "REFITTED", "SHARE", "TITLE",
    "YARDSTICK", "fit", "recipes", "unpack",
]  # fmt: skip

TITLE = "a recurrent network (LSTM)"
ORDER = 3
YARDSTICK = False
PARALLEL = False
SHARE = 1.0
CORE = False
REFITTED = False
FOLLOWS = ("width", "steps")
IGNORES = nets.IGNORES

_MUCH = 300_000  # characters from which a wider net pays
_VISITS = 4_000_000  # characters that are read in all


def recipes(training: Training) -> list[Recipe]:
    """Return the recipe for these texts."""
    characters = int(training.encoded()[1].owners.size)
    return [nets.recipe_of(
        training, "lstm", _record, steps=nets.context(training, 64), per_step=1024,
        width=256 if characters > _MUCH else 128, learning_rate=4e-3, dropout=0.1,
        epochs=min(max(round(_VISITS / characters), 1), 30),
    )]  # fmt: skip


def fit(training: Training, recipe: Recipe, watch: Watch) -> NetWriter:
    """Train the net from scratch."""
    return nets.fit(training, recipe, watch, _record(training, recipe))


def _record(training: Training, recipe: Recipe) -> dict[str, Any]:
    options = {"vocabulary": len(training.encoded(recipe)[0].tokeniser), "steps": recipe.steps,
               "width": recipe.width, "channels": 64, "dropout": recipe.dropout,
               "seed": recipe.seed}  # fmt: skip
    return {"family": "lstm_writer", "options": options}
