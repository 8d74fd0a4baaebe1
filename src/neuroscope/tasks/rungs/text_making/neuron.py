"""Rung 1: one softmax neuron a character, that sees the character before."""

from __future__ import annotations

from neuroscope.tasks._writing.neuron import IGNORES, fit, recipes, unpack

__all__ = [
    "CORE", "IGNORES", "ORDER", "PARALLEL", "REFITTED", "SHARE", "TITLE", "YARDSTICK", "fit",
    "recipes", "unpack",
]  # fmt: skip

TITLE = "one neuron on the character before"
ORDER = 1
YARDSTICK = False
PARALLEL = False
SHARE = 0.1
CORE = True
REFITTED = True
