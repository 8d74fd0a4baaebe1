"""Runs on the terminal: the list, and some side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from neuroscope.cli.views.words import bullets, shown, spread
from neuroscope.judge.metrics import METRICS

_COLOURS = {"finished": "green", "running": "cyan", "interrupted": "yellow", "failed": "red",
            "damaged": "red"}  # fmt: skip

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
    table = Table(box=None, padding=(0, 1), header_style="dim", show_edge=False)
    for title in ("run", "status", "target", "chosen"):
        table.add_column(title, overflow="fold")
    table.add_column("score", justify="right", no_wrap=True)
    for run in found["runs"]:
        known = METRICS.get(run["metric"])
        score = "" if run["value"] is None else f"{known.title if known else run['metric']} "
        score += "" if run["value"] is None else shown(run["value"])
        style = _COLOURS.get(run["status"], "")
        status = run["status"] + (f": {run['note']}" if run["status"] == "damaged" else "")
        table.add_row(Text(run["name"], style="bold"), Text(status, style=style),
                      Text(run["target"]), Text(run["chosen"]), Text(score))  # fmt: skip
    console.print(table)


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
