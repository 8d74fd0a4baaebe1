"""From a table to a problem whose rows are forecasts: a series, and a moment to forecast from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neuroscope.base.recipe import Recipe
from neuroscope.data.schema import Schema
from neuroscope.data.series.origins import Plan, plan_origins
from neuroscope.data.series.panel import Layout, Panel, panel_of
from neuroscope.data.series.windows import Windows, columns
from neuroscope.data.table import Table
from neuroscope.data.target import TargetCodec
from neuroscope.judge import _forecasts as paths
from neuroscope.tasks._forecast.encoder import WindowEncoder
from neuroscope.tasks._forecast.setting import Setting, settle
from neuroscope.tasks._learning import Problem, Training

MOST_BESIDE = 60_000_000  # numbers in all training windows with columns beside them
_FEWEST = 500  # windows that are kept all the same
_KEY = "forecast"  # of what a problem's rungs share


@dataclass(frozen=True, eq=False)
class Posed:
    """A panel, what is asked of it, and the origins that are the problem's rows."""

    panel: Panel
    setting: Setting
    plan: Plan
    naive: np.ndarray  # (s,) mean error of the seasonal naive forecast on the oldest part
    spread: np.ndarray  # (s,) standard deviation there

    @classmethod
    def of(cls, problem: Problem) -> Posed:
        """Return what a problem of forecasts was posed with."""
        return problem.shared[_KEY]

    def windows(self, rows: np.ndarray, look_back: int) -> Windows:
        """Return the windows before some origins."""
        origins = self.plan.origins
        return Windows(self.panel, origins.series[rows], origins.at[rows], look_back)

    @property
    def learned_until(self) -> int:
        """The last place on the grid that anything is learned from."""
        shift = int((self.plan.clock - self.panel.first).min())
        return self.plan.cuts.test - 1 - shift

    def learnable(self, training: Training) -> np.ndarray:
        """Return which training rows (positions) end before the first that they are judged on.

        Of windows with many columns beside, which need much memory, evenly taken ones.
        """
        when = self.plan.origins.when
        kept = everything = np.arange(len(training.rows))
        if training.held is not None and len(training.held):
            ends = when[training.rows] + self.setting.horizon
            kept = everything[ends <= when[training.held].min()]
        beside = columns(self.panel)
        if not beside:
            return kept if len(kept) else everything[:1]
        most = MOST_BESIDE // ((self.setting.look_back + self.setting.horizon) * (1 + beside))
        if len(kept) > max(most, _FEWEST):
            kept = kept[np.unique(np.linspace(0, len(kept) - 1, max(most, _FEWEST)).astype(int))]
        return kept if len(kept) else everything[:1]


class WindowEncoding:
    """The readings before each origin; nothing is learned from them here."""

    def key(self, recipe: Recipe) -> tuple[Any, ...]:
        """Return what the encoder depends on."""
        return (recipe.look_back,)

    def fit(self, training: Training, recipe: Recipe) -> tuple[WindowEncoder, Windows]:
        """Return the encoder, and the windows of the training rows."""
        posed = Posed.of(training.problem)
        look_back = recipe.look_back or posed.setting.look_back
        moments = posed.panel.frequency.moments
        until = float(moments(np.array([posed.learned_until]))[0])
        shared = bool((posed.plan.clock == posed.panel.first).all())
        scaled = float(moments(np.array([posed.plan.cuts.folds[0]]))[0]) if shared else None
        encoder = WindowEncoder(posed.setting, look_back, until, posed.windows, scaled)
        return encoder, posed.windows(training.rows, look_back)


def panel_and_setting(
    table: Table, layout: Layout, *, horizon: int | None, look_back: int | None,
    calendar: Sequence[str] | None = None,
) -> tuple[Panel, Setting]:  # fmt: skip
    """Read the series of a table and settle what is asked of them, and what is read beside them.

    `calendar` names parts of it; () is none of them and None finds out what helps.
    """
    from neuroscope.tasks._forecast.beside import settled  # noqa: PLC0415 - stands on the linear one

    panel = panel_of(table, layout)
    setting = settle(panel, layout, horizon=horizon, look_back=look_back)
    return settled(panel, setting, calendar)


def pose(
    encoding: WindowEncoding, table: Table, schema: Schema, panel: Panel, setting: Setting, *,
    seed: int,
) -> Problem:  # fmt: skip
    """Return the problem of forecasting each series of a panel from each of its origins.

    Raises InputError where the series are too short to learn and to judge.
    """
    plan = plan_origins(panel, setting.horizon, setting.look_back)
    naive, spread = series_scales(panel, setting.season, plan.cuts.folds[0] - plan.clock)
    origins = plan.origins
    truth = Windows(panel, origins.series, origins.at, 1).truth(setting.horizon)
    y = paths.packed(truth, naive[origins.series], spread[origins.series])
    codec = TargetCodec(kind="forecast", column=", ".join(_distinct(panel.targets)))
    return Problem(
        table, schema, "forecast", codec, plan.split, seed, encoding, y, blocks=origins.block,
        moments=origins.when.astype(np.float64),
        shared={_KEY: Posed(panel, setting, plan, naive, spread)},
    )  # fmt: skip


def _distinct(names: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(names))


def series_scales(panel: Panel, season: int, until: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both scales of each series (s,), from its first `until` readings.

    A series that begins later, or is flat there, is scaled by all it has; 0 where that is flat too.
    """
    naive, spread = np.zeros(len(panel)), np.zeros(len(panel))
    for series in range(len(panel)):
        line = panel.values[panel.bounds[series] : panel.bounds[series + 1]]
        for part in (line[: max(int(until[series]), 0)], line):
            known = part[np.isfinite(part)]
            if len(known) > 1 and known.min() < known.max():
                naive[series], spread[series] = _naive_error(part, season), known.std()
            if naive[series] > 0:
                break
    return naive, spread


def _naive_error(line: np.ndarray, season: int) -> float:
    """Return the mean of |y_t - y_t-m|; of m = 1 where no season fits."""
    for lag in dict.fromkeys((season, 1)):
        apart = np.abs(line[lag:] - line[:-lag])
        apart = apart[np.isfinite(apart)]
        if len(apart) and apart.max() > 0:
            return float(apart.mean())
    return 0.0
