"""The moments forecasts are made at, and which of them teach and judge: by time, never at random.

The newest part tests. Of the older part each fold judges origins that come after all that its
training has seen: no target that is learned from lies behind the first origin that is judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from neuroscope.base.errors import InputError
from neuroscope.base.wording import counted
from neuroscope.data.series.panel import Panel
from neuroscope.data.splits import Split

TEST_SHARE = 0.2  # of the time that the series span
MOST_FOLDS = 4
MOST_JUDGED = 30_000  # origins in each part that judges; more hardly narrow an interval
MOST_NUMBERS = 24_000_000  # readings in all training windows, about 200 MB
CROSSED_NUMBERS = 1_000_000  # readings in all windows up to which folds cross
FEWEST_BLOCKS = 6  # that an interval is drawn from


@dataclass(frozen=True, eq=False)
class Origins:
    """n origins: the series, how many of its readings are known, and the first step forecast.

    `when` (n,) int64 is the place of that step on the grid. `block` (n,) numbers origins whose
    forecasts overlap, or nearly: they are drawn together.
    """

    series: np.ndarray
    at: np.ndarray
    when: np.ndarray
    block: np.ndarray

    def __len__(self) -> int:
        return len(self.series)


@dataclass(frozen=True)
class Cuts:
    """Places on the grid: the first step that each fold judges, and the first of the test."""

    folds: tuple[int, ...]
    test: int
    end: int  # one behind the last step


@dataclass(frozen=True, eq=False)
class Plan:
    """The origins of a panel and which of them do what; `clock` (s,) is added to a reading's place.

    Where series do not share their time (their ends differ by more than the test) each one's
    readings are counted from its end.
    """

    origins: Origins
    split: Split
    cuts: Cuts
    clock: np.ndarray


def plan_origins(panel: Panel, horizon: int, look_back: int) -> Plan:
    """Choose all origins and divide them by time.

    Raises InputError where the series are too short for the horizon, with what would fit.
    """
    clock, notes = _clock(panel)
    cuts, reason, method = _cuts(panel, clock, horizon, look_back)
    series, at = _every(panel, horizon, look_back, cuts.end - clock)
    when = clock[series] + at
    block, said = _blocks(series, when, horizon, cuts)
    block = np.unique(block, return_inverse=True)[1]
    origins = Origins(series, at, when, block)
    test = np.flatnonzero((when >= cuts.test) & (when + horizon <= cuts.end))
    development = np.flatnonzero(when + horizon <= cuts.test)
    folds = _folds(when, development, cuts, horizon, look_back)
    if not len(test) or not all(len(train) and len(valid) for train, valid in folds):
        raise _too_short(panel, horizon, look_back)
    test = _thinned(test, MOST_JUDGED)
    used = np.zeros(len(series), bool)
    for part in (test, *(rows for fold in folds for rows in fold)):
        used[part] = True
    development = development[used[development]]
    split = Split(test, development, folds, method, reason, (*notes, *said))
    return Plan(origins, split, cuts, clock)


def first_judged(panel: Panel, horizon: int) -> np.ndarray:
    """Return how many readings of each series (s,) no plan judges, whatever its look-back.

    What is chosen before there is a plan may be chosen from these.
    """
    clock, _ = _clock(panel)
    begin, parts = int(clock.min()), panel.parts
    if parts is not None and parts.valid is not None:
        return parts.valid - clock
    test = _first_tested(panel, clock, horizon)
    return begin + (test - begin) // 2 - clock


def _first_tested(panel: Panel, clock: np.ndarray, horizon: int) -> int:
    begin, end = int(clock.min()), int((clock + panel.lengths).max())
    parts = panel.parts
    if parts is not None and parts.test is not None:
        return parts.test
    end = end if parts is None else parts.end
    return end - _test_steps(panel, clock, begin, end, horizon)


def _clock(panel: Panel) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return what turns readings of each series into common time, and a note where it is not."""
    first, last = panel.first, panel.last
    span = last.max() - first.min()
    late = last.max() - max(int(TEST_SHARE * span), 1)
    if panel.parts is not None or (last > late).mean() >= 0.5:
        return first, ()
    longest = panel.lengths.max()
    note = ("the series do not end together: the newest part of each one tests, whatever its date",)
    return longest - panel.lengths, note


