"""Training choices for nets that read texts word by word, each with its reason."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from neuroscope.base.recipe import Recipe
from neuroscope.tasks._learning import Training
from neuroscope.tasks._pictures.defaults import loss
from neuroscope.tasks._texts import vectors
from neuroscope.tasks._torch import outputs

if TYPE_CHECKING:
    from torch import nn

_VISITS = 50_000  # texts times epochs, at most
_PLENTY = 20_000  # texts from which a net of more units pays


def recipes(training: Training, net: str, make: Any, **choices: float) -> list[Recipe]:
    """Return the recipe of a net whose `make(training, recipe)` says how it is built.

    `choices` are the net's own: learning_rate and dropout.
    """
    from neuroscope import nets  # noqa: PLC0415 - imports torch

    problem, rows = training.problem, len(training.rows)
    width = 64 if rows < _PLENTY else 128
    recipe = (
        loss(Recipe(net=net, seed=problem.seed), problem)
        .because(f"{rows:,} texts", batch_size=_batch(rows), epochs=_epochs(rows), width=width)
        .because("small steps, large ones, small ones: fast (Smith 2018)", schedule="one_cycle")
        .because("good for nets of this kind", optimizer="adamw", **choices)
        .because("weights shrink a little each step", weight_decay=0.05)
        .because("a step that would leap is cut short", clip_norm=1.0)
        .because(
            "half of the words are hidden each step: no net can lean on a few of them",
            word_dropout=0.5,
        )
        .because("the number of epochs is found on a part of the training rows", patience=1)
    )
    if problem.kind == "multiclass":
        recipe = recipe.because("no answer is taken as quite sure", label_smoothing=0.05)
    recipe = vectors.begun(training, recipe)
    return [precise(training, recipe, nets.build(make(training, recipe)))]


def precise(training: Training, recipe: Recipe, net: nn.Module) -> Recipe:
    """Return the recipe with the precision that pays for this net on this processor."""
    import torch  # noqa: PLC0415 - slow to import

    from neuroscope.train.precision import choose_precision  # noqa: PLC0415 - imports torch

    x = training.encoded(recipe)[1]
    size = min(recipe.batch_size, len(x))
    tokens = torch.zeros(size, x.x.shape[1], dtype=torch.int32)
    return choose_precision(net, (tokens, torch.full((size,), x.x.shape[1])), recipe)


def record(training: Training, recipe: Recipe, family: str, **options: Any) -> dict[str, Any]:
    """Return the record of a family's net for these texts."""
    encoder, x = training.encoded(recipe)
    width = recipe.width or 64
    channels = vectors.opened(training.problem, recipe.vectors).width if recipe.vectors else width
    shape = {
        "vocabulary": len(encoder.tokeniser), "channels": channels, "width": width,
        "steps": x.x.shape[1], "outputs": outputs(training.problem), "dropout": recipe.dropout,
        "word_dropout": recipe.word_dropout, "seed": recipe.seed,
    }  # fmt: skip
    return {"family": family, "options": shape | options}


def _batch(rows: int) -> int:
    return min(max(2 ** round(math.log2(max(rows / 64, 1))), 16), 64)


def _epochs(rows: int) -> int:
    return round(min(max(_VISITS / rows, 4), 32))
