"""A table of readings as regular series: sorted, on one grid, gaps known and never made up.

Each target column of each series id is a series of its own; one model learns from all of them
(channel independence; Nie et al. 2023, "A Time Series is Worth 64 Words").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
import pyarrow as pa

from neuroscope.base.errors import InputError, SchemaError, TargetError, did_you_mean
from neuroscope.data import _kinds
from neuroscope.data.columns import cells
from neuroscope.data.series.beside.beside import Beside
from neuroscope.data.series.beside.lines import Lines, lay
from neuroscope.data.series.frequency import Frequency, infer_frequency
from neuroscope.data.series.running import Running, running
from neuroscope.data.series.zones import absolute, local, unfolded, zone_of
from neuroscope.data.table import Table

MOST_DOUBLED = 0.2  # share of rows with a time that was there before, above which an id is missing
MOST_GAPS = 0.5  # share of the grid without a row, above which there is no common step
MOST_OFF_GRID = 0.05  # share of rows between the steps
PARTS = {"train": 0, "training": 0, "valid": 1, "validation": 1, "val": 1, "dev": 1,
         "test": 2, "testing": 2}  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """Which columns hold what; `series` and `split` may be missing."""

    time: str
    targets: tuple[str, ...]
    series: str | None = None
    split: str | None = None
    ahead: tuple[str, ...] = ()  # columns beside the targets that are known for steps to come
    past: tuple[str, ...] = ()  # those that are known up to now
    codes: tuple[str, ...] = ()  # of both, numbers that stand for categories
    zone: str = ""  # whose clocks the times go by, "" where they name none

    def check(self, table: Table) -> None:
        """Raise a SchemaError for a column that is not there."""
        named = [("time", self.time), *(("target", name) for name in self.targets)]
        named += [("future", name) for name in self.ahead] + [("past", name) for name in self.past]
        named += [("series", self.series)] if self.series else []
        named += [("split", self.split)] if self.split else []
        for what, name in named:
            if name not in table.names:
                hint = did_you_mean(name, table.names)
                listed = f"columns: {', '.join(table.names[:20])}"
                raise SchemaError(f"{what} column {name!r} not found",
                                  remedy=f"{hint} {listed}".strip())  # fmt: skip


@dataclass(frozen=True)
class Repairs:
    """What was found and set right on the way from rows to series; counts of rows or steps."""

    rows: int = 0
    unsorted: bool = False
    undated: int = 0  # rows without a time, left out
    doubled: int = 0  # rows whose time was there before
    clashing: int = 0  # of those, rows that say something else; their mean is taken
    off_grid: int = 0  # rows between two steps, moved to the nearer
    gaps: int = 0  # steps within a series without a reading
    longest_gap: int = 0
    empty: tuple[str, ...] = ()  # series without a reading, left out
    constant: tuple[str, ...] = ()
    example: int = 0  # data row of the first doubled time, from 1; 0 is none


@dataclass(frozen=True)
class Parts:
    """What a split column says of the grid: the first step of each part, and the last of all."""

    valid: int | None
    test: int | None
    end: int  # one behind the last step that belongs to a part


@dataclass(frozen=True, eq=False)
class Panel:
    """Series end to end: series s has the readings `bounds[s]` to `bounds[s + 1]`.

    A series begins and ends with a reading; gaps within are NaN.
    """

    frequency: Frequency
    dated: bool  # moments are seconds since 1970, else plain numbers
    names: tuple[str, ...]  # (s,) the series id of each series; "" where there is none
    targets: tuple[str, ...]  # (s,) the column of each series
    first: np.ndarray  # (s,) int64, place of the first reading on the grid
    bounds: np.ndarray  # (s + 1,) int64
    values: np.ndarray  # (m,) float64
    repairs: Repairs = field(default_factory=Repairs)
    parts: Parts | None = None
    zone: str = ""
    owner: np.ndarray | None = None  # (s,) int64, the line of `lines` that belongs to each series
    lines: Lines | None = None  # columns beside the targets, as they were read
    beside: Beside | None = None  # and as numbers, with the calendar; None where there are none

    def __len__(self) -> int:
        return len(self.names)

    @property
    def lengths(self) -> np.ndarray:
        """Steps from the first to the last reading of each series (s,)."""
        return np.diff(self.bounds)

    @property
    def last(self) -> np.ndarray:
        """Place on the grid behind the last reading of each series (s,)."""
        return self.first + self.lengths

    def label(self, series: int) -> str:
        """Return what a series is called: its id, its column, or both where both tell."""
        name, target = self.names[series], self.targets[series]
        return " ".join(filter(None, [name, target if self._several or not name else ""]))

    def utc(self, place: np.ndarray) -> np.ndarray:
        """Return the moments (n,) in UTC of places on the grid; without a zone as clocks say."""
        moments = self.frequency.moments(place)
        return absolute(moments, self.zone) if self.frequency.wall else moments

    @cached_property
    def _several(self) -> bool:
        return len(set(self.targets)) > 1

    @cached_property
    def next_known(self) -> np.ndarray:
        """The nearest place (m,) from each reading on that holds a value; gaps end within."""
        places = np.where(np.isfinite(self.values), np.arange(len(self.values)), len(self.values))
        return np.minimum.accumulate(places[::-1])[::-1]

    @cached_property
    def carried(self) -> np.ndarray:
        """Readings (m,) with the last known value in gaps."""
        known = np.isfinite(self.values)
        return self.values[np.maximum.accumulate(np.where(known, np.arange(len(known)), 0))]

    @cached_property
    def running(self) -> Running:
        """Sums of the readings up to each of them."""
        return running(self.carried, self.bounds)

    @cached_property
    def bridged(self) -> np.ndarray:
        """Readings (m,) with a straight line over gaps, from the value before to the one behind."""
        known = np.flatnonzero(np.isfinite(self.values))
        return np.interp(np.arange(len(self.values)), known, self.values[known])


def panel_of(table: Table, layout: Layout, frequency: Frequency | None = None) -> Panel:
    """Bring the readings of a table onto one grid; `frequency` is that of a trained model.

    Raises SchemaError for columns that are missing or hold no times or numbers, InputError for
    times without a common step, TargetError where no target holds a number.
    """
    layout.check(table)
    rows = _Rows.read(table, layout)
    rows, frequency = _on_clocks(rows, layout.zone, frequency)
    index, off = frequency.place(rows.moments)
    _check_grid(rows, index, off, frequency, layout)
    merged = _Merged.of(rows, index)
    panel = _trimmed(merged, rows, frequency, layout)
    repairs = _repairs(rows, merged, panel, int(off.sum()))
    parts = None if rows.parts is None else _parts(rows, index, str(layout.split))
    names, lines = (*layout.ahead, *layout.past), None
    if names:
        lines = lay(table, names, rows.numbers, rows.series, index, categories=layout.codes)
    return replace(panel, repairs=repairs, parts=parts, zone=layout.zone, lines=lines)


def _on_clocks(rows: _Rows, zone: str, frequency: Frequency | None) -> tuple[_Rows, Frequency]:
    """Return the rows with the moments that their grid counts, and the grid.

    Days and longer steps go by local clocks, hours and shorter ones by UTC, where none comes twice.
    """
    found = frequency or infer_frequency(rows.moments, rows.series, dated=rows.dated)
    if not zone or not rows.dated:
        return rows, found
    clocks = local(rows.moments, zone) if rows.zoned else rows.moments
    if frequency is None:
        found = infer_frequency(clocks, rows.series, dated=True)
    if found.wall:
        return replace(rows, moments=clocks), found
    moments = rows.moments if rows.zoned else unfolded(clocks, zone, rows.series)
    return replace(rows, moments=moments), frequency or infer_frequency(
        moments, rows.series, dated=True)  # fmt: skip


def default_targets(table: Table, besides: Sequence[str]) -> tuple[str, ...]:
    """Return all columns of numbers but `besides`; SchemaError where there is none."""
    found = tuple(
        name for name in table.names
        if name not in besides and _kinds.is_number(table.arrow.column(name).type)
    )  # fmt: skip
    if not found:
        raise SchemaError("no column of numbers is left to forecast",
                          remedy="name one with --target")  # fmt: skip
    return found


@dataclass(frozen=True)
class _Rows:
    """The rows that have a time: moment, series number, targets (n, k), part."""

    moments: np.ndarray
    dated: bool
    series: np.ndarray
    names: list[str]
    values: np.ndarray
    parts: np.ndarray | None
    numbers: np.ndarray  # data rows, from 0
    undated: int
    zoned: bool  # the moments are in UTC; else they are what local clocks show

    @classmethod
    def read(cls, table: Table, layout: Layout) -> _Rows:
        column = table.arrow.column(layout.time)
        dated = not _kinds.is_number(column.type)
        try:
            moments = cells(table, layout.time).moments()
        except SchemaError as error:
            error.remedy = "give dates such as 2024-01-31, or numbers that grow with time"
            raise
        there = np.flatnonzero(np.isfinite(moments))
        if not len(there):
            raise SchemaError("no row has a time", where=f"column {layout.time!r}",
                              remedy="name the column of times with --time")  # fmt: skip
        codes, names = np.zeros(len(there), np.int64), [""]
        if layout.series is not None:
            codes, names = cells(table, layout.series, there).categories()
            if (codes < 0).any():
                codes, names = np.where(codes < 0, len(names), codes), [*names, ""]
        values = np.column_stack([_numbers(table, name, there) for name in layout.targets])
        parts = None if layout.split is None else _part_codes(table, layout.split, there)
        return cls(moments[there], dated, codes, names, values, parts, there,
                   table.rows - len(there), bool(zone_of(table, layout.time)))  # fmt: skip


def _numbers(table: Table, name: str, rows: np.ndarray) -> np.ndarray:
    if pa.types.is_temporal(table.arrow.column(name).type):
        raise TargetError("dates cannot be forecast", where=f"column {name!r}",
                          remedy="name a column of numbers with --target")  # fmt: skip
    numbers = cells(table, name, rows).numbers()
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _part_codes(table: Table, name: str, rows: np.ndarray) -> np.ndarray:
    codes, labels = cells(table, name, rows).categories()
    for code, text in enumerate(labels):
        if text.strip().casefold() not in PARTS:
            row = 1 + int(rows[np.flatnonzero(codes == code)[0]])
            raise SchemaError(f"{text!r} names no part", where=f"column {name!r}, row {row}",
                              remedy="use train, valid and test")  # fmt: skip
    known = np.array([*(PARTS[text.strip().casefold()] for text in labels), -1])
    return known[codes]


def _check_grid(
    rows: _Rows, index: np.ndarray, off: np.ndarray, frequency: Frequency, layout: Layout
) -> None:
    """Refuse times without a common step, and times that come again and again."""
    order = np.lexsort((index, rows.series))
    new = np.diff(index[order], prepend=index[order][0] - 1) != 0
    new |= np.diff(rows.series[order], prepend=-1) != 0
    doubled = 1 - new.mean()
    where = f"column {layout.time!r}"
    if doubled > MOST_DOUBLED:
        each = "of one series " if layout.series else ""
        raise InputError(
            f"{100 * doubled:.0f} % of the rows {each}have a time that was there before",
            where=where, remedy="name the column that tells the series apart with --series, "
            "or add up the rows of one time",
        )  # fmt: skip
    starts = np.flatnonzero(np.diff(rows.series[order], prepend=-1) != 0)
    spans = np.maximum.reduceat(index[order], starts) - np.minimum.reduceat(index[order], starts)
    steps = int((spans + 1).sum())
    gaps = 1 - new.sum() / max(steps, 1)
    if gaps > MOST_GAPS or off.mean() > MOST_OFF_GRID:
        what = (f"{100 * gaps:.0f} % of the steps have no row" if gaps > MOST_GAPS
                else f"{100 * off.mean():.0f} % of the rows lie between two steps")  # fmt: skip
        raise InputError(
            f"the times have no common step: the most common one is {frequency.words}, and {what}",
            where=where, remedy="bring all rows to one step first, for instance the sum of each "
            "day (--sql), or forecast each frequency on its own",
        )  # fmt: skip


@dataclass(frozen=True)
class _Merged:
    """One row for each series and step, sorted; targets (r, k) are means of doubled rows."""

    series: np.ndarray
    index: np.ndarray
    values: np.ndarray
    doubled: int
    clashing: int
    example: int

    @classmethod
    def of(cls, rows: _Rows, index: np.ndarray) -> _Merged:
        order = np.lexsort((index, rows.series))
        series, places, values = rows.series[order], index[order], rows.values[order]
        new = np.ones(len(order), bool)
        new[1:] = (np.diff(places) != 0) | (np.diff(series) != 0)
        if new.all():
            return cls(series, places, values, 0, 0, 0)
        starts = np.flatnonzero(new)
        known = np.isfinite(values)
        count = np.add.reduceat(known.astype(np.int64), starts)
        total = np.add.reduceat(np.where(known, values, 0.0), starts)
        mean = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
        group = np.cumsum(new) - 1
        apart = (known & (values != mean[group])).any(axis=1)
        again = np.flatnonzero(~new)
        return cls(series[starts], places[starts], mean, len(again), int(apart[again].sum()),
                   int(rows.numbers[order[again[0]]]) + 1)  # fmt: skip


def _trimmed(merged: _Merged, rows: _Rows, frequency: Frequency, layout: Layout) -> Panel:
    """Lay each target of each series on the grid, from its first reading to its last."""
    starts = np.flatnonzero(np.diff(merged.series, prepend=-1) != 0)
    owners = merged.series[starts]
    ends = np.append(starts[1:], len(merged.series))
    names: list[str] = []
    targets: list[str] = []
    first: list[int] = []
    ids: list[int] = []
    pieces: list[np.ndarray] = []
    empty: list[str] = []
    for owner, low, high in zip(owners, starts, ends, strict=True):
        places = merged.index[low:high]
        for number, target in enumerate(layout.targets):
            column = merged.values[low:high, number]
            known = np.flatnonzero(np.isfinite(column))
            if not len(known):
                empty.append(" ".join(filter(None, [rows.names[owner], target])))
                continue
            begin, end = places[known[0]], places[known[-1]]
            line = np.full(end - begin + 1, np.nan)
            line[places[known] - begin] = column[known]
            names.append(rows.names[owner])
            targets.append(target)
            first.append(int(begin))
            ids.append(int(owner))
            pieces.append(line)
    if not pieces:
        raise TargetError("all values are missing", where=f"column {layout.targets[0]!r}",
                          remedy="name another --target")  # fmt: skip
    bounds = np.concatenate([[0], np.cumsum([len(piece) for piece in pieces])]).astype(np.int64)
    return Panel(frequency, rows.dated, tuple(names), tuple(targets), np.array(first, np.int64),
                 bounds, np.concatenate(pieces), Repairs(empty=tuple(empty)),
                 owner=np.array(ids, np.int64))  # fmt: skip


def _repairs(rows: _Rows, merged: _Merged, panel: Panel, off_grid: int) -> Repairs:
    gone = ~np.isfinite(panel.values)
    run = np.diff(np.flatnonzero(np.concatenate([[True], ~gone, [True]]))) - 1
    low = np.minimum.reduceat(panel.bridged, panel.bounds[:-1])
    high = np.maximum.reduceat(panel.bridged, panel.bounds[:-1])
    flat = np.flatnonzero(low == high)
    backwards = (np.diff(rows.moments) < 0) & (np.diff(rows.series) == 0)
    return Repairs(
        rows=len(rows.moments), unsorted=bool(backwards.any()), undated=rows.undated,
        doubled=merged.doubled, clashing=merged.clashing, off_grid=off_grid,
        gaps=int(gone.sum()), longest_gap=int(run.max(initial=0)), empty=panel.repairs.empty,
        constant=tuple(panel.label(int(s)) for s in flat), example=merged.example,
    )  # fmt: skip


def _parts(rows: _Rows, index: np.ndarray, name: str) -> Parts:
    """Return the cuts of a split column; SchemaError where its parts do not follow each other."""
    assert rows.parts is not None
    train, valid, test = (index[rows.parts == part] for part in range(3))
    if not len(train):
        raise SchemaError("no row says 'train'", where=f"column {name!r}")
    named = [part for part in (train, valid, test) if len(part)]
    for before, after in pairwise(named):
        if before.max() >= after.min():
            raise SchemaError(
                "the parts do not follow each other in time", where=f"column {name!r}",
                remedy="older rows train, newer ones validate, the newest test",
            )  # fmt: skip
    end = int(max(part.max() for part in named)) + 1
    return Parts(int(valid.min()) if len(valid) else None,
                 int(test.min()) if len(test) else None, end)  # fmt: skip
