"""What is odd about series before anything is forecast, in words and with what to do."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neuroscope.base.wording import counted, listed, percent
from neuroscope.data.audit.finding import Finding
from neuroscope.data.series.panel import Panel

_MANY_GAPS = 0.05  # share of the steps from which gaps are more than a notice


def findings(panel: Panel, time: str, look_back: int, horizon: int) -> list[Finding]:
    """Return what was repaired in a panel and what cannot be, the gravest first."""
    found = [*_times(panel, time), *_series(panel, look_back, horizon)]
    grave = ("serious", "notice", "info")
    return sorted(found, key=lambda finding: grave.index(finding.severity))


def _times(panel: Panel, time: str) -> Iterator[Finding]:
    fixed = panel.repairs
    if fixed.undated:
        yield Finding(
            code="time_missing", severity="notice", column=time, count=fixed.undated,
            what=f"{counted(fixed.undated, 'reading')} of column {time!r} without a time",
            meaning="they have no place in the series and are left out", remedy="fill the time in",
        )  # fmt: skip
    if fixed.unsorted:
        yield Finding(
            code="time_unsorted", severity="info", column=time,
            what=f"the readings are not in the order of {time!r}",
            meaning="they were sorted", remedy="nothing to do",
        )  # fmt: skip
    if fixed.doubled:
        clash = fixed.clashing > 0
        yield Finding(
            code="time_doubled", severity="serious" if clash else "notice", column=time,
            count=fixed.doubled, rows=(fixed.example,),
            what=f"{counted(fixed.doubled, 'reading')} with a time that was there before",
            meaning="where they differ, their mean is used" if clash else
            "they say the same and count once",
            remedy="keep one reading of each time, or name the series with --series",
        )  # fmt: skip
    if fixed.off_grid:
        yield Finding(
            code="time_off_grid", severity="notice", column=time, count=fixed.off_grid,
            what=f"{counted(fixed.off_grid, 'reading')} between two steps "
            f"of {panel.frequency.words}",
            meaning="each was moved to the nearer step", remedy="look at how the times were made",
        )  # fmt: skip
    if fixed.gaps:
        share = fixed.gaps / len(panel.values)
        yield Finding(
            code="time_gaps", severity="serious" if share > _MANY_GAPS else "notice", column=time,
            count=fixed.gaps,
            what=f"{counted(fixed.gaps, 'step')} without a reading ({percent(share)}), up to "
            f"{fixed.longest_gap:,} in a row",
            meaning="what a forecast reads is filled in; nothing is judged on them",
            remedy="fill them in if you know better",
        )  # fmt: skip


def _series(panel: Panel, look_back: int, horizon: int) -> Iterator[Finding]:
    fixed = panel.repairs
    if fixed.empty:
        yield Finding(
            code="series_empty", severity="notice", count=len(fixed.empty), names=fixed.empty[:5],
            what=f"{counted(len(fixed.empty), 'series')} without any reading".replace("serieses",
                 "series") + f": {listed(fixed.empty)}",
            meaning="they are left out", remedy="leave them out of the data",
        )  # fmt: skip
    if fixed.constant:
        alone = len(panel) == 1
        yield Finding(
            code="series_constant", severity="serious" if alone else "notice",
            count=len(fixed.constant), names=() if alone else fixed.constant[:5],
            what=f"the only series never changes: {fixed.constant[0]}" if alone else
            f"{len(fixed.constant):,} of {len(panel):,} series never change: "
            f"{listed(fixed.constant)}",
            meaning="there is nothing to forecast" if alone else
            "any forecast is right there, and they say nothing of the others",
            remedy="name another --target" if alone else "leave them out of the data",
        )  # fmt: skip
    short = np.flatnonzero(panel.lengths < look_back + horizon)
    if len(short):
        labels = tuple(panel.label(int(series)) or "the series" for series in short[:6])
        yield Finding(
            code="series_short", severity="notice", count=len(short), names=labels[:5],
            what=f"{len(short):,} of {len(panel):,} series are shorter than {look_back:,} readings "
            f"to look back and {horizon:,} to forecast: {listed(labels)}",
            meaning="what is missing before their first reading is filled with it",
            remedy="give a longer history, or a smaller --look-back",
        )  # fmt: skip
