"""Rung 2: a dense network on the pixels, of the neuron core."""

from __future__ import annotations

from neuroscope.tasks._net import fit, unpack
from neuroscope.tasks._pictures.defaults import dense as recipes

__all__ = [
    "CORE", "FOLLOWS", "ORDER", "PARALLEL", "REFITTED", "SHARE", "TITLE", "YARDSTICK", "fit",
    "recipes", "unpack",
]  # fmt: skip

TITLE = "a dense network"
ORDER = 2
YARDSTICK = False
PARALLEL = True
SHARE = 0.75
CORE = True
REFITTED = True
FOLLOWS = ("image_size",)
