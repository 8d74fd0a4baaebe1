"""Rows of a long or wide table gathered into sequences: one row a series, one list a channel.

    long   series, time, channel, channel, ..., label      a row for each moment
    named  series, time, name of the channel, value, ...   a row for each reading
    wide   x1, y1, x2, y2, ..., label                      a row for each series

What does not change within a series (the label, an age) stays a plain column. `plan` says what
there is to do and can be kept as JSON, so that later tables are gathered in the same way; `gather`
does it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from neuroscope.base.errors import InputError, SchemaError
from neuroscope.base.wording import counted, listed
from neuroscope.data import _kinds
from neuroscope.data.columns import cells
from neuroscope.data.schema import TARGET_NAMES
from neuroscope.data.series import _grouping as grouping
from neuroscope.data.series._grouping import Groups, grouped
from neuroscope.data.series._readings import averaged, pivoted
from neuroscope.data.series.column import as_lists
from neuroscope.data.table import Table

FEWEST_STEPS = 3  # numbered columns of a name from which they are a series
_MOST_NAMES = 1000  # channels that a column of words may name
_MAY_REPEAT = 0.005  # share of series that may hold a fact of theirs, as an age, more than once
_NUMBERED = re.compile(r"^(.*?)[_\-. ]*(\d+)$")


@dataclass(frozen=True)
class Plan:
    """How a table is gathered; column names throughout."""

    layout: Literal["long", "named", "wide"]
    series: str = ""  # says which series a row belongs to
    time: str = ""  # "" where the rows of a series stand in order
    channels: tuple[str, ...] = ()  # the series columns that come out
    constant: tuple[str, ...] = ()  # plain columns of the table, the same all through a series
    once: tuple[str, ...] = ()  # named channels that are read once a series: plain columns too
    name: str = ""  # named: says which channel a row reads
    value: str = ""  # named: what was read
    steps: tuple[tuple[str, ...], ...] = ()  # wide: the columns of each channel

    def to_json(self) -> dict[str, Any]:
        """Return the plan as a JSON object; `from_json` gives an equal plan back."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()} | {
            "steps": [list(columns) for columns in self.steps]
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Plan:
        """Build the plan that `to_json` wrote."""
        fields: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in record.items()
        }
        fields["steps"] = tuple(tuple(columns) for columns in fields["steps"])
        return cls(**fields)


def gathered(
    table: Table, *, series: str | None, time: str | None, plain: Sequence[str] = (),
    labelled: bool = False,
) -> Table:  # fmt: skip
    """Plan for a table and follow the plan; `series` None is the wide layout.

    `plain` names columns that must not change within a series: the target, a group, a split. Unless
    the data are `labelled`, the target among them, no column that is called like one may change
    either. What was done on the way is in the notes of the origin. Raises SchemaError for columns
    that are not there, labels that change within a series, and when there is nothing to gather.
    """
    return gather(table, plan(table, series=series, time=time, plain=plain, labelled=labelled))


def plan(
    table: Table, *, series: str | None, time: str | None, plain: Sequence[str] = (),
    labelled: bool = False,
) -> Plan:  # fmt: skip
    """Return how a table is to be gathered; arguments and errors as of `gathered`."""
    if series is None:
        return _wide(table, plain)
    groups = grouped(table, series, time)
    values, constant, changing = {}, [], []
    for name in table.names:
        if name in (series, time):
            continue
        values[name] = grouping.numbers(table, name)
        changes = grouping.varying(values[name], groups)
        like_a_label = not labelled and name.casefold() in TARGET_NAMES
        if changes is not None and (name in plain or like_a_label):
            raise _changed(table, name, series, groups, changes)
        (constant if changes is None else changing).append(name)
    words = [name for name in changing if _kinds.is_words(table.arrow.column(name).type)]
    read = [name for name in changing if _is_reading(table.arrow.column(name).type)]
    if len(words) == len(read) == 1 and groups.times is not None and _repeats(groups):
        return _named(table, groups, Plan("named", series, time or "", name=words[0],
                                          value=read[0], constant=tuple(constant)))  # fmt: skip
    # A column without any value is a channel that was never read, not a fact about the series.
    empty = [n for n in constant if np.isnan(values[n]).all() and n not in plain]
    constant = [n for n in constant if n not in empty]
    if not read:
        raise SchemaError(
            f"no column of numbers changes within a series of {series!r}",
            remedy="name the column that says which series a row belongs to with --series",
        )
    return Plan("long", series, time or "", tuple(read), tuple(constant))


def _is_reading(kind: pa.DataType) -> bool:
    return _kinds.is_number(kind) or pa.types.is_boolean(kind) or pa.types.is_decimal(kind)


def _repeats(groups: Groups) -> bool:
    """Tell whether most rows share their series and time with another row."""
    assert groups.times is not None
    same = np.diff(groups.times) == 0
    same[groups.starts[1:-1] - 1] = False
    alike = np.r_[same, False] | np.r_[False, same]
    return bool(alike.mean() > 0.5)


def _named(table: Table, groups: Groups, start: Plan) -> Plan:
    codes, names = cells(table, start.name).categories()
    if len(names) > _MOST_NAMES:
        raise SchemaError(
            f"{len(names):,} different words in column {start.name!r} are no channels",
            remedy="leave the column out with --drop",
        )
    codes, values = codes[groups.order], cells(table, start.value).numbers()[groups.order]
    there = (codes >= 0) & ~np.isnan(values)
    series = np.repeat(np.arange(len(groups)), np.diff(groups.starts))
    counts = np.bincount(series[there] * len(names) + codes[there],
                         minlength=len(groups) * len(names)).reshape(-1, len(names))  # fmt: skip
    again = (counts > 1).sum(axis=0)
    once = (again <= _MAY_REPEAT * len(groups)) & (counts.sum(axis=0) > again)
    order = sorted(range(len(names)), key=lambda k: names[k])
    return replace(
        start,
        channels=tuple(names[k] for k in order if not once[k]),
        once=tuple(names[k] for k in order if once[k]),
    )


