"""Rung 0: say the same for every text: the shares of the classes."""

from __future__ import annotations

from neuroscope.tasks._rows.constant import fit, recipes, unpack

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

TITLE = "guessing"
ORDER = 0
YARDSTICK = False
PARALLEL = False
SHARE = 0.1
CORE = False
REFITTED = True
