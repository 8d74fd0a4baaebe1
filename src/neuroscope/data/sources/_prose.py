"""Whether a .txt file is a text or a table: a table has the same delimiters in each line."""

from __future__ import annotations

import re

from neuroscope.base.errors import SourceError
from neuroscope.data.sources import _files

ENDING = ".txt"
_DELIMITERS = ("\t", ";", "|", ",")
_LINES = 50
_MARKED = (b"\xff\xfe", b"\xfe\xff")


def is_prose(source: str) -> bool:
    """Tell whether a .txt file (or the first of a glob) is read as a text.

    It is unless its first lines hold equally many tabs, semicolons, bars or commas, or columns of
    numbers apart by blanks. A file that is not there, empty or damaged is none of either: False.
    """
    try:
        start = _files.head(_files.expand(source)[0])
    except (SourceError, OSError):
        return False
    if any(start.startswith(magic) for magic, _, _ in _files.FOREIGN):
        return False
    text = start.decode("utf-16" if start.startswith(_MARKED) else "latin-1", "replace")
    lines = text.strip("\n").splitlines()[: _LINES + 1]
    lines = lines[:_LINES] if len(lines) > _LINES else lines
    if len(lines) < 2 or not all(line.strip() for line in lines):
        return True
    for sign in _DELIMITERS:
        counts = {line.count(sign) for line in lines}
        if len(counts) == 1 and counts != {0}:
            return False
    return not all(_numbers(line) for line in lines[1:])


def _numbers(line: str) -> bool:
    return all(re.fullmatch(r"[-+]?[\d.]+(?:[eE][-+]?\d+)?", part) for part in line.split())


def named_text(source: object) -> bool:
    """Tell whether a source is named like a text file."""
    return _files.ending(source) == ENDING and "://" not in str(source)
