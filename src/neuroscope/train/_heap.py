"""Memory that a fit frees and takes again stays with the process until the fit is over.

glibc gives large blocks back to the system at once, and taking them again costs a page fault for
each 4 kB: more than the arithmetic of a loss over many tokens (docs/log.md, "Cross-entropy of
tokens"). Elsewhere nothing is changed.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

_TRIM, _MMAP = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of malloc.h
_KEPT = 1 << 30  # bytes up to which a block comes from the heap, and stays there
_USUAL = 1 << 25  # to which glibc itself raises its threshold


@cache
def _glibc() -> Any:
    """Return the C library where it is glibc, else None."""
    try:
        library = ctypes.CDLL(None)
        return library if library.mallopt and library.malloc_trim else None
    except (OSError, AttributeError, TypeError):
        return None


@contextmanager
def kept() -> Iterator[None]:
    """Keep freed memory within; give back what is free at the end."""
    library = _glibc()
    if library is None:
        yield
        return
    library.mallopt(_MMAP, _KEPT)
    library.mallopt(_TRIM, 2 * _KEPT - 1)
    try:
        yield
    finally:
        library.mallopt(_MMAP, _USUAL)
        library.mallopt(_TRIM, 2 * _USUAL)
        library.malloc_trim(0)
