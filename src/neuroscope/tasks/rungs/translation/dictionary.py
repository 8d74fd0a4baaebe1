"""Rung 1: word by word, by a dictionary that the pairs themselves give (IBM model 1)."""

from __future__ import annotations

from neuroscope.base.recipe import Recipe
from neuroscope.tasks._learning import Training, Watch
from neuroscope.tasks._translation import dictionary
from neuroscope.tasks._translation.dictionary import Dictionary, unpack

__all__ = [
    "CORE", "ORDER", "PARALLEL", "REFITTED", "SHARE", "TITLE", "YARDSTICK", "fit", "recipes",
    "unpack",
]  # fmt: skip

TITLE = "a word-by-word dictionary"
ORDER = 1
YARDSTICK = False
PARALLEL = False
SHARE = 0.1
CORE = False
REFITTED = True


def recipes(training: Training) -> list[Recipe]:  # noqa: ARG001 - there is nothing to choose
    """Return no candidates."""
    return []


def fit(training: Training, recipe: Recipe | None, watch: Watch) -> Dictionary:  # noqa: ARG001
    """Learn which word stands for which."""
    return dictionary.fit(training, watch)
