"""Putting a table, or another file, where the user asked for it, in one step."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from neuroscope.data.writing import check_ending, write
from neuroscope.runs.disk import beside, storing


def save_table(table: Any, path: str | Path) -> Path:
    """Write an Arrow table to `path`; on any failure what stood there before is untouched.

    Raises InputError for an unknown ending, StorageError when the disk cannot take it.
    """
    ending = check_ending(path)
    return save(path, lambda file: write(table, file, ending))


def save(path: str | Path, write_into: Callable[[IO[bytes]], None]) -> Path:
    """Let a function write a file in one step; on any failure what stood there is untouched."""
    path = Path(path)
    draft = beside(path)
    with storing(path):
        try:
            with draft.open("xb") as file:
                write_into(file)
            draft.replace(path)
        except BaseException:
            with suppress(OSError):
                draft.unlink()
            raise
    return path
