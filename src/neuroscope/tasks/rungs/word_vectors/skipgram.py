"""Rung 2: skip-gram with negative sampling, trained in the neuron core."""

from __future__ import annotations

import numpy as np

from neuroscope.base.errors import RecipeError
from neuroscope.base.events import EpochEnded, WarningRaised
from neuroscope.base.recipe import Recipe, all_but
from neuroscope.neuron import skipgram
from neuroscope.neuron.skipgram import Settings, Tables
from neuroscope.tasks._learning import Training, Watch
from neuroscope.tasks._words.learner import WordLearner, unpack
from neuroscope.tasks._words.posing import NOISE, SUBSAMPLE, WINDOW

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

TITLE = "skip-gram"
ORDER = 2
YARDSTICK = False
PARALLEL = False
SHARE = 1.0
CORE = True
REFITTED = True
FOLLOWS = ("width", "window", "negatives", "subsample")
IGNORES = all_but(
    *FOLLOWS, "net", "epochs", "learning_rate", "seed", "precision", "device", "reasons"
)
WIDTH = 100
_WORDS_ENOUGH = 5_000_000  # words read in all epochs
_EPOCHS = 5, 25  # at least and at most


def recipes(training: Training) -> list[Recipe]:
    """Return the one recipe: the defaults of word2vec, and epochs by the size of the corpus."""
    encoder, corpus = training.encoded()
    words = max(len(corpus.tokens), 1)
    epochs = int(np.clip(_WORDS_ENOUGH // words, *_EPOCHS))
    why = "the defaults of word2vec.c for skip-gram"
    return [
        Recipe(net="skipgram", seed=training.problem.seed, optimizer="sgd", batch_size=1)
        .because(f"{words:,} words: small corpora are read more often", epochs=epochs)
        .because(why, width=min(WIDTH, len(encoder.words)), window=WINDOW, negatives=NOISE,
                 subsample=SUBSAMPLE, learning_rate=0.025)
    ]  # fmt: skip


def fit(training: Training, recipe: Recipe, watch: Watch) -> WordLearner:
    """Train the tables, epoch after epoch; a time budget that runs out ends it early."""
    if recipe.precision == "bfloat16":
        raise RecipeError("skip-gram does not compute in bfloat16", remedy="take float32")
    encoder, corpus = training.encoded(recipe)
    chosen = Settings(
        width=recipe.width or WIDTH, window=recipe.window or WINDOW,
        negatives=recipe.negatives or NOISE, epochs=recipe.epochs,
        learning_rate=recipe.learning_rate, subsample=recipe.subsample, seed=recipe.seed,
    )  # fmt: skip
    dtype = np.float64 if recipe.precision == "float64" else np.float32
    tables = Tables.start(len(encoder.words), chosen, dtype)
    sentences = skipgram.Corpus(corpus.tokens, corpus.starts)
    for one in skipgram.train_words(sentences, encoder.counts, chosen, tables):
        watch.tell(EpochEnded(
            rung=watch.rung, fold=watch.fold, trial=watch.trial, trials=watch.trials,
            epoch=one.epoch, epochs=chosen.epochs, train_loss=one.loss, valid_loss=None,
            learning_rate=one.learning_rate, seconds=one.seconds,
        ))  # fmt: skip
        mean = one.seconds / one.epoch
        late = watch.seconds is not None and one.seconds + mean > watch.seconds
        if late and one.epoch < chosen.epochs:
            watch.tell(WarningRaised(
                message=f"the time budget ended its training after {one.epoch} of "
                f"{chosen.epochs} epochs; a longer --budget may make it better",
                rung=watch.rung,
            ))  # fmt: skip
            break
    vectors, contexts = (t.astype(np.float32) for t in (tables.inputs, tables.outputs))
    return WordLearner(vectors, contexts, encoder, recipe)
