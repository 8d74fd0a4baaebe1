"""Pictures on the terminal: their sizes and kinds, the classes, and what cannot be used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from neuroscope.base.wording import counted
from neuroscope.cli.views.words import bullets, heading, paragraph

_MOST_CLASSES = 40
_MOST_ASIDE = 20
_TOLD = 3  # files that a finding names itself


def show(about: Mapping[str, Any], console: Console) -> None:
    """Print the block."""
    heading(console, "Pictures")
    lines = [_size(about), _kinds(about)]
    lines.append(f"brought to {about['size']['pixels']} x {about['size']['pixels']} pixels for "
                 f"training: {about['size']['reason']}")  # fmt: skip
    bullets(console, [line for line in lines if line], "·", "dim")
    if about["classes"]:
        table = Table(box=None, padding=(0, 1), header_style="dim", show_edge=False)
        table.add_column("  class", overflow="fold")
        table.add_column("pictures", justify="right", no_wrap=True)
        table.add_column("such as", overflow="fold")
        for one in about["classes"][:_MOST_CLASSES]:
            example = one["names"][0] if one["names"] else ""
            cells = f"  {one['label']}", f"{one['count']:,}", example
            table.add_row(*(Text(cell) for cell in cells))
        console.print(table)
        if len(about["classes"]) > _MOST_CLASSES:
            more = counted(len(about["classes"]) - _MOST_CLASSES, "more class")
            paragraph(console, Text(f"and {more}: --json lists all", style="dim"))
    if len(about["set_aside"]) > _TOLD:
        heading(console, "Cannot be used")
        shown = [f"{one['name']} {one['reason']}" for one in about["set_aside"][:_MOST_ASIDE]]
        bullets(console, shown, "!", "yellow")
        more = len(about["set_aside"]) - len(shown)
        if more:
            paragraph(console, Text(f"and {counted(more, 'more file')}: --json lists all",
                                    style="dim"))  # fmt: skip


def _size(about: Mapping[str, Any]) -> str:
    if not about["width"]:
        return ""
    (low, middle, high), (short, usual, tall) = about["width"], about["height"]
    if (low, short) == (high, tall):
        return f"all {low} x {short} pixels"
    return (
        f"{low} to {high} pixels wide and {short} to {tall} high, {middle} x {usual} in the middle"
    )


def _kinds(about: Mapping[str, Any]) -> str:
    colour = "in colour" if about["channels"] == 3 else "in grey"
    parts = [f"{count:,} {name}" for name, count in about["formats"].items()]
    modes = [f"{count:,} {name}" for name, count in about["modes"].items()]
    return f"{colour}; stored as {', '.join(parts)}; pixels as {', '.join(modes)}"
