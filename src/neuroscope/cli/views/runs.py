"""Runs on the terminal: the list, and some side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from neuroscope.cli.views.words import bullets, paragraph, shown, spread
from neuroscope.judge.metrics import METRICS

_COLOURS = {"finished": "green", "running": "cyan", "interrupted": "yellow", "failed": "red",
            "damaged": "red"}  # fmt: skip

_HEADS = ("run", "status", "target", "chosen", "score")
_SECTIONS = {"setting": "settings that differ", "recipe": "recipe, where it differs",
             "score": "ladder", "test": "test rows"}  # fmt: skip


def show(found: Mapping[str, Any], console: Console) -> None:
    """Print what the verb found."""
    if "deleted" in found:
        console.print(f"deleted {found['deleted']}", markup=False, soft_wrap=True)
    elif "comparison" in found:
        _compare(found["comparison"], console)
    else:
        _list(found, console)


def _list(found: Mapping[str, Any], console: Console) -> None:
    if not found["runs"]:
        console.print(f"no runs in {found['folder']}; begin with: neuroscope train iris",
                      markup=False)  # fmt: skip
        return
    rows = [_cells(run) for run in found["runs"]]
    widths = [max(map(len, column)) for column in zip(_HEADS, *rows, strict=True)]
    if sum(widths) + 2 * len(widths) > console.width:
        _stacked(rows, found["runs"], console)
        return
    table = Table(box=None, padding=(0, 1), header_style="dim", show_edge=False)
    for title in _HEADS:
        table.add_column(title, no_wrap=True, justify="right" if title == "score" else "left")
    for run, (name, status, *others) in zip(found["runs"], rows, strict=True):
        table.add_row(Text(name, style="bold"), Text(status, style=_COLOURS.get(run["status"], "")),
                      *map(Text, others))  # fmt: skip
    console.print(table)


def _cells(run: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what the list says of a run, in the order of its columns."""
    known = METRICS.get(run["metric"])
    value = "" if run["value"] is None else shown(run["value"])
    score = f"{known.title if known else run['metric']} {value}" if value else ""
    status = run["status"] + (f": {run['note']}" if run["status"] == "damaged" else "")
    return run["name"], status, run["target"], run["chosen"], score


def _stacked(
    rows: Sequence[tuple[str, ...]], runs: Sequence[Mapping[str, Any]], console: Console
) -> None:
    """Print two lines a run where a table would break the names, which are there to be copied."""
    for run, (name, status, target, chosen, score) in zip(runs, rows, strict=True):
        console.print(Text(name, style="bold"), soft_wrap=True)
        said = Text(status, style=_COLOURS.get(run["status"], ""))
        for part in (target and f"predicts {target}", chosen, score):
            said.append(f" · {part}" if part else "", style="default")
        paragraph(console, said)


def _compare(comparison: Mapping[str, Any], console: Console) -> None:
    table = Table(box=None, padding=(0, 1), header_style="bold", show_edge=False)
    table.add_column("", style="dim", overflow="fold")
    for name in comparison["runs"]:
        table.add_column(Text(name), overflow="fold")
    section: str = ""
    for row in comparison["rows"]:
        if row["section"] != section:
            section = row["section"]
            table.add_section()
            title: str = _SECTIONS.get(section, section)
            table.add_row(Text(title, style="bold"))
        intervals = row.get("intervals") or [None] * len(row["values"])
        cells = [_cell(v, i) for v, i in zip(row["values"], intervals, strict=True)]
        table.add_row(Text(f"  {row['label']}"), *(Text(cell) for cell in cells))
    console.print(table)
    bullets(console, comparison["notes"], "!", "yellow")


def _cell(value: Any, interval: Any) -> str:
    if value is None:
        return "-"
    if not isinstance(value, float):
        return str(value)
    said = shown(value) if interval else f"{value:.4g}"
    return f"{said} ({spread(interval)})" if interval else said
