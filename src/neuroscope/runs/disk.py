"""Writing that survives: a file on disk is the old one or the new one, never half of one.

A new content is written beside the file, flushed to the device (fsync) and renamed over it; the
rename is atomic on POSIX and NTFS. A disk that cannot take it becomes a StorageError.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from neuroscope.base.errors import StorageError

_ELSEWHERE = "choose a folder you can write to"
_CAUSES = {
    errno.ENOSPC: ("the disk is full", "free some space or choose a folder on another disk"),
    errno.EDQUOT: ("your disk quota is used up", "free some space or choose another disk"),
    errno.EFBIG: ("the file is larger than this system allows", "choose a folder on another disk"),
    errno.EACCES: ("no permission to write here", _ELSEWHERE),
    errno.EPERM: ("no permission to write here", _ELSEWHERE),
    errno.EROFS: ("this disk is read-only", _ELSEWHERE),
    errno.ENOTDIR: ("a file stands where a folder is needed", "choose another folder"),
    errno.EEXIST: ("a file stands where a folder is needed", "choose another folder"),
}


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """Turn the operating system's errors while writing at `path` into a StorageError."""
    try:
        yield
    except OSError as error:
        what, remedy = _CAUSES.get(
            error.errno or 0, (f"cannot be written: {error.strerror or error}", _ELSEWHERE)
        )
        raise StorageError(what, where=str(path), remedy=remedy) from error


def write_atomic(path: Path, data: bytes) -> None:
    """Put `data` at `path` in one step; on any failure the previous file is untouched."""
    draft = beside(path)
    with storing(path):
        try:
            with draft.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except BaseException:
            with suppress(OSError):
                draft.unlink()
            raise
        sync_folder(path.parent)


def beside(path: Path) -> Path:
    """Return an unused hidden name in the folder of `path`, for a draft of it."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")


def drafts(folder: Path) -> list[Path]:
    """Return the drafts that a killed process left in `folder`."""
    return sorted(folder.glob(".*.tmp"))


def sync_folder(folder: Path) -> None:
    """Flush a folder's list of names, so that a rename outlives a power cut (POSIX only)."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def json_bytes(record: Mapping[str, Any]) -> bytes:
    """Return a record as readable UTF-8 JSON with a line break at its end."""
    return (json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
