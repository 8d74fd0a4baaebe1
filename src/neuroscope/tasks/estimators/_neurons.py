"""Fitting single neurons row by row with their own rule: epochs, watching, beginning again."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from neuroscope.base import randomness
from neuroscope.base.errors import DivergedError
from neuroscope.base.recipe import Recipe
from neuroscope.neuron.descent import RATE_HALVINGS
from neuroscope.neuron.step import shuffle
from neuroscope.neuron.units import learn_rows, mean_cost, weighted_sums

Watch = Callable[[np.ndarray], float]


@dataclass(frozen=True)
class Lesson:
    """What neurons that stand side by side learn from: one float type, rows end to end."""

    x: np.ndarray  # (n, d)
    y: np.ndarray  # (k, n)  the target of each of k neurons
    w: np.ndarray  # (n,)    row weights of mean 1

    @classmethod
    def of(cls, x: np.ndarray, y: np.ndarray, w: np.ndarray | None, precision: str) -> Lesson:
        """Bring arrays into the form the compiled loops read; y (n,) becomes (1, n)."""
        dtype = np.dtype(precision)
        w = np.ones(len(x)) if w is None else w / max(float(w.mean()), 1e-12)
        y = np.atleast_2d(y)
        return cls(writable(x, dtype), np.ascontiguousarray(y, dtype), w.astype(dtype))


def writable(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return x row by row in memory and writable, which spares a compilation for other layouts."""
    return np.require(x, dtype, ["C_CONTIGUOUS", "WRITEABLE"])


@dataclass(frozen=True)
class Pass:
    """The report of one pass over the rows."""

    loss: float  # summed over the neurons, measured as the rows went by
    watched: float | None


def learn(
    rule: int,
    theta: np.ndarray,  # (k, d+1)  changed
    lesson: Lesson,
    recipe: Recipe,
    *,
    watch: Watch | None = None,
    patience: int = 0,
) -> Iterator[Pass]:
    """Teach k neurons epoch after epoch, in place; raises DivergedError.

    With `watch` the weights of the epoch with its lowest value stay; it ends the fit at 0, where
    nothing is left to learn, and after `patience` epochs (0: never) without a lower one.
    """
    order = np.arange(len(lesson.x))
    chance = randomness.sequence(recipe.seed, "batches").generate_state(1, np.uint64)
    met = np.empty(len(lesson.x), theta.dtype)
    rate, l2 = float(recipe.learning_rate), float(recipe.l2)  # ints would compile anew
    best, best_value, best_epoch = theta.copy(), math.inf, 0
    for epoch in range(1, recipe.epochs + 1):
        shuffle(order, chance)
        loss = 0.0
        for unit, targets in zip(theta, lesson.y, strict=True):
            learn_rows(rule, unit, lesson.x, targets, lesson.w, order, rate, l2, met)
            loss += mean_cost(rule, met, targets, lesson.w)
        value = None if watch is None else watch(theta)
        seen = loss if value is None else loss + value
        if not (math.isfinite(seen) and np.isfinite(theta).all()):
            raise DivergedError(
                f"the loss stopped being finite in epoch {epoch}",
                remedy="lower learning_rate or scale the features (StandardScaler)",
            )
        yield Pass(loss, value)
        if value is None:
            continue
        if value < best_value:
            best[:], best_value, best_epoch = theta, value, epoch
        if value == 0 or (patience and epoch - best_epoch >= patience):
            break
    if watch is not None:
        theta[:] = best


def learn_safely(
    rule: int, theta: np.ndarray, lesson: Lesson, recipe: Recipe, *,
    watch: Watch | None = None, patience: int = 0,
) -> Iterator[Pass | Recipe]:  # fmt: skip
    """Learn; after a divergence begin again with half the rate, yielding the halved recipe."""
    start = theta.copy()
    for attempt in range(RATE_HALVINGS + 1):
        try:
            yield from learn(rule, theta, lesson, recipe, watch=watch, patience=patience)
            return
        except DivergedError:
            theta[:] = start
            if attempt == RATE_HALVINGS:
                raise
        recipe = replace(recipe, learning_rate=recipe.learning_rate / 2)
        yield recipe


def watch_cost(rule: int, lesson: Lesson) -> Watch:
    """Return a watch of the mean loss on rows that are not learned from."""
    z = np.empty(len(lesson.x), lesson.x.dtype)

    def cost(theta: np.ndarray) -> float:
        total = 0.0
        for unit, targets in zip(theta, lesson.y, strict=True):
            weighted_sums(unit, lesson.x, z)
            total += mean_cost(rule, z, targets, lesson.w)
        return total

    return cost


def watch_errors(lesson: Lesson) -> Watch:
    """Return a watch of the weighted share of wrong answers (each neuron's sign, y is -1 or 1)."""

    def errors(theta: np.ndarray) -> float:
        z = theta[:, :-1] @ lesson.x.T + theta[:, -1:]
        wrong = (z > 0) != (lesson.y > 0)
        return float((wrong * lesson.w).sum() / lesson.w.sum())

    return errors
