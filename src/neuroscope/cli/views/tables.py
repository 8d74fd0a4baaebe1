"""Lists on the terminal: data sets and predictions."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from neuroscope.base.wording import counted
from neuroscope.cli._out import stderr, stdout
from neuroscope.cli.views.words import bullets

_PREVIEW = 20


def print_sets(sets: Sequence[Mapping[str, Any]]) -> None:
    """Print the data sets, a line on each."""
    table = Table(box=None, padding=(0, 1), header_style="dim", show_edge=False)
    for title in ("name", "rows", "columns", "what"):
        table.add_column(title, justify="right" if title in ("rows", "columns") else "left")
    for one in sets:
        table.add_row(Text(one["name"], style="bold"), f"{one['rows']:,}", f"{one['columns']}",
                      Text(one["description"]))  # fmt: skip
    console = stdout()
    console.print(table)
    console.print(Text("\nneuroscope train NAME    neuroscope data NAME -o FILE.csv", style="cyan"))


def print_set(found: Mapping[str, Any]) -> None:
    """Print one data set with its first rows, or where it was written."""
    console = stdout()
    console.print(Text.assemble((found["name"], "bold"), f": {found['description']}"))
    size = f"{counted(found['rows'], 'row')}, {counted(found['columns'], 'column')}"
    console.print(f"{size}; target: {found['target']} ({found['task']})", markup=False)
    if found["out"]:
        console.print(f"written to {found['out']}", markup=False, soft_wrap=True)
        return
    console.print()
    console.print(_rows(found["first_rows"], console.width))


def _rows(rows: Sequence[Mapping[str, Any]], width: int) -> Table:
    """Return rows as a table of as many columns as fit, the last one always among them."""
    names = list(rows[0]) if rows else []
    cells = [[_cell(row[name]) for row in rows] for name in names]
    widths = [max(map(len, [name, *column])) + 2
              for name, column in zip(names, cells, strict=True)]  # fmt: skip
    table = Table(box=None, padding=(0, 1), header_style="dim", show_edge=False)
    kept, used = [], (widths[-1] if widths else 0) + 4
    for place in range(len(names) - 1):
        if used + widths[place] > width:
            break
        kept.append(place)
        used += widths[place]
    skipped = len(names) - 1 - len(kept)
    for place in kept:
        table.add_column(names[place], justify="right", no_wrap=True)
    if skipped > 0:
        table.add_column("…")
    if names:
        table.add_column(names[-1], style="bold", no_wrap=True)
    for number in range(len(rows)):
        shown = [cells[place][number] for place in kept] + (["…"] if skipped > 0 else [])
        table.add_row(*(Text(c) for c in shown), Text(cells[-1][number]))
    return table


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else str(value)


def print_predictions(found: Mapping[str, Any], *, quiet: bool) -> None:
    """Print predictions: as CSV into a pipe, the first ones as a table on a terminal."""
    notes = [] if quiet else found["notes"]
    bullets(stderr(), notes, "!", "yellow")
    console = stdout()
    if found["out"]:
        if not quiet:
            said = f"{counted(found['rows'], 'prediction')} of {found['target']!r} written to "
            console.print(f"{said}{found['out']}", markup=False, soft_wrap=True)
            _told_sheet(found, console)
        return
    if not console.is_terminal:
        _csv(found["table"])
        return
    table = found["table"].slice(0, _PREVIEW)
    names = [n for n in table.column_names if n != "prediction"]
    rows = [{n: row[n] for n in [*names, "prediction"]} for row in table.to_pylist()]
    console.print(_rows(rows, console.width))
    _told_sheet(found, console)
    if found["rows"] > _PREVIEW:
        console.print(f"the first {_PREVIEW} of {found['rows']:,}; -o FILE.csv writes all",
                      style="dim")  # fmt: skip


def _told_sheet(found: Mapping[str, Any], console: Any) -> None:
    if found["sheet"]:
        said = f"contact sheet written to {found['sheet']}"
        console.print(said, markup=False, soft_wrap=True)


def _csv(table: Any) -> None:
    import csv  # noqa: PLC0415 - only for pipes

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(table.column_names)
    for batch in table.to_batches(max_chunksize=10_000):
        writer.writerows(zip(*(column.to_pylist() for column in batch.columns), strict=True))
