"""Judge, where a model forecasts: every moment of a history that the model has not learned from."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroscope.base.errors import InputError, NeuroscopeError
from neuroscope.base.events import Monitor, Progress
from neuroscope.data.series.origins import MOST_JUDGED
from neuroscope.data.series.panel import Panel
from neuroscope.data.series.windows import Windows
from neuroscope.data.table import Table
from neuroscope.judge import _forecasts as paths
from neuroscope.judge.conformal import coverage, quantile_loss
from neuroscope.judge.intervals import Resampling, bootstrap
from neuroscope.judge.metrics import METRICS, applicable, primary_metric, scores
from neuroscope.tasks._forecast.model import ForecastModel
from neuroscope.tasks._forecast.posing import series_scales

_SEEN = (
    "these series end where the model's training ended, or before: the figures flatter it; judge "
    "it on a history that goes on"
)


def judge(model: ForecastModel, table: Table, *, seed: int, monitor: Monitor) -> dict[str, Any]:
    """Score forecasts from each moment of the series of `table` whose whole horizon is known.

    Moments before the end of the model's training are left out where later ones are there.
    Raises InputError where no forecast can be checked.
    """
    try:
        panel = model.panel(table)
        windows, fresh = _windows(model, panel)
    except NeuroscopeError as error:
        known = error.where.startswith(table.origin.text)
        raise (error if known else error.at(table.origin.text)) from error
    truth = windows.truth(model.setting.horizon)
    answer = model.answer(windows)
    naive, spread = series_scales(panel, model.setting.season, _scaled(model, panel))
    y = paths.packed(truth, naive[windows.series], spread[windows.series])
    when = panel.first[windows.series] + windows.at
    blocks = when // model.setting.horizon
    monitor(Progress(label="judging", done=3, total=3))
    measured = [
        {"level": level, "coverage": coverage(truth, low, high)}
        for level, low, high in zip(answer.levels, answer.low, answer.high, strict=True)
    ]
    loss = quantile_loss(truth, answer.values, answer.low, answer.high, answer.levels)
    return _report(model, table, y, answer.values, blocks, seed) | {
        "forecast": {"series": len(panel), "horizon": model.setting.horizon,
                     "intervals": {"levels": measured, "quantile_loss": loss}},
        "warnings": [] if fresh else [_SEEN],
        "notes": [],
        "seen_in_training": None,
    }  # fmt: skip


def _scaled(model: ForecastModel, panel: Panel) -> np.ndarray:
    """Return from how many readings of each series (s,) its scales come: those of the training."""
    moment = model.encoder.scaled_until
    if moment is None:
        moment = model.encoder.learned_until
    place, _ = panel.frequency.place(np.array([moment]))
    return np.clip(place[0] - panel.first, 0, panel.lengths)


def _windows(model: ForecastModel, panel: Panel) -> tuple[Windows, bool]:
    """Return the origins to judge, and whether the model has not learned from them."""
    horizon, back = model.setting.horizon, model.encoder.look_back
    least = np.where(panel.lengths >= back + horizon, back, np.maximum(panel.lengths // 2, 1))
    count = np.maximum(panel.lengths - horizon - least + 1, 0)
    series = np.repeat(np.arange(len(panel)), count)
    if not len(series):
        raise InputError(
            f"no series is long enough to check a forecast of {horizon:,} steps",
            remedy="give the history before the moments that are to be judged as well",
        )
    at = np.arange(len(series)) - np.repeat(np.cumsum(count) - count, count)
    at += np.repeat(least, count)
    begins = panel.frequency.moments(panel.first[series] + at)
    new = np.flatnonzero(begins > model.encoder.learned_until)
    rows = new if len(new) else np.arange(len(series))
    if len(rows) > MOST_JUDGED:
        rows = rows[np.unique(np.linspace(0, len(rows) - 1, MOST_JUDGED).astype(np.int64))]
    return model.windows(panel, series[rows], at[rows]), bool(len(new))


def _report(
    model: ForecastModel, table: Table, y: np.ndarray, p: np.ndarray, blocks: np.ndarray, seed: int
) -> dict[str, Any]:
    known = scores("forecast", y, p)
    main = METRICS[primary_metric("forecast", y)[0]]
    plan = Resampling(seed=seed)
    listed = []
    for metric in applicable("forecast"):
        interval = None
        if np.isfinite(known[metric.name]) and len(np.unique(blocks)) > 1:
            found = bootstrap(metric, y, p, plan, None, blocks)
            interval = [found.low, found.high]
        listed.append({
            "name": metric.name, "title": metric.title, "value": known[metric.name],
            "interval": interval, "greater_is_better": metric.greater_is_better,
            "in_target_units": metric.in_target_units, "meaning": metric.words(known[metric.name]),
        })  # fmt: skip
    return {
        "model": str(model.artefact.path), "source": table.origin.text,
        "target": model.artefact.card.target, "rung": model.artefact.card.learner,
        "kind": "forecast", "positive": "", "rows": len(y), "threshold": None,
        "metric": {"name": main.name, "title": main.title,
                   "meaning": main.words(known[main.name])},
        "scores": listed, "test_when_trained": dict(model.artefact.card.metrics),
    }  # fmt: skip
