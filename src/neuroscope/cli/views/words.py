"""How numbers, times and lines are written on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from neuroscope.judge import kinds
from neuroscope.judge.metrics import amount

INDENT = 2
KINDS = {name: kind.title for name, kind in kinds.KINDS.items()}


def duration(seconds: float) -> str:
    """Return "0.4 s", "12 s", "3 min 05 s"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60:02d} s"


def shown(value: float | None, *, in_target_units: bool = False) -> str:
    """Return a score with three decimals, an amount with four digits."""
    if value is None:
        return "-"
    if not in_target_units:
        return f"{value:z.3f}"
    return amount(value)


def spread(interval: Sequence[float | None] | None, *, in_target_units: bool = False) -> str:
    """Return "0.812 to 0.870", or "" where there is no interval."""
    if interval is None or None in interval:
        return ""
    return " to ".join(shown(end, in_target_units=in_target_units) for end in interval)


def heading(console: Console, text: str) -> None:
    """Print a heading with an empty line before it."""
    console.print()
    console.print(Text(text, style="bold"))


def paragraph(console: Console, text: str | Text, indent: int = INDENT) -> None:
    """Print text, wrapped and indented; brackets in it are no markup."""
    body = Text(text) if isinstance(text, str) else text
    console.print(Padding(body, (0, 0, 0, indent)))


def bullets(console: Console, lines: Iterable[str | Text], mark: str, style: str) -> None:
    """Print each line with a mark before it; wrapped lines stay right of the mark."""
    from rich.table import Table  # noqa: PLC0415 - only where it is used

    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=INDENT + len(mark) - 1, justify="right")
    grid.add_column(ratio=1)
    for line in lines:
        grid.add_row(Text(mark, style=style), Text(line) if isinstance(line, str) else line)
    if grid.row_count:
        console.print(grid)
