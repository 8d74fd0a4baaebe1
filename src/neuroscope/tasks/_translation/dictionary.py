"""Word by word: a dictionary learned from sentence pairs, and what a translation with it costs.

    p(y | x) = p(|y| | |x|) prod_j sum_i a(i | j) t(y_j | x_i),   x_0 the empty word
    a(0 | j) = EMPTY,   a(i | j) ~ exp(-DIAGONAL | i / |x| - j / |y| |)

Which word stands for which is not given, so that the table t is found by expectation maximisation,
as in IBM model 1 (Brown et al. 1993), but that words prefer those about as far in the sentence
(Dyer et al. 2013, "A simple, fast, and effective reparameterization of IBM model 2"). A word is
written with the space before it, so that a text comes back exactly. What the table does not know is
spelt: t is mixed with how frequent a word is, and that with its characters, so that every text has
a probability. A translation keeps the order of its source, and a word never seen is copied.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import gammaln

from neuroscope.base.errors import ModelError
from neuroscope.base.events import EpochEnded
from neuroscope.base.recipe import Recipe
from neuroscope.tasks._learning import Training, Watch
from neuroscope.tasks._translation import scoring
from neuroscope.tasks._translation.sentences import PairEncoder, Sentences

EMPTY, DIAGONAL = 0.08, 4.0  # as in the paper
ROUNDS = 6  # of expectation maximisation; t hardly moves after them
_MOST_LINKS = 6_000_000  # pairs of words that are counted, at most: about 40,000 sentences
_KEPT = 1e-4  # probability below which an entry is dropped
_TABLE, _WORDS = 0.9, 0.9  # share of the table, and of known words in what is left
_MOST_WORDS = 200  # of a sentence; beyond, words pair off with everything
_WORD = re.compile(r" ?\w+| ?[^\w\s]|\s+")
_CODE_POINTS = 0x110000


def words(text: str) -> list[str]:
    """Return words and signs with the space before them; joined they are the text."""
    return _WORD.findall(text)


def places(read: int, said: int) -> np.ndarray:
    """Return a(i | j), (read + 1, said): how likely word j comes from word i."""
    found = np.full((read + 1, said), EMPTY if read else 1.0)
    if read and said:
        i, j = (np.arange(1, n + 1) / n for n in (read, said))
        near = np.exp(-DIAGONAL * np.abs(i[:, None] - j))
        found[1:] = (1 - EMPTY) * near / near.sum(axis=0)
    return found


@dataclass(frozen=True)
class Dictionary:
    """The table t(target | source) as sorted keys source * targets + target, and what is beside it.

    `source` and `target` are the words by number; source word 0 is the empty one.
    """

    keys: np.ndarray  # (m,) int64
    chances: np.ndarray  # (m,) float32
    source: tuple[str, ...]
    target: tuple[str, ...]
    counts: np.ndarray  # (targets,) how often each target word was seen
    letters: Mapping[str, int]  # how often each character was, "" the end of a word
    ratio: float  # words of the target to one of the source
    encoder: PairEncoder | None = None
    recipe: Recipe | None = None

    @property
    def parameters(self) -> int:
        """Number of entries."""
        return len(self.keys)

    @cached_property
    def _numbers(self) -> tuple[dict[str, int], dict[str, int]]:
        return (
            {w: i for i, w in enumerate(self.source)},
            {w: i for i, w in enumerate(self.target)},
        )

    @cached_property
    def _best(self) -> dict[int, str]:
        """The likeliest target word of each source word."""
        source = self.keys // len(self.target)
        order = np.lexsort((self.chances, source))
        last = np.flatnonzero(np.diff(source[order], append=-1))
        return {
            int(source[order[at]]): self.target[int(self.keys[order[at]] % len(self.target))]
            for at in last
        }

    def write(self, texts: Sequence[str], beam: int = 1) -> list[str]:  # noqa: ARG002
        """Return each text word by word; a word that was never seen stays."""
        return [self._written(text) for text in texts]

    def _written(self, text: str) -> str:
        written = ""
        for word in words(text):
            said = self._said(word)
            apart = written[-1:].isalnum() and said[:1].isalnum()  # "and" for a hyphen
            written += f" {said}" if apart else said
        return written.strip()

    def _said(self, word: str) -> str:
        """Return what is written for a word of the source, with the space before it.

        A word for a word has the space of the source: it may be known from the beginning of texts,
        where none stands. With signs it is as in the target, since languages differ in it.
        """
        bare = word.strip()
        best = self._best.get(self._numbers[0].get(bare, -1)) if bare else None
        if best is None:
            return word
        said = best.strip()
        of_words = bare[0].isalnum() and said[:1].isalnum()
        return word[: -len(bare)] + said if of_words else best

    def predict(self, x: Sentences) -> np.ndarray:
        """Return the packed predictions of sentences with references, see `judge`."""
        bits = np.array([self._bits(a, b) for a, b in zip(x.source, x.references, strict=True)])
        rows = scoring.translated_rows(len(x))
        written = self.write([x.source[row] for row in rows])
        return scoring.packed(bits.reshape(-1), rows, written, x.references)

    def _bits(self, source: str, target: str) -> float:
        """Return -log2 p(target | source)."""
        known, names = self._numbers
        given = [0] + [known.get(word.strip(), -1) for word in words(source)]
        said = words(target)
        rare = np.array([self._rare(word) for word in said])
        numbers = np.array([names.get(word, -1) for word in said], np.int64)
        wanted = np.array(given)[:, None] * len(self.target) + numbers
        wanted[np.array(given) < 0] = -1  # a word that was never seen
        at = np.minimum(np.searchsorted(self.keys, wanted), max(len(self.keys) - 1, 0))
        hit = (self.keys[at] == wanted) & (numbers >= 0) if len(self.keys) else wanted < -1
        chances = np.where(hit, self.chances[at] if len(self.keys) else 0.0, 0.0)
        table = (chances * places(len(given) - 1, len(said))).sum(axis=0)
        nats = -np.log(_TABLE * table + (1 - _TABLE) * rare).sum() if len(said) else 0.0
        mean = self.ratio * len(words(source)) + 1e-9
        nats += mean - len(said) * np.log(mean) + gammaln(len(said) + 1)  # Poisson
        return float(nats / np.log(2))

    def _rare(self, word: str) -> float:
        """Return the probability of a target word whatever is to be translated."""
        number = self._numbers[1].get(word)
        seen = 0.0 if number is None else float(self.counts[number] / self.counts.sum())
        total = sum(self.letters.values()) + 1
        spelt = 1.0
        for letter in (*word, ""):
            spelt *= (self.letters.get(letter, 0) + 1 / _CODE_POINTS) / total
        return max(_WORDS * seen + (1 - _WORDS) * spelt, 1e-300)

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return words and figures as JSON, and the table as arrays."""
        record = {"source": list(self.source), "target": list(self.target),
                  "letters": dict(self.letters), "ratio": self.ratio}  # fmt: skip
        return record, {"keys": self.keys, "chances": self.chances, "counts": self.counts}


