"""Rung 3: long short-term memory over the words, read from both ends."""

from __future__ import annotations

from typing import Any

from neuroscope.base.recipe import Recipe
from neuroscope.tasks._learning import Training, Watch
from neuroscope.tasks._sequences import nets as _sequences
from neuroscope.tasks._sequences.nets import SequenceLearner, unpack
from neuroscope.tasks._texts import defaults, vectors
from neuroscope.tasks._texts.vectors import remarks

__all__ = [
    "CORE", "FOLLOWS", "ORDER", "PARALLEL", "REFITTED", "SHARE", "TITLE", "VECTORS",
    "YARDSTICK", "fit", "recipes", "remarks", "unpack",
]  # fmt: skip

TITLE = "a recurrent network (LSTM)"
ORDER = 3
YARDSTICK = False
PARALLEL = False
SHARE = 4.0
CORE = False
REFITTED = True
FOLLOWS = ("word_dropout", "width", "vectors", "steps")
VECTORS = True


def recipes(training: Training) -> list[Recipe]:
    """Return the recipe for these texts."""
    return defaults.recipes(training, "lstm", _record, learning_rate=5e-3, dropout=0.5)


def fit(training: Training, recipe: Recipe, watch: Watch) -> SequenceLearner:
    """Train the net, from word vectors where some are given."""
    begin = vectors.start_net(training, recipe)
    return _sequences.fit(training, recipe, watch, _record(training, recipe), begin=begin)


def _record(training: Training, recipe: Recipe) -> dict[str, Any]:
    return defaults.record(
        training, recipe, "recurrent", cell="lstm", both_ways=True, pooling="attention"
    )
