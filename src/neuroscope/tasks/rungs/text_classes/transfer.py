"""Rung 5: transfer learning: one neuron a class on what a frozen, pretrained text net makes of it.

The features are computed once for all folds and candidates; the head is settled by the core.
"""

from __future__ import annotations

from neuroscope.base.recipe import Recipe
from neuroscope.tasks._learning import Training
from neuroscope.tasks._net import fit, unpack
from neuroscope.tasks._rows.defaults import with_loss
from neuroscope.tasks._texts.readers import missing, needed, remarks

__all__ = [
    "CORE", "FOLLOWS", "ORDER", "PARALLEL", "REFITTED", "SHARE", "TITLE", "YARDSTICK", "fit",
    "missing", "recipes", "remarks", "unpack",
]  # fmt: skip

TITLE = "transfer learning (frozen)"
ORDER = 5
YARDSTICK = False
PARALLEL = True
SHARE = 6.0
CORE = True
REFITTED = True
FOLLOWS = ("backbone",)

_PASSES = 200  # at most


def recipes(training: Training) -> list[Recipe]:
    """Return recipes of the head, the plainest penalty first."""
    problem, rows = training.problem, len(training.rows)
    start = Recipe(net="transfer", backbone=needed(problem), seed=problem.seed)
    features = training.encoded(start)[1].shape[1]
    head = (
        with_loss(start, problem.row_kind, problem.classes)
        .because("as asked", backbone=start.backbone)
        .because("the loss has one lowest point: whole passes go there, without a learning rate",
                 optimizer="lbfgs", batch_size=rows, hidden=(), init="zeros", epochs=_PASSES)
    )  # fmt: skip
    return [
        head.because(f"a penalty of {strength} * {features:,} features / {rows:,} texts",
                     l2=strength * features / rows)
        for strength in (0.08, 0.008, 0.8)
    ]  # fmt: skip
