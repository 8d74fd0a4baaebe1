"""Small words in messages."""

from __future__ import annotations

from collections.abc import Sequence

APART_FROM = 10_000  # thousands stand apart from here on, so that a year reads as one


def counted(n: int, noun: str) -> str:
    """Return "1 row", "2,000 rows"; "class" and "category" have their own plurals."""
    if n == 1:
        return f"1 {noun}"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{n:,} {noun[:-1]}ies"
    return f"{n:,} {noun}{'es' if noun.endswith('s') else 's'}"


def listed(names: Sequence[str], most: int = 5) -> str:
    """Return the first `most` names, and "…" if there are more."""
    return ", ".join(names[:most]) + (" …" if len(names) > most else "")


def percent(share: float) -> str:
    """Return a share as "12 %", "0.3 %" or "under 0.1 %"."""
    value = 100 * share
    if 0 < value < 0.1:
        return "under 0.1 %"
    return f"{value:.1f} %" if value < 10 else f"{value:.0f} %"


def number(value: float) -> str:
    """Return a number as a person writes it: "1,490,400", "0.00225", and a year as "1880"."""
    if abs(value) < 1000:
        return f"{value:.4g}"
    return f"{value:.0f}" if abs(value) < APART_FROM else f"{value:,.0f}"
