"""What `look` says of sequences: channels without readings, gaps, readings out of order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neuroscope.base.wording import counted, listed, percent
from neuroscope.data.audit.finding import Finding, Subject, examples
from neuroscope.data.series.column import Readings, readings

_MANY_MISSING = 0.5  # share of a channel's readings from which it is told on its own
_SHOWN = 5


def check(subject: Subject) -> Iterator[Finding]:
    """Yield the findings about the sequences of a table."""
    found = readings(subject.table, subject.schema)
    yield _lengths(found)
    if (empty := found.lengths == 0).any():
        yield _empty(empty)
    if found.sorted_rows:
        yield _unsorted(found)
    learnable = found.values[np.isin(found.rows, subject.learnable)]
    gaps: dict[str, float] = {}
    for place, name in enumerate(found.names):
        known = learnable[:, place][~np.isnan(learnable[:, place])]
        if not len(known):
            yield _silent(name, "all-missing", "has no reading in any sequence that may train")
        elif (known == known[0]).all():
            yield _silent(name, "constant", "says the same in every reading that may train")
        elif len(known) < len(learnable):
            gaps[name] = 1 - len(known) / len(learnable)
        if np.isinf(found.values[:, place]).any():
            yield _infinite(found, place)
    if gaps:
        yield _gaps(gaps)


def _lengths(found: Readings) -> Finding:
    low, middle, high = (
        int(np.quantile(found.lengths, share)) if len(found) else 0 for share in (0, 0.5, 1)
    )
    span = f"{low:,} readings each" if low == high else (
        f"{low:,} to {high:,} readings, half of them {middle:,} or more"
    )  # fmt: skip
    return Finding(
        code="sequences", severity="info", count=len(found),
        what=f"{counted(len(found), 'sequence')} of {counted(len(found.names), 'channel')}: {span}",
        meaning="each sequence is one case, with one label",
        remedy="nothing to do",
    )  # fmt: skip


def _empty(empty: np.ndarray) -> Finding:
    return Finding(
        code="empty-sequences", severity="notice", count=int(empty.sum()), rows=examples(empty),
        what=f"{counted(int(empty.sum()), 'sequence')} without any reading",
        meaning="nothing can be told of them but what the plain columns say",
        remedy="leave them out if they are errors",
    )  # fmt: skip


def _unsorted(found: Readings) -> Finding:
    return Finding(
        code="unsorted", severity="info", count=found.sorted_rows,
        what=f"readings out of order in {counted(found.sorted_rows, 'sequence')}",
        meaning="they are sorted by their time",
        remedy="nothing to do",
    )  # fmt: skip


def _silent(name: str, code: str, what: str) -> Finding:
    return Finding(
        code=code, severity="notice", column=name,
        what=f"{name!r} {what}",
        meaning="there is nothing to learn from it; it is left out",
        remedy="nothing to do; if there should be readings, check how the file was made",
    )  # fmt: skip


def _infinite(found: Readings, place: int) -> Finding:
    infinite = np.isinf(found.values[:, place])
    rows = np.unique(found.rows[infinite])
    return Finding(
        code="infinite", severity="notice", column=found.names[place], count=int(infinite.sum()),
        rows=examples(rows),
        what=f"{found.names[place]!r} is infinite in {counted(int(infinite.sum()), 'reading')}",
        meaning="infinity usually comes from a division by zero; it counts as missing here",
        remedy="correct the readings at their source",
    )  # fmt: skip


def _gaps(gaps: dict[str, float]) -> Finding:
    order = sorted(gaps, key=lambda name: -gaps[name])
    shown = [f"{name!r} {percent(gaps[name])}" for name in order]
    many = gaps[order[0]] > _MANY_MISSING
    return Finding(
        code="gaps", severity="notice" if many else "info", columns=tuple(order), count=len(gaps),
        what=f"{counted(len(gaps), 'channel')} with missing readings: {listed(shown, _SHOWN)}",
        meaning="a model of steps is told the last reading, that it is old, and how old",
        remedy="nothing to do; not being measured often tells something",
    )  # fmt: skip
