"""Rung 0: how often each character comes, whatever stood before it."""

from __future__ import annotations

from neuroscope.base.recipe import Recipe
from neuroscope.tasks._learning import Training, Watch
from neuroscope.tasks._writing import counting
from neuroscope.tasks._writing.counting import Counter, unpack

__all__ = [
    "CORE", "ORDER", "PARALLEL", "REFITTED", "SHARE", "TITLE", "YARDSTICK", "fit", "recipes",
    "unpack",
]  # fmt: skip

TITLE = "the frequencies of characters"
ORDER = 0
YARDSTICK = False
PARALLEL = False
SHARE = 0.05
CORE = False
REFITTED = True


def recipes(training: Training) -> list[Recipe]:  # noqa: ARG001 - there is nothing to choose
    """Return no candidates."""
    return []


def fit(training: Training, recipe: Recipe | None, watch: Watch) -> Counter:  # noqa: ARG001 - no choices
    """Count the characters."""
    return counting.fit(training, 1, watch)
