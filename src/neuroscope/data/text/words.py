"""Texts cut into words for counting: small letters, composed characters, numbers and emoji kept.

Scripts that are written without spaces between words (Chinese, Japanese, Thai, ...) are cut into
single characters: pairs of them, the 2-grams, then stand for words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

_PLAIN = re.compile(r"\w+")
_UNSPACED = (
    "\u0e00-\u0e7f\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # kana, ideographs
)
_PICTURES = "\u2600-\u27bf\U0001f000-\U0001faff"  # emoji and signs like them
_LONGEST = 64  # letters of a word; more is no word: a link, a key, a hundred megabytes of noise


def words(text: str) -> list[str]:
    """Return the words of a text in their order."""
    text = text.lower()
    if text.isascii():
        return [word for word in _PLAIN.findall(text) if len(word) <= _LONGEST]
    found = _pattern().findall(unicodedata.normalize("NFC", text))
    return [word for word in found if len(word) <= _LONGEST]


def spans(text: str) -> list[tuple[int, int, str]]:
    """Return where each word begins and ends in the text as it was given, and the word.

    Where writing small letters or composing characters changes how long the text is, the places
    are those of single words found one by one.
    """
    plain = text.isascii()
    pattern = _PLAIN if plain else _pattern()
    found = []
    for match in pattern.finditer(text):
        word = match[0].lower() if plain else unicodedata.normalize("NFC", match[0].lower())
        if len(word) <= _LONGEST:
            found.append((match.start(), match.end(), word))
    return found


def spaced(text: str) -> str:
    """Return a text with blanks around each sign of a script that is written without them."""
    return text if text.isascii() else _sign().sub(r" \g<0> ", text)


@dataclass(frozen=True, eq=False)
class Words:
    """The words of n texts as numbers, end to end: text i has those from starts[i] on."""

    starts: np.ndarray  # (n + 1,) int64
    numbers: np.ndarray  # (m,) int32
    vocabulary: tuple[str, ...]  # the word of each number

    @classmethod
    def of(cls, texts: Iterable[str]) -> Words:
        """Cut texts into words; a word has the number of its first place among all."""
        numbers: dict[str, int] = {}
        parts, starts = [], [0]
        for text in texts:
            found = [numbers.setdefault(word, len(numbers)) for word in words(text)]
            parts.append(np.array(found, np.int32))
            starts.append(starts[-1] + len(found))
        flat = np.concatenate([*parts, np.empty(0, np.int32)])
        return cls(np.array(starts, np.int64), flat, tuple(numbers))

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> np.ndarray:
        """Return the number of words of each text, (n,)."""
        return np.diff(self.starts)

    def some(self, rows: np.ndarray) -> Words:
        """Return some of the texts, with the same numbers."""
        lengths = self.lengths[rows]
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        at = np.arange(starts[-1]) + np.repeat(self.starts[rows] - starts[:-1], lengths)
        return Words(starts, self.numbers[at], self.vocabulary)

    def blocks(self, size: int) -> Iterator[Words]:
        """Yield the texts, `size` at a time."""
        for first in range(0, len(self), size):
            last = min(first + size, len(self))
            here = slice(self.starts[first], self.starts[last])
            starts = self.starts[first : last + 1] - self.starts[first]
            yield Words(starts, self.numbers[here], self.vocabulary)


@cache
def _pattern() -> re.Pattern[str]:
    """Return the pattern of a word: letters with their marks, one unspaced sign, or an emoji."""
    marks = _marks()
    letter = rf"[^\W{_UNSPACED}]"
    return re.compile(rf"[{_UNSPACED}][{marks}]*|(?:{letter}[{marks}\u200d]*)+|[{_PICTURES}]")


@cache
def _sign() -> re.Pattern[str]:
    """Return the pattern of one unspaced sign with its marks."""
    return re.compile(rf"[{_UNSPACED}][{_marks()}]*")


@cache
def _marks() -> str:
    """Return the marks that stand on letters, as ranges of a character class."""
    return _ranges(
        [point for point in range(0x300, 0x20000) if unicodedata.category(chr(point))[0] == "M"]
    )


def _ranges(points: list[int]) -> str:
    """Return code points as ranges of a character class."""
    text, first, last = [], points[0], points[0]
    for point in [*points[1:], -1]:
        if point != last + 1:
            text.append(f"{chr(first)}-{chr(last)}")
            first = point
        last = point
    return "".join(text)
