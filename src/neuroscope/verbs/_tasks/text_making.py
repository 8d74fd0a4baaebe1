"""Text making: a case is a piece of text, and the model writes instead of answering."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuroscope.base.errors import InputError
from neuroscope.base.events import Monitor
from neuroscope.data.table import Table
from neuroscope.tasks._learning import Learner
from neuroscope.tasks._writing.posing import Texts
from neuroscope.verbs._prepare import DataOptions
from neuroscope.verbs._tasks._hooks import Hooks
from neuroscope.verbs._writing import judge, prepare

if TYPE_CHECKING:
    from neuroscope.verbs._climb.conclude import Conclusion, Outcome
    from neuroscope.verbs.judge import JudgeOptions
    from neuroscope.verbs.predict import PredictOptions


def _as_it_is(table: Table, source: Any, options: DataOptions) -> Table:  # noqa: ARG001
    return table


def _parts(end: Conclusion) -> dict[str, Any]:  # noqa: ARG001 - the encoder says it all
    return {}


def _views(end: Conclusion, learner: Learner, tested: Outcome) -> dict[str, Any]:  # noqa: ARG001
    from neuroscope.verbs._writing.conclude import writing_view  # noqa: PLC0415 - after a climb

    return {"writing": writing_view(end, learner)}


def _insight(end: Conclusion, learner: Learner) -> dict[str, Any]:  # noqa: ARG001
    """Return nothing: a text has no columns, and a part of it is another text."""
    return {}


def _purpose(end: Conclusion) -> str:
    return f"write text like that of {end.problem.table.origin.text}"


def _limits(end: Conclusion) -> tuple[str, ...]:  # noqa: ARG001
    return ("It writes what is likely, not what is true; it may repeat what it has read.",)


def _again(end: Conclusion, model: Any, rows: np.ndarray) -> np.ndarray:
    texts = Texts.of(end.problem)
    return model.learner.predict(texts.passages(model.encoder.tokeniser, rows))


def _judge(model: Any, table: Table, options: JudgeOptions, monitor: Monitor) -> dict[str, Any]:
    if options.group is not None:
        raise InputError("groups say nothing about texts", remedy="leave --group out")
    return judge.judge(model, table, seed=options.seed, monitor=monitor)


def _predict(model: Any, table: Table, options: PredictOptions, monitor: Monitor) -> dict[str, Any]:  # noqa: ARG001
    raise InputError(
        "this model writes, it does not answer for rows", where=str(model.artefact.path),
        remedy="let it write with `neuroscope generate`, or score a text with `neuroscope judge`",
    )  # fmt: skip


HOOKS = Hooks(
    claims=prepare.wanted,
    arranged=_as_it_is,
    prepare=prepare.prepare,
    look=prepare.look,
    parts=_parts,
    views=_views,
    insight=_insight,
    purpose=_purpose,
    limits=_limits,
    again=_again,
    judge=_judge,
    predict=_predict,
)
