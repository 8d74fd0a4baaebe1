"""Analogies to judge word vectors by, in the form of word2vec's questions-words.txt.

A line ": capital-world" begins a category; every other line has four words, "Athens Greece Oslo
Norway": a is to b as c is to d.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from neuroscope.base.errors import SourceError
from neuroscope.data.sources import _files

_WHAT = "a line is ': category' or four words"


class Question(NamedTuple):
    """a is to b as c is to d."""

    category: str
    words: tuple[str, str, str, str]


def read_questions(path: str | Path) -> list[Question]:
    """Read the questions of a file, also gzipped; SourceError names a line that is none."""
    (path,) = _files.expand(str(path))
    category, found = "", []
    for number, line in enumerate(_lines(path), 1):
        if line.startswith(":"):
            category = line[1:].strip()
        elif line:
            words = line.split()
            if len(words) != 4:
                raise SourceError(f"line {number} has {len(words)} words, not four",
                                  where=str(path), remedy=_WHAT)  # fmt: skip
            found.append(Question(category or "all", (words[0], words[1], words[2], words[3])))
    if not found:
        raise SourceError("there is no question in it", where=str(path), remedy=_WHAT)
    return found


def _lines(path: Path) -> Iterator[str]:
    data = b"".join(_files.chunks(path))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(
            f"byte {error.start:,} is no UTF-8", where=str(path), remedy="save the file as UTF-8"
        ) from error
    return (line.strip() for line in text.splitlines())
