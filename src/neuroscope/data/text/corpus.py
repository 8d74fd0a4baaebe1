"""A corpus of words by number: sentences, passages of them, and what is asked of word vectors.

Words are runs of letters and digits, with apostrophes inside, in small letters; a sentence ends at
a line's end or behind ". ! ? …", and after 500 words at the latest: corpora such as text8 have
neither. Not covered: languages written without spaces, whose sentences would be single words.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from neuroscope.base import randomness

_WORD = re.compile(r"\w+(?:['’]\w+)*")
_SENTENCES = re.compile(r"[\n\v\f\r\u2028\u2029]+|(?<=[.!?…])\s+")
_LONGEST = 500  # words of a sentence, as of a passage; word2vec.c cuts at 1,000
_FEWEST = 5  # words; shorter lines are repeated by chance
NOISE_POWER = 0.75  # of the counts, as skip-gram draws its noise words


@dataclass(frozen=True)
class Corpus:
    """Sentence i is tokens[starts[i] : starts[i + 1]]; passage j begins with sentence bounds[j]."""

    words: tuple[str, ...]
    tokens: np.ndarray  # (n,) int32
    starts: np.ndarray  # (sentences + 1,) int64
    bounds: np.ndarray  # (passages + 1,) int64

    @property
    def passages(self) -> int:
        """Number of passages."""
        return len(self.bounds) - 1

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return self.tokens.nbytes + self.starts.nbytes + self.bounds.nbytes

    def counts(self) -> np.ndarray:
        """Return how often each word occurs (V,)."""
        return np.bincount(self.tokens, minlength=len(self.words))

    def some(self, passages: np.ndarray) -> Corpus:
        """Return some passages, in their order."""
        first, last = self.bounds[passages], self.bounds[passages + 1]
        spans = [slice(a, b) for a, b in zip(self.starts[first], self.starts[last], strict=True)]
        tokens = np.concatenate([self.tokens[:0], *(self.tokens[span] for span in spans)])
        lengths = np.diff(self.starts)
        kept = [lengths[a:b] for a, b in zip(first, last, strict=True)]
        starts = np.concatenate([[0], *kept]).cumsum()
        bounds = np.concatenate([[0], last - first]).cumsum()
        return Corpus(self.words, tokens, starts, bounds)

    def known(self, words: tuple[str, ...]) -> Corpus:
        """Return the corpus in another vocabulary; words that are not in it are left out."""
        index = {word: place for place, word in enumerate(words)}
        places = np.array([index.get(word, -1) for word in self.words], np.int32)
        tokens = places[self.tokens] if len(places) else self.tokens
        stays = tokens >= 0
        before = np.concatenate([[0], stays.cumsum()])
        return Corpus(words, tokens[stays], before[self.starts], self.bounds)


def without_repeats(texts: Sequence[str]) -> tuple[list[str], int]:
    """Return texts without those whose words stood before, and how many these are.

    Case and blanks do not count. Of a single text the lines of five words or more are looked at.
    Not covered: texts that are only nearly the same.
    """
    alone = len(texts) == 1
    fewest = _FEWEST if alone else 1
    parts = texts[0].split("\n") if alone else texts
    seen: set[bytes] = set()
    kept = []
    for part in parts:
        said = part.lower().split()
        if len(said) < fewest:
            kept.append(part)
            continue
        mark = hashlib.blake2b(" ".join(said).encode("utf-8", "surrogatepass"), digest_size=16)
        if mark.digest() not in seen:
            seen.add(mark.digest())
            kept.append(part)
    return ["\n".join(kept)] if alone else kept, len(parts) - len(kept)


def read_corpus(texts: Iterable[str], passages: int) -> Corpus:
    """Number the words of texts and cut them into about so many passages of equal length."""
    index: dict[str, int] = {}
    tokens: list[np.ndarray] = []
    for text in texts:
        for sentence in _SENTENCES.split(text.lower()):
            found = _WORD.finditer(sentence)
            while part := [match[0] for match in islice(found, _LONGEST)]:
                numbers = [index.setdefault(word, len(index)) for word in part]
                tokens.append(np.array(numbers, np.int32))
    starts = np.concatenate([[0], np.cumsum([len(one) for one in tokens])]).astype(np.int64)
    marks = np.linspace(0, starts[-1], passages + 1)[:-1]
    bounds = np.unique(np.append(np.searchsorted(starts, marks), len(tokens)))
    flat = np.concatenate([np.empty(0, np.int32), *tokens])
    return Corpus(tuple(index), flat, starts, bounds)


@dataclass(frozen=True)
class Neighbours:
    """Questions: which of a true neighbour and some noise words stands beside a word?"""

    rows: int  # passages they are of
    row: np.ndarray  # (m,) the passage of each
    word: np.ndarray  # (m,)
    neighbour: np.ndarray  # (m,)
    noise: np.ndarray  # (m, k)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return self.row.nbytes + self.word.nbytes + self.neighbour.nbytes + self.noise.nbytes

    def asked(self) -> np.ndarray:
        """Return how many comparisons each passage asks for (rows, 1)."""
        count = np.bincount(self.row, minlength=self.rows)
        return (count * self.noise.shape[1])[:, None].astype(np.float64)

    def some(self, rows: np.ndarray) -> Neighbours:
        """Return the questions of some passages."""
        place = np.full(self.rows, -1)
        place[rows] = np.arange(len(rows))
        new = place[self.row]
        kept = new >= 0
        return Neighbours(len(rows), new[kept], self.word[kept], self.neighbour[kept],
                          self.noise[kept])  # fmt: skip


@dataclass(frozen=True)
class Asking:
    """How questions are drawn from passages."""

    window: int  # words to either side
    noise: int  # words beside each neighbour
    most: int  # questions of a passage


def neighbours_of(
    corpus: Corpus,
    counts: np.ndarray,  # (V,) in the training passages
    keep: np.ndarray,  # (V,) the chance that an occurrence of a word counts
    asking: Asking,
    *,
    passages: np.ndarray,  # that are asked; the others have no questions
    seed: int,
) -> Neighbours:
    """Draw questions from passages of a corpus: pairs up to `window` words apart, and noise.

    Noise words are drawn in proportion to count**0.75, as skip-gram draws them. The pairs of one
    passage at a time are in memory.
    """
    rng = randomness.generator(seed, "neighbours")
    places = np.sort(passages)
    pairs = [_pairs_of(corpus, int(passage), keep, asking, rng) for passage in places]
    word, neighbour = np.concatenate([np.empty((2, 0), np.int32), *pairs], axis=1)
    row = np.repeat(places, [pair.shape[1] for pair in pairs])
    share = np.asarray(counts, np.float64) ** NOISE_POWER
    drawn = rng.choice(len(share), size=(len(row), asking.noise), p=share / share.sum())
    return Neighbours(corpus.passages, row, word, neighbour, drawn)


def _pairs_of(
    corpus: Corpus, passage: int, keep: np.ndarray, asking: Asking, rng: np.random.Generator
) -> np.ndarray:
    """Draw words of a passage and a neighbour of each (2, m), m at most `asking.most`."""
    starts = corpus.starts[corpus.bounds[passage] : corpus.bounds[passage + 1] + 1]
    tokens = corpus.tokens[starts[0] : starts[-1]]
    stays = rng.random(len(tokens)) < keep[tokens]
    sentence = np.repeat(np.arange(len(starts) - 1), np.diff(starts))[stays]
    tokens = tokens[stays]
    pairs = [np.empty((2, 0), np.int32)]
    for apart in range(1, asking.window + 1):
        together = sentence[:-apart] == sentence[apart:]
        ahead = np.stack([tokens[:-apart][together], tokens[apart:][together]])
        pairs += [ahead, ahead[::-1]]
    whole = np.concatenate(pairs, axis=1)
    return whole[:, rng.permutation(whole.shape[1])[: asking.most]]


def pair_counts(corpus: Corpus, window: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return words a, words b and how often they stand together within a window.

    A pair d words apart counts (window - d + 1) / window, as often as skip-gram, which draws how
    far it looks, meets it.
    """
    sentence = np.repeat(np.arange(len(corpus.starts) - 1), np.diff(corpus.starts))
    size, codes, weights = len(corpus.words), [], []
    for apart in range(1, window + 1):
        together = sentence[:-apart] == sentence[apart:]
        a = corpus.tokens[:-apart][together].astype(np.int64)
        b = corpus.tokens[apart:][together].astype(np.int64)
        code, count = np.unique(np.concatenate([a * size + b, b * size + a]), return_counts=True)
        codes.append(code)
        weights.append(count * ((window - apart + 1) / window))
    code, place = np.unique(np.concatenate(codes), return_inverse=True)
    total = np.bincount(place, np.concatenate(weights), minlength=len(code))
    return code // size, code % size, total
