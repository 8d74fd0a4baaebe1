"""Rung 1: one neuron a class on a bag of words: each word has a weight, and the weights add up."""

from __future__ import annotations

from neuroscope.base.recipe import Recipe
from neuroscope.tasks._learning import Training
from neuroscope.tasks._net import fit, unpack
from neuroscope.tasks._rows.defaults import with_loss

__all__ = [
    "CORE", "ORDER", "PARALLEL", "REFITTED", "SHARE", "TITLE", "YARDSTICK", "fit", "recipes",
    "unpack",
]  # fmt: skip

TITLE = "a single neuron on a bag of words"
ORDER = 1
YARDSTICK = False
PARALLEL = True
SHARE = 1.0
CORE = True
REFITTED = True

_PASSES = 200  # at most; the loss has settled long before


def recipes(training: Training) -> list[Recipe]:
    """Return the candidates for these texts, the best guess first.

    Texts are scaled to length 1, so weights must grow larger than on tables: the usual penalty of
    1 / rows is the strong one here.
    """
    problem, rows = training.problem, len(training.rows)
    start = (
        with_loss(Recipe(net="neuron", seed=problem.seed), problem.row_kind, problem.classes)
        .because("one layer, and all weights begin at 0: the plainest net", hidden=(), init="zeros")
        .because("the loss has one lowest point: whole passes go there, without a learning rate",
                 optimizer="lbfgs", batch_size=rows)
        .because("until the loss has settled, at most", epochs=_PASSES)
    )  # fmt: skip
    words = {0.1: "a weak penalty", 0.5: "a middling penalty", 0.02: "a very weak penalty"}
    return [
        start.because(f"{words[s]}: {s:g} / {rows:,} texts", l2=s / rows) for s in (0.1, 0.5, 0.02)
    ]
