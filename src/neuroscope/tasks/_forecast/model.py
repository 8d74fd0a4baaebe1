"""A trained forecaster: it continues each series of a table, with intervals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from neuroscope.base.catalogue import Catalogue
from neuroscope.base.errors import InputError
from neuroscope.base.recipe import Recipe
from neuroscope.data.schema import Schema
from neuroscope.data.series.panel import Panel, panel_of
from neuroscope.data.series.windows import Later, Windows
from neuroscope.data.series.zones import local
from neuroscope.data.table import Table
from neuroscope.data.target import TargetCodec
from neuroscope.judge.conformal import Intervals
from neuroscope.runs.artefact import Artefact
from neuroscope.tasks._forecast.beside import furnished
from neuroscope.tasks._forecast.encoder import WindowEncoder
from neuroscope.tasks._forecast.setting import Setting
from neuroscope.tasks._learning import Learner
from neuroscope.tasks._model import opened, recipe_of


@dataclass(frozen=True)
class Forecast:
    """What comes next: values (n, h) with lower and upper ends (levels, n, h)."""

    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    levels: tuple[float, ...]


@dataclass(frozen=True)
class ForecastModel:
    """A trained model of series: give it their history as a file or a data frame."""

    artefact: Artefact
    schema: Schema
    codec: TargetCodec
    learner: Learner
    encoder: WindowEncoder
    intervals: Intervals
    temperature: float = 1.0
    threshold: float = 0.5

    @property
    def setting(self) -> Setting:
        """Columns, step, horizon and season."""
        return self.encoder.setting

    @property
    def classes(self) -> tuple[str, ...]:
        """No classes: a forecast is a number."""
        return ()

    @cached_property
    def recipe(self) -> Recipe | None:
        """The recipe the model was trained by, or None where its rung has none."""
        return recipe_of(self.artefact)

    def panel(self, table: Table) -> Panel:
        """Return the series of a table; an InputError where its step is not the model's."""
        layout = replace(self.setting.layout, split=None)  # whose parts were of the training
        found = panel_of(table, layout)
        mine, theirs = self.setting.frequency, found.frequency
        if (mine.unit, mine.step) != (theirs.unit, theirs.step):
            raise InputError(
                f"the model was trained on one reading each {mine.words}, and these come each "
                f"{theirs.words}",
                where=f"column {layout.time!r}", remedy="bring them to the same step",
            )  # fmt: skip
        return furnished(found, self.setting)

    def windows(self, panel: Panel, series: np.ndarray, at: np.ndarray) -> Windows:
        """Return what the learner reads before the origins (series, readings known)."""
        return Windows(panel, series, at, self.encoder.look_back)

    def answer(self, windows: Windows, horizon: int | None = None) -> Forecast:
        """Return the forecasts of windows; behind the trained horizon it reads its own forecasts.

        The interval is of the windows' spread at the origin, or of the forecasts that are read
        where that is wider, so that it grows with a series that grows.
        """
        horizon = horizon or self.setting.horizon
        values = self.learner.predict(windows)
        seen = replace(windows, look_back=self.setting.look_back)  # as the intervals were measured
        unit = seen.spreads()
        units = np.repeat(unit[:, None], values.shape[1], axis=1)
        known = windows.values() if horizon > values.shape[1] else None
        while known is not None and values.shape[1] < horizon:
            known = np.concatenate([known, values[:, -self.setting.horizon :]], axis=1)
            known = known[:, -self.encoder.look_back :]
            later = Later(windows, known, values.shape[1])
            unit = np.maximum(unit, known[:, -self.setting.look_back :].std(axis=1))
            found = self.learner.predict(later)
            values = np.concatenate([values, found], axis=1)
            units = np.concatenate([units, np.repeat(unit[:, None], found.shape[1], 1)], axis=1)
        values, units = values[:, :horizon], units[:, :horizon]
        low, high = self.intervals.around(values, units)
        return Forecast(values, low, high, self.intervals.levels)

    def predict(self, source: Any, horizon: int | None = None) -> np.ndarray:
        """Return the forecasts (series, horizon) that follow the last reading of each series."""
        panel = self.panel(_table(source))
        windows = self.latest(panel)
        self.check(windows, horizon)
        return self.answer(windows, horizon).values

    def check(self, windows: Windows, horizon: int | None = None) -> None:
        """Raise an InputError where a column that is known ahead has no value at a step to come."""
        panel, steps = windows.panel, horizon or self.setting.horizon
        if panel.beside is None:
            return
        origin = (panel.first[windows.series] + windows.at)[:, None]
        lacking = panel.beside.lacking(windows.series, origin + np.arange(steps))
        if lacking:
            lack, total = lacking[0], steps * len(windows)
            name = panel.label(lack.series) if len(panel) > 1 else ""
            begins = moment_text(panel, lack.place)
            also = f", nor have {', '.join(repr(one.column) for one in lacking[1:])}"
            raise InputError(
                f"column {lack.column!r} has no value at {lack.steps:,} of the {total:,} steps to "
                f"forecast{also if lacking[1:] else ''}; the first is {begins}"
                f"{f' of {name!r}' if name else ''}",
                remedy="give a row for each step to come, with these columns filled and the target "
                "left empty",
            )

    def latest(self, panel: Panel) -> Windows:
        """Return the last window of each series."""
        return self.windows(panel, np.arange(len(panel)), panel.lengths)


def moment_text(panel: Panel, place: int) -> str:
    """Return the moment of a place on the grid as a person writes it, by the clocks of its zone."""
    moment = float(panel.frequency.moments(np.array([place]))[0])
    if not panel.dated:
        return f"{moment:g}"
    if not panel.frequency.wall:
        moment = float(local(np.array([moment]), panel.zone)[0])
    return str(np.datetime64(round(moment), "s")).replace("T", " ").removesuffix(" 00:00:00")


def _table(source: Any) -> Table:
    from neuroscope.data.sources import read  # noqa: PLC0415 - only when rows are read

    return source if isinstance(source, Table) else read(source)


def load(artefact: Artefact, rungs: Catalogue) -> ForecastModel:
    """Rebuild a model from its artefact; ModelError when a part is missing or does not fit."""
    schema, codec, learner = opened(artefact, rungs, "encoder", "intervals")
    parts = artefact.parts
    return ForecastModel(
        artefact,
        schema,
        codec,
        learner,
        WindowEncoder.from_json(parts["encoder"]),
        Intervals.from_json(parts["intervals"]),
    )
