"""What each word of a text adds to an answer: the answer without the word is another one.

    effect of word i = ln p(class | text) - ln p(class | text without word i)

Exact for what it says, and blind to words that stand in for each other: of "very very good" each
"very" alone changes little (Zeiler and Fergus 2014, for pictures; Li et al. 2016,
arXiv 1612.08220, for words).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

Answer = Callable[[list[str]], np.ndarray]  # texts -> probabilities (n, k)
MOST = 80  # words that are left out one by one; of a longer text stretches of words


def stretches(
    places: Sequence[tuple[int, int]], most: int = MOST
) -> list[tuple[int, int, list[int]]]:
    """Return parts of a text, (first, last, words), that are left out together: at most `most`."""
    each = -(-len(places) // most) if places else 1
    parts = []
    for first in range(0, len(places), each):
        inside = list(range(first, min(first + each, len(places))))
        parts.append((places[inside[0]][0], places[inside[-1]][1], inside))
    return parts


def effects(answer: Answer, text: str, places: Sequence[tuple[int, int]], of: int) -> np.ndarray:
    """Return what each word (first, last) of a text adds to the log-probability of class `of`."""
    found = np.zeros(len(places))
    parts = stretches(places)
    if not parts:
        return found
    without = [text[:first] + " " + text[last:] for first, last, _ in parts]
    p = np.log(np.maximum(answer([text, *without])[:, of].astype(np.float64), 1e-12))
    for (_, _, inside), after in zip(parts, p[1:], strict=True):
        found[inside] = (p[0] - after) / len(inside)
    return found
