"""Texts on the terminal: how much there is, and of what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from neuroscope.base.wording import counted
from neuroscope.cli.views.words import bullets, heading

_NAMED = {"\n": "new line", " ": "space", "\t": "tab"}


def show(about: Mapping[str, Any], console: Console) -> None:
    """Print the block."""
    heading(console, "Text")
    lengths = ""
    if about["documents"] > 1:
        lengths = (f", of {about['shortest']:,} to {about['longest']:,} characters, usually "
                   f"{about['usual']:,}")  # fmt: skip
    shares = ((one["character"], 100 * one["share"]) for one in about["frequent"][:8])
    frequent = ", ".join(f"{_NAMED.get(sign, sign)} {share:.0f} %" for sign, share in shares)
    bullets(console, [
        f"{counted(about['documents'], 'text')}{lengths}",
        f"{about['characters']:,} characters of {about['kinds']:,} kinds",
        f"{about['words']:,} words",
        f"most frequent: {frequent}",
    ], "·", "dim")  # fmt: skip
