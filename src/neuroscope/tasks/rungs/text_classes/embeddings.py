"""Rung 2: a vector a word, their mean, and a layer on it (fastText; Joulin et al. 2016).

The vectors are the first layer of a dense net of the core, which reads the mean of a text's words
and pairs of words: a sparse row. See `neuron/sparse.py`.
"""

from __future__ import annotations

from neuroscope.base.recipe import Recipe
from neuroscope.tasks import _net
from neuroscope.tasks._learning import Training, Watch
from neuroscope.tasks._net import NetLearner, unpack
from neuroscope.tasks._rows.defaults import with_loss
from neuroscope.tasks._texts import vectors
from neuroscope.tasks._texts.vectors import remarks

__all__ = [
    "CORE", "FOLLOWS", "ORDER", "PARALLEL", "REFITTED", "SHARE", "TITLE", "VECTORS", "YARDSTICK",
    "fit", "recipes", "remarks", "unpack",
]  # fmt: skip

TITLE = "word embeddings and a dense layer"
ORDER = 2
YARDSTICK = False
PARALLEL = True
SHARE = 2.0
CORE = True
REFITTED = True
FOLLOWS = ("vectors",)
VECTORS = True

_VISITS = 60_000  # texts times epochs from which more epochs add little
_PLENTY = 50_000  # texts from which longer vectors pay


def recipes(training: Training) -> list[Recipe]:
    """Return the candidates for these texts, the best guess first."""
    problem, rows = training.problem, len(training.rows)
    epochs = round(min(max(_VISITS / rows, 4), 40))
    width = 32 if rows < _PLENTY else 64
    start = (
        with_loss(Recipe(net="embeddings", seed=problem.seed), problem.row_kind, problem.classes)
        .because(f"a vector of {width} numbers a word; {rows:,} texts", hidden=(width,))
        .because("the mean of the vectors as it is, as fastText does", activation="identity")
        .because(f"{rows:,} texts", epochs=epochs, batch_size=32 if rows < _PLENTY else 64)
        .because("gives each word steps of its own size", optimizer="adam", learning_rate=0.01)
        .because("large steps first, none at the end", schedule="cosine")
        .because("a part of each vector rests in each step", dropout=0.3)
    )
    if problem.vectors and training.encoded(start)[0].bag.terms:
        start = vectors.begun(training, start)
        width = vectors.opened(problem, problem.vectors).width
        start = start.because(f"the word vectors have {width} numbers", hidden=(width,))
    return [
        start,
        start.because("a layer of units that bend, upon the vectors", activation="selu",
                      hidden=(width, 32)),
    ]  # fmt: skip


def fit(training: Training, recipe: Recipe, watch: Watch) -> NetLearner:
    """Train the net, from word vectors where some are given."""
    return _net.fit(training, recipe, watch, begin=vectors.start_layer(training, recipe))
