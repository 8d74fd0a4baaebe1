"""The plainest learner: it says the same for everyone, the shares of the classes or the mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from neuroscope.base.recipe import Recipe
from neuroscope.tasks._learning import Training, Watch


@dataclass(frozen=True)
class Constant:
    """One answer for every row: class shares (k,), or one standardised number (1,)."""

    answer: np.ndarray
    recipe: None = None
    encoder: None = None

    @property
    def parameters(self) -> int:
        """Number of learned numbers."""
        return self.answer.size

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return the same answer for each row."""
        repeated = np.repeat(self.answer[None, :], len(x), axis=0)
        return repeated[:, 0] if self.answer.size == 1 else repeated

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the answer as arrays."""
        return {}, {"answer": self.answer}


def recipes(training: Training) -> list[Recipe]:  # noqa: ARG001 - there is nothing to choose
    """Return no candidates."""
    return []


def fit(training: Training, recipe: Recipe | None, watch: Watch) -> Constant:  # noqa: ARG001
    """Count the classes, or take the mean."""
    weights = np.ones(len(training.y)) if training.weights is None else training.weights
    if training.problem.kind == "regression":
        return Constant(np.array([np.average(training.y, weights=weights)]))
    totals = np.bincount(training.y, weights, minlength=training.problem.classes)
    return Constant(totals / totals.sum())


def unpack(record: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Constant:  # noqa: ARG001
    """Rebuild the learner that `pack` wrote."""
    return Constant(arrays["answer"])
