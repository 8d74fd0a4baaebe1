"""Files of word vectors as they come: text of GloVe and word2vec, word2vec's binary, packed or not.

    GloVe           one word a line, then its numbers: "the 0.418 0.24968 ..."
    word2vec text   the same below a line of two counts: "71290 100"; fastText's .vec is this, too
    word2vec binary that line, then for each word its letters, a blank and float32 numbers

Which one it is, is found from the first bytes, not from the name. A word may hold blanks (GloVe's
largest files have some): what stands before the last numbers of a line is the word.
"""

from __future__ import annotations

import gzip
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from neuroscope.base.errors import SourceError
from neuroscope.data.sources import _files

CHUNK = 1 << 22  # bytes read at once
_PEEK = 4096  # bytes that tell text from binary
_LONGEST_WORD = 1000  # bytes; in a binary file a longer one means that the width is wrong
_HEADER = re.compile(rb"(\d+)[ \t](\d+)")
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_WIDEST = 100_000  # numbers of a vector
_AGAIN = "copy or download it again"
_FORMS = (
    "word vectors are a word and its numbers on each line (GloVe, word2vec), or word2vec's .bin"
)


@runtime_checkable
class Reads(Protocol):
    """A stream of unpacked bytes."""

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes, none at the end."""
        ...


class Block(NamedTuple):
    """Some words with their vectors (n, width), and the places they stand at, counted from 1."""

    words: list[bytes]
    vectors: np.ndarray
    places: list[int]  # the line; of a binary file the number of the word


class Opened(NamedTuple):
    """An unpacked stream, how far the file has been read, and how large it is (bytes)."""

    stream: Reads
    position: Callable[[], int]
    size: int


class Head(NamedTuple):
    """What the first bytes say."""

    form: str
    width: int
    promised: int | None  # words, as the header has it
    start: bytes  # read already, and part of what follows the header


@contextmanager
def opened(path: Path) -> Iterator[Opened]:
    """Open a file, a gzip file, or the one file of a zip archive; SourceError where it is cut."""
    _files.expand(str(path))  # refuses what is missing, empty or a folder
    try:
        with path.open("rb") as raw:
            size = path.stat().st_size
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(raw) as archive, archive.open(_member(archive, path)) as file:
                    yield Opened(file, raw.tell, size)
            elif _files.is_gzip(path):
                with gzip.GzipFile(fileobj=raw) as file:
                    yield Opened(file, raw.tell, size)
            else:
                yield Opened(raw, raw.tell, size)
    except _files.DAMAGED as error:
        raise _files.damaged(path, error) from error
    except zipfile.BadZipFile as error:
        raise SourceError(
            f"the zip archive is damaged ({error})", where=str(path), remedy=_AGAIN
        ) from error
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror or error}", where=str(path)) from error


def _member(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    files = [info for info in archive.infolist() if not info.is_dir()]
    if len(files) == 1:
        return files[0]
    names = ", ".join(info.filename for info in files[:5])
    raise SourceError(
        f"the archive holds {len(files)} files", where=str(path),
        remedy=f"unpack it and name one of them: {names}" if files else _FORMS,
    )  # fmt: skip


def head(stream: Reads, path: Path) -> Head:
    """Find form and width from the first bytes; SourceError where they are no word vectors."""
    start = stream.read(CHUNK)
    if not start.strip():
        raise SourceError("the file is empty", where=str(path))
    first, newline, rest = start.removeprefix(b"\xef\xbb\xbf").partition(b"\n")
    header = _HEADER.fullmatch(first.strip()) if newline else None
    if header:
        count, width = int(header[1]), int(header[2])
        if not 0 < width <= _WIDEST:
            raise SourceError(f"its header says vectors of {width} numbers", where=str(path),
                              remedy=_FORMS)  # fmt: skip
        form = "word2vec text" if _is_text(rest[:_PEEK]) else "word2vec binary"
        return Head(form, width, count, rest)
    width = len(first.split()) - 1
    if width < 1 or not _is_text(first) or _numbers(first.split()[1:], width) is None:
        _files.refuse_foreign(start, path)
        shown = first[:40].decode("utf-8", "replace").strip()
        raise SourceError(
            f"these are no word vectors: line 1 is {shown!r}", where=str(path), remedy=_FORMS
        )
    return Head("GloVe text", width, None, start.removeprefix(b"\xef\xbb\xbf"))


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.end < len(data) - 3:  # not just the last letter, cut
            return False
    return not _CONTROLS.search(data)


def text_blocks(found: Head, stream: Reads, path: Path) -> Iterator[Block]:
    """Yield the words of a text file, some thousand at a time."""
    at, rest, chunk = 1 + (found.promised is not None), b"", found.start
    while True:
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        if len(rest) > CHUNK:
            raise SourceError(f"line {at + len(lines)} is longer than {CHUNK >> 20} MB",
                              where=str(path), remedy=_FORMS)  # fmt: skip
        if lines:
            yield _parsed(lines, at, found.width, path)
            at += len(lines)
        chunk = stream.read(CHUNK)
        if not chunk:
            break
    if rest.strip():
        yield _parsed([rest], at, found.width, path)


def _parsed(lines: list[bytes], first: int, width: int, path: Path) -> Block:
    words, tails, places = [], [], []
    for place, line in enumerate(lines, first):
        stripped = line.rstrip()
        if stripped.count(b" ") != width or b"\t" in stripped:
            if not stripped:
                continue
            word, tail = _split(stripped, width, place, path)
        else:
            word, _, tail = stripped.partition(b" ")
        words.append(word)
        tails.append(tail)
        places.append(place)
    numbers = _numbers(tails, width)
    if numbers is None:
        place = next(p for p, tail in zip(places, tails, strict=True)
                     if _numbers([tail], width) is None)  # fmt: skip
        raise SourceError(f"line {place} holds something else than {width} numbers behind its word",
                          where=str(path), remedy=_AGAIN)  # fmt: skip
    return Block(words, numbers, places)


def _split(line: bytes, width: int, place: int, path: Path) -> tuple[bytes, bytes]:
    """Cut a line whose word holds blanks, or whose numbers stand apart by something else."""
    fields = line.split()
    surplus = fields[1 : len(fields) - width]
    if len(fields) <= width or (surplus and _numbers(surplus, len(surplus)) is not None):
        raise SourceError(
            f"line {place} has {len(fields) - 1} numbers, the first has {width}",
            where=str(path), remedy=_AGAIN,
        )  # fmt: skip
    word = b" ".join(fields[: len(fields) - width])
    return word, b" ".join(fields[len(fields) - width :])


def _numbers(tails: list[bytes], width: int) -> np.ndarray | None:
    """Return the numbers (n, width) of some lines, or of one cut into fields; None for others."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)  # NumPy's word on what is no number
            found = np.fromstring(b" ".join(tails), np.float32, sep=" ")
    except (DeprecationWarning, ValueError):
        return None
    return found.reshape(-1, width) if found.size % width == 0 else None


