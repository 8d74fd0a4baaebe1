"""A lock on a run folder that the operating system drops when its process ends, however it ends."""

from __future__ import annotations

import os
from pathlib import Path

if os.name == "nt":  # pragma: no cover - Windows
    import msvcrt

    def _try(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
else:
    import fcntl

    def _try(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def acquire(path: Path) -> int | None:
    """Lock the file at `path`; return its descriptor, or None when another holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _try(descriptor)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def release(descriptor: int) -> None:
    """Drop the lock."""
    os.close(descriptor)


def held(path: Path) -> bool:
    """Say whether a living process holds the lock at `path`; never creates the file."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        _try(descriptor)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
