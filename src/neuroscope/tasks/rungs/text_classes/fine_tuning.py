"""Rung 6: fine-tuning: the pretrained text net itself learns on, its upper layers.

The head begins as the best one on the frozen features (Kumar et al. 2022, arXiv 2202.10054), at
smaller rates below (Howard and Ruder 2018, arXiv 1801.06146).
"""

from __future__ import annotations

import copy
from typing import Any

from neuroscope.base.events import ignore
from neuroscope.base.recipe import Recipe
from neuroscope.tasks import _torch
from neuroscope.tasks._learning import Training, Watch
from neuroscope.tasks._pictures.defaults import loss
from neuroscope.tasks._sequences import nets as _sequences
from neuroscope.tasks._sequences.nets import SequenceLearner, unpack
from neuroscope.tasks._texts.readers import missing, needed, open_reader, remarks
from neuroscope.tasks.rungs.image_classes.fine_tuning import set_head
from neuroscope.tasks.rungs.text_classes import transfer

__all__ = [
    "CORE", "FOLLOWS", "ORDER", "PARALLEL", "REFITTED", "SHARE", "TITLE", "YARDSTICK", "fit",
    "missing", "recipes", "remarks", "unpack",
]  # fmt: skip

TITLE = "transfer learning (fine-tuned)"
ORDER = 6
YARDSTICK = False
PARALLEL = False
SHARE = 10.0
CORE = False
REFITTED = False
FOLLOWS = ("backbone", "unfreeze")

_GROUPS = 3  # layer groups that learn besides the head
_VISITS = 15_000  # texts times epochs that are enough to move the upper layers


def recipes(training: Training) -> list[Recipe]:
    """Return the recipe of a careful fine-tuning."""
    problem, rows = training.problem, len(training.rows)
    epochs = round(min(max(_VISITS / rows, 2), 6))
    recipe = (
        loss(Recipe(net="fine_tuning", seed=problem.seed), problem)
        .because("as asked", backbone=needed(problem))
        .because(f"the upper ones; {rows:,} texts", unfreeze=_GROUPS, layer_decay=0.8)
        .because(f"{rows:,} texts", epochs=epochs, batch_size=32)
        .because("small: the net knows much already", learning_rate=2e-4, optimizer="adamw")
        .because("small steps, larger ones, small ones", schedule="one_cycle", weight_decay=0.01)
        .because("a step that would leap is cut short", clip_norm=1.0)
    )
    if problem.kind == "multiclass":
        recipe = recipe.because("no answer is taken as quite sure", label_smoothing=0.1)
    return [recipe]


def fit(training: Training, recipe: Recipe, watch: Watch) -> SequenceLearner:
    """Fit the head on frozen features, then let the upper layers of the net learn."""
    net, record = _net(training, recipe)
    start = transfer.recipes(training)[0].because("the start of fine-tuning", seed=recipe.seed)
    head = transfer.fit(training, start, Watch(watch.rung, -1, ignore, None, watch.stop))
    set_head(net, head, training.encoded(start)[0])
    return _sequences.fit(training, recipe, watch, record, net=net)


def _net(training: Training, recipe: Recipe) -> tuple[Any, dict[str, Any]]:
    from neuroscope.nets.backbone import linear_head  # noqa: PLC0415 - imports torch
    from neuroscope.nets.reader import ReaderTransfer  # noqa: PLC0415 - imports torch

    reader = copy.deepcopy(open_reader(recipe.backbone)[0])
    head = {"outputs": _torch.outputs(training.problem), "dropout": recipe.dropout,
            "seed": recipe.seed}  # fmt: skip
    record = {"reader": reader.to_json(), "head": head}
    return ReaderTransfer(reader, linear_head(reader, **head)), record  # type: ignore[arg-type]