def unpack(record: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Dictionary:
    """Rebuild the learner that `pack` wrote; ModelError when a part is missing."""
    try:
        return Dictionary(arrays["keys"], arrays["chances"], tuple(record["source"]),
                          tuple(record["target"]), arrays["counts"], dict(record["letters"]),
                          float(record["ratio"]))  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"the model's dictionary cannot be read: {error!r}") from error


def fit(training: Training, watch: Watch) -> Dictionary:
    """Learn the dictionary of the training pairs, or of as many as can be counted."""
    encoder, x = training.encoded(Recipe())
    pairs = _counted(x)
    source, targets = (
        {word: place for place, word in enumerate(dict.fromkeys(w for p in pairs for w in p[side]))}
        for side in (0, 1)
    )
    names = ["", *source]
    links = _Links.of(pairs, {word: number + 1 for word, number in source.items()}, targets)
    keys, chances = links.table(len(targets), watch)
    said: Counter[str] = Counter(word for _, target in pairs for word in target)
    letters: Counter[str] = Counter(letter for word, n in said.items() for letter in word * n)
    letters[""] = sum(said.values())
    ratio = sum(len(b) for _, b in pairs) / max(sum(len(a) for a, _ in pairs), 1)
    return Dictionary(keys, chances, tuple(names), tuple(targets),
                      np.array([said[word] for word in targets], np.float64), dict(letters),
                      max(ratio, 1e-3), encoder)  # fmt: skip


def _counted(x: Sentences) -> list[tuple[list[str], list[str]]]:
    """Return the words of pairs, until there are enough to count."""
    found, links = [], 0
    for source, target in zip(x.source, x.references, strict=True):
        left, right = words(source)[:_MOST_WORDS], words(target)[:_MOST_WORDS]
        found.append(([word.strip() for word in left], right))
        links += (len(left) + 1) * len(right)
        if links > _MOST_LINKS:
            break
    return found


@dataclass(frozen=True)
class _Links:
    """Each pair of a source word and a target word of one sentence pair."""

    source: np.ndarray  # (l,) numbers of source words
    target: np.ndarray  # (l,) numbers of target words
    place: np.ndarray  # (l,) which word of all target texts
    prior: np.ndarray  # (l,) how likely the two belong together, by their places

    @classmethod
    def of(
        cls, pairs: list[tuple[list[str], list[str]]], source: dict[str, int],
        targets: dict[str, int],
    ) -> _Links:  # fmt: skip
        lefts, rights, where, priors, seen = [], [], [], [], 0
        for left, right in pairs:
            given = np.array([0, *(source[word] for word in left)], np.int32)
            said = np.array([targets[word] for word in right], np.int32)
            lefts.append(np.tile(given, len(said)))
            rights.append(np.repeat(said, len(given)))
            where.append(np.repeat(np.arange(seen, seen + len(said), dtype=np.int32), len(given)))
            priors.append(places(len(left), len(said)).T.ravel())
            seen += len(said)
        return cls(*(np.concatenate(part) for part in (lefts, rights, where, priors)))

    def table(self, targets: int, watch: Watch) -> tuple[np.ndarray, np.ndarray]:
        """Return keys and chances after ROUNDS rounds of expectation maximisation."""
        pairs = self.source.astype(np.int64) * targets + self.target
        keys, at = np.unique(pairs, return_inverse=True)
        source = keys // max(targets, 1)
        chances = np.full(len(keys), 1 / max(targets, 1))  # all target words are as likely
        for number in range(1, ROUNDS + 1):
            each = chances[at] * self.prior
            whole = np.bincount(self.place, each)
            counted = np.bincount(at, each / whole[self.place], len(keys))
            chances = counted / np.bincount(source, counted)[source]
            nats = -float(np.log(whole).mean()) if len(whole) else 0.0
            watch.tell(EpochEnded(rung=watch.rung, fold=watch.fold, trial=watch.trial,
                                  trials=watch.trials, epoch=number, epochs=ROUNDS,
                                  train_loss=nats, valid_loss=None, learning_rate=0.0,
                                  seconds=0.0))  # fmt: skip
        kept = chances >= _KEPT
        return keys[kept], chances[kept].astype(np.float32)
