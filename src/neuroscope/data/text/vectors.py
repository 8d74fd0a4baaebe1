"""Word vectors: read from a file of GloVe or word2vec, kept, written, and given to a vocabulary."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from neuroscope.base import randomness
from neuroscope.base.errors import InputError, SourceError
from neuroscope.base.events import Monitor, Progress, ignore
from neuroscope.data.text import _vector_files as files

ENDINGS = (".txt", ".vec", ".bin")  # each also with .gz
_HINTS_AMONG = 50_000  # words that are looked through for one like a word that is not there
_LABEL = "reading the word vectors"


@runtime_checkable
class Writes(Protocol):
    """An open file that takes bytes."""

    def write(self, data: bytes, /) -> int:
        """Take some bytes."""
        ...


@dataclass(frozen=True)
class WordVectors:
    """Words in the order of their file, as a rule the most frequent first, and their vectors."""

    words: tuple[str, ...]
    vectors: np.ndarray  # (V, width) float32
    form: str = ""  # "GloVe text", "word2vec text", "word2vec binary"
    origin: str = ""  # the file or run
    notes: tuple[str, ...] = field(default=())  # what was found odd, and what was done about it

    @cached_property
    def index(self) -> Mapping[str, int]:
        """The place of each word."""
        return {word: place for place, word in enumerate(self.words)}

    @property
    def width(self) -> int:
        """Numbers of a vector."""
        return self.vectors.shape[1]

    @cached_property
    def lower_case(self) -> bool:
        """Whether no word holds a capital letter."""
        return all(word == word.lower() for word in self.words)

    def find(self, word: str) -> int | None:
        """Return the place of a word; of words in small letters only, also that of "King"."""
        place = self.index.get(word)
        return self.index.get(word.lower()) if place is None and self.lower_case else place

    def place(self, word: str) -> int:
        """Return the place of a word; InputError with the nearest spelling where it is missing."""
        place = self.find(word)
        if place is None:
            raise InputError(
                f"the word {word!r} is not among the {len(self.words):,} words",
                where=self.origin, remedy=self._hint(word),
            )  # fmt: skip
        return place

    def _hint(self, word: str) -> str:
        near = difflib.get_close_matches(word, self.words[:_HINTS_AMONG], n=3, cutoff=0.7)
        return f"did you mean {' or '.join(map(repr, near))}?" if near else "name another"


def read(path: str | Path, *, limit: int | None = None, monitor: Monitor = ignore) -> WordVectors:
    """Read word vectors of GloVe or word2vec, text or binary, also in .gz and .zip.

    `limit` stops after so many words, as a rule the most frequent. A word that occurs twice keeps
    its first vector. Raises SourceError with the line (in a binary file: the word) for a line of
    another width, a number that is not finite, a file that is cut, or one that is no word vectors.
    """
    path = Path(path)
    if limit is not None and limit < 1:
        raise InputError(f"a limit of {limit} words leaves none", remedy="give 1 or more")
    with files.opened(path) as (stream, position, size):
        found = files.head(stream, path)
        reading = files.binary_blocks if found.form == "word2vec binary" else files.text_blocks
        blocks, held = [], 0
        for block in reading(found, stream, path):
            _refuse_not_finite(block, found, path)
            blocks.append(block)
            held += len(block.words)
            monitor(Progress(label=_LABEL, done=min(position(), size), total=size))
            if limit is not None and held >= limit:
                break
    monitor(Progress(label=_LABEL, done=size, total=size))
    return _joined(blocks, held, limit, found, path)


def _refuse_not_finite(block: files.Block, found: files.Head, path: Path) -> None:
    sound = np.isfinite(block.vectors).all(axis=1)
    if not sound.all():
        at = int(np.argmin(sound))
        unit = "word" if found.form == "word2vec binary" else "line"
        word = block.words[at].decode("utf-8", "replace")
        raise SourceError(
            f"{unit} {block.places[at]:,}, the word {word!r}, holds a number that is not finite",
            where=str(path), remedy="take the line out, or copy the file again",
        )  # fmt: skip


def _joined(
    blocks: Sequence[files.Block], held: int, limit: int | None, found: files.Head, path: Path
) -> WordVectors:
    if not held:
        raise SourceError("there is no word in it", where=str(path), remedy="use another copy")
    asked = limit is not None and held >= limit
    if found.promised is not None and held < found.promised and not asked:
        raise SourceError(
            f"the file is cut short: it holds {held:,} of its header's {found.promised:,} words",
            where=str(path), remedy="copy or download it again",
        )  # fmt: skip
    notes = [f"the first {limit:,} words were read, as asked"] if asked else []
    if found.promised is not None and held > found.promised:
        notes.append(f"its header says {found.promised:,} words, it holds {held:,}: all were read")
    words, bent = _decoded(word for block in blocks for word in block.words)
    words = words[:limit]
    if bent:
        notes.append(f"{bent:,} words are not UTF-8; their odd bytes are written like \\xe9")
    places = [place for block in blocks for place in block.places][:limit]
    vectors = np.concatenate([block.vectors for block in blocks])[:limit]
    kept = _first_of_each(words, places, notes)
    if len(kept) < len(words):
        words, vectors = [words[i] for i in kept], vectors[kept]
    return WordVectors(tuple(words), vectors, found.form, str(path), tuple(notes))


def _decoded(words) -> tuple[list[str], int]:
    """Return the words as text, and how many hold bytes that are no UTF-8."""
    found, bent = [], 0
    for word in words:
        try:
            found.append(word.decode("utf-8"))
        except UnicodeDecodeError:
            found.append(word.decode("utf-8", "backslashreplace"))
            bent += 1
    return found, bent


def _first_of_each(words: Sequence[str], places: Sequence[int], notes: list[str]) -> list[int]:
    """Return where each word stands first; `notes` tells of those that come again."""
    first: dict[str, int] = {}
    again: list[int] = []
    for at, word in enumerate(words):
        if first.setdefault(word, at) != at:
            again.append(at)
    if again:
        at = again[0]
        notes.append(
            f"{len(again):,} words occur again, as {words[at]!r} at {places[first[words[at]]]:,} "
            f"and {places[at]:,}; the first of each was kept"
        )
    return list(first.values())


def write(vectors: WordVectors, file: Writes, ending: str) -> None:
    """Write word vectors into an open file: ".txt" and ".vec" as word2vec text, ".bin" as binary.

    Numbers in text have the nine digits that float32 needs to come back the same.
    """
    numbers = " ".join(["%.9g"] * vectors.width)
    file.write(f"{len(vectors.words)} {vectors.width}\n".encode())
    for word, vector in zip(vectors.words, vectors.vectors, strict=True):
        if ending == ".bin":
            file.write(word.replace(" ", "_").encode() + b" " + vector.astype("<f4").tobytes())
        else:
            file.write(f"{word} {numbers % tuple(vector.tolist())}\n".encode())


@dataclass(frozen=True)
class Embedding:
    """A matrix for a vocabulary, and which of its words the vectors know."""

    matrix: np.ndarray  # (vocabulary, width) float32
    found: np.ndarray  # (vocabulary,) bool

    @property
    def sentence(self) -> str:
        """Say how many words were found."""
        n, known = len(self.found), int(self.found.sum())
        return f"{known:,} of {n:,} words ({known / max(n, 1):.0%}) have a vector in the file"


def embedding_of(
    vectors: WordVectors, vocabulary: Sequence[str], *, blank: Sequence[int] = (0,), seed: int = 0
) -> Embedding:
    """Return the vectors of a vocabulary, to begin an embedding layer with.

    A word that is not found as it is written is looked for in small letters. Words without a vector
    are drawn from a normal distribution that has mean and spread of the found ones, number by
    number, so that they lie among them; places in `blank` (padding) are 0. Raises InputError where
    no word is found: the vectors are of another language or another tokeniser.
    """
    index = vectors.index
    at = np.array([index.get(word, index.get(word.lower(), -1)) for word in vocabulary], np.int64)
    at[list(blank)] = -1
    found = at >= 0
    if not found.any():
        raise InputError(
            f"none of the {len(vocabulary):,} words has a vector", where=vectors.origin,
            remedy="take vectors of the same language",
        )  # fmt: skip
    known = vectors.vectors[at[found]]
    drawn = randomness.generator(seed, "vectors").standard_normal((len(at), vectors.width))
    matrix = (known.mean(axis=0) + known.std(axis=0) * drawn).astype(np.float32)
    matrix[found] = known
    matrix[list(blank)] = 0
    return Embedding(matrix, found)
