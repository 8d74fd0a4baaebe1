"""The ladder as a small table: each rung's score with its interval drawn in characters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from neuroscope.cli.views.words import duration, shown

_PLAIN = {"├": "|", "┤": "|", "─": "-", "●": "o", "◂": "<", "▸": ">"}
_BAR = (13, 40)  # narrowest and widest bar, in characters
_OTHERS = 34  # characters of the other columns, with their gaps
_ENDS_FROM = 100  # characters a line from which the interval's ends are written beside the bar
_ENDS = 19


def ladder(result: Mapping[str, Any], console: Console) -> Table:
    """Return the rungs of a result as a table for this console."""
    ascii_only = console.options.ascii_only
    longest = max(len(rung["title"]) for rung in result["rungs"]) + 2
    wide = console.width >= _ENDS_FROM
    others = _OTHERS + _ENDS * wide
    width = min(max(console.width - longest - others, _BAR[0]), _BAR[1])
    table = Table(box=None, padding=(0, 1), header_style="dim", show_edge=False)
    table.add_column("  rung", no_wrap=True)
    table.add_column(result["metric"]["title"], justify="right", min_width=6)
    table.add_column("95 % interval", width=width)
    if wide:
        table.add_column("", justify="right", no_wrap=True)
    if console.width >= 72:
        table.add_column("parameters", justify="right", no_wrap=True)
        table.add_column("time", justify="right", no_wrap=True)
    scale = _scale(result["rungs"])
    for rung in result["rungs"]:
        chosen, ran = rung["name"] == result["chosen"], rung["value"] is not None
        style = "bold green" if chosen else "" if ran else "dim"
        cells = [("▸ " if chosen else "  ") + rung["title"]]
        if ran:
            drawn = _bar(rung["interval"], rung["value"], scale, width)
            cells += [shown(rung["value"]), drawn]
            cells += [" .. ".join(map(shown, rung["interval"]))] if wide else []
            if console.width >= 72:
                cells += [f"{rung['parameters']:,}", duration(rung["seconds"])]
        else:
            cells += ["", rung["status"].partition(":")[0]]
        cells = [_plain(cell) for cell in cells] if ascii_only else cells
        table.add_row(*(Text(cell, style=style) for cell in cells))
    return table


def remarks(result: Mapping[str, Any]) -> list[str]:
    """Return what the table has no room for: why a rung has no score, or too little time."""
    said = []
    for rung in result["rungs"]:
        if rung["value"] is None:
            said.append(f"{rung['title']}: {rung['status']}")
        elif rung.get("cut"):
            said.append(f"{rung['title']}: cut short by the time budget; a longer --budget may "
                        "do better")  # fmt: skip
    return said


def _scale(rungs: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """Return the ends of the scale: where the rungs that learned lie, so that they differ."""
    known = [rung["interval"] for rung in rungs if rung["interval"]]
    learned = [
        rung["interval"] for rung in rungs if rung["interval"] and rung["name"] != "majority"
    ]
    if not known:
        return 0.0, 1.0
    low, high = min(i[0] for i in known), max(i[1] for i in known)
    if learned:
        near = min(i[0] for i in learned)
        if high - near < 0.5 * (high - low):  # guessing is far off: leave it outside
            low = near - 0.15 * (high - near)
    return low, high if high > low else low + 1.0


def _bar(
    interval: Sequence[float] | None, value: float | None, scale: tuple[float, float], width: int
) -> str:
    """Draw "  ├──●─┤   "; an interval left of the scale is "◂"."""
    if interval is None or value is None:
        return ""
    low, high = scale

    def place(number: float) -> int:
        return round((number - low) / (high - low) * (width - 1))

    if interval[1] < low:
        return "◂".ljust(width)
    left, middle, right = (min(max(place(x), 0), width - 1) for x in (interval[0], value,
                                                                      interval[1]))  # fmt: skip
    cells = [" "] * width
    cells[left : right + 1] = "─" * (right + 1 - left)
    cells[left], cells[right], cells[middle] = "├", "┤", "●"
    return "".join(cells)


def _plain(text: str) -> str:
    """Return `text` for a terminal that knows ASCII only."""
    for fine, coarse in _PLAIN.items():
        text = text.replace(fine, coarse)
    return text
