"""Rung 1: count which words stand together, and keep the directions that say most.

How much more often a word and a neighbour meet than chance would have it,

    ppmi(w, c) = max(0, log p(w, c) / (p(w) p'(c)))        p'(c) ~ count(c)**0.75

where pairs of frequent words weigh as much less as skip-gram would pass over them,

is a matrix (V, V) with few entries above 0. Its largest singular values s with their directions
u and v give the word vectors u sqrt(s) and the contexts v sqrt(s) (Levy and Goldberg 2014, "Neural
word embedding as implicit matrix factorization"; Levy et al. 2015 for the power and the root).
"""

from __future__ import annotations

import numpy as np

from neuroscope.base import randomness
from neuroscope.base.errors import InputError
from neuroscope.base.recipe import Recipe, all_but
from neuroscope.data.text.corpus import NOISE_POWER, Corpus, pair_counts
from neuroscope.neuron.skipgram import Settings, plan_of
from neuroscope.tasks._learning import Training, Watch
from neuroscope.tasks._words.learner import WordLearner, unpack
from neuroscope.tasks._words.posing import SUBSAMPLE, WINDOW

__all__ = [
    "CORE",
    "FOLLOWS",
    "IGNORES",
    "ORDER",
    "PARALLEL",
    "REFITTED",
    "SHARE",
    "TITLE",
    "YARDSTICK",
    "fit",
    "recipes",
    "unpack",
]

TITLE = "counts of neighbours"
ORDER = 1
YARDSTICK = False
PARALLEL = False
SHARE = 0.3
CORE = False
REFITTED = True
FOLLOWS = ("width", "window", "subsample")
IGNORES = all_but(*FOLLOWS, "net", "seed", "device", "reasons")
WIDTH = 100


def recipes(training: Training) -> list[Recipe]:
    """Return the one recipe: there is nothing to search for."""
    encoder, _ = training.encoded()
    return [
        Recipe(net="counts", seed=training.problem.seed)
        .because("solved at once, without descent", epochs=1)
        .because("as skip-gram looks at words", window=WINDOW, subsample=SUBSAMPLE)
        .because("as many as skip-gram's", width=min(WIDTH, len(encoder.words) - 1))
    ]


def fit(training: Training, recipe: Recipe, watch: Watch) -> WordLearner:  # noqa: ARG001
    """Count, and factorise the matrix."""
    encoder, corpus = training.encoded(recipe)
    vectors, contexts = factors(corpus, recipe)
    return WordLearner(vectors, contexts, encoder, recipe)


def factors(corpus: Corpus, recipe: Recipe) -> tuple[np.ndarray, np.ndarray]:
    """Return word vectors and contexts (V, width) float32."""
    from scipy.sparse import csr_matrix  # noqa: PLC0415 - only this rung needs it
    from sklearn.decomposition import TruncatedSVD  # noqa: PLC0415

    size = len(corpus.words)
    words, neighbours, together = pair_counts(corpus, recipe.window or WINDOW)
    if not len(together):
        raise InputError("no two words stand together", remedy="give more text")
    counts = corpus.counts()
    keep = plan_of(counts, Settings(subsample=recipe.subsample)).keep
    together = together * keep[words] * keep[neighbours]
    of_word = np.bincount(words, together, minlength=size) / together.sum()
    smooth = counts**NOISE_POWER
    chance = of_word[words] * (smooth / smooth.sum())[neighbours]
    gain = np.log(together / together.sum() / chance)
    above = gain > 0
    matrix = csr_matrix((gain[above], (words[above], neighbours[above])), (size, size))
    width = min(recipe.width or WIDTH, size - 1)
    solver = TruncatedSVD(width, n_iter=4, random_state=randomness.integer(recipe.seed, "svd"))
    scaled = solver.fit_transform(matrix)  # u s
    root = np.sqrt(np.maximum(solver.singular_values_, 1e-12))
    directions = np.asarray(solver.components_).T
    return (scaled / root).astype(np.float32), (directions * root).astype(np.float32)
