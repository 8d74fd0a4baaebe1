"""The ladder as a small table: each rung's score with its interval drawn in characters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from neuroscope.cli.views.words import duration, shown

_PLAIN = {"├": "|", "┤": "|", "─": "-", "●": "o", "◂": "<", "▸": ">"}
_BAR = (8, 40)  # narrowest and widest bar, in characters
_NAME = 12  # characters that a name has at least
_GAP = 2  # characters beside each column
_ENDS_FROM = 100  # characters a line from which the interval's ends are written beside the bar

Cells = Callable[[Mapping[str, Any]], str]  # of a rung that ran
_MORE: dict[str, Cells] = {  # columns beside name, score and bar, the least dispensable first
    "time": lambda rung: duration(rung["seconds"]),
    "parameters": lambda rung: f"{rung['parameters']:,}",
    "ends": lambda rung: " .. ".join(map(shown, rung["interval"] or ())),
}
_PLACES = ("ends", "parameters", "time")  # from left to right


def ladder(result: Mapping[str, Any], console: Console) -> Table:
    """Return the rungs of a result as a table for this console.

    No number is cut: a column for which the line has no room is left out.
    """
    rungs, ascii_only = result["rungs"], console.options.ascii_only
    title = result["metric"]["title"]
    names = [("▸ " if _is_chosen(rung, result) else "  ") + rung["title"] for rung in rungs]
    score = max(map(len, [*title.split(), *(shown(rung["value"]) for rung in rungs)]))
    least = max(_BAR[0], *(len(_said(rung)) for rung in rungs if rung["value"] is None), 0)
    name_width = min(max(map(len, names)), max(console.width - score - least - 3 * _GAP, _NAME))
    used = name_width + score + 3 * _GAP
    more = _fitting(rungs, console.width, console.width - used - least)
    width = min(max(console.width - used - sum(more.values()), least), _BAR[1])
    table = Table(box=None, padding=(0, 1), header_style="dim", show_edge=False)
    table.add_column("  rung", width=name_width)
    table.add_column(title, justify="right", width=score)
    table.add_column("95 % interval", width=width)
    for name in more:
        table.add_column("" if name == "ends" else name, justify="right", no_wrap=True)
    scale = _scale(rungs)
    for name, rung in zip(names, rungs, strict=True):
        chosen, ran = _is_chosen(rung, result), rung["value"] is not None
        style = "bold green" if chosen else "" if ran else "dim"
        if ran:
            drawn = _bar(rung["interval"], rung["value"], scale, width)
            cells = [name, shown(rung["value"]), drawn, *(_MORE[key](rung) for key in more)]
        else:
            cells = [name, "", _said(rung)]
        cells = [_plain(cell) for cell in cells] if ascii_only else cells
        table.add_row(*(Text(cell, style=style) for cell in cells))
    return table


def _is_chosen(rung: Mapping[str, Any], result: Mapping[str, Any]) -> bool:
    return rung["name"] == result["chosen"]


def _said(rung: Mapping[str, Any]) -> str:
    """Return in a word why a rung has no score."""
    return rung["status"].partition(":")[0]


def _fitting(rungs: Sequence[Mapping[str, Any]], line: int, room: int) -> dict[str, int]:
    """Return the further columns that fit into `room` characters, each with what it takes."""
    found = {}
    for name, cells in _MORE.items():
        texts = [cells(rung) for rung in rungs if rung["value"] is not None]
        takes = max(map(len, [*texts, "" if name == "ends" else name])) + _GAP
        if takes > room or (name == "ends" and line < _ENDS_FROM):
            break
        found[name], room = takes, room - takes
    return {name: found[name] for name in _PLACES if name in found}


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
