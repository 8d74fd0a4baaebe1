"""Texts on the terminal: how long they are, their words and languages, one of each class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from neuroscope.cli.views.words import bullets, heading

_MOST_LANGUAGES = 5
_NARROWEST = 12  # characters of a column that is cut or wrapped


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
        console.print(_examples(about["examples"], console.width))


def _examples(examples: Sequence[Mapping[str, Any]], line: int) -> Table:
    """Return a text of each class, cut where the line ends; the class and its count are whole."""
    rows = [(f"  {one['label']}", f"{int(one['count']):,}", one["text"]) for one in examples]
    name = min(max(cell_len(row[0]) for row in rows), max(line // 3, _NARROWEST))
    count = max(len("texts"), *(len(row[1]) for row in rows))
    table = Table(box=None, padding=(0, 1), header_style="dim", show_edge=False)
    name = max(name, len("  class"))
    table.add_column("  class", overflow="fold", width=name)
    table.add_column("texts", justify="right", width=count)
    room = max(line - name - count - 6, _NARROWEST)
    table.add_column("such as", overflow="ellipsis", no_wrap=True, width=room)
    for row in rows:
        table.add_row(*map(Text, row))
    return table
