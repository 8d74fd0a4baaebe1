"""What a forecast reads beside the history of its target, settled from the older part only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from neuroscope.base.errors import InputError, choice_error
from neuroscope.data.series.beside import calendar
from neuroscope.data.series.beside.beside import beside_of
from neuroscope.data.series.beside.codes import Code, learn
from neuroscope.data.series.origins import first_judged
from neuroscope.data.series.panel import Panel
from neuroscope.data.series.windows import Windows
from neuroscope.tasks._forecast.linear import solved
from neuroscope.tasks._forecast.setting import Setting

_GAIN = 0.02  # share of the error that the calendar must take away to be read unasked
_MOST_TRIED = 1000  # windows that say whether it does, on either side
_FEWEST_TRIED = 20
_PENALTY = 0.1


def settled(panel: Panel, setting: Setting, asked: Sequence[str] | None) -> tuple[Panel, Setting]:
    """Return the panel with numbers beside it, and the setting that says how they are made.

    `asked` names parts of the calendar; () is none of them and None finds out what helps. Raises
    SchemaError for a column that holds nothing to learn from, InputError for no part of a calendar.
    """
    codes: tuple[Code, ...] = ()
    if panel.lines is not None:
        codes = learn(panel.lines, setting.layout.ahead, _until(panel, setting.horizon))
    setting = replace(setting, codes=codes)
    parts, reason = _calendar(panel, setting, asked)
    setting = replace(setting, calendar=parts)
    if reason:
        setting = replace(setting, reasons={**setting.reasons, "calendar": reason})
    return furnished(panel, setting), setting


def furnished(panel: Panel, setting: Setting) -> Panel:
    """Return the panel with what the setting says stands beside its series."""
    assert panel.owner is not None
    beside = beside_of(panel.lines, panel.owner, panel.frequency, panel.zone, setting.codes,
                       setting.calendar)  # fmt: skip
    return replace(panel, beside=beside)


def _until(panel: Panel, horizon: int) -> np.ndarray:
    """Return the place on the grid up to which each line (o,) may be learned from."""
    assert panel.lines is not None
    assert panel.owner is not None
    until = panel.lines.last.copy()
    np.minimum.at(until, panel.owner, panel.first + first_judged(panel, horizon))
    return until


def _calendar(
    panel: Panel, setting: Setting, asked: Sequence[str] | None
) -> tuple[tuple[str, ...], str]:
    for name in asked or ():
        if name not in calendar.PARTS:
            raise choice_error("part of the calendar", name, list(calendar.PARTS))
    if asked:
        if not panel.dated:
            raise InputError("these times are numbers, and no calendar goes with them",
                             remedy="leave --calendar out")  # fmt: skip
        return tuple(part for part in calendar.PARTS if part in asked), "as asked"
    until = first_judged(panel, setting.horizon)
    parts = calendar.usual(panel.frequency, int(until.max()))
    if asked is not None or not panel.dated or not parts:
        return (), ""
    gain = _gain(panel, setting, parts, until)
    if gain < _GAIN:
        return (), ""
    return parts, f"the linear neuron errs {100 * gain:.0f} % less with it, on the older part"


def _gain(panel: Panel, setting: Setting, parts: Sequence[str], until: np.ndarray) -> float:
    """Return the share of the linear neuron's error that parts of the calendar take away.

    It learns from the older three quarters of the part that nothing judges, and errs on the rest.
    """
    with_it, horizon = replace(setting, calendar=tuple(parts)), setting.horizon
    first = min(setting.look_back, int(until.max()) // 2)
    count = np.maximum(np.minimum(until, panel.lengths) - horizon - first + 1, 0)
    series = np.repeat(np.arange(len(panel)), count)
    at = np.arange(len(series)) - np.repeat(np.cumsum(count) - count, count) + first
    when = panel.first[series] + at
    if not len(when):
        return 0.0
    cut = np.quantile(when, 0.75)
    older, newer = np.flatnonzero(when + horizon <= cut), np.flatnonzero(when > cut)
    if min(len(older), len(newer)) < _FEWEST_TRIED:
        return 0.0
    older, newer = (rows[:: max(len(rows) // _MOST_TRIED, 1)] for rows in (older, newer))
    spread = np.ones(len(panel))
    for one in np.unique(series[older]):
        begin = panel.bounds[one]
        spread[one] = max(panel.carried[begin : begin + until[one]].std(), 1e-9)
    errors = []
    for chosen in (setting, with_it):
        whole = furnished(panel, chosen)
        windows, later = (Windows(whole, series[rows], at[rows], setting.look_back)
                          for rows in (older, newer))  # fmt: skip
        learner, _ = solved(windows, spread, horizon, setting.season, _PENALTY)
        missed = np.abs(later.truth(horizon) - learner.predict(later)) / spread[later.series, None]
        errors.append(float(np.nanmean(missed)))
    return 1 - errors[1] / max(errors[0], 1e-12)
