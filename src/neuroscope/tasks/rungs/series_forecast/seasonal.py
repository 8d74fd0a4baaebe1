"""Rung 1: the last season comes again (the seasonal naive forecast)."""

from __future__ import annotations

from neuroscope.base.recipe import Recipe
from neuroscope.tasks._forecast import repeating
from neuroscope.tasks._forecast.posing import Posed
from neuroscope.tasks._forecast.repeating import Repeating, unpack
from neuroscope.tasks._learning import Problem, Training, Watch

__all__ = [
    "CORE",
    "ORDER",
    "PARALLEL",
    "REFITTED",
    "SHARE",
    "TITLE",
    "YARDSTICK",
    "fit",
    "missing",
    "recipes",
    "unpack",
]

TITLE = "the last season"
ORDER = 1
YARDSTICK = False
PARALLEL = False
SHARE = 0.1
CORE = False
REFITTED = True


def recipes(training: Training) -> list[Recipe]:  # noqa: ARG001 - there is nothing to choose
    """Return no candidates."""
    return []


def fit(training: Training, recipe: Recipe | None, watch: Watch) -> Repeating:  # noqa: ARG001
    """Take the last season."""
    return repeating.fit(training, Posed.of(training.problem).setting.season)


def missing(problem: Problem) -> str:
    """Say why there is no season to repeat; "" where there is one."""
    setting = Posed.of(problem).setting
    return "" if setting.season > 1 else setting.reasons["season"]
