"""After a climb of forecasts: intervals, error by step, and pictures' worth of examples."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from neuroscope.data.series.panel import Panel
from neuroscope.data.series.windows import Windows
from neuroscope.judge import _forecasts as paths
from neuroscope.judge.conformal import Intervals, coverage, measure, quantile_loss
from neuroscope.tasks import rung_name
from neuroscope.tasks._forecast.model import moment_text
from neuroscope.tasks._forecast.posing import Posed
from neuroscope.tasks._learning import Learner, Problem
from neuroscope.verbs._climb.climb import Climb
from neuroscope.verbs._forecasts.prepare import summary
from neuroscope.verbs._series.memory import memory_view

_SHOWN = 4  # series that are drawn
_HISTORY = 3.0  # horizons of history that are drawn, and at least two seasons
_MOST_DRAWN = 400  # readings of history that are drawn


def intervals_of(problem: Problem, rows: np.ndarray, said: np.ndarray) -> Intervals:
    """Return the intervals that the held-out forecasts `said` (n, h) of `rows` ask for."""
    posed = Posed.of(problem)
    spread = posed.windows(rows, posed.setting.look_back).spreads()
    return measure(paths.steps(problem.y[rows]), said, spread)


def forecast_view(
    climb: Climb, learner: Learner, intervals: Intervals, rows: np.ndarray, said: np.ndarray
) -> dict[str, Any]:
    """Return the blocks "forecast" and "memory" of a result.

    `said` (n, h) are the forecasts of test `rows`.
    """
    posed = Posed.of(climb.problem)
    return {"forecast": summary(posed.panel, posed.setting) | {
        "unit": _unit(climb)[1],
        "intervals": _measured(climb.problem, intervals, rows, said),
        "by_step": _by_step(climb, rows, said),
        "examples": _examples(climb.problem, learner, intervals),
    }, **memory_view(climb, "reading")}  # fmt: skip


def _measured(
    problem: Problem, intervals: Intervals, rows: np.ndarray, said: np.ndarray
) -> dict[str, Any]:
    posed, truth = Posed.of(problem), paths.steps(problem.y[rows])
    spread = posed.windows(rows, posed.setting.look_back).spreads()
    lows, highs = intervals.around(said, spread)
    found = [
        {"level": level, "coverage": coverage(truth, low, high),
         "width": float((high - low).mean())}
        for level, low, high in zip(intervals.levels, lows, highs, strict=True)
    ]  # fmt: skip
    wide = found[-1]
    return {
        "levels": found,
        "quantile_loss": quantile_loss(truth, said, lows, highs, intervals.levels),
        "held_out": intervals.rows,
        "sentence": f"Of the test readings {100 * wide['coverage']:.0f} % lie in the "
        f"{100 * wide['level']:.0f} % interval, and {100 * found[0]['coverage']:.0f} % in the "
        f"{100 * found[0]['level']:.0f} % interval.",
    }


def _unit(climb: Climb) -> tuple[bool, str]:
    """Return whether errors are scaled by series, and what they are called."""
    scaled = climb.metric.name == "mase"
    return scaled, "MASE" if scaled else f"mean absolute error of {climb.problem.codec.column}"


def _by_step(climb: Climb, rows: np.ndarray, said: np.ndarray) -> dict[str, Any]:
    """Return the error at each step ahead: of every rung on held-out rows, of the model on test."""
    scaled, _ = _unit(climb)
    held = climb.problem.y[climb.held_out]

    def errors(y: np.ndarray, p: np.ndarray) -> list[float | None]:
        unit = paths.scales(y)[0][:, None] if scaled else 1.0
        each = np.abs(paths.steps(y) - p) / unit
        known = np.isfinite(each).sum(axis=0)
        total = np.nansum(each, axis=0)
        return [float(t / k) if k else None for t, k in zip(total, known, strict=True)]

    done = [run for rung in climb.rungs if (run := climb.runs[rung_name(rung)]).status == "done"]
    return {
        "held_out": {run.name: errors(held, climb.predictions(run)) for run in done},
        "test": errors(climb.problem.y[rows], said),
    }


def _examples(problem: Problem, learner: Learner, intervals: Intervals) -> list[dict[str, Any]]:
    """Return, for a few series, the newest forecast that can be checked and the one that cannot."""
    posed = Posed.of(problem)
    panel, setting, origins = posed.panel, posed.setting, posed.plan.origins
    test = problem.split.test
    found = []
    for series in np.unique(origins.series[test])[:_SHOWN]:
        own = test[origins.series[test] == series]
        newest = int(origins.at[own].max())
        for at, kind in ((newest, "test"), (int(panel.lengths[series]), "next")):
            look_back = getattr(learner.encoder, "look_back", setting.look_back)
            windows = Windows(panel, np.array([series]), np.array([at]), look_back)
            if kind == "next" and not known_ahead(windows, setting.horizon):
                continue
            said = learner.predict(windows)
            seen = replace(windows, look_back=setting.look_back)
            lows, highs = intervals.around(said, seen.spreads())
            found.append(_example(panel, int(series), at, kind, setting.season, said[0])
                         | {"low": lows[:, 0].tolist(), "high": highs[:, 0].tolist()})  # fmt: skip
    return found


def known_ahead(windows: Windows, horizon: int) -> bool:
    """Say whether the rows to come are there, with all that is to be known ahead of them."""
    beside, panel = windows.panel.beside, windows.panel
    origin = (panel.first[windows.series] + windows.at)[:, None]
    return beside is None or not beside.lacking(windows.series, origin + np.arange(horizon))


def _example(
    panel: Panel, series: int, at: int, kind: str, season: int, said: np.ndarray
) -> dict[str, Any]:
    horizon = len(said)
    wanted = max(int(_HISTORY * horizon), 2 * season)
    shown = int(min(at, wanted, max(_MOST_DRAWN, horizon)))
    begin = panel.bounds[series] + at
    history = panel.values[begin - shown : begin]
    place = int(panel.first[series]) + at
    truth = Windows(panel, np.array([series]), np.array([at]), 1).truth(horizon)[0]
    return {
        "series": panel.label(series), "kind": kind,
        "from": moment_text(panel, place), "to": moment_text(panel, place + horizon - 1),
        "history": _numbers(history), "truth": _numbers(truth) if kind == "test" else [],
        "forecast": said.tolist(),
    }  # fmt: skip


def _numbers(values: np.ndarray) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]
