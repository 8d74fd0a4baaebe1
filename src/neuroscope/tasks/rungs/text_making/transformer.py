"""Rung 4: a Transformer that looks back on all characters of its window (GPT)."""

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

TITLE = "a Transformer (GPT)"
ORDER = 4
YARDSTICK = False
PARALLEL = False
SHARE = 4.0
CORE = False
REFITTED = False
FOLLOWS = ("width", "steps")
IGNORES = nets.IGNORES

_MUCH = 300_000  # characters from which a larger net pays
_VISITS = {False: 3_000_000, True: 10_000_000}  # characters that are read in all
_HEAD = 32  # numbers of a head


def recipes(training: Training) -> list[Recipe]:
    """Return the recipe for these texts."""
    characters = int(training.encoded()[1].owners.size)
    much = characters > _MUCH
    return [nets.recipe_of(
        training, "transformer", _record, steps=nets.context(training, 128 if much else 64),
        per_step=2048 if much else 1024, width=192 if much else 96, dropout=0.1,
        learning_rate=2e-3 if much else 3e-3,
        epochs=min(max(round(_VISITS[much] / characters), 1), 40),
    )]  # fmt: skip


def fit(training: Training, recipe: Recipe, watch: Watch) -> NetWriter:
    """Train the net from scratch."""
    return nets.fit(training, recipe, watch, _record(training, recipe))


def _record(training: Training, recipe: Recipe) -> dict[str, Any]:
    width = recipe.width
    options = {"vocabulary": len(training.encoded(recipe)[0].tokeniser), "steps": recipe.steps,
               "width": width, "heads": max(width // _HEAD, 1), "layers": 6 if width > 128 else 4,
               "positions": "rotary", "dropout": recipe.dropout, "seed": recipe.seed}  # fmt: skip
    return {"family": "gpt", "options": options}
