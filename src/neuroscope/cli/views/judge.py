"""A model's figures on labelled rows, on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from neuroscope.base.wording import counted
from neuroscope.cli.views.words import bullets, heading, paragraph, shown, spread
from neuroscope.report.words import naming

_MOST_CLASSES = 12
_ROOMY = 100  # columns of a terminal


def show(found: Mapping[str, Any], console: Console) -> None:
    """Print what the verb found."""
    console.print()
    console.print(Text.assemble((found["model"], "bold"), " on ", (found["source"], "bold")))
    paragraph(console, f"{counted(found['rows'], found['noun'])} with a true {found['target']!r}")
    bullets(console, found["warnings"], "!", "bold red")
    bullets(console, found["notes"], "!", "yellow")
    heading(console, "Scores")
    _scores(found, console)
    if "confusion" in found:
        _confusion(found, console)
        if "detection" in found:
            paragraph(console, found["detection"]["sentence"])
        heading(console, "Are the stated probabilities true?")
        paragraph(console, found["calibration"]["sentence"])
    if "residuals" in found:
        heading(console, "How far off")
        paragraph(console, found["residuals"]["sentence"])
        _worst(found["residuals"]["worst"], console)
    if "cost" in found:
        _cost(found["cost"], found, console)
    if "groups" in found:
        _groups(found["groups"], repr(found["positive"]) if found["positive"] else "", console)


def _plain_table(*titles: str) -> Table:
    table = Table(box=None, padding=(0, 1), header_style="dim", show_edge=False)
    for title in titles:
        table.add_column(title)
    return table


def _scores(found: Mapping[str, Any], console: Console) -> None:
    """Print the scores; where there is room, what each one says, else the main one's only."""
    roomy = console.width >= _ROOMY
    table = _plain_table(" ", "score", "95 % interval", *(["what it says"] if roomy else []))
    table.columns[1].justify = "right"
    table.columns[2].no_wrap = True
    for score in found["scores"]:
        style = "bold green" if score["name"] == found["metric"]["name"] else ""
        units = score["in_target_units"]
        cells = [score["title"], shown(score["value"], in_target_units=units),
                 spread(score["interval"], in_target_units=units)]  # fmt: skip
        cells += [score["meaning"]] if roomy else []
        table.add_row(*(Text(cell, style=style) for cell in cells))
    console.print(table)
    if not roomy:
        paragraph(console, found["metric"]["meaning"])


def _confusion(found: Mapping[str, Any], console: Console) -> None:
    confusion = found["confusion"]
    classes = confusion["classes"]
    if len(classes) <= _MOST_CLASSES:
        heading(console, "Right and wrong (a line a true class, a column a decision)")
        table = _plain_table(" ", *classes)
        for column in table.columns[1:]:
            column.justify = "right"
        for place, row in enumerate(confusion["counts"]):
            cells = [Text(f"{n:,.0f}", style="bold green" if i == place else "")
                     for i, n in enumerate(row)]  # fmt: skip
            table.add_row(Text(f"  {classes[place]}"), *cells)
        console.print(table)
    pairs = confusion["most_confused"][:3]
    said = [f"{p['truth']!r} is called {p['decided']!r} in "
            f"{counted(round(p['rows']), found['noun'])} ({_percent(p['share'])} of its "
            f"{found['noun']}s)" for p in pairs]  # fmt: skip
    heading(console, "Most often mixed up")
    bullets(console, said or ["nothing"], "-", "yellow")


def _percent(share: float) -> str:
    """Return percent; little is not rounded to nothing."""
    return f"{100 * share:.{0 if share >= 0.01 else 1}f} %"


def _worst(worst: Sequence[Mapping[str, Any]], console: Console) -> None:
    table = _plain_table("row", "true", "predicted", "miss")
    for column in table.columns:
        column.justify = "right"
    for entry in worst[:5]:
        values = (entry["actual"], entry["predicted"], entry["miss"])
        table.add_row(f"{entry['row']:,}", *(shown(v, in_target_units=True) for v in values))
    console.print(table)


def _cost(cost: Mapping[str, Any], found: Mapping[str, Any], console: Console) -> None:
    heading(console, "Cost")
    best = cost["best_on_these_rows"]
    paragraph(console, f"The model says yes from {found['threshold']:.3f} on and costs "
              f"{cost['per_row']:.4g} a {found['noun']}. On these {found['noun']}s "
              f"{best['value']:.3f} would have been cheapest: {best['expected_cost']:.4g} a "
              f"{found['noun']}.")  # fmt: skip


def _groups(groups: Mapping[str, Any], positive: str, console: Console) -> None:
    heading(console, f"By {groups['column']}")
    table = _plain_table(" ", "rows", "score", "95 % interval")
    binary = groups["groups"] and groups["groups"][0]["selection_rate"] is not None
    for title in ("called yes", "found", "false alarms") if binary else ():
        table.add_column(title)
    for column in table.columns[1:]:
        column.justify = "right"
    for group in groups["groups"]:
        i = group["interval"]
        cells = [group["group"], f"{group['rows']:,}", shown(i["value"]),
                 spread((i["low"], i["high"]))]  # fmt: skip
        if binary:
            rates = ("selection_rate", "true_positive_rate", "false_positive_rate")
            cells += ["-" if group[r] is None else f"{100 * group[r]:.0f} %" for r in rates]
        table.add_row(*(Text(cell) for cell in cells))
    console.print(table)
    for sentence in groups["sentences"]:
        paragraph(console, naming(sentence, positive))
