"""Texts on the terminal: how much there is, and of what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from neuroscope.cli.views.words import bullets, counted, heading

_NAMED = {"\n": "new line", " ": "space", "\t": "tab"}


def show(about: Mapping[str, Any], console: Console) -> None:
    """Print the block."""
    heading(console, "Text")
    lengths = ""
    if about["documents"] > 1:
        lengths = (f", of {about['shortest']:,} to {about['longest']:,} characters, usually "
                   f"{about['usual']:,}")  # fmt: skip
    frequent = ", ".join(f"{_NAMED.get(one['character'], one['character'])} "
                         f"{100 * one['share']:.0f} %" for one in about["frequent"][:8])  # fmt: skip
    bullets(console, [
        f"{counted(about['documents'], 'text')}{lengths}",
        f"{about['characters']:,} characters of {about['kinds']:,} kinds, {about['words']:,} words",
        f"most frequent: {frequent}",
    ], "·", "dim")  # fmt: skip
