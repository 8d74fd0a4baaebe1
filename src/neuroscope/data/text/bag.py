"""Texts as bags of words: which words and pairs a text holds, weighted by how rare they are.

    tf-idf of a term in a text = count * (ln((1 + texts) / (1 + texts with it)) + 1)

and each text is scaled to length 1 (Salton and Buckley 1988, in the smoothed form of scikit-learn).
Terms are words and pairs of neighbours ("new york"). Those of a single text are left out: they
cannot be met again. Beyond `most` terms the terms themselves are not kept: each has the place that
its hash names (Weinberger et al. 2009). Texts are counted a block at a time, and terms that were
met in one text only are dropped between blocks while there are too many.

    mean of words: every term counts 1 / terms of its text, which averages their vectors
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from neuroscope.base.sparse import SparseRows
from neuroscope.data.text.words import Words

MOST_TERMS = 1 << 18  # kept by name; more are hashed
_BLOCK = 20_000  # texts counted at once
_CROWDED = 8  # times the most terms at which those of a single text are dropped while counting


@dataclass(frozen=True, eq=False)
class Bag:
    """The terms that count, their weights, and how a text becomes a row of numbers.

    `terms` is empty where terms are hashed into `width` places.
    """

    width: int
    terms: tuple[str, ...]
    weights: np.ndarray = field(repr=False)  # (width,) float32: idf, or 1
    pairs: bool = True  # pairs of neighbours are terms, too
    mean: bool = False  # the mean of the terms instead of tf-idf
    hashed: bool = False

    @classmethod
    def fit(
        cls, texts: Words, *, pairs: bool = True, mean: bool = False, fewest: int = 2,
        most: int = MOST_TERMS,
    ) -> Bag:  # fmt: skip
        """Learn terms and weights from the words of texts.

        `fewest` texts must hold a term, fewer where no term is in so many.
        """
        codes, holders = np.empty(0, np.int64), np.empty(0, np.int64)
        crowded = False
        for block in texts.blocks(_BLOCK):
            place, code = _terms(block, pairs)
            own, inverse = np.unique(code, return_inverse=True)
            once = np.unique(place * len(own) + inverse) % max(len(own), 1)
            codes, holders = _merged(codes, holders, own, np.bincount(once, minlength=len(own)))
            if len(codes) > _CROWDED * most:
                crowded, kept = True, holders > 1
                codes, holders = codes[kept], holders[kept]
        kept = holders >= min(fewest, holders.max(initial=1))
        codes, holders = codes[kept], holders[kept]
        terms = _named(codes, texts.vocabulary)
        if crowded or len(terms) > most:
            return cls._hashed(terms, holders, len(texts), most, pairs, mean)
        order = sorted(range(len(terms)), key=terms.__getitem__)
        weights = _rarity(len(texts), holders[order] if order else np.ones(1), mean)
        return cls(len(weights), tuple(terms[i] for i in order), weights, pairs, mean)

    @classmethod
    def _hashed(
        cls, terms: list[str], holders: np.ndarray, texts: int, most: int, pairs: bool, mean: bool
    ) -> Bag:
        places = np.array([_place(term, most) for term in terms], np.int64)
        total = np.bincount(places, holders, minlength=most)
        return cls(most, (), _rarity(texts, np.minimum(total, texts), mean), pairs, mean, True)

    @cached_property
    def places(self) -> dict[str, int]:
        """Return the column of each term that has a name."""
        return {term: place for place, term in enumerate(self.terms)}

    def place(self, term: str) -> int:
        """Return the column of a term, -1 for one that does not count."""
        return _place(term, self.width) if self.hashed else self.places.get(term, -1)

    def terms_of(self, texts: Words) -> dict[int, str]:
        """Return the terms that texts hold, by column; hashed ones that share it are joined."""
        found: dict[int, list[str]] = {}
        for term in _named(np.unique(_terms(texts, self.pairs)[1]), texts.vocabulary):
            found.setdefault(self.place(term), []).append(term)
        return {place: " or ".join(terms) for place, terms in found.items() if place >= 0}

    def transform(self, texts: Words) -> SparseRows:
        """Return a row for each text; terms that do not count are left out."""
        parts = [self._rows(block) for block in texts.blocks(_BLOCK)]
        lengths = np.concatenate([[0], *(p[0] for p in parts)])
        columns = np.concatenate([np.empty(0, np.int32), *(p[1] for p in parts)])
        numbers = np.concatenate([np.empty(0, np.float32), *(p[2] for p in parts)])
        return SparseRows(np.cumsum(lengths).astype(np.int64), columns, numbers, self.width)

    def _rows(self, block: Words) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return how many columns each text has, which, and the numbers in them."""
        place, code = _terms(block, self.pairs)
        own, inverse = np.unique(code, return_inverse=True)
        named = _named(own, block.vocabulary)
        column = np.array([self.place(term) for term in named], np.int64)[inverse]
        place, column = place[column >= 0], column[column >= 0]
        cell, counts = np.unique(place * self.width + column, return_counts=True)
        place, column = cell // self.width, cell % self.width
        lengths = np.bincount(place, minlength=len(block))
        if self.mean:
            numbers = counts / np.bincount(place, counts, minlength=len(block))[place]
        else:
            numbers = counts * self.weights[column].astype(np.float64)
            numbers /= np.sqrt(np.bincount(place, numbers**2, minlength=len(block)))[place]
        return lengths, column.astype(np.int32), numbers.astype(np.float32)

    def to_json(self) -> dict[str, Any]:
        """Return all but the weights, which `arrays` gives."""
        return {"width": self.width, "terms": list(self.terms), "pairs": self.pairs,
                "mean": self.mean, "hashed": self.hashed}  # fmt: skip

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the weights of the terms."""
        return {"bag.weights": self.weights}

    @classmethod
    def read(cls, record: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Bag:
        """Build the bag that `to_json` and `arrays` wrote; ValueError where they do not fit."""
        width, terms, weights = int(record["width"]), tuple(record["terms"]), arrays["bag.weights"]
        if weights.shape != (width,) or (terms and len(terms) != width):
            raise ValueError(f"{len(terms)} terms and {weights.shape} weights of {width} columns")
        return cls(width, terms, weights, bool(record["pairs"]), bool(record["mean"]),
                   bool(record["hashed"]))  # fmt: skip


def _terms(texts: Words, pairs: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the text and the code of each term.

    A word's code is its number w of V; that of a pair is V + V w + v.
    """
    place = np.repeat(np.arange(len(texts)), texts.lengths)
    numbers = texts.numbers.astype(np.int64)
    if not pairs or len(numbers) < 2:
        return place, numbers
    size = len(texts.vocabulary)
    near = place[:-1] == place[1:]
    code = size + size * numbers[:-1][near] + numbers[1:][near]
    return np.concatenate([place, place[:-1][near]]), np.concatenate([numbers, code])


def _named(codes: np.ndarray, vocabulary: tuple[str, ...]) -> list[str]:
    """Return the terms of codes: a word, or two with a space between."""
    size = len(vocabulary)
    first, second = np.divmod(codes, max(size, 1))
    return [
        vocabulary[v] if w == 0 else f"{vocabulary[w - 1]} {vocabulary[v]}"
        for w, v in zip(first.tolist(), second.tolist(), strict=True)
    ]


def _merged(
    codes: np.ndarray, holders: np.ndarray, more: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the codes of two blocks, each once, with how many texts hold them."""
    both, place = np.unique(np.concatenate([codes, more]), return_inverse=True)
    total = np.bincount(place, np.concatenate([holders, counts]), minlength=len(both))
    return both, total.astype(np.int64)


def _rarity(texts: int, holders: np.ndarray, mean: bool) -> np.ndarray:
    if mean:
        return np.ones(len(holders), np.float32)
    return (np.log((1 + texts) / (1 + holders)) + 1).astype(np.float32)


def _place(term: str, width: int) -> int:
    """Return the place of a hashed term; the same on every machine."""
    return zlib.crc32(term.encode("utf-8", "replace")) % width
