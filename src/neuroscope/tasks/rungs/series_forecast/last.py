"""Rung 0: what was last stays (the naive forecast)."""

from __future__ import annotations

from neuroscope.base.recipe import Recipe
from neuroscope.tasks._forecast import repeating
from neuroscope.tasks._forecast.repeating import Repeating, unpack
from neuroscope.tasks._learning import Training, Watch

__all__ = [
    "CORE",
    "ORDER",
    "PARALLEL",
    "REFITTED",
    "SHARE",
    "TITLE",
    "YARDSTICK",
    "fit",
    "recipes",
    "unpack",
]

TITLE = "the last value"
ORDER = 0
YARDSTICK = False
PARALLEL = False
SHARE = 0.1
CORE = False
REFITTED = True


def recipes(training: Training) -> list[Recipe]:  # noqa: ARG001 - there is nothing to choose
    """Return no candidates."""
    return []


def fit(training: Training, recipe: Recipe | None, watch: Watch) -> Repeating:  # noqa: ARG001
    """Take the last value."""
    return repeating.fit(training, 1)
