"""Python's garbage collector, at rest while much is made and nothing thrown away.

Importing large libraries and compiling make hundreds of thousands of objects that stay; each time
their number has grown by some, the collector walks over all of them and finds nothing. That was 8
to 16 % of the core's compilation and a third of loading what was compiled.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_resting = 0  # how many callers, of any thread, want it at rest


def rest() -> None:
    """Let the collector rest until `wake` was called as often; where it is off, leave it off."""
    global _resting, _was_on  # noqa: PLW0603 - the collector is one for the whole process
    with _lock:
        if not _resting:
            _was_on = gc.isenabled()
            gc.disable()
        _resting += 1


def wake() -> None:
    """Take one `rest` back."""
    global _resting  # noqa: PLW0603
    with _lock:
        _resting -= 1
        if not _resting and _was_on:
            gc.enable()


_was_on = True


@contextmanager
def at_rest(*, when: bool = True) -> Iterator[None]:
    """Let the collector rest within a block, if `when` holds."""
    if not when:
        yield
        return
    rest()
    try:
        yield
    finally:
        wake()
