"""Rung 1: one neuron; logistic for two classes, softmax for several, linear for a number."""

from __future__ import annotations

from neuroscope.base.recipe import Recipe
from neuroscope.tasks._learning import Training
from neuroscope.tasks._net import candidates, fit, unpack
from neuroscope.tasks._rows import defaults

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

TITLE = "a single neuron"
ORDER = 1
YARDSTICK = False
PARALLEL = True
SHARE = 1.0
CORE = True
REFITTED = True


def recipes(training: Training) -> list[Recipe]:
    """Return the candidates for these rows, the best guess first."""
    return candidates(defaults.neuron_recipes, training)