def binary_blocks(found: Head, stream: Reads, path: Path) -> Iterator[Block]:
    """Yield the words of a binary file, some thousand at a time."""
    count, size = found.promised or 0, 4 * found.width
    data, at, done = found.start, 0, 0
    words: list[bytes] = []
    vectors: list[bytes] = []
    while done < count:
        space = data.find(b" ", at, at + _LONGEST_WORD + 2)
        if space < 0 or space + 1 + size > len(data):
            more = stream.read(CHUNK)
            if more:
                if words:
                    yield _gathered(words, vectors, done)
                    words, vectors = [], []
                data, at = data[at:] + more, 0
                continue
            _refuse_cut(data[at:], space < 0, done, found, path)
        word = data[at:space].lstrip(b"\n")
        if not word or _CONTROLS.search(word):
            raise _misfit(done + 1, found, path)
        words.append(word)
        vectors.append(data[space + 1 : space + 1 + size])
        at, done = space + 1 + size, done + 1
    if words:
        yield _gathered(words, vectors, done)


def _refuse_cut(left: bytes, no_blank: bool, done: int, found: Head, path: Path) -> None:
    if no_blank and len(left) > _LONGEST_WORD:
        raise _misfit(done + 1, found, path)
    raise SourceError(
        f"the file is cut short: it ends behind word {done:,} of {found.promised:,}",
        where=str(path), remedy=_AGAIN,
    )  # fmt: skip


def _misfit(number: int, found: Head, path: Path) -> SourceError:
    return SourceError(
        f"word {number:,} is no word: the file does not hold vectors of {found.width} float32 "
        "numbers, as its header says",
        where=str(path), remedy=_AGAIN,
    )  # fmt: skip


def _gathered(words: list[bytes], vectors: list[bytes], done: int) -> Block:
    numbers = np.frombuffer(b"".join(vectors), "<f4").reshape(len(words), -1)
    return Block(words, numbers.astype(np.float32), list(range(done - len(words) + 1, done + 1)))
