"""Sentence pairs on the terminal: what is read, what is written, how long, and some of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from neuroscope.base.wording import counted
from neuroscope.cli.views.words import bullets, heading

_MOST = 120  # characters of an example


def show(about: Mapping[str, Any], console: Console) -> None:
    """Print the block."""
    heading(console, "Sentence pairs")
    lines = [f"{counted(about['pairs'], 'pair')}: {about['source']!r} is read, "
             f"{about['target']!r} is written"]  # fmt: skip
    for name, (fewest, usual, most) in about["words"].items():
        lines.append(f"{name!r} has {fewest:,} to {most:,} words, {usual:,} in the middle")
    lines += [" -> ".join(text[:_MOST] for text in pair) for pair in about["examples"]]
    bullets(console, lines, "·", "dim")
