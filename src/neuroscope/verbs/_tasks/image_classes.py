"""Pictures: facts of the files, doubtful labels, mistakes to look at, and files nobody can read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuroscope.data.audit import Finding
from neuroscope.data.images.column import picture_column
from neuroscope.data.schema import Schema
from neuroscope.data.table import Table
from neuroscope.tasks._learning import Learner, Problem
from neuroscope.verbs._pictures import answers
from neuroscope.verbs._pictures.rows import names_of
from neuroscope.verbs._tasks._hooks import Hooks

if TYPE_CHECKING:
    from neuroscope.verbs._climb.conclude import Conclusion, Outcome


def _facts(table: Table, schema: Schema) -> dict[str, Any]:
    from neuroscope.data.images.summary import summary  # noqa: PLC0415 - loads Pillow

    return {"pictures": summary(table, schema)}


def _findings(end: Conclusion) -> tuple[Finding, ...]:
    from neuroscope.verbs._pictures.views import suspect_labels  # noqa: PLC0415 - loads Pillow

    return tuple(suspect_labels(end.climb, end.choice.chosen))


def _named(problem: Problem, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add the file of each row."""
    column = picture_column(problem.table, problem.schema)
    names = None if column is None else names_of(problem.table, column)
    if names is None:
        return entries
    return [entry | {"picture": names[entry["row"] - 1]} for entry in entries]


def _views(end: Conclusion, learner: Learner, tested: Outcome) -> dict[str, Any]:
    from neuroscope.verbs._pictures.views import (  # noqa: PLC0415 - loads Pillow
        Answers,
        picture_views,
    )

    return picture_views(end.climb, end.choice.chosen, learner, Answers.of(*tested))


HOOKS = Hooks(
    facts=_facts,
    findings=_findings,
    named=_named,
    views=_views,
    judge=answers.judge,
    predict=answers.predict,
)
