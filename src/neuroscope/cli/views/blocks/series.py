"""Series on the terminal: their step, how far back and ahead, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from neuroscope.cli.views.words import bullets, heading

_MOST_NAMES = 20


def show(about: Mapping[str, Any], console: Console) -> None:
    """Print the block."""
    heading(console, "Series")
    why = about["reasons"]
    names = ", ".join(about["names"][:_MOST_NAMES]) + (
        "" if about["series"] <= _MOST_NAMES else " …"
    )
    bullets(console, [
        f"{about['series']:,} series{f' ({names})' if about['series'] > 1 else ''}, "
        f"{about['readings']:,} readings from {about['from']} to {about['to']}",
        f"a step is {about['step']}; {about['gaps']:,} steps without a reading",
        f"{about['horizon']:,} steps ahead: {why['horizon']}",
        f"{about['look_back']:,} readings back: {why['look_back']}",
        f"season {about['season']:,}: {why['season']}",
    ], "·", "dim")  # fmt: skip
