"""What knows words: two tables, whose products say how well words go together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from neuroscope.base.errors import ModelError
from neuroscope.base.recipe import Recipe
from neuroscope.data.text.corpus import Neighbours
from neuroscope.tasks._words.posing import Vocabulary

_AT_ONCE = 20_000  # questions


@dataclass(frozen=True)
class WordLearner:
    """A word w and a neighbour c score vectors[w] . contexts[c]."""

    vectors: np.ndarray  # (V, d) float32: the word vectors
    contexts: np.ndarray  # (V, d) float32
    encoder: Vocabulary | None
    recipe: Recipe | None
    learned: bool = True  # False where the vectors say nothing

    @property
    def parameters(self) -> int:
        """Number of learned numbers."""
        return self.vectors.size + self.contexts.size if self.learned else self.contexts.size

    def predict(self, x: Neighbours) -> np.ndarray:
        """Return how many comparisons of each passage the true neighbour wins (rows, 1)."""
        won = np.zeros(x.rows)
        for first in range(0, len(x.row), _AT_ONCE):
            part = slice(first, first + _AT_ONCE)
            v = self.vectors[x.word[part]]
            true = np.einsum("md,md->m", v, self.contexts[x.neighbour[part]])[:, None]
            noise = np.einsum("md,mkd->mk", v, self.contexts[x.noise[part]])
            wins = (true > noise) + 0.5 * (true == noise)
            won += np.bincount(x.row[part], wins.sum(axis=1), minlength=x.rows)
        return won[:, None]

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the tables as arrays."""
        return {"learned": self.learned}, {"vectors": self.vectors, "contexts": self.contexts}


def unpack(record: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> WordLearner:
    """Rebuild the learner that `pack` wrote; ModelError when a table is missing."""
    vectors, contexts = arrays.get("vectors"), arrays.get("contexts")
    if vectors is None or contexts is None or vectors.shape != contexts.shape:
        raise ModelError("the model lacks its word vectors", remedy="use another copy")
    return WordLearner(vectors, contexts, None, None, bool(record.get("learned", True)))
