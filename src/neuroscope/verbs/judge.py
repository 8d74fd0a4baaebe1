"""Judge: honest numbers of a trained model on labelled rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from neuroscope.base.errors import InputError
from neuroscope.base.events import Monitor, Progress, ignore
from neuroscope.data.sources import read
from neuroscope.judge.threshold import Cost, parse_cost
from neuroscope.verbs._tasks import hooks_of
from neuroscope.verbs._words import fitting_words
from neuroscope.verbs.load import load


@dataclass(frozen=True, kw_only=True)
class JudgeOptions:
    """What is asked of a judgement; a task refuses what says nothing about it."""

    group: str | None = None  # column whose values are scored apart
    cost: Cost | None = None
    seed: int = 0


def judge(
    model: Any,
    source: Any,
    *,
    group: str | None = None,
    cost: str | None = None,
    sql: str | None = None,
    seed: int = 0,
    monitor: Monitor = ignore,
) -> dict[str, Any]:
    """Score a model on rows whose target is known, with 95 % bootstrap intervals.

    `group` names a column of the source: each of its values is scored apart, with the gaps
    between them. `cost` ("false_positive=1,false_negative=5") prices the decisions of a binary
    model. Rows without a target are left out and counted. "warnings" says when the rows are those
    the model was made from, or some of them are rows it was trained on; "seen_in_training" how
    many (None: the model does not know its rows, or a column is missing).
    """
    trained = load(model) if isinstance(model, str) or hasattr(model, "__fspath__") else model
    options = JudgeOptions(group=group, cost=_priced(trained, cost), seed=seed)
    monitor(Progress(label="reading the data", done=0, total=3))
    table = read(source, sql=sql, monitor=monitor)
    task = trained.artefact.card.task
    return fitting_words(hooks_of(task).judge(trained, table, options, monitor), task)


def _priced(trained: Any, cost: str | None) -> Cost | None:
    if cost is None:
        return None
    if trained.codec.kind != "binary":
        raise InputError(
            f"costs weigh the errors of a yes or no; {trained.codec.column!r} is no such target",
            remedy="leave --cost out",
        )
    return parse_cost(cost)
