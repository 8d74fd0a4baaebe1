"""Rung 1: one softmax neuron a class, which sees every pixel."""

from __future__ import annotations

from neuroscope.tasks._net import fit, unpack
from neuroscope.tasks._pictures.defaults import neuron as recipes

__all__ = [
    "CORE", "FOLLOWS", "ORDER", "PARALLEL", "REFITTED", "SHARE", "TITLE", "YARDSTICK", "fit",
    "recipes", "unpack",
]  # fmt: skip

TITLE = "a single neuron on pixels"
ORDER = 1
YARDSTICK = False
PARALLEL = True
SHARE = 0.5
CORE = True
REFITTED = True
FOLLOWS = ("image_size",)