def _cuts(
    panel: Panel, clock: np.ndarray, horizon: int, look_back: int
) -> tuple[Cuts, str, Literal["time", "column"]]:
    parts = panel.parts
    begin, end = int(clock.min()), int((clock + panel.lengths).max())
    if parts is not None:
        end = parts.end
    named = parts is not None and parts.test is not None
    test = _first_tested(panel, clock, horizon)
    reason = "the split column names the parts" if named else (
        f"the newest {end - test:,} of {end - begin:,} steps test"
    )  # fmt: skip
    if parts is not None and parts.valid is not None:
        return Cuts((parts.valid,), test, end), f"{reason}; one part validates", "column"
    space = test - begin
    judged = min(space // 2, space - look_back - 2 * horizon)
    if judged < horizon:
        judged = min(horizon, space - 2 * horizon)
    if judged < horizon or space < 3 * horizon:
        raise _too_short(panel, horizon, look_back)
    numbers = len(panel.values) * (look_back + horizon)
    folds = min(MOST_FOLDS, judged // horizon) if numbers <= CROSSED_NUMBERS else 1
    if folds == 1:
        judged = max(horizon, min(judged, space // 5))
    starts = test - judged + (judged * np.arange(folds)) // folds
    how = f"{folds} rolling folds of the {judged:,} steps before" if folds > 1 else (
        f"the {judged:,} steps before compare the rungs"
    )  # fmt: skip
    return Cuts(tuple(int(s) for s in starts), test, end), f"{reason}; {how}", (
        "column" if named else "time")  # fmt: skip


def _test_steps(panel: Panel, clock: np.ndarray, begin: int, end: int, horizon: int) -> int:
    """Return how many steps test: a fifth of all readings, and at least twice the horizon."""
    lengths = np.zeros(end - begin + 1)
    np.add.at(lengths, clock - begin, 1)
    np.add.at(lengths, clock + panel.lengths - begin, -1)
    running = np.cumsum(np.cumsum(lengths)[:-1])  # readings up to each step
    newest = end - begin - int(np.searchsorted(running, (1 - TEST_SHARE) * running[-1]))
    span = end - begin
    return int(np.clip(newest, min(2 * horizon, max(span // 3, horizon)), max(span // 2, horizon)))


def _every(
    panel: Panel, horizon: int, look_back: int, ends: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return (series, readings known) of every origin whose whole horizon is there.

    A series shorter than window and horizon has origins from half of its length on.
    """
    lengths = np.minimum(panel.lengths, ends)
    whole = lengths >= look_back + horizon
    first = np.where(whole, look_back, np.maximum(lengths // 2, 1))
    count = np.maximum(lengths - horizon - first + 1, 0)
    series = np.repeat(np.arange(len(panel)), count)
    begun = np.repeat(np.cumsum(count) - count, count)
    return series, np.repeat(first, count) + np.arange(len(series)) - begun


def _folds(
    when: np.ndarray, development: np.ndarray, cuts: Cuts, horizon: int, look_back: int
) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """Return (train, valid) of each fold; training targets end before the first judged origin."""
    ends = [*cuts.folds[1:], cuts.test]
    moments = when[development]
    most = max(MOST_NUMBERS // (look_back + horizon), 1000)
    return tuple(
        (
            _thinned(development[moments + horizon <= start], most),
            _thinned(development[(moments >= start) & (moments < end)],
                     max(MOST_JUDGED // len(ends), 1)),
        )
        for start, end in zip(cuts.folds, ends, strict=True)
    )  # fmt: skip


def _thinned(rows: np.ndarray, most: int) -> np.ndarray:
    """Return about every so manyth row, evenly over series and time."""
    if len(rows) <= most:
        return rows
    return rows[np.unique(np.linspace(0, len(rows) - 1, most).astype(np.int64))]


def _blocks(
    series: np.ndarray, when: np.ndarray, horizon: int, cuts: Cuts
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Number the blocks of neighbouring origins that an interval draws together.

    Blocks are a horizon long, over all series at once, because what happens to one often happens
    to all. Where the test has too few of them each series has its own, and then they are shorter.
    """
    if not len(when):
        return when, ()
    when = when - cuts.folds[0]
    tested = max(cuts.end - cuts.test - horizon + 1, 1)
    if tested >= FEWEST_BLOCKS * horizon:
        return when // horizon, ()
    if len(np.unique(series)) >= 5 * FEWEST_BLOCKS:
        long = int(when.max() // horizon - when.min() // horizon) + 1
        note = "intervals take the series for independent of each other: there is little time"
        return series * long + when // horizon, (f"{note} to draw blocks from",)
    length = max(tested // FEWEST_BLOCKS, 1)
    note = (
        f"the test has room for {tested:,} forecasts of {counted(horizon, 'step')}, which overlap: "
        "its intervals are narrower than they should be"
    )
    return when // length, (note,)


def _too_short(panel: Panel, horizon: int, look_back: int) -> InputError:
    longest = int(panel.lengths.max())
    return InputError(
        f"the longest series has {longest:,} readings, too few to learn and to judge forecasts of "
        f"{counted(horizon, 'step')} from {counted(look_back, 'reading')} each",
        remedy=f"give a --horizon of at most {max(longest // 8, 1)}, or a longer history",
    )
