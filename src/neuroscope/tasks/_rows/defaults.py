"""Training choices for tables that are strong before anything is tuned, each with its reason.

`neuron_recipes` and `dense_recipes` give a short list, the best guess first; a small search fits
each on inner splits of the training rows and keeps the one that scores best. All schedules end at
rate 0, so that no rows need be set aside to know when to stop.

The dense recipes follow RealMLP (Holzmüller et al. 2024, arXiv 2407.04491) where that paid in
benchmarks/tabular_quality.py: SELU, the log-cosine schedule, Adam with beta2 0.95, label smoothing;
and the piecewise-linear code of numbers (Gorishniy et al. 2022, arXiv 2203.05556). What did not pay
is in docs/log.md.
"""

from __future__ import annotations

import math
from typing import Literal

from neuroscope.base.recipe import Recipe

Kind = Literal["binary", "multiclass", "regression"]

_MANY_ROWS = 5000  # from here on the pieces of a number pay off most often
_PLENTY_OF_ROWS = 200_000  # from here on rows hold a net back by themselves
_ROW_VISITS = 2_000_000  # rows times epochs from which more epochs add little
_WEIGHT_VISITS = 50_000_000_000  # weights times rows times epochs: about 20 seconds
_MOST_NUMBERS = 400_000_000  # in the encoded table: 1.6 GB of float32
_MOST_INPUTS = 8192  # encoded columns of a dense net, if all features were numbers
_FEWEST_PIECES = 4  # fewer say little more than the number itself
_ROWS_A_PIECE = 16  # at least; fewer would be learned by heart
_WIDE = 1000  # features from which a layer of 64 units would hold too many weights


def neuron_recipes(kind: Kind, rows: int, features: int, classes: int, seed: int) -> list[Recipe]:
    """Return recipes of a single layer of neurons for `rows` training rows.

    `features` counts the encoded columns without pieces, `classes` the classes (of a number: 1).
    The penalty l2 = 1 / rows is scikit-learn's default of LogisticRegression and Ridge.
    """
    batch = _power_of_two(rows / 32, 16, 1024)
    epochs = _between(4, 2000 / math.ceil(rows / batch), 100)
    start = (
        with_loss(Recipe(net="neuron", seed=seed), kind, classes)
        .because("one layer, and all weights begin at 0: the plainest net", hidden=(), init="zeros")
        .because(f"{rows:,} rows", batch_size=batch)
        .because(f"{epochs * math.ceil(rows / batch):,} steps, enough to settle", epochs=epochs)
        .because("large steps first, none at the end", learning_rate=0.05, schedule="cosine")
        .because("gives each weight steps of its own size", optimizer="adam", beta2=0.99)
    )
    words = {1.0: "the usual penalty", 10.0: "a strong penalty", 0.1: "a weak penalty"}
    order = (10.0, 1.0, 0.1) if features > rows else (1.0, 10.0, 0.1)
    return [
        start.because(f"{words[s]}: {s:g} / {rows:,} rows, {features:,} features", l2=s / rows)
        for s in order
    ]


def dense_recipes(kind: Kind, rows: int, features: int, classes: int, seed: int) -> list[Recipe]:
    """Return recipes of dense networks for `rows` training rows; arguments as `neuron_recipes`.

    They differ in how much they let a net bend: five answers to how noisy the target may be. With
    more features than rows any net can learn all rows by heart, so all are held tight.
    """
    start = _dense_start(kind, rows, features, classes, seed)
    if features > rows:
        tight = start.because(
            f"more features ({features:,}) than rows ({rows:,}): held tight", hidden=(16, 16),
            dropout=0.5, weight_decay=3.0,
        )  # fmt: skip
        return [tight, tight.because("a smooth bend", activation="mish")]
    steady = start.because("noisy targets: a fifth of the units rests each step", dropout=0.2)
    curved = start.because(
        "smooth targets that turn: a smooth bend, and more units", activation="mish", dropout=0.1,
        hidden=tuple(2 * width for width in start.hidden),
    )  # fmt: skip
    decay = min(max(500 / rows, start.weight_decay), 1.0)
    curved = curved.because(f"the fewer rows, the more: {rows:,}", weight_decay=round(decay, 3))
    held = _in_pieces(start, rows, features, 16).because(
        "noisy targets: pieces, with weights held small", weight_decay=1.0
    )
    pieces = _in_pieces(start, rows, features, 32).because(
        "jumps in noisy targets: pieces, a fifth of the units rests", dropout=0.2
    )
    free = _in_pieces(start, rows, features, 64)
    if rows > _PLENTY_OF_ROWS:
        return _distinct([pieces, free, curved])
    if rows < _MANY_ROWS:
        return _distinct([steady, curved, held, pieces, free])
    return _distinct([pieces, free, held, steady, curved])


def _dense_start(kind: Kind, rows: int, features: int, classes: int, seed: int) -> Recipe:
    batch = _power_of_two(rows / 512, 64, 256)
    width = 32 if features > _WIDE else 64
    weights = (features + width) * width
    visits = min(_ROW_VISITS, _WEIGHT_VISITS / weights)
    start = (
        with_loss(Recipe(net="dense", seed=seed), kind, classes)
        .because(f"{rows:,} rows", batch_size=batch)
        .because(f"{rows:,} rows of {features:,} features", epochs=_between(4, visits / rows, 40))
        .because(f"good on tables of many sizes; {features:,} features", hidden=(width, width))
        .because("good on tables of many sizes", learning_rate=3e-3)
        .because("large steps, then none, four times over", schedule="log_cosine")
        .because("weights shrink a little each step", optimizer="adamw", weight_decay=0.02)
        .because("follows the gradient's size quickly", beta2=0.95)
        .because("nearly straight where most rows are, bent further out", activation="selu")
    )
    if kind == "multiclass":
        start = start.because("no answer is taken as quite sure", label_smoothing=0.1)
    return start


def with_loss(recipe: Recipe, kind: Kind, classes: int) -> Recipe:
    """Return the recipe with the loss that goes with the target."""
    if kind == "binary":
        return recipe.because("two classes", loss="binary_cross_entropy")
    if kind == "multiclass":
        return recipe.because(f"{classes} classes", loss="cross_entropy")
    return recipe.because("a number", loss="mean_squared_error")


def _in_pieces(recipe: Recipe, rows: int, features: int, bins: int) -> Recipe:
    """Cut each number into up to `bins` pieces, fewer where rows, memory or width run out."""
    most = min(rows // _ROWS_A_PIECE, _MOST_NUMBERS // (rows * features), _MOST_INPUTS // features)
    while bins > most and bins >= _FEWEST_PIECES:
        bins //= 2
    if bins < _FEWEST_PIECES:
        return recipe
    reason = f"a number may matter by ranges; {rows:,} rows of {features:,} features"
    return recipe.because(reason, numeric_bins=bins)


def _distinct(recipes: list[Recipe]) -> list[Recipe]:
    """Leave out a recipe that says what an earlier one says, such as pieces that do not fit."""
    found: dict[str, Recipe] = {}
    for recipe in recipes:
        choices = recipe.to_json() | {"reasons": None}
        found.setdefault(repr(choices), recipe)
    return list(found.values())


def _between(least: int, value: float, most: int) -> int:
    return round(min(max(value, least), most))


def _power_of_two(value: float, least: int, most: int) -> int:
    return min(max(2 ** round(math.log2(max(value, 1))), least), most)
