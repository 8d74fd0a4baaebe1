"""Word vectors on the terminal: neighbours, analogies, and how many of them are right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from neuroscope.base.wording import counted
from neuroscope.cli._out import stderr, stdout
from neuroscope.cli.views.words import bullets, heading, paragraph


def show(found: Mapping[str, Any], *, quiet: bool) -> None:
    """Print what the verb found."""
    console = stdout()
    if not quiet:
        bullets(stderr(), found["notes"], "!", "yellow")
    what = f"{counted(found['words'], 'word')}, {counted(found['width'], 'number')} each"
    console.print(Text.assemble((found["source"], "bold"), f": {what} ({found['form']})"))
    for one in found["near"]:
        heading(console, f"near {one['word']}")
        _list(one["nearest"], console)
    for one in found["analogies"]:
        heading(console, f"{one['a']} is to {one['b']} as {one['c']} is to")
        _list(one["nearest"], console)
    if "questions" in found:
        _judged(found["questions"], console)
    for key, said in (("map_file", "map"), ("out", "word vectors")):
        if key in found:
            console.print(f"{said} written to {found[key]}", markup=False, soft_wrap=True)
    asked = found["near"] or found["analogies"] or {"questions", "map_file", "out"} & set(found)
    if not asked:
        paragraph(console, f"the first: {', '.join(found['first'])}")
        example = found["first"][-1]
        console.print(Text(f"\nneuroscope words {found['source']} --near {example}", style="cyan"),
                      soft_wrap=True)  # fmt: skip


def _list(nearest: Sequence[Mapping[str, Any]], console: Console) -> None:
    table = Table(box=None, padding=(0, 1), show_header=False, show_edge=False)
    table.add_column(justify="right", style="dim")
    table.add_column()
    for one in nearest:
        table.add_row(f"{one['cosine']:.3f}", Text(one["word"]))
    console.print(table)


def _judged(judged: Mapping[str, Any], console: Console) -> None:
    heading(console, "analogies")
    table = Table(box=None, padding=(0, 1), header_style="dim", show_edge=False)
    for title in ("category", "right", "95 % interval", "covered"):
        table.add_column(title, justify="left" if title == "category" else "right")
    for row in judged["categories"]:
        table.add_row(*_cells(row))
    table.add_section()
    for row in (*judged["kinds"], judged["all"]):
        table.add_row(*_cells(row), style="bold")
    console.print(table)
    total = judged["all"]
    said = f"Covered are the {total['covered']:,} of {total['questions']:,} questions whose four "
    said += "words all have a vector; the words of the question itself do not count as answers."
    if judged["folded"]:
        said += " The vectors know small letters only, so questions were read in small letters."
    paragraph(console, said)


def _cells(row: Mapping[str, Any]) -> list[Text]:
    covered = f"{row['covered']:,} of {row['questions']:,}"
    if not row["covered"]:
        return [Text(row["name"]), Text("-"), Text(""), Text(covered)]
    low, high = row["interval"]
    right = f"{100 * row['accuracy']:.1f} %"
    return [Text(row["name"]), Text(right), Text(f"{100 * low:.1f} to {100 * high:.1f}"),
            Text(covered)]  # fmt: skip
