"""Training choices for pictures that are strong before anything is tuned, each with its reason."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from neuroscope.base.recipe import Recipe
from neuroscope.data.images.pixels import suggest_size
from neuroscope.tasks._learning import Problem, Training
from neuroscope.tasks._pictures.encoders import Store
from neuroscope.tasks._rows.defaults import neuron_recipes, with_loss

if TYPE_CHECKING:
    from torch import nn

FLAT_SIZE = 32  # pixels along a side, at most, where each pixel is an input of its own
FLAT_BYTES = 1 << 28  # of all pixels as float32, at most; beside the decoded set, which is on disk
MAP_SIZE = 64  # at most, for nets of convolutions trained from scratch

_LEAST_FLAT = 4  # pixels along a side
_PICTURE_VISITS = 600_000  # pictures times epochs from which more epochs add little
_PIXEL_VISITS = 1_500_000_000  # pixels times pictures times epochs: minutes on a laptop
_PLENTY = 10_000  # pictures from which a wider net pays
_SHIFTED_FROM = 16  # pixels; below, moving cost accuracy (0.977 for 0.997 on 8x8 digits)
_BATCH_PIXELS = 1 << 17  # what a net computes of a batch lies in memory: 300 MB at twice as many
_TINY = 16  # pixels; below, a step costs what it costs to begin one, whatever its width and batch
_TRIED_NUMBERS = 10_000_000  # rows times inputs up to which several recipes are tried


def sized(recipe: Recipe, problem: Problem, most: int) -> Recipe:
    """Return the recipe with the size that pictures are brought to."""
    found = suggest_size(Store.of(problem).facts, most=most)
    return recipe.because(found.reason, image_size=found.pixels)


def flat(recipe: Recipe, problem: Problem) -> Recipe:
    """Return the recipe with a size at which all pictures fit into memory as rows of numbers.

    The neuron core reads arrays; a picture of few pixels tells it more than no picture.
    """
    recipe = sized(recipe, problem, FLAT_SIZE)
    each = 4 * Store.of(problem).channels * problem.table.rows
    most = max(math.isqrt(FLAT_BYTES // each), _LEAST_FLAT)
    if recipe.image_size <= most:
        return recipe
    why = f"as numbers, {problem.table.rows:,} larger pictures would not fit in {FLAT_BYTES >> 20}"
    return recipe.because(f"{why} MB", image_size=most)


def neuron(training: Training) -> list[Recipe]:
    """Return recipes of one softmax neuron a class on the pixels."""
    problem, rows = training.problem, len(training.rows)
    size = flat(Recipe(), problem).image_size
    inputs = size**2 * Store.of(problem).channels
    found = [
        flat(recipe, problem)
        for recipe in neuron_recipes(problem.row_kind, rows, inputs, problem.classes, problem.seed)
    ]
    return found if rows * inputs <= _TRIED_NUMBERS else found[:1]


def dense(training: Training) -> list[Recipe]:
    """Return recipes of a dense network on the pixels."""
    problem, rows = training.problem, len(training.rows)
    start = flat(Recipe(net="dense", seed=problem.seed), problem)
    visits = min(_PICTURE_VISITS, _PIXEL_VISITS / start.image_size**2)
    first = (
        with_loss(start, problem.row_kind, problem.classes)
        .because("wide first, for many pixels", hidden=(256, 128), activation="relu")
        .because(f"{rows:,} pictures", batch_size=_batch(rows), epochs=_epochs(visits / rows))
        .because("large steps, then small ones", learning_rate=2e-3, schedule="cosine")
        .because("a short climb to the first large steps", warmup=0.1)
        .because("weights shrink a little each step", optimizer="adamw", weight_decay=0.05)
        .because("a fifth of the units rests each step", dropout=0.2)
    )
    if rows * start.image_size**2 > _TRIED_NUMBERS:
        return [first]
    return [first, first.because("few pictures: half of the units rests", dropout=0.5)]


def deep(training: Training, net: str, learning_rate: float) -> Recipe:
    """Return the recipe of a net of convolutions trained from scratch."""
    problem, rows = training.problem, len(training.rows)
    recipe = sized(Recipe(net=net, seed=problem.seed), problem, MAP_SIZE)
    visits = min(_PICTURE_VISITS, _PIXEL_VISITS / recipe.image_size**2)
    recipe = moved(recipe, Store.of(problem).channels)
    tiny = recipe.image_size < _TINY
    batch = max(min(_batch(rows), _BATCH_PIXELS // recipe.image_size**2), 64 if tiny else 32)
    recipe = (
        loss(recipe, problem)
        .because(f"{rows:,} pictures of {recipe.image_size} pixels", batch_size=batch)
        .because(f"{rows:,} pictures", epochs=_epochs(visits / rows))
        .because("small steps, large ones, small ones: fast (Smith 2018)", schedule="one_cycle")
        .because("good for nets of this kind", learning_rate=learning_rate, optimizer="adamw")
        .because(f"{rows:,} pictures", width=16 if rows < _PLENTY and not tiny else 32)
        .because("weights shrink a little each step", weight_decay=0.05)
    )
    if problem.kind == "multiclass":
        recipe = recipe.because("no answer is taken as quite sure", label_smoothing=0.1)
    return recipe


def moved(recipe: Recipe, channels: int) -> Recipe:
    """Return the recipe with the changes of a picture that leave what it shows."""
    if recipe.image_size < _SHIFTED_FROM:
        return recipe.because(
            f"{recipe.image_size} pixels: moved, a sign loses its edge", augment=()
        )
    if channels == 3:
        why = "a photograph moved a little or mirrored shows the same"
        return recipe.because(why, augment=("shift", "flip"))
    why = "moved a little it shows the same; mirrored, a sign may mean another thing"
    return recipe.because(why, augment=("shift",))


def loss(recipe: Recipe, problem: Problem) -> Recipe:
    """Return the recipe with the loss of a torch net: one logit a class, also of two."""
    if problem.kind == "regression":
        return recipe.because("a number", loss="mean_squared_error")
    return recipe.because(f"{problem.classes} classes", loss="cross_entropy")


def precise(recipe: Recipe, net: nn.Module, channels: int) -> Recipe:
    """Return the recipe with the precision that pays for this net on this processor."""
    import torch  # noqa: PLC0415 - slow to import

    from neuroscope.train.precision import choose_precision  # noqa: PLC0415 - imports torch

    size = recipe.image_size
    pictures = torch.zeros(int(recipe.batch_size), channels, size, size)
    return choose_precision(net, (pictures,), recipe)


def _batch(rows: int) -> int:
    return min(max(2 ** round(math.log2(max(rows / 64, 1))), 32), 128)


def _epochs(value: float) -> int:
    return round(min(max(value, 3), 60))
