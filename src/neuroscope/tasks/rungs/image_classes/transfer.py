"""Rung 5: transfer learning: one neuron a class on what a frozen, pretrained net sees.

The features are computed once for all folds and candidates; the head is trained by the neuron core
(Donahue et al. 2014, arXiv 1310.1531).
"""

from __future__ import annotations

from neuroscope.base.recipe import Recipe
from neuroscope.tasks._learning import Training
from neuroscope.tasks._net import fit, unpack
from neuroscope.tasks._pictures.backbones import missing, needed, remarks
from neuroscope.tasks._rows import defaults

__all__ = [
    "CORE", "FOLLOWS", "ORDER", "PARALLEL", "REFITTED", "SHARE", "TITLE", "YARDSTICK", "fit",
    "missing", "recipes", "remarks", "unpack",
]  # fmt: skip

TITLE = "transfer learning (frozen)"
ORDER = 5
YARDSTICK = False
PARALLEL = True
SHARE = 4.0
CORE = True
REFITTED = True
FOLLOWS = ("backbone",)


def recipes(training: Training) -> list[Recipe]:
    """Return recipes of the head, the plainest penalty first."""
    problem, rows = training.problem, len(training.rows)
    name = needed(problem)
    start = Recipe(net="transfer", backbone=name)
    features = training.encoded(start)[1].shape[1]
    why = "as asked" if problem.backbone else "the smallest picture net in the local cache"
    head = (
        defaults.neuron_recipes(problem.row_kind, rows, features, problem.classes, problem.seed)[0]
        .because(why, backbone=name)
        .because("the rung", net="transfer")
    )
    # The penalty that keeps the spread of the logits: it grows with the features, which are many
    # and alike (1,185 photographs, 1,280 features, five folds: 0.08 0.825, 0.008 0.818).
    return [
        head.because(
            f"a penalty of {strength} * {features:,} features / {rows:,} rows",
            l2=strength * features / rows,
        )
        for strength in (0.08, 0.008, 0.8)
    ]
