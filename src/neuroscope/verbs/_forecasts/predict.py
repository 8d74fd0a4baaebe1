"""Predict, where a model continues series: what comes after the last reading of each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from neuroscope.base.errors import InputError, NeuroscopeError
from neuroscope.base.events import Monitor, Progress
from neuroscope.base.nouns import ROW
from neuroscope.data.series.frequency import DAY
from neuroscope.data.series.panel import Panel
from neuroscope.data.series.zones import stamps
from neuroscope.data.table import Table
from neuroscope.data.writing import assembled
from neuroscope.tasks._forecast.model import Forecast, ForecastModel
from neuroscope.verbs._save import save_table


def predict(
    model: ForecastModel, table: Table, *, horizon: int | None, out: str | None, monitor: Monitor
) -> dict[str, Any]:
    """Continue each series of `table` by `horizon` steps; None is as many as were trained.

    The table of the answer has a row for each series and step: the series where there are several,
    the time, "forecast", and "lower" and "upper" of each interval. Raises SchemaError for missing
    columns, InputError for another step than the model's.
    """
    if horizon is not None and horizon < 1:
        raise InputError(f"horizon is {horizon}", remedy="give at least 1 step")
    wanted = horizon or model.setting.horizon
    try:
        panel = model.panel(table)
        latest = model.latest(panel)
        model.check(latest, wanted)
    except NeuroscopeError as error:
        known = error.where.startswith(table.origin.text)
        raise (error if known else error.at(table.origin.text)) from error
    answer = model.answer(latest, wanted)
    whole = _written(model, panel, answer, table)
    written = str(save_table(whole, out)) if out is not None else None
    monitor(Progress(label="predicting", done=2, total=2))
    card = model.artefact.card
    return {
        "model": str(model.artefact.path), "target": card.target, "rung": card.learner,
        "kind": "forecast", "rows": whole.num_rows, "classes": [], "threshold": None,
        "origin": list(table.origin.notes), "noun": ROW, "series": len(panel), "horizon": wanted,
        "notes": _notes(model, panel, wanted), "out": written, "sheet": None, "table": whole,
    }  # fmt: skip


def _written(model: ForecastModel, panel: Panel, answer: Forecast, table: Table) -> pa.Table:
    count, steps = answer.values.shape
    layout = model.setting.layout
    columns: dict[str, Any] = {}
    if layout.series is not None:
        columns["series"] = np.repeat(np.array(panel.names, dtype=object), steps)
    if len(layout.targets) > 1:
        columns["target"] = np.repeat(np.array(panel.targets, dtype=object), steps)
    place = np.repeat(panel.last, steps) + np.tile(np.arange(steps), count)
    stored = table.arrow.schema.field(layout.time).type
    columns[layout.time] = pa.chunked_array([_times(panel, place, stored)])
    columns["forecast"] = answer.values.ravel()
    for level, low, high in zip(answer.levels, answer.low, answer.high, strict=True):
        columns[f"lower_{100 * level:.0f}"] = low.ravel()
        columns[f"upper_{100 * level:.0f}"] = high.ravel()
    return assembled(columns)


def _times(panel: Panel, place: np.ndarray, storage: pa.DataType) -> pa.Array:
    """Return the moments of places on the grid, stored as the source stores its times.

    They are in the zone of the series' clocks where that is known.
    """
    moments = panel.frequency.moments(place)
    if not panel.dated:
        whole = pa.types.is_integer(storage) and bool((moments == np.rint(moments)).all())
        return pa.array(moments.astype(np.int64) if whole else moments)
    whole_days = panel.frequency.wall and not (moments % DAY).any()
    if pa.types.is_date(storage) or whole_days:
        return stamps(moments, "").cast(pa.date32())
    return stamps(panel.utc(place), panel.zone)


def _notes(model: ForecastModel, panel: Panel, wanted: int) -> list[str]:
    setting, notes = model.setting, []
    if wanted > setting.horizon:
        notes.append(
            f"{wanted:,} steps are more than the {setting.horizon:,} that the model was trained "
            "for: from there on it reads its own forecasts, and the intervals are extrapolated"
        )
    short = int((panel.lengths < model.encoder.look_back).sum())
    if short:
        notes.append(f"{short:,} of {len(panel):,} series are shorter than the "
                     f"{model.encoder.look_back:,} readings that the model reads; the first "
                     "reading stands for what is missing")  # fmt: skip
    fixed = panel.repairs
    for count, what in ((fixed.gaps, "gaps that were filled"),
                        (fixed.doubled, "doubled times, of which the mean was taken"),
                        (fixed.undated, "rows without a time, left out"),
                        (fixed.off_grid, "rows between two steps, moved to the nearer"),
                        (len(fixed.empty), "series without a reading, left out")):  # fmt: skip
        if count:
            notes.append(f"{what}: {count:,}")
    return notes
