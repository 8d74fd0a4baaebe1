"""The audit: every check on one table, the gravest findings first."""

from __future__ import annotations

from collections import Counter

from neuroscope.base.wording import counted
from neuroscope.data.audit import features, labels, leakage, rows
from neuroscope.data.audit.finding import Finding, Subject, condensed
from neuroscope.data.schema import Schema
from neuroscope.data.splits import Split, TaskKind
from neuroscope.data.table import Table
from neuroscope.data.text.column import mainly_texts

_ORDER = ("serious", "notice", "info")
_DROPPED = {
    "all-missing": "it has no value in any row that may train",
    "constant": "it has the same value in every row that may train",
    "identifier": "it names rows and says nothing about new ones",
}


def audit(
    table: Table,
    schema: Schema,
    *,
    split: Split | None = None,
    task_kind: TaskKind | None = None,
    seed: int = 0,
) -> list[Finding]:
    """Return what a person should know before training, serious findings first.

    Without a `task_kind` the checks of the target are left out, without a `split` those across
    its parts. What decides about a column (missing, constant, leakage) and suspect labels are
    looked for in the development rows only, so that the test stays unseen; leakage and labels in a
    sample of them, drawn by `seed`, and their findings say so.
    """
    subject = Subject(table, schema, split, task_kind, seed)
    found = [_summary(subject), *features.check(subject), *rows.check(subject)]
    if subject.pictures is not None:
        from neuroscope.data.images import audit as pictures  # noqa: PLC0415 - loads Pillow

        found += pictures.check(subject)
    if any(column.kind == "series" for column in schema.features):
        from neuroscope.data.series import audit as sequences  # noqa: PLC0415 - it imports this

        found += sequences.check(subject)
    if mainly_texts(schema):
        from neuroscope.data.text import audit as texts  # noqa: PLC0415 - it imports this

        found += texts.check(subject)
    if subject.target is not None:
        found += [*labels.check(subject), *leakage.check(subject)]
    return sorted(condensed(found), key=lambda finding: _ORDER.index(finding.severity))


def drops(findings: list[Finding], schema: Schema) -> list[tuple[str, str]]:
    """Return (column, reason) of the columns that are left out without being asked.

    A leak is never dropped here: only the user knows, and says so with --drop.
    """
    reasons = {
        name: _DROPPED[finding.code]
        for finding in findings
        if finding.code in _DROPPED
        for name in finding.columns
    }
    return [(name, reasons[name]) for name in schema.names if name in reasons]


def _summary(subject: Subject) -> Finding:
    kinds = Counter(column.kind for column in subject.schema.features)
    parts = ", ".join(f"{n:,} {kind}" for kind, n in kinds.most_common())
    rows, left_out = subject.table.rows, len(subject.left_out)
    more = f"; {counted(left_out, 'column')} left out" if left_out else ""
    return Finding(
        code="summary",
        severity="info",
        count=rows,
        what=f"{counted(rows, 'row')}, {counted(sum(kinds.values()), 'feature')}: {parts}{more}",
        meaning="this is how the columns were read",
        remedy="if a column was read as the wrong kind, change it with --schema",
    )
