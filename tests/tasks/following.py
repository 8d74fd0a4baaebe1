"""Which choices of a recipe a rung follows: each must change what it says, or be refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from neuroscope.base.errors import RecipeError
from neuroscope.base.recipe import Recipe
from neuroscope.verbs._request import check_given

CHANGES: dict[str, Any] = {
    "hidden": (9,), "activation": "tanh", "numeric_bins": 4, "loss": "huber",
    "label_smoothing": 0.3, "class_weight": "balanced", "optimizer": "sgd", "learning_rate": 0.03,
    "schedule": "constant", "warmup": 0.5, "batch_size": 9, "accumulate": 3, "epochs": 3,
    "l1": 0.1, "l2": 0.3, "weight_decay": 0.7, "dropout": 0.6, "word_dropout": 0.7,
    "clip_norm": 1e-4, "mixup": 0.5, "cutmix": 0.5, "average": 0.5, "layer_decay": 0.3,
    "augment": ("flip",), "image_size": 16, "width": 12, "steps": 3, "look_back": 9, "window": 3,
    "negatives": 2, "subsample": 0.1, "backbone": "some", "vectors": "some", "unfreeze": 1,
    "init": "glorot", "seed": 5,
}  # fmt: skip


def followed(
    rung: Any, recipe: Recipe, said: Callable[[Recipe], np.ndarray], *, given: tuple[str, ...] = ()
) -> set[str]:
    """Return the choices that a rung follows; `said` fits a recipe and returns what it answers.

    What is `given`, such as a file, is not changed.
    """
    plain, found = said(recipe), set()
    for field, value in CHANGES.items():
        changed = replace(recipe, **{field: value})
        if changed == recipe or field in given:
            continue
        try:
            check_given(changed, [recipe], rung, "recipe.json")
            answer = said(changed)
        except RecipeError:
            continue
        found.add(field)
        assert answer.shape != plain.shape or not np.array_equal(answer, plain), field
    return found
