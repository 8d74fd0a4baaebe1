"""From a text to a problem whose rows are passages: which words stand beside which?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from neuroscope.base import randomness
from neuroscope.base.errors import InputError
from neuroscope.base.events import Monitor, Progress, ignore
from neuroscope.base.recipe import Recipe
from neuroscope.base.wording import counted
from neuroscope.data.schema import Schema
from neuroscope.data.splits import Split
from neuroscope.data.table import Table
from neuroscope.data.target import TargetCodec
from neuroscope.data.text.corpus import (
    Asking,
    Corpus,
    Neighbours,
    neighbours_of,
    read_corpus,
    without_repeats,
)
from neuroscope.neuron import skipgram
from neuroscope.tasks._learning import Problem, Training

WINDOW = 5  # words to either side
NOISE = 5  # noise words beside each neighbour that is judged
SUBSAMPLE = 1e-3
PASSAGE = 500  # words of a passage, about
FEWEST, MOST = 20, 1_000  # passages
MOST_ASKED = 300  # questions of a passage
RARE, RARE_OF_FEW, FEW = 5, 2, 100_000  # occurrences that a word needs; words of a small corpus
_SHARES = 0.7, 0.85  # of the passages: those that train, and those that train or are held out
_KEY = "words"  # of what a problem's rungs share


@dataclass(frozen=True, eq=False)
class Posed:
    """A corpus in the vocabulary of its training passages, and what is asked of each passage."""

    corpus: Corpus
    questions: Neighbours  # of the passages that are held out or test
    left_out: int  # different words that are too rare
    least: int  # occurrences that a word needs
    repeated: int  # documents, or lines of a single one, that stood before and are left out

    @classmethod
    def of(cls, problem: Problem) -> Posed:
        """Return what a problem of words was posed with."""
        return problem.shared[_KEY]


class Encoded(NamedTuple):
    """Questions and what is to be said of them."""

    x: Neighbours
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Vocabulary:
    """The words that are known, the most frequent first, and how often each was met in training.

    `posed` is the problem it was made for; a loaded model has none.
    """

    words: tuple[str, ...]
    counts: np.ndarray
    window: int
    posed: Posed | None = field(default=None, compare=False, repr=False)

    def transform(self, table: Table, rows: np.ndarray | None = None) -> Encoded:  # noqa: ARG002
        """Return the questions of rows (passages) of the problem."""
        assert self.posed is not None
        assert rows is not None
        return Encoded(self.posed.questions.some(rows))

    def to_json(self) -> dict[str, Any]:
        """Return the vocabulary as a JSON object."""
        return {"words": list(self.words), "counts": self.counts.tolist(), "window": self.window}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Vocabulary:
        """Build the vocabulary that `to_json` wrote."""
        words, counts = tuple(record["words"]), np.array(record["counts"], np.int64)
        if len(words) != len(counts):
            raise ValueError(f"{len(words)} words and {len(counts)} counts")
        return cls(words, counts, int(record["window"]))

    def questions(self, corpus: Corpus, seed: int) -> Neighbours:
        """Ask for the neighbours in the passages of another text."""
        everywhere = np.arange(corpus.passages)
        return asked_of(corpus.known(self.words), self.counts, seed, everywhere)


class WordEncoding:
    """The training passages as numbers."""

    def key(self, recipe: Recipe) -> tuple[Any, ...]:  # noqa: ARG002 - the corpus is the same
        """Return what the encoder depends on: nothing."""
        return ()

    def fit(self, training: Training, recipe: Recipe) -> tuple[Vocabulary, Corpus]:  # noqa: ARG002
        """Return the vocabulary, with the counts of these passages, and the passages."""
        posed = Posed.of(training.problem)
        corpus = posed.corpus.some(training.rows)
        return Vocabulary(corpus.words, corpus.counts(), WINDOW, posed), corpus


def asked_of(corpus: Corpus, counts: np.ndarray, seed: int, passages: np.ndarray) -> Neighbours:
    """Draw the questions of some passages; frequent words are passed over as skip-gram does."""
    keep = skipgram.plan_of(counts, skipgram.Settings(subsample=SUBSAMPLE)).keep
    asking = Asking(WINDOW, NOISE, MOST_ASKED)
    return neighbours_of(corpus, counts, keep, asking, passages=passages, seed=seed)


def corpus_of(texts: list[str], repeated: int = 0) -> Corpus:
    """Read texts as passages of about PASSAGE words; InputError where they are too short.

    `repeated` ones were left out, which the error tells.
    """
    letters = sum(map(len, texts))
    wanted = int(np.clip(letters / 6 / PASSAGE, FEWEST, MOST))  # a word and its blank: 6 letters
    corpus = read_corpus(texts, wanted)
    if corpus.passages < FEWEST:
        without = f", without {repeated:,} repeated," if repeated else ""
        raise InputError(
            f"{counted(len(corpus.starts) - 1, 'sentence')} with "
            f"{counted(len(corpus.tokens), 'word')}{without} are too few",
            remedy=f"give {FEWEST} sentences or more, rather thousands",
        )
    return corpus


def pose(
    encoding: WordEncoding, table: Table, schema: Schema, column: str, *, seed: int,
    monitor: Monitor = ignore,
) -> Problem:  # fmt: skip
    """Return the problem of telling true neighbours from noise in the texts of a column.

    Passages are drawn at random for training, for judging and for the test. Raises InputError
    where no word occurs often enough.
    """
    monitor(Progress(label="reading the words", done=1, total=3))
    texts = [text for text in table.arrow.column(column).to_pylist() if text]
    texts, repeated = without_repeats(texts)  # no passage judges what another one taught
    whole = corpus_of(texts, repeated)
    order = randomness.generator(seed, "split").permutation(whole.passages)
    first, last = (int(share * whole.passages) for share in _SHARES)
    train, valid, test = (np.sort(part) for part in np.split(order, [first, last]))
    counts = whole.some(train).counts()
    least = RARE if counts.sum() >= FEW else RARE_OF_FEW
    often = np.flatnonzero(counts >= least)
    names = np.array(whole.words, object)[often]
    words = tuple(names[np.lexsort((names, -counts[often]))])
    if len(words) < 2:
        raise InputError(
            f"a vocabulary of {len(words)}: of {len(whole.words):,} words {len(words)} occur "
            f"{least} times or more in the training passages", remedy="give more text",
        )  # fmt: skip
    corpus = whole.known(words)
    judging = np.concatenate([valid, test])
    questions = asked_of(corpus, corpus.some(train).counts(), seed, judging)
    if not len(questions.some(valid).row) or not len(questions.some(test).row):
        raise InputError("no two known words stand together in the passages that judge",
                         remedy="give more text")  # fmt: skip
    development = np.sort(np.concatenate([train, valid]))
    long = len(whole.tokens) // whole.passages
    why = f"{whole.passages:,} passages of about {long:,} words, drawn at random"
    split = Split(test, development, ((train, valid),), "random", why)
    codec = TargetCodec(kind="words", column=column)
    posed = Posed(corpus, questions, len(whole.words) - len(words), least, repeated)
    return Problem(table, schema, "words", codec, split, seed, encoding, questions.asked(),
                   blocks=np.arange(whole.passages), shared={_KEY: posed})  # fmt: skip
