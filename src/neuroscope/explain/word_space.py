"""What a space of word vectors holds: nearest words, analogies, and a flat map of some words.

    near          cos(a, b) = a . b / (|a| |b|), the largest first
    analogy       a is to b as c is to d: d has the largest cos(d, b - a + c) of all words but
                  a, b and c, with each of them scaled to length 1 ("3CosAdd": Mikolov et al. 2013,
                  "Linguistic regularities in continuous space word representations")
    map           the two directions in which the drawn words vary most (principal components)

Not covered: that a, b and c are left out flatters analogies, since the nearest word is often b or c
itself (Linzen 2016); and a flat map shows only a share of how words differ, which it tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neuroscope.base.types import Floats2D, Integers1D

_AT_ONCE = 1 << 26  # scores that lie in memory at once


@dataclass(frozen=True)
class FlatMap:
    """Places of words on a map (n, 2), and the share of their variance each direction shows."""

    places: np.ndarray
    shares: tuple[float, float]


def unit_rows(vectors: Floats2D) -> Floats2D:
    """Return the rows scaled to length 1; a row of zeros stays as it is, and is near nothing."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def nearest(
    unit: Floats2D,  # (V, d) rows of length 1
    queries: Floats2D,  # (n, d)
    k: int,
    left_out: Sequence[Sequence[int]],  # of each query, the words that do not count
) -> tuple[np.ndarray, np.ndarray]:
    """Return the k nearest words (n, k) and their cosines, the nearest first."""
    k = min(k, len(unit) - max((len(set(out)) for out in left_out), default=0))
    queries = unit_rows(queries)
    found = np.empty((len(queries), k), np.int64)
    cosines = np.empty((len(queries), k), np.float32)
    block = max(_AT_ONCE // len(unit), 1)
    for first in range(0, len(queries), block):
        scores = queries[first : first + block] @ unit.T
        for row, out in enumerate(left_out[first : first + block]):
            scores[row, list(out)] = -np.inf
        top = np.argpartition(-scores, min(k, scores.shape[1] - 1), axis=1)[:, :k]
        values = np.take_along_axis(scores, top, axis=1)
        order = np.lexsort((top, -values), axis=1)
        found[first : first + block] = np.take_along_axis(top, order, axis=1)
        cosines[first : first + block] = np.take_along_axis(values, order, axis=1)
    return found, cosines


def complete(
    unit: Floats2D,
    questions: np.ndarray,  # (n, 3) the places of a, b and c
    k: int = 1,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the k best words d for "a is to b as c is to d" (n, k), and their cosines."""
    a, b, c = (unit[questions[:, i]] for i in range(3))
    return nearest(unit, b - a + c, k, questions.tolist())


def flat_map(vectors: Floats2D, words: Integers1D) -> FlatMap:
    """Place some words on two principal components of their unit vectors.

    Singular value decomposition of the centred rows; of each component the larger end points to
    the right or up, so that the same words give the same map.
    """
    rows = unit_rows(vectors[words]).astype(np.float64)
    rows -= rows.mean(axis=0)
    left, sizes, directions = np.linalg.svd(rows, full_matrices=False)
    count = min(2, len(sizes))
    largest = directions[np.arange(count), np.abs(directions[:count]).argmax(axis=1)]
    places = np.zeros((len(rows), 2))
    places[:, :count] = left[:, :count] * sizes[:count] * np.where(largest < 0, -1, 1)
    variance = sizes**2 / max((sizes**2).sum(), 1e-30)
    first, second = (float(variance[i]) if i < count else 0.0 for i in range(2))
    return FlatMap(places, (first, second))
