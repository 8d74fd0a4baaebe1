"""Word vectors: a case is a passage of text, and what is asked is which words stand together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuroscope.base.errors import InputError
from neuroscope.base.events import Monitor
from neuroscope.data.schema import Schema
from neuroscope.data.table import Table
from neuroscope.tasks._learning import Learner
from neuroscope.tasks._words.posing import Posed
from neuroscope.verbs._prepare import DataOptions
from neuroscope.verbs._tasks._hooks import Hooks
from neuroscope.verbs._word_vectors import judge, prepare

if TYPE_CHECKING:
    from neuroscope.verbs._climb.conclude import Conclusion, Outcome
    from neuroscope.verbs.judge import JudgeOptions
    from neuroscope.verbs.predict import PredictOptions


def _as_it_is(table: Table, source: Any, options: DataOptions) -> Table:  # noqa: ARG001
    return table


def _look(table: Table, options: DataOptions, seed: int) -> tuple[Schema, dict[str, Any]]:
    return prepare.look(table, options, seed)


def _parts(end: Conclusion) -> dict[str, Any]:  # noqa: ARG001 - the vocabulary is the encoder
    return {}


def _views(end: Conclusion, learner: Learner, tested: Outcome) -> dict[str, Any]:  # noqa: ARG001
    from neuroscope.verbs._word_vectors.conclude import (  # noqa: PLC0415 - only after a climb
        words_view,
    )

    return {"word_space": words_view(end.problem, learner)}


def _insight(end: Conclusion, learner: Learner) -> dict[str, Any]:  # noqa: ARG001
    """Return nothing: a text has no columns."""
    return {}


def _purpose(end: Conclusion) -> str:
    return f"vectors for the words of texts like those of {end.problem.table.origin.text}"


def _limits(end: Conclusion) -> tuple[str, ...]:
    posed = Posed.of(end.problem)
    return (
        f"It knows {len(posed.corpus.words):,} words; {posed.left_out:,} that occur less than "
        f"{posed.least} times in the training passages have no vector.",
        "Word vectors repeat the prejudices of the texts they are learned from.",
    )


def _again(end: Conclusion, model: Any, rows: np.ndarray) -> np.ndarray:
    return model.learner.predict(Posed.of(end.problem).questions.some(rows))


def _judge(model: Any, table: Table, options: JudgeOptions, monitor: Monitor) -> dict[str, Any]:
    if options.group is not None:
        raise InputError("groups say nothing about word vectors", remedy="leave --group out")
    return judge.judge(model, table, seed=options.seed, monitor=monitor)


def _predict(model: Any, table: Table, options: PredictOptions, monitor: Monitor) -> dict[str, Any]:  # noqa: ARG001
    raise InputError(
        "word vectors predict nothing about rows",
        remedy="ask them with: neuroscope words MODEL --near WORD",
    )


HOOKS = Hooks(
    arranged=_as_it_is,
    prepare=prepare.prepare,
    look=_look,
    parts=_parts,
    views=_views,
    insight=_insight,
    purpose=_purpose,
    limits=_limits,
    again=_again,
    judge=_judge,
    predict=_predict,
)
