"""JSON lines or one JSON array of objects, plain or gzip, one file or a glob of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from neuroscope.data.sources import _files
from neuroscope.data.sources._relation import read_files
from neuroscope.data.sources._sql import literal
from neuroscope.data.table import Table

KIND = "JSON lines or a JSON array (.jsonl .ndjson .json, also .gz)"
ENDINGS = (".jsonl", ".ndjson", ".json")


def accepts(source: Any) -> bool:
    """Tell whether `source` is named like a JSON file or a glob of them."""
    return _files.ending(source) in ENDINGS


def read(source: str, *, sql: str | None = None) -> Table:
    """Read objects as rows; nested values stay JSON text, and a note says so.

    Another encoding than UTF-8 is a SourceError that names the file and the byte.
    """
    return read_files(source, _scan, "JSON", sql, occurs=_occurs,
                      check=_files.refuse_other_encoding)  # fmt: skip


def _occurs(path: Path, name: str) -> bool:
    start = _files.head(path)
    return any(json.dumps(name, ensure_ascii=ascii).encode() in start for ascii in (True, False))


def _scan(path: Path) -> str:
    _files.refuse_foreign(_files.head(path), path)
    # Types come from all rows: a late word in a column of numbers must not break the reading.
    return f"read_json({literal(path)}, sample_size=-1)"
