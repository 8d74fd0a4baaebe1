"""Rung 6: fine-tuning: the pretrained net itself learns on, its upper layers.

The head begins as the best one on the frozen features, so that the first steps do not wash away
what the layers below know, and all that is to learn may do so from the first step on (Kumar et al.
2022, arXiv 2202.10054), at smaller rates below (Howard and Ruder 2018, arXiv 1801.06146).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroscope.base.events import ignore
from neuroscope.base.recipe import Recipe
from neuroscope.tasks import _torch
from neuroscope.tasks._learning import Training, Watch
from neuroscope.tasks._net import NetLearner
from neuroscope.tasks._pictures import defaults
from neuroscope.tasks._pictures.backbones import missing, needed, open_backbone, remarks
from neuroscope.tasks._pictures.encoders import FeatureEncoder, Store
from neuroscope.tasks._torch import TorchLearner, unpack
from neuroscope.tasks.rungs.image_classes import transfer

__all__ = [
    "CORE", "FOLLOWS", "ORDER", "PARALLEL", "REFITTED", "SHARE", "TITLE", "YARDSTICK", "fit",
    "missing", "recipes", "remarks", "unpack",
]  # fmt: skip

TITLE = "transfer learning (fine-tuned)"
ORDER = 6
YARDSTICK = False
PARALLEL = False
SHARE = 6.0
CORE = False
REFITTED = False
FOLLOWS = ("mixup", "cutmix", "augment", "backbone", "unfreeze")

_GROUPS = 8  # layer groups that learn besides the head
_VISITS = 10_000  # pictures times epochs that are enough to move the upper layers


def recipes(training: Training) -> list[Recipe]:
    """Return the recipe of a careful fine-tuning."""
    problem, rows = training.problem, len(training.rows)
    name = needed(problem)
    backbone = open_backbone(name)
    epochs = round(min(max(_VISITS / rows, 2), 12))
    recipe = (
        defaults.loss(Recipe(net="fine_tuning", seed=problem.seed), problem)
        .because("what the backbone was trained on", backbone=name,
                 image_size=backbone.normalisation.size)
        .because(f"the upper ones; {rows:,} pictures", unfreeze=_GROUPS, layer_decay=0.8)
        .because(f"{rows:,} pictures", epochs=epochs, batch_size=32)
        .because("small: the net knows much already", learning_rate=5e-4, optimizer="adamw")
        .because("small steps, larger ones, small ones", schedule="one_cycle", weight_decay=0.01)
    )  # fmt: skip
    recipe = defaults.moved(recipe, Store.of(problem).channels)
    if problem.kind == "multiclass":
        recipe = recipe.because("no answer is taken as quite sure", label_smoothing=0.1)
    net, _ = _net(training, recipe)
    return [defaults.precise(recipe, net, backbone.normalisation.channels)]


def fit(training: Training, recipe: Recipe, watch: Watch) -> TorchLearner:
    """Fit the head on frozen features, then let the upper layers of the backbone learn."""
    ahead = _torch.predicted(training)
    training = _torch.divided(training, recipe)  # the head too learns without what says stop
    net, record = _net(training, recipe)
    frozen = Recipe(net="transfer", backbone=recipe.backbone)
    start = transfer.recipes(training)[0].because("the start of fine-tuning", seed=recipe.seed)
    head = transfer.fit(training, start, Watch(watch.rung, -1, ignore, None, watch.stop))
    set_head(net, head, training.encoded(frozen)[0])
    return _torch.fit_part(training, recipe, watch, net, record, predicted=ahead)


def _net(training: Training, recipe: Recipe) -> tuple[Any, dict[str, Any]]:
    import copy  # noqa: PLC0415

    from neuroscope.nets.backbone import Transfer, linear_head  # noqa: PLC0415 - imports torch

    backbone = copy.deepcopy(open_backbone(recipe.backbone))
    head = {"outputs": _torch.outputs(training.problem), "dropout": recipe.dropout,
            "seed": recipe.seed}  # fmt: skip
    record = {"backbone": backbone.to_json(), "head": head}
    return Transfer(backbone, linear_head(backbone, **head)), record


def set_head(net: Any, learner: NetLearner, encoder: FeatureEncoder) -> None:
    """Put the neuron's weights, which read scaled features, into the head, which reads plain ones.

    z = (f - m) / s @ w + b = f @ (w / s) + (b - (m / s) @ w); of two classes the neuron has one z.
    """
    import torch  # noqa: PLC0415 - slow to import

    weights, bias = (part.astype(np.float64) for part in learner.network.layer(0))
    scaled = weights / encoder.scales[:, None]
    shift = bias - encoder.means @ scaled
    if net.head[-1].out_features == 2 and scaled.shape[1] == 1:
        scaled, shift = np.hstack([0 * scaled, scaled]), np.hstack([0 * shift, shift])
    with torch.no_grad():
        net.head[-1].weight.copy_(torch.from_numpy(scaled.T))
        net.head[-1].bias.copy_(torch.from_numpy(shift))
