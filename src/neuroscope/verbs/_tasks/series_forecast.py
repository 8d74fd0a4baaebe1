"""Forecasts: a case is a moment of a series, so nothing is gone about as with rows of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuroscope.base.errors import InputError
from neuroscope.base.events import Monitor
from neuroscope.base.nouns import ROW
from neuroscope.data.schema import Schema
from neuroscope.data.table import Table
from neuroscope.tasks._forecast.posing import Posed
from neuroscope.tasks._learning import Learner
from neuroscope.verbs._forecasts import judge, predict, prepare
from neuroscope.verbs._prepare import DataOptions, Prepared
from neuroscope.verbs._tasks._hooks import Hooks

if TYPE_CHECKING:
    from neuroscope.verbs._climb.conclude import Conclusion, Outcome
    from neuroscope.verbs.judge import JudgeOptions
    from neuroscope.verbs.predict import PredictOptions


def _arranged(table: Table, source: Any, options: DataOptions) -> Table:  # noqa: ARG001
    return prepare.with_times(table, options)


def _prepare(table: Table, options: DataOptions, seed: int, monitor: Monitor) -> Prepared:
    return prepare.prepare(table, options, seed=seed, monitor=monitor)


def _look(table: Table, options: DataOptions, seed: int) -> tuple[Schema, dict[str, Any]]:
    schema, found = prepare.look(table, options, seed=seed)
    return schema, found | {"row_noun": ROW}  # those of the table are no forecasts


def _parts(end: Conclusion) -> dict[str, Any]:
    """Return the intervals that the held-out forecasts ask for."""
    from neuroscope.verbs._forecasts.conclude import (  # noqa: PLC0415 - only after a climb
        intervals_of,
    )

    found = intervals_of(end.problem, end.climb.held_out, end.held)
    return {"intervals": found.to_json()}


def _views(end: Conclusion, learner: Learner, tested: Outcome) -> dict[str, Any]:
    from neuroscope.judge.conformal import Intervals  # noqa: PLC0415
    from neuroscope.verbs._forecasts.conclude import (  # noqa: PLC0415 - only after a climb
        forecast_view,
    )

    intervals = Intervals.from_json(end.parts["intervals"])
    return forecast_view(end.climb, learner, intervals, tested.rows, tested.p)


def _insight(end: Conclusion, learner: Learner) -> dict[str, Any]:
    """Return which columns beside the target count; fewer windows are no fewer readings."""
    from neuroscope.tasks._forecast.importance import importance  # noqa: PLC0415 - after a climb
    from neuroscope.verbs._climb.insight import seconds_of  # noqa: PLC0415 - after a climb

    found = importance(
        end.problem, learner, end.problem.split.test, end.climb.metric, seconds_of(end.climb)
    )
    return {"importance": found} if found else {}


def _purpose(end: Conclusion) -> str:
    target, origin = end.problem.codec.column, end.problem.table.origin.text
    return f"forecast {target!r} of series like those of {origin}"


def _again(end: Conclusion, model: Any, rows: np.ndarray) -> np.ndarray:
    windows = Posed.of(end.problem).windows(rows, model.encoder.look_back)
    return model.learner.predict(windows)


def _judge(model: Any, table: Table, options: JudgeOptions, monitor: Monitor) -> dict[str, Any]:
    if options.group is not None:
        raise InputError("groups say nothing about forecasts", remedy="leave --group out")
    return judge.judge(model, table, seed=options.seed, monitor=monitor)


def _predict(model: Any, table: Table, options: PredictOptions, monitor: Monitor) -> dict[str, Any]:
    options.only("horizon", about="forecasts")
    return predict.predict(model, table, horizon=options.horizon, out=options.out, monitor=monitor)


HOOKS = Hooks(
    claims=prepare.wanted,
    arranged=_arranged,
    prepare=_prepare,
    look=_look,
    parts=_parts,
    views=_views,
    insight=_insight,
    purpose=_purpose,
    again=_again,
    judge=_judge,
    predict=_predict,
)
