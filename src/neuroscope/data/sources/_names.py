"""Column names as a source gives them, made clean and unique."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from neuroscope.base.errors import SchemaError


def clean_names(raw: Iterable[object], where: str = "") -> tuple[list[str], list[str]]:
    """Return stripped names and notes; an empty name becomes `column_<position from 1>`.

    Raises SchemaError for names that occur twice, with their positions.
    """
    names, notes = [], []
    for position, given in enumerate(raw, start=1):
        text = "" if given is None else str(given)
        name = " ".join(text.split())
        if not name:
            name = f"column_{position}"
            notes.append(f"column {position} has no name; it is called {name!r}")
        elif name != text:
            notes.append(f"column {position}: blanks taken out of the name {name!r}")
        names.append(name)
    names = _apart(names, notes)
    doubled = [name for name, count in Counter(names).items() if count > 1]
    if doubled:
        listed = "; ".join(f"{name!r} in columns {_positions(name, names)}" for name in doubled[:5])
        raise SchemaError(
            f"column names occur more than once: {listed}",
            where=where,
            remedy="give each column a name of its own",
        )
    return names, notes


def _apart(names: list[str], notes: list[str]) -> list[str]:
    """Rename columns that differ by upper and lower case only: SQL cannot tell them apart."""
    first: dict[str, str] = {}
    apart = []
    for position, name in enumerate(names, start=1):
        known = first.setdefault(name.casefold(), name)
        if known != name:
            notes.append(f"column {name!r} differs from {known!r} by case only: {name}_{position}")
        apart.append(name if known == name else f"{name}_{position}")
    return apart


def renamed_by_case(names: Iterable[str], occurs: Callable[[str], bool]) -> list[str]:
    """Return notes on names that DuckDB made up: "a_1" for an "a" that stands beside an "A".

    `occurs` tells whether a name is one that the source itself gives.
    """
    seen: dict[str, str] = {}
    notes = []
    for name in names:
        stem, _, number = name.rpartition("_")
        other = seen.get(stem.casefold())
        if other and number.isdigit() and not occurs(name):
            notes.append(f"column {stem!r} differs from {other!r} by case only: {name}")
        seen.setdefault(name.casefold(), name)
    return notes


def _positions(name: str, names: list[str]) -> str:
    places = [str(i) for i, other in enumerate(names, start=1) if other == name]
    return " and ".join([", ".join(places[:-1]), places[-1]])
