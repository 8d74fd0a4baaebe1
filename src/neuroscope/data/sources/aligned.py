"""Two text files whose lines belong together, "de.txt,en.txt": a sentence pair a row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from neuroscope.base.errors import SourceError
from neuroscope.base.wording import counted
from neuroscope.data.sources import _files
from neuroscope.data.sources._query import queried
from neuroscope.data.table import Origin, Table

KIND = "two text files whose lines belong together, with a comma between (de.txt,en.txt)"


def accepts(source: Any) -> bool:
    """Tell whether `source` names two files that are no tables."""
    return isinstance(source, str) and _files.is_pair(source)


def read(source: str, *, sql: str | None = None) -> Table:
    """Return the lines side by side, an empty one as missing; the columns are named by the files.

    Files with different numbers of lines, or that are no UTF-8, are a SourceError.
    """
    paths = [_files.expand(part.strip())[0] for part in source.split(",")]
    left, right = (_lines(path) for path in paths)
    if len(left) != len(right):
        counts = f"{paths[0]} has {counted(len(left), 'line')}, {paths[1]} {len(right):,}"
        raise SourceError(
            f"the lines do not belong together: {counts}", where=source,
            remedy="line n of one must be the translation of line n of the other; empty lines "
            "count, so keep those",
        )  # fmt: skip
    first, second = _names(*paths)
    table = pa.table({first: pa.array(left, pa.large_string()),
                      second: pa.array(right, pa.large_string())})  # fmt: skip
    origin = Origin(source, tuple(map(str, paths)), ("encoding utf-8",))
    return queried(Table(table, origin), sql)


def is_text(source: str) -> bool:
    """Tell whether `source` names one text file."""
    return _files.ending(source) == ".txt" and not _files.is_pair(source)


def read_lines(source: str) -> Table:
    """Return the lines of one text file as the column "text"."""
    path = _files.expand(source)[0]
    lines = pa.table({"text": pa.array(_lines(path), pa.large_string())})
    return Table(lines, Origin(source, (str(path),), ("encoding utf-8",)))


def _names(first: Path, second: Path) -> tuple[str, str]:
    """Return what tells the files apart: their stems, or the endings of one stem ("train.de")."""
    parts = [path.name.removesuffix(".gz").split(".") for path in (first, second)]
    stems = [words[0] for words in parts]
    if stems[0] != stems[1]:
        return stems[0], stems[1]
    rest = [".".join(words[1:]) for words in parts]
    return (rest[0], rest[1]) if rest[0] != rest[1] and all(rest) else ("source", "target")


def _lines(path: Path) -> list[str | None]:
    """Return the lines of a file; only a line feed ends one, whatever else a text may hold."""
    content = b"".join(_files.chunks(path))
    _files.refuse_foreign(content[:512], path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(
            f"not UTF-8: byte {content[error.start]:#04x} at offset {error.start:,}, line "
            f"{content.count(10, 0, error.start) + 1:,}",
            where=str(path), remedy="save the file as UTF-8",
        ) from error  # fmt: skip
    lines = text.split("\n")
    if lines and not lines[-1].strip():
        lines.pop()
    return [line.strip() or None for line in lines]
