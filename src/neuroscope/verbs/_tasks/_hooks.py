"""What the verbs ask of a task: a record of functions, whose defaults are the way of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroscope.base.events import Monitor
from neuroscope.data.audit import Finding
from neuroscope.data.schema import Schema
from neuroscope.data.sources import read
from neuroscope.data.table import Table
from neuroscope.tasks._learning import Learner, Problem
from neuroscope.verbs._prepare import DataOptions, Prepared
from neuroscope.verbs._rows import conclude as after_rows
from neuroscope.verbs._rows import judge as judge_rows
from neuroscope.verbs._rows import predict as predict_rows
from neuroscope.verbs._rows import prepare as prepare_rows

if TYPE_CHECKING:
    from neuroscope.verbs._climb.conclude import Conclusion, Outcome
    from neuroscope.verbs.judge import JudgeOptions
    from neuroscope.verbs.predict import PredictOptions

Block = dict[str, Any]  # part of a verb's answer, by name


def _nobody(table: Table, options: DataOptions) -> bool:  # noqa: ARG001 - the shape of `claims`
    return False


def _read(source: Any, sql: str | None, monitor: Monitor) -> Table:
    return read(source, sql=sql, monitor=monitor)


def _nothing(*_: object) -> Block:
    return {}


def _none(*_: object) -> tuple[()]:
    return ()


def _as_they_are(problem: Problem, entries: list[Block]) -> list[Block]:  # noqa: ARG001
    return entries


@dataclass(frozen=True, kw_only=True)
class Hooks:
    """How the verbs go about one task. What a task reads of its options it takes from them itself.

    From a source to a problem (`look`, `train`):

    claims    whether a source that was read is the task's, by what it holds and what was asked;
              without a claim rows are looked at, and the first task takes them whose `accepts`
              says so
    arranged  from (table, source, options): the table with one row a case
    prepare   from (table, options, seed, monitor): the problem, its split and its findings
    look      from (table, options, seed): the schema, and what `look` tells of it
    facts     from (table, schema): blocks that `look` tells beside the audit of rows; the
              terminal shows each by the file of its name in `cli/views/blocks`

    After a climb (`train`); `end` is a `_climb.conclude.Conclusion`:

    findings  what the chosen rung found out about the data
    parts     what the model keeps beside its weights, JSON by name; measured before the test
              rows are opened
    named     from (problem, entries with a "row"): the same, with what a person calls the row
    views     from (end, learner, tested): blocks of the result about the test rows
    insight   from (end, learner): blocks on what was learned, and whether more rows would help
    purpose   what the model is for, in words
    limits    what a person must know besides, in sentences
    again     from (end, loaded model, rows of the problem): its answers, to be compared

    A trained model:

    read      from (source, sql, monitor): the table that is to be predicted
    judge     from (model, table, options, monitor): its scores, as `judge` tells them
    predict   from (model, table, options, monitor): its answers, as `predict` tells them
    """

    claims: Callable[[Table, DataOptions], bool] = _nobody
    arranged: Callable[[Table, Any, DataOptions], Table] = prepare_rows.arranged
    prepare: Callable[[Table, DataOptions, int, Monitor], Prepared] = prepare_rows.prepare
    look: Callable[[Table, DataOptions, int], tuple[Schema, Block]] = prepare_rows.look
    facts: Callable[[Table, Schema], Block] = _nothing

    findings: Callable[[Conclusion], tuple[Finding, ...]] = _none
    parts: Callable[[Conclusion], Mapping[str, Any]] = after_rows.parts
    named: Callable[[Problem, list[Block]], list[Block]] = _as_they_are
    views: Callable[[Conclusion, Learner, Outcome], Block] = _nothing
    insight: Callable[[Conclusion, Learner], Block] = after_rows.insight
    purpose: Callable[[Conclusion], str] = after_rows.purpose
    limits: Callable[[Conclusion], tuple[str, ...]] = _none
    again: Callable[[Conclusion, Any, np.ndarray], np.ndarray] = after_rows.again

    read: Callable[[Any, str | None, Monitor], Table] = _read
    judge: Callable[[Any, Table, JudgeOptions, Monitor], Block] = judge_rows.judge
    predict: Callable[[Any, Table, PredictOptions, Monitor], Block] = predict_rows.predict