def _wide(table: Table, plain: Sequence[str]) -> Plan:
    """Find columns named like x1, x2, ... that hold numbers."""
    found: dict[str, dict[int, str]] = {}
    for name in table.names:
        match = _NUMBERED.match(name)
        if match and name not in plain and _is_reading(table.arrow.column(name).type):
            found.setdefault(match[1], {})[int(match[2])] = name
    whole = {stem: steps for stem, steps in found.items() if _consecutive(steps)}
    longest = max(map(len, whole.values()), default=0)
    whole = {stem: steps for stem, steps in whole.items() if len(steps) == longest}
    if longest < FEWEST_STEPS:
        raise InputError(
            "there are no sequences in these data",
            remedy="name the column that says which series a row belongs to with --series, or "
            "number the columns of each channel: x1, x2, x3, …",
        )
    taken = {name for steps in whole.values() for name in steps.values()}
    constant = tuple(name for name in table.names if name not in taken)
    columns = tuple(tuple(steps[k] for k in sorted(steps)) for steps in whole.values())
    free = [stem if stem and stem not in constant else f"{stem or 'value'} series"
            for stem in whole]  # fmt: skip
    return Plan("wide", channels=tuple(free), constant=constant, steps=columns)


def _consecutive(steps: Mapping[int, str]) -> bool:
    return len(steps) >= FEWEST_STEPS and max(steps) - min(steps) + 1 == len(steps)


def _changed(table: Table, name: str, series: str, groups: Groups, at: int) -> SchemaError:
    one, other = grouping.two_values(table, name, groups, at)
    first = table.arrow.column(series)[int(groups.firsts[at])].as_py()
    return SchemaError(
        f"{name!r} changes within series {first!r}: {one} and {other}",
        where=f"column {name!r}",
        remedy="give each sequence one label; to forecast a number, add --task series_forecast",
    )


def gather(table: Table, how: Plan) -> Table:
    """Return one row a series, by a plan that was made for this table or one like it.

    Columns of the plan that are not there are left out, but for those that say what a row is
    (SchemaError); labels, for instance, may be missing.
    """
    if how.layout == "wide":
        return _gathered_wide(table, how)
    needed = [how.series, *filter(None, (how.time, how.name, how.value))]
    lacking = [name for name in needed if name not in table.names]
    if lacking:
        raise SchemaError(
            f"columns are missing: {', '.join(map(repr, lacking))}", where=table.origin.text,
            remedy="give rows laid out like those of the training",
        )  # fmt: skip
    groups = grouped(table, how.series, how.time or None)
    first = pa.array(groups.firsts)
    columns: dict[str, Any] = {how.series: table.arrow.column(how.series).take(first)}
    for name in how.constant:
        if name in table.names:
            rows = grouping.constant_rows(grouping.numbers(table, name), groups)
            columns[name] = table.arrow.column(name).take(pa.array(rows))
    make = pivoted if how.layout == "named" else averaged
    found = make(table, groups, how.channels, how.name, how.value, how.once)
    if how.time:
        columns[how.time] = _axis(table.arrow.column(how.time).type, found.times, found.starts)
    columns |= {n: as_lists(v, found.starts) for n, v in found.channels.items()} | found.once
    notes = [*groups.notes, *found.notes, *_left_out(table, how)]
    return _made(table, columns, how, [_said(len(groups), found.channels, how), *notes])


def _axis(kind: pa.DataType, times: np.ndarray, starts: np.ndarray) -> pa.ListArray:
    """Return times as lists, moments of a calendar as such (in UTC)."""
    if _kinds.is_number(kind) or pa.types.is_time(kind):
        return as_lists(times, starts)
    whole = np.rint(times * 1e6).astype(np.int64)
    return as_lists(pa.array(whole).cast(pa.timestamp("us")), starts)


def _said(count: int, channels: Mapping[str, Any], how: Plan) -> str:
    by = f" by {how.series!r}" if how.series else ""
    return f"gathered into {counted(count, 'sequence')}{by} of {counted(len(channels), 'channel')}"


def _left_out(table: Table, how: Plan) -> list[str]:
    used = {how.series, how.time, how.name, how.value, *how.channels, *how.constant}
    rest = [name for name in table.names if name not in used]
    return [f"not read, since no numbers: {listed(rest)}"] if rest else []


def _gathered_wide(table: Table, how: Plan) -> Table:
    columns: dict[str, Any] = {n: table.arrow.column(n) for n in how.constant if n in table.names}
    for channel, names in zip(how.channels, how.steps, strict=True):
        if not set(names) <= set(table.names):
            lacking = [repr(name) for name in names if name not in table.names]
            raise SchemaError(f"columns are missing: {listed(lacking)}", where=table.origin.text)
        whole = np.stack([cells(table, name).numbers() for name in names], axis=1)
        starts = np.arange(table.rows + 1, dtype=np.int64) * len(names)
        columns[channel] = as_lists(whole.astype(np.float32).ravel(), starts)
    said = _said(table.rows, dict.fromkeys(how.channels), how)
    return _made(table, columns, how, [f"{said} and {len(how.steps[0])} steps"])


def _made(table: Table, columns: Mapping[str, Any], how: Plan, notes: Sequence[str]) -> Table:
    origin = replace(table.origin, notes=(*table.origin.notes, *notes), gathered=how.to_json())
    return Table(pa.table(dict(columns)), origin)
