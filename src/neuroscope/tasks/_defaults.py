"""Default recipes of the neuron and the dense network on tables."""

from __future__ import annotations

from neuroscope.base.recipe import Recipe


def neuron_recipes(kind: str, rows: int, features: int, classes: int, seed: int) -> list[Recipe]:
    """Return candidates."""
    return [
        Recipe(
            net="neuron",
            optimizer="adam",
            learning_rate=0.01,
            schedule="cosine",
            epochs=50,
            batch_size=64,
            l2=l2,
            seed=seed,
        )
        for l2 in (1e-3, 1e-2)
    ]


def dense_recipes(kind: str, rows: int, features: int, classes: int, seed: int) -> list[Recipe]:
    """Return candidates."""
    return [
        Recipe(
            net="dense",
            hidden=h,
            optimizer="adamw",
            learning_rate=0.003,
            schedule="cosine",
            epochs=30,
            batch_size=64,
            dropout=0.1,
            seed=seed,
        )
        for h in ((64, 64), (128, 128))
    ]
