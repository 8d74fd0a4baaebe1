"""The readings of a long table, brought to one line for each moment of a series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from neuroscope.base.wording import counted, listed
from neuroscope.data.columns import cells
from neuroscope.data.series._grouping import Groups
from neuroscope.data.series.column import ends
from neuroscope.data.table import Table


class Gathered(NamedTuple):
    """Readings end to end, series after series."""

    starts: np.ndarray  # (n + 1,)
    times: np.ndarray  # (m,); steps from 0 without a time column
    channels: dict[str, np.ndarray]  # (m,) float32 each, NaN where missing
    once: dict[str, Any]  # plain columns of what is read once a series
    notes: tuple[str, ...]


def averaged(
    table: Table, groups: Groups, channels: Sequence[str], name: str, value: str,
    once: Sequence[str],
) -> Gathered:  # fmt: skip
    """Read a column for each channel; readings of the same moment are averaged."""
    del name, value, once  # of the other layout
    line, starts, times = _moments(groups)
    doubled = len(line) - len(times)
    notes = [f"{counted(doubled, 'reading')} of a moment that had one already, averaged"]
    found = {}
    for channel in channels:
        if channel not in table.names:
            continue
        given = cells(table, channel).numbers()[groups.order]
        given[~np.isfinite(given)] = np.nan
        found[channel] = (_means(line, given, len(times)) if doubled else given).astype(np.float32)
    return Gathered(starts, times, found, {}, tuple(notes[: doubled > 0]))


def pivoted(
    table: Table, groups: Groups, channels: Sequence[str], name: str, value: str,
    once: Sequence[str],
) -> Gathered:  # fmt: skip
    """Read the channels that a column names; readings of the same moment are averaged.

    Names that are not among `channels` and `once` are left out, and channels that do not occur are
    missing throughout.
    """
    codes, names = cells(table, name).categories()
    codes = codes[groups.order]
    given = cells(table, value).numbers()[groups.order]
    usable = (codes >= 0) & np.isfinite(given)
    place = {text: code for code, text in enumerate(names)}
    at = {text: usable & (codes == place.get(text, -2)) for text in (*once, *channels)}
    series = np.repeat(np.arange(len(groups)), np.diff(groups.starts))
    plain = {}
    for text in once:
        column = np.full(len(groups), np.nan)
        column[series[at[text]][::-1]] = given[at[text]][::-1]  # the first one stays
        plain[text] = pa.array(column, from_pandas=True)
    mine = np.zeros(len(codes), bool)
    for text in channels:
        mine |= at[text]
    line, starts, times = _moments(groups, mine)
    found, doubled = {}, 0
    for text in channels:
        rows = at[text][mine]
        found[text] = _means(line[rows], given[mine][rows], len(times)).astype(np.float32)
        doubled += int(rows.sum() - np.count_nonzero(~np.isnan(found[text])))
    notes = [f"{counted(doubled, 'reading')} of a moment that had one already, averaged"]
    unknown = sorted(set(names) - set(channels) - set(once))
    strange = [f"channels not known: {listed(unknown)}"] if unknown else []
    return Gathered(starts, times, found, plain, (*notes[: doubled > 0], *strange))


def _moments(
    groups: Groups, mine: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the line of each row, where the lines of each series start, and their times."""
    lengths = np.diff(groups.starts)
    series = np.repeat(np.arange(len(groups)), lengths)
    if groups.times is None:
        steps = np.arange(len(series)) - np.repeat(groups.starts[:-1], lengths)
        return np.arange(len(series)), groups.starts, steps.astype(np.float64)
    times = groups.times
    if mine is not None:
        series, times = series[mine], times[mine]
    new = np.r_[True, (np.diff(times) > 0) | (np.diff(series) > 0)][: len(times)]
    line = np.cumsum(new) - 1
    return line, ends(np.bincount(series[new], minlength=len(groups))), times[new]


def _means(line: np.ndarray, given: np.ndarray, lines: int) -> np.ndarray:
    """Return the mean of what is given for each line, NaN where nothing is."""
    there = ~np.isnan(given)
    count = np.bincount(line[there], minlength=lines)
    total = np.bincount(line[there], given[there], minlength=lines)
    with np.errstate(invalid="ignore"):
        return total / count
