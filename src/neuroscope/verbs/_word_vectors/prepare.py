"""From a table with a column of text to a problem of words, and what `look` tells of it."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from neuroscope.base.errors import InputError, NeuroscopeError, SchemaError
from neuroscope.base.events import Monitor, Progress, ignore
from neuroscope.base.nouns import ROW, noun_of
from neuroscope.base.wording import counted
from neuroscope.data.audit import Finding
from neuroscope.data.schema import Role, Schema, infer_schema
from neuroscope.data.table import Table
from neuroscope.tasks import catalogue
from neuroscope.tasks._learning import Problem
from neuroscope.tasks._words.posing import Posed, pose
from neuroscope.verbs._prepare import DataOptions, Prepared

TASK = "word_vectors"
_UNREAD = "word vectors read one column of text and nothing else"


def prepare(table: Table, options: DataOptions, seed: int, monitor: Monitor) -> Prepared:
    """Find the text, and pose the problem; errors name the source."""
    try:
        problem, column = _posed(table, options, seed, monitor)
    except NeuroscopeError as error:
        raise error.at(table.origin.text) from error
    monitor(Progress(label="ready", done=3, total=3))
    dropped = [(name, "dropped as asked") for name in options.drop]
    dropped += [(n, _UNREAD) for n in table.names if n != column and n not in options.drop]
    return Prepared(table, problem.schema, "words", kind_reason(problem), problem.split,
                    findings(problem), tuple(dropped), catalogue.get(TASK), problem)  # fmt: skip


def _posed(table: Table, options: DataOptions, seed: int, monitor: Monitor) -> tuple[Problem, str]:
    column = text_column(table, options)
    schema = _schema(table, column)
    encoding = catalogue.get(TASK).ENCODING
    return pose(encoding, table, schema, column, seed=seed, monitor=monitor), column


def text_column(table: Table, options: DataOptions) -> str:
    """Return the column that holds the text: the one that --target names, else the longest.

    Raises SchemaError where there is none, InputError for options that say nothing about words.
    """
    foreign = {"--group": options.group, "--weight": options.weight, "--split": options.split,
               "--positive": options.positive, "--backbone": options.backbone,
               "--time": options.time, "--series": options.series, "--schema": options.schema,
               "--horizon": options.horizon, "--look-back": options.look_back}  # fmt: skip
    for option, said in foreign.items():
        if said is not None:
            raise InputError(f"{option} says nothing about word vectors",
                             remedy=f"leave {option} out")  # fmt: skip
    texts = [name for name in table.names if _is_text(table, name) and name not in options.drop]
    if options.target is not None and options.target not in texts:
        raise SchemaError(f"there is no column of text called {options.target!r}",
                          remedy=f"columns of text: {', '.join(texts) or 'none'}")  # fmt: skip
    if not texts:
        raise SchemaError("there is no column of text", remedy="give a text file, or a table "
                          "with a column of text")  # fmt: skip
    return options.target or max(texts, key=lambda name: _letters(table, name))


def _is_text(table: Table, name: str) -> bool:
    kind = table.arrow.column(name).type
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _letters(table: Table, name: str) -> int:
    return sum(len(text or "") for text in table.arrow.column(name).to_pylist())


def _schema(table: Table, column: str) -> Schema:
    """Return the schema with the text as the only column that is read.

    A whole text in one cell says nothing about rows, so that kinds are not looked into.
    """
    only = Table(table.arrow.select([column]), table.origin)
    schema = infer_schema(only, target=column, overrides={column: {"kind": "text"}})
    roles: dict[str, Role] = {column: "target"}
    return schema.with_roles(roles, "the text")


def kind_reason(problem: Problem) -> str:
    """Return what is learned, in words."""
    posed = Posed.of(problem)
    return (
        f"{len(posed.corpus.tokens):,} words of {len(posed.corpus.words):,} different ones that "
        f"occur {posed.least} times or more in the training passages ({posed.left_out:,} rarer "
        "ones are left out)"
    )


def findings(problem: Problem) -> tuple[Finding, ...]:
    """Return what is odd about the texts."""
    repeated = Posed.of(problem).repeated
    if not repeated:
        return ()
    noun = "line" if problem.table.rows == 1 else "text"
    return (Finding(
        code="repeated_text", severity="notice", count=repeated,
        what=f"{counted(repeated, noun)} left out: an earlier one has the same words",
        meaning="a repeat would be learned in one passage and judged in another",
        remedy="nothing to do; texts that are nearly the same are not looked for",
    ),)  # fmt: skip


def look(table: Table, options: DataOptions, seed: int) -> tuple[Schema, dict[str, Any]]:
    """Return the schema and what `look` tells of a corpus; what stands in the way is a blocker."""
    try:
        column = text_column(table, options)
    except NeuroscopeError as error:
        raise error.at(table.origin.text) from error
    schema = _schema(table, column)
    found: dict[str, Any] = {
        "target": {"column": column, "kind": "words", "classes": [], "missing": 0,
                   "chosen_because": "as asked" if options.target else "the text",
                   "reason": "words that stand together"},
        "split": None, "findings": [], "blockers": [], "noun": noun_of(TASK), "row_noun": ROW,
        "dropped": [{"column": name, "reason": _UNREAD} for name in table.names if name != column],
    }  # fmt: skip
    try:
        problem, _ = _posed(table, options, seed, ignore)
        split = problem.split
        found["findings"] = [finding.to_json() for finding in findings(problem)]
        found["target"]["reason"] = kind_reason(problem)
        found["split"] = {"method": split.method, "reason": split.reason,
                          "notes": list(split.notes), "rows": split.counts,
                          "folds": len(split.folds)}  # fmt: skip
    except InputError as error:
        found["blockers"].append(str(error))
    return schema, found
