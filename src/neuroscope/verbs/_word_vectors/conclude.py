"""After a climb of word vectors: what lies near what, and a map."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroscope.data.text.vectors import WordVectors
from neuroscope.explain.word_space import nearest, unit_rows
from neuroscope.tasks._learning import Problem
from neuroscope.tasks._words.posing import Posed
from neuroscope.verbs.words import map_of

_ASKED = 12  # words whose neighbours are shown
_NEAREST = 6
_SKIPPED = 100  # of the most frequent words, which are particles and the like


def words_view(problem: Problem, learner: Any) -> dict[str, Any]:
    """Return the block "word_space" of a result: the corpus, some neighbours and a map.

    The words asked for are evenly taken from the frequent ones behind the first 100.
    """
    posed = Posed.of(problem)
    words = posed.corpus.words
    block: dict[str, Any] = {
        "words": len(words), "tokens": len(posed.corpus.tokens), "left_out": posed.left_out,
        "least": posed.least, "near": [], "map": None,
    }  # fmt: skip
    if not learner.learned or len(words) < 3:
        return block
    first = min(_SKIPPED, len(words) // 2)
    last = min(len(words), 10 * max(first, _ASKED))
    asked = np.unique(np.linspace(first, last - 1, _ASKED).astype(np.int64))
    unit = unit_rows(learner.vectors)
    found, cosines = nearest(unit, unit[asked], _NEAREST, asked[:, None].tolist())
    near = [
        {"word": words[word], "nearest": [{"word": words[place], "cosine": float(cosine)}
                                          for place, cosine in zip(row, values, strict=True)]}
        for word, row, values in zip(asked, found, cosines, strict=True)
    ]  # fmt: skip
    return block | {"near": near, "map": map_of(WordVectors(words, learner.vectors))}
