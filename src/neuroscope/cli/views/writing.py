"""Text that a model writes, on the terminal: as it grows, or text after text."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from neuroscope.cli._out import stderr

_HARMLESS = {"\n", "\t"}


def grow(row: int, part: str) -> None:  # noqa: ARG001 - there is one
    """Print what a text goes on with, at once."""
    sys.stdout.write(safe(part))
    sys.stdout.flush()


def show(found: Mapping[str, Any], *, printed: bool) -> None:
    """Print the texts, unless that was done; where they were written goes to stderr."""
    if not printed:
        for text in found["texts"]:
            sys.stdout.write(safe(text) + "\n")
    elif not found["texts"][0].endswith("\n"):
        sys.stdout.write("\n")
    if found["files"]:
        first, last = found["files"][0], found["files"][-1]
        where = first if first == last else f"{first} … {last}"
        stderr().print(f"written: {where}", markup=False, soft_wrap=True)


def safe(text: str) -> str:
    """Return a text without what would steer a terminal: control characters become a mark."""
    encoding = sys.stdout.encoding or "utf-8"
    text = text.encode(encoding, "replace").decode(encoding)
    return "".join(
        sign if sign in _HARMLESS or sign.isprintable() or ord(sign) > 0x9F
        else "\N{REPLACEMENT CHARACTER}" for sign in text
    )  # fmt: skip
