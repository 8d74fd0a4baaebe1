"""Rung 1: one neuron on summaries: of each channel the mean, the last reading, the slope, ..."""

from __future__ import annotations

from neuroscope.base.recipe import Recipe
from neuroscope.tasks._learning import Training
from neuroscope.tasks._net import candidates, fit, unpack
from neuroscope.tasks._rows import defaults as _defaults

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

TITLE = "a single neuron on summaries"
ORDER = 1
YARDSTICK = False
PARALLEL = True
SHARE = 1.0
CORE = True
REFITTED = True


def recipes(training: Training) -> list[Recipe]:
    """Return the candidates for these rows, the best guess first: held tight.

    Many summaries of a channel say nearly the same.
    """
    found = candidates(_defaults.neuron_recipes, training)
    tight = max(found, key=lambda recipe: recipe.l2)
    tighter = tight.because("ten times as strong: summaries say much the same", l2=10 * tight.l2)
    return [tight, tighter, *(recipe for recipe in found if recipe is not tight)][:3]
