"""The audit on the terminal: what the data are, what was found, what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from neuroscope.cli.views.words import KINDS, bullets, counted, heading, paragraph

_MOST_COLUMNS = 40
_MOST_ASIDE = 20
_TOLD = 3  # files that the finding below names itself
_GROUPS = (("serious", "Serious: mend or decide before training", "!", "bold red"),
           ("notice", "Worth knowing", "-", "yellow"),
           ("info", "In passing", "·", "dim"))  # fmt: skip


def show(found: Mapping[str, Any], console: Console) -> None:
    """Print an audit."""
    console.print()
    features = sum(column["role"] == "feature" for column in found["columns"])
    console.print(
        Text.assemble(
            (found["source"], "bold"),
            f": {counted(found['rows'], 'row' if 'series' in found else found['noun'])}, "
            f"{counted(len(found['columns']), 'column')}"
            + ("" if "series" in found else f", {features} to learn from"),
        )
    )
    if found["origin"]["notes"]:
        paragraph(console, Text("; ".join(found["origin"]["notes"]), style="dim"))
    _target(found, console)
    if "pictures" in found:
        _pictures(found["pictures"], console)
    if found.get("series"):
        _series(found["series"], console)
    heading(console, "Columns")
    console.print(_columns(found, console))
    if len(found["columns"]) > _MOST_COLUMNS:
        more = len(found["columns"]) - _MOST_COLUMNS
        paragraph(console, Text(f"and {counted(more, 'more column')}: --json lists all",
                                style="dim"))  # fmt: skip
    for severity, title, mark, style in _GROUPS:
        alike = [f for f in found["findings"] if f["severity"] == severity]
        if alike:
            heading(console, title)
            bullets(console, [_finding(f) for f in alike], mark, style)
    _training(found, console)


def _target(found: Mapping[str, Any], console: Console) -> None:
    target = found["target"]
    if target is None:
        return
    said = Text.assemble("target ", (target["column"], "bold"), f", {target['chosen_because']}")
    if target["kind"]:
        said.append(f": {KINDS.get(target['kind'], target['kind'])} ({_why(target['reason'])})")
    paragraph(console, said)


def _series(about: Mapping[str, Any], console: Console) -> None:
    heading(console, "Series")
    why = about["reasons"]
    names = ", ".join(about["names"][:_MOST_ASIDE]) + (
        "" if about["series"] <= _MOST_ASIDE else " …"
    )
    bullets(console, [
        f"{about['series']:,} series{f' ({names})' if about['series'] > 1 else ''}, "
        f"{about['readings']:,} readings from {about['from']} to {about['to']}",
        f"a step is {about['step']}; {about['gaps']:,} steps without a reading",
        f"{about['horizon']:,} steps ahead: {why['horizon']}",
        f"{about['look_back']:,} readings back: {why['look_back']}",
        f"season {about['season']:,}: {why['season']}",
    ], "·", "dim")  # fmt: skip


def _pictures(about: Mapping[str, Any], console: Console) -> None:
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
        for one in about["classes"][:_MOST_COLUMNS]:
            example = one["names"][0] if one["names"] else ""
            cells = f"  {one['label']}", f"{one['count']:,}", example
            table.add_row(*(Text(cell) for cell in cells))
        console.print(table)
        if len(about["classes"]) > _MOST_COLUMNS:
            more = counted(len(about["classes"]) - _MOST_COLUMNS, "more class")
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


def _why(reason: str) -> str:
    """Return the reason without what it leads to, which the kind has said: ": classes"."""
    return reason.rpartition(": ")[0] or reason


def _columns(found: Mapping[str, Any], console: Console) -> Table:
    table = Table(box=None, padding=(0, 1), header_style="dim", show_edge=False)
    table.add_column("  name", max_width=max(console.width // 3, 12), overflow="fold")
    table.add_column("kind", no_wrap=True)
    table.add_column("role", no_wrap=True)
    table.add_column("missing", justify="right", no_wrap=True)
    table.add_column("what", ratio=1)
    for column in found["columns"][:_MOST_COLUMNS]:
        style = {"target": "bold green", "ignore": "dim"}.get(column["role"], "")
        missing = f"{column['missing']:,}" if column["missing"] else ""
        cells = (f"  {column['name']}", column["kind"], column["role"], missing, column["reason"])
        table.add_row(*(Text(cell, style=style) for cell in cells))
    return table


def _finding(finding: Mapping[str, Any]) -> Text:
    said = Text.assemble((finding["what"], "bold"), f"\n{finding['meaning']}; {finding['remedy']}")
    if finding.get("names"):
        said.append(f"\nfor example {', '.join(finding['names'])}", "dim")
    elif finding["rows"]:
        rows = ", ".join(f"{row:,}" for row in finding["rows"])
        named = f"{'row' if len(finding['rows']) == 1 else 'rows'} {rows}"
        said.append(f"\nfor example {', '.join(finding['names']) or named}", "dim")
    return said


def _training(found: Mapping[str, Any], console: Console) -> None:
    heading(console, "Training")
    if found["blockers"]:
        bullets(console, found["blockers"], "!", "bold red")
        return
    split = found["split"]
    rows = split["rows"]
    learnt = f"{rows['train'] + rows['valid']:,} {found['noun']}s"
    paragraph(console, f"{learnt} to learn from and to compare on, "
              f"{rows['test']:,} for the test; {split['method']}: {split['reason']}")  # fmt: skip
    bullets(console, split["notes"], "·", "dim")
    bullets(console, [f"would be dropped: {d['column']!r}, {d['reason']}"
                      for d in found["dropped"]], "-", "yellow")  # fmt: skip
    console.print()
    console.print(Text(f"  {found['next']}", style="cyan"), soft_wrap=True)
