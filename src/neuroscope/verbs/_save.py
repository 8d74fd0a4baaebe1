"""Putting a table where the user asked for it, in one step."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from neuroscope.data.writing import check_ending, write
from neuroscope.runs.disk import beside, storing


def save_table(table: Any, path: str | Path) -> Path:
    """Write an Arrow table to `path`; on any failure what stood there before is untouched.

    Raises InputError for an unknown ending, StorageError when the disk cannot take it.
    """
    path = Path(path)
    ending = check_ending(path)
    draft = beside(path)
    with storing(path):
        try:
            with draft.open("xb") as file:
                write(table, file, ending)
            draft.replace(path)
        except BaseException:
            with suppress(OSError):
                draft.unlink()
            raise
    return path
