"""Rung 0: a frequent word is the likelier neighbour, whatever the word."""

from __future__ import annotations

import numpy as np

from neuroscope.base.recipe import Recipe
from neuroscope.tasks._learning import Training, Watch
from neuroscope.tasks._words.learner import WordLearner, unpack

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

TITLE = "frequency alone"
ORDER = 0
YARDSTICK = False
PARALLEL = False
SHARE = 0.1
CORE = False
REFITTED = True


def recipes(training: Training) -> list[Recipe]:  # noqa: ARG001 - there is nothing to choose
    """Return no candidates."""
    return []


def fit(training: Training, recipe: Recipe | None, watch: Watch) -> WordLearner:  # noqa: ARG001
    """Count each word."""
    encoder, _ = training.encoded()
    contexts = np.log1p(encoder.counts)[:, None].astype(np.float32)
    return WordLearner(np.ones_like(contexts), contexts, encoder, None, learned=False)
