"""Sentence pairs: a row is a text with its translation, and an answer is a text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuroscope.data.table import Table
from neuroscope.tasks._learning import Learner
from neuroscope.verbs._prepare import DataOptions
from neuroscope.verbs._tasks._hooks import Hooks
from neuroscope.verbs._translations import answers, prepare

if TYPE_CHECKING:
    from neuroscope.verbs._climb.conclude import Conclusion, Outcome


def _as_it_is(table: Table, source: Any, options: DataOptions) -> Table:  # noqa: ARG001
    return table


def _views(end: Conclusion, learner: Learner, tested: Outcome) -> dict[str, Any]:
    from neuroscope.verbs._translations.conclude import (  # noqa: PLC0415 - only after a climb
        translation_view,
    )

    return {"translation": translation_view(end, learner, tested)}


def _insight(end: Conclusion, learner: Learner) -> dict[str, Any]:  # noqa: ARG001
    """Return nothing: there is one column to look at, and fewer pairs would mean another net."""
    return {}


def _purpose(end: Conclusion) -> str:
    problem = end.problem
    source = problem.schema.features[0].name
    return (
        f"translate {source!r} into {problem.codec.column!r}, sentences like those of "
        f"{problem.table.origin.text}"
    )


def _limits(end: Conclusion) -> tuple[str, ...]:  # noqa: ARG001
    return (
        "A translation reads well also where it is wrong: have someone who knows both languages "
        "check what matters, names and numbers first.",
    )


def _again(end: Conclusion, model: Any, rows: np.ndarray) -> np.ndarray:
    return model.learner.predict(model.encoder.transform(end.problem.table, rows).x)


HOOKS = Hooks(
    claims=prepare.wanted,
    arranged=_as_it_is,
    prepare=prepare.prepare,
    look=prepare.look,
    views=_views,
    insight=_insight,
    purpose=_purpose,
    limits=_limits,
    again=_again,
    read=answers.read,
    judge=answers.judge,
    predict=answers.predict,
)
