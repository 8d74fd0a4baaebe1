"""Rung 2: one linear neuron for each step ahead, on the last readings."""

from __future__ import annotations

from neuroscope.tasks._forecast.linear import IGNORES, fit, recipes, unpack

__all__ = [
    "CORE", "FOLLOWS", "IGNORES", "ORDER", "PARALLEL", "REFITTED", "SHARE", "TITLE",
    "YARDSTICK", "fit", "recipes", "unpack",
]  # fmt: skip

TITLE = "a linear neuron"
ORDER = 2
YARDSTICK = False
PARALLEL = False
SHARE = 1.0
CORE = False
REFITTED = True
FOLLOWS = ("look_back",)
