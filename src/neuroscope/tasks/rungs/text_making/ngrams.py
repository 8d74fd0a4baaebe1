"""Rung 2: what followed the last five characters in the training text, counted and smoothed."""

from __future__ import annotations

from neuroscope.base.recipe import Recipe
from neuroscope.tasks._learning import Training, Watch
from neuroscope.tasks._writing import counting
from neuroscope.tasks._writing.counting import Counter, unpack

__all__ = [
    "CORE", "ORDER", "PARALLEL", "REFITTED", "SHARE", "TITLE", "YARDSTICK", "fit", "recipes",
    "unpack",
]  # fmt: skip

TITLE = "counted sequences of six characters"
ORDER = 2
YARDSTICK = False
PARALLEL = False
SHARE = 0.2
CORE = False
REFITTED = True

_LENGTH = 6  # the best of 1 to 8 on tiny-shakespeare (docs/log.md, "Text making")


def recipes(training: Training) -> list[Recipe]:  # noqa: ARG001 - there is nothing to choose
    """Return no candidates."""
    return []


def fit(training: Training, recipe: Recipe | None, watch: Watch) -> Counter:  # noqa: ARG001 - no choices
    """Count sequences of one to six characters."""
    return counting.fit(training, _LENGTH, watch)
