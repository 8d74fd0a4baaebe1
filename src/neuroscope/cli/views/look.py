"""The audit on the terminal: what the data are, what was found, what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from neuroscope.base.wording import counted
from neuroscope.cli.views.blocks import catalogue as blocks
from neuroscope.cli.views.words import KINDS, bullets, heading, paragraph

_MOST_COLUMNS = 40
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
            f": {counted(found['rows'], found.get('row_noun', found['noun']))}, "
            f"{counted(len(found['columns']), 'column')}"
            + (f", {features} to learn from" if features else ""),
        )
    )
    if found["origin"]["notes"]:
        paragraph(console, Text("; ".join(found["origin"]["notes"]), style="dim"))
    _target(found, console)
    for name in blocks.names():
        if found.get(name):
            blocks.get(name).show(found[name], console)
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
