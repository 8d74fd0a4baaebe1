"""A text file: one text, or a list of documents, one a line; also gzipped, or a glob of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from neuroscope.base.errors import InputError, SourceError
from neuroscope.data.sources import _files, _prose
from neuroscope.data.table import Origin, Table

KIND = "a text (.txt, also .gz)"
COLUMN = "text"

_FEWEST = 3  # lines that make a list
_WORDS = 3  # of a line of a list, nearly always
_NEARLY = 0.98
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def accepts(source: Any) -> bool:
    """Tell whether `source` is a .txt file that holds a text and no table, or a glob of them."""
    return isinstance(source, str) and _prose.named_text(source) and _prose.is_prose(source)


def read(source: str, *, sql: str | None = None) -> Table:
    """Return a table of one column, "text": a row a file, or a row a line where these are a list.

    Lines of at most three words without an empty one between them are a list of documents, as
    names are. The text is UTF-8, or UTF-16 with its mark; anything else is a SourceError that names
    the file and the byte. Line ends become "\\n".
    """
    if sql is not None:
        raise InputError("a text file is no table to query", where=source, remedy="leave --sql out")
    paths = _files.expand(source)
    texts = [_decoded(path) for path in paths]
    notes = []
    if len(texts) == 1 and (lines := _listed(texts[0])):
        texts, notes = lines, [f"{len(lines):,} lines, each a document of its own"]
    if not any(text.strip() for text in texts):
        raise SourceError("the file holds nothing but blanks", where=source)
    table = pa.table({COLUMN: pa.array(texts, pa.large_string())})
    return Table(table, Origin(source, tuple(map(str, paths)), tuple(notes)))


def _decoded(path: Path) -> str:
    raw = b"".join(_files.chunks(path))
    encoding = next((name for mark, name in _MARKS.items() if raw.startswith(mark)), "utf-8")
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        what = f"byte {error.start:,} (0x{raw[error.start]:02x}) is no {encoding.upper()[:6]} text"
        raise SourceError(
            what, where=str(path),
            remedy="save the file as UTF-8, e.g. with: iconv -f latin1 -t utf-8",
        ) from error  # fmt: skip
    if (place := text.find("\0")) >= 0:
        raise SourceError(f"character {place:,} is a zero: this is no text", where=str(path))
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _listed(text: str) -> list[str]:
    """Return the lines of a list, none where the text is no list."""
    lines = [line.strip() for line in text.strip("\n").split("\n")]
    if len(lines) < _FEWEST or not all(lines):
        return []
    short = sum(len(line.split()) <= _WORDS for line in lines)
    return lines if short >= _NEARLY * len(lines) else []
