"""Training choices for nets of sequences that are strong before anything is tuned, with reasons."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from neuroscope.base.recipe import Recipe
from neuroscope.tasks._learning import Training
from neuroscope.tasks._pictures.defaults import loss
from neuroscope.tasks._sequences import nets as _sequences

if TYPE_CHECKING:
    from torch import nn

_VISITS = 200_000  # sequences times epochs, at most
_PLENTY = 5000  # sequences from which a net of more units pays


def deep(training: Training, net: str, learning_rate: float) -> Recipe:
    """Return the recipe of a net that reads sequences step by step."""
    problem, rows = training.problem, len(training.rows)
    recipe = Recipe(net=net, seed=problem.seed)
    encoder, x = training.encoded(recipe)
    steps = x.x.shape[1]
    recipe = (
        loss(recipe, problem)
        .because(f"{rows:,} sequences", batch_size=_batch(rows), epochs=_epochs(rows))
        .because(f"{rows:,} sequences", width=32 if rows < _PLENTY else 64)
        .because("small steps, large ones, small ones: fast (Smith 2018)", schedule="one_cycle")
        .because("good for nets of this kind", learning_rate=learning_rate, optimizer="adamw")
        .because("weights shrink a little each step", weight_decay=0.05)
        .because("a step that would leap is cut short", clip_norm=1.0)
        .because("a part of the units rests each step", dropout=0.2)
        .because("the number of epochs is found on a part of the training rows", patience=1)
    )
    if not encoder.grid.regular:
        recipe = recipe.because(encoder.grid.reason, steps=steps)
    if problem.kind == "multiclass":
        recipe = recipe.because("no answer is taken as quite sure", label_smoothing=0.05)
    return recipe


def precise(training: Training, recipe: Recipe, net: nn.Module) -> Recipe:
    """Return the recipe with the precision that pays for this net on this processor."""
    import torch  # noqa: PLC0415 - slow to import

    from neuroscope.train.precision import choose_precision  # noqa: PLC0415 - imports torch

    x = training.encoded(recipe)[1]
    batch = torch.zeros(min(recipe.batch_size, len(x)), *x.x.shape[1:])
    lengths = torch.full((len(batch),), x.x.shape[1])
    return choose_precision(net, (batch, lengths), recipe)


def recipes(training: Training, net: str, learning_rate: float, record: Any) -> list[Recipe]:
    """Return the recipe of a net whose `record(training, recipe)` builds it."""
    from neuroscope import nets  # noqa: PLC0415 - imports torch

    recipe = deep(training, net, learning_rate)
    return [precise(training, recipe, nets.build(record(training, recipe)))]


def record(training: Training, recipe: Recipe, family: str, **options: Any) -> dict[str, Any]:
    """Return the record of a family's net for these sequences."""
    shape = _sequences.shape(training, recipe)
    return {"family": family, "options": shape | {"width": recipe.width or 32} | options}


def _batch(rows: int) -> int:
    return min(max(2 ** round(math.log2(max(rows / 64, 1))), 16), 64)


def _epochs(rows: int) -> int:
    return round(min(max(_VISITS / rows, 8), 64))
