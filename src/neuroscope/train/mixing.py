"""Mixup and cutmix: train on blends of two rows and on the blend of their losses.

mixup   x = s x_i + (1 - s) x_j, loss likewise; s ~ Beta(alpha, alpha)   Zhang et al. 2018
cutmix  a rectangle of picture j is pasted into picture i; s is the share of i that is left
        (Yun et al. 2019)
"""

from __future__ import annotations

import numpy as np
from torch import Tensor

from neuroscope.base.errors import RecipeError
from neuroscope.base.recipe import Recipe
from neuroscope.train.data import Inputs


def mix(inputs: Inputs, recipe: Recipe, chance: np.random.Generator) -> tuple[Inputs, float]:
    """Blend each row with its partner, the rows in reverse order; returns inputs and s.

    With both alphas set, one of the two is tossed for each batch. The order of a batch is random,
    so the partner is.
    """
    cut = recipe.cutmix > 0 and (not recipe.mixup or chance.random() < 0.5)
    alpha = recipe.cutmix if cut else recipe.mixup
    share = float(chance.beta(alpha, alpha))
    _check(inputs, cut)
    if cut:
        return _paste(inputs[0], share, chance)
    return tuple(part.lerp(part.flip(0), 1 - share) for part in inputs), share


def _check(inputs: Inputs, cut: bool) -> None:
    name = "cutmix" if cut else "mixup"
    if not all(part.is_floating_point() for part in inputs):
        raise RecipeError(
            f"{name} blends numbers, and these inputs are codes", remedy=f"set {name} to 0"
        )
    if cut and (len(inputs) != 1 or inputs[0].ndim != 4):
        raise RecipeError("cutmix is for pictures", remedy="set cutmix to 0")


def _paste(pictures: Tensor, share: float, chance: np.random.Generator) -> tuple[Inputs, float]:
    height, width = pictures.shape[2:]
    side = (1 - share) ** 0.5 / 2  # half of the rectangle's, as a share of the picture's
    y, x = chance.random(2)
    top, bottom = (int(np.clip(round((y + d) * height), 0, height)) for d in (-side, side))
    left, right = (int(np.clip(round((x + d) * width), 0, width)) for d in (-side, side))
    mixed = pictures.clone()
    mixed[:, :, top:bottom, left:right] = pictures.flip(0)[:, :, top:bottom, left:right]
    return (mixed,), 1 - (bottom - top) * (right - left) / (height * width)
