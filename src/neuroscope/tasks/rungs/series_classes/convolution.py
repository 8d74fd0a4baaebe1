"""Rung 3: convolutions over time, in residual blocks that see further and further."""

from __future__ import annotations

from typing import Any

from neuroscope.base.recipe import Recipe
from neuroscope.tasks._learning import Training, Watch
from neuroscope.tasks._sequences import defaults
from neuroscope.tasks._sequences import nets as _sequences
from neuroscope.tasks._sequences.nets import SequenceLearner, unpack

__all__ = [
    "CORE", "FOLLOWS", "ORDER", "PARALLEL", "REFITTED", "SHARE", "TITLE", "YARDSTICK", "fit",
    "recipes", "unpack",
]  # fmt: skip

TITLE = "convolutions over time"
ORDER = 3
YARDSTICK = False
PARALLEL = False
SHARE = 2.0
CORE = False
REFITTED = True
FOLLOWS = ("width", "steps")


def recipes(training: Training) -> list[Recipe]:
    """Return the recipe for these sequences."""
    return defaults.recipes(training, "convolution", 2e-3, _record)


def fit(training: Training, recipe: Recipe, watch: Watch) -> SequenceLearner:
    """Train the net from scratch."""
    return _sequences.fit(training, recipe, watch, _record(training, recipe))


def _record(training: Training, recipe: Recipe) -> dict[str, Any]:
    return defaults.record(training, recipe, "temporal", causal=False, pooling="attention")
