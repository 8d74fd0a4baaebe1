"""Texts on the terminal: how long they are, their words and languages, one of each class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from neuroscope.cli.views.words import bullets, heading

_MOST_LANGUAGES = 5


def show(about: Mapping[str, Any], console: Console) -> None:
    """Print the block."""
    heading(console, "Texts")
    low, middle, high = about["words"]
    columns = ", ".join(repr(name) for name in about["columns"])
    told = list(about["languages"].items())[:_MOST_LANGUAGES]
    bullets(console, [
        f"{about['texts']:,} texts in {columns}: {low:,} to {high:,} words, {middle:,} in the"
        " middle",
        f"{about['vocabulary']:,} different words, {about['once']:,} of them seen once",
        "languages, a guess by script and common words: "
        + ", ".join(f"{name} {share:.0%}" for name, share in told),
    ], "·", "dim")  # fmt: skip
    if about["examples"]:
        table = Table(box=None, padding=(0, 1), header_style="dim", show_edge=False)
        table.add_column("  class", overflow="fold")
        table.add_column("texts", justify="right", no_wrap=True)
        table.add_column("such as", overflow="ellipsis", no_wrap=True)
        for one in about["examples"]:
            cells = f"  {one['label']}", f"{int(one['count']):,}", one["text"]
            table.add_row(*(Text(cell) for cell in cells))
        console.print(table)
