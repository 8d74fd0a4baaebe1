"""Training choices for tables that are strong before anything is tuned, each with its reason.

`neuron_recipes` and `dense_recipes` give a short list, the best guess first; a small search fits
each on an inner split of the training rows and keeps the one that scores best. All schedules end at
rate 0, so that no rows need be set aside to know when to stop.
"""

from __future__ import annotations

import math
from typing import Literal

from neuroscope.base.recipe import Recipe

Kind = Literal["binary", "multiclass", "regression"]


def neuron_recipes(kind: Kind, rows: int, features: int, classes: int, seed: int) -> list[Recipe]:
    """Return recipes of a single layer of neurons for `rows` training rows.

    `features` counts the encoded columns, `classes` the classes (0 for a number).
    """
    batch = _power_of_two(rows / 32, 16, 1024)
    epochs = _epochs(rows, batch, steps=2000, least=4, most=60)
    start = (
        Recipe(net="neuron", loss=_loss(kind), seed=seed)
        .because("a single layer: the plainest net", hidden=(), init="zeros")
        .because("the loss of this kind of target", loss=_loss(kind))
        .because(f"{rows:,} rows", batch_size=batch)
        .because(f"about {epochs * math.ceil(rows / batch):,} steps settle", epochs=epochs)
        .because("large steps first, then down to 0", learning_rate=0.05, schedule="cosine")
        .because("each weight gets a step of its own size", optimizer="adam", beta2=0.99)
    )
    return [
        start.because(f"{words}, for {rows:,} rows", l2=strength / rows)
        for strength, words in (
            (1.0, "the usual penalty, 1 / rows"),
            (10.0, "a strong penalty, 10 / rows"),
            (0.1, "a weak penalty, 0.1 / rows"),
        )
    ]


def dense_recipes(kind: Kind, rows: int, features: int, classes: int, seed: int) -> list[Recipe]:
    """Return recipes of dense networks for `rows` training rows; arguments as `neuron_recipes`."""
    batch = _power_of_two(rows / 64, 32, 1024)
    epochs = _epochs(rows, batch, steps=12_000, least=4, most=40)
    start = (
        Recipe(net="dense", loss=_loss(kind), seed=seed)
        .because("the loss of this kind of target", loss=_loss(kind))
        .because(f"{rows:,} rows", batch_size=batch)
        .because(f"about {epochs * math.ceil(rows / batch):,} steps settle", epochs=epochs)
        .because("four waves down to 0: no early stopping needed", schedule="log_cosine")
        .because("worked on tables of many sizes", learning_rate=3e-3, hidden=(64, 64))
        .because("weights shrink a little each step", optimizer="adamw", weight_decay=0.02)
        .because("follows the gradient's size quickly", beta2=0.95)
        .because("near linear where the data are", activation="selu")
    )
    pieces = start.because("a number may matter by pieces", numeric_bins=16)
    recipes = [
        start,
        pieces,
        pieces.because("sharper edges", activation="relu").because(
            "units fall silent at random, against overfitting", dropout=0.1
        ),
    ]
    if kind == "multiclass":
        reason = "answers are never quite sure"
        recipes = [recipe.because(reason, label_smoothing=0.1) for recipe in recipes]
    return recipes


def _loss(kind: Kind) -> str:
    return {
        "binary": "binary_cross_entropy",
        "multiclass": "cross_entropy",
        "regression": "mean_squared_error",
    }[kind]


def _epochs(rows: int, batch: int, *, steps: int, least: int, most: int) -> int:
    return min(max(round(steps / math.ceil(rows / batch)), least), most)


def _power_of_two(value: float, least: int, most: int) -> int:
    return min(max(2 ** round(math.log2(max(value, 1))), least), most)
