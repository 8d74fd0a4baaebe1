"""One finding of the audit, and the table that is audited."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from neuroscope.base import randomness
from neuroscope.base.wording import listed
from neuroscope.data import columns
from neuroscope.data.columns import Cells
from neuroscope.data.images.column import picture_column
from neuroscope.data.images.rows import feature_hashes
from neuroscope.data.schema import Column, Schema
from neuroscope.data.splits import Split, TaskKind
from neuroscope.data.table import Table

Severity = Literal["serious", "notice", "info"]

_MOST_EXAMPLES = 5
_MOST_ALIKE = 5  # findings of one code; the others are told in one more


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What was found, what it means and what to do, for a person who knows the data."""

    code: str  # stable name, such as "leakage"
    severity: Severity
    what: str
    meaning: str
    remedy: str
    column: str | None = None
    columns: tuple[str, ...] = ()  # all columns concerned
    count: int = 0  # rows, columns or classes concerned, as `what` says
    rows: tuple[int, ...] = ()  # up to 5 example data rows, counted from 1
    names: tuple[str, ...] = ()  # the files of those rows, where a row is a file

    def __post_init__(self) -> None:
        if self.column is not None and not self.columns:
            object.__setattr__(self, "columns", (self.column,))

    def to_json(self) -> dict[str, Any]:
        """Return the finding as a JSON object."""
        record = dataclasses.asdict(self)
        lists = {"rows": self.rows, "columns": self.columns, "names": self.names}
        return record | {name: list(values) for name, values in lists.items()}


def examples(rows: np.ndarray) -> tuple[int, ...]:
    """Return the first rows (numbers from 0, or a mask) as numbers from 1."""
    rows = np.flatnonzero(rows) if rows.dtype == bool else rows
    return tuple(int(row) + 1 for row in rows[:_MOST_EXAMPLES])


def condensed(findings: Iterable[Finding]) -> list[Finding]:
    """Return at most 5 findings of each code, and one for all others of that code."""
    alike: dict[str, list[Finding]] = {}
    for finding in findings:
        alike.setdefault(finding.code, []).append(finding)
    short: list[Finding] = []
    for group in alike.values():
        group.sort(key=lambda finding: -finding.count)
        short += group[:_MOST_ALIKE]
        if rest := group[_MOST_ALIKE:]:
            names = tuple(name for finding in rest for name in finding.columns)
            what = f"the same in {len(rest):,} more columns: {listed(names)}"
            short.append(
                dataclasses.replace(
                    rest[0], what=what, column=None, columns=names, count=len(rest), rows=()
                )
            )
    return short


@dataclass(frozen=True)
class Subject:
    """The table that is audited, with what several checks need."""

    table: Table
    schema: Schema
    split: Split | None
    task_kind: TaskKind | None  # None when there is no target
    seed: int

    def cells(self, name: str, rows: np.ndarray | None = None) -> Cells:
        """Return the values of a column."""
        return columns.cells(self.table, name, rows)

    @cached_property
    def left_out(self) -> tuple[Column, ...]:
        """Columns that the schema ignores since there is nothing to learn from them."""
        ignored = [column for column in self.schema.columns if column.role == "ignore"]
        return tuple(c for c in ignored if c.kind in ("identifier", "constant"))

    @cached_property
    def target(self) -> str | None:
        """The name of the target column, if there is one and its task is known."""
        return self.schema.target.name if self.schema.target and self.task_kind else None

    @cached_property
    def classes(self) -> tuple[np.ndarray, list[str]]:
        """Class codes (rows,), -1 where missing, and class labels."""
        return self.cells(self.target or "").categories()

    @cached_property
    def y(self) -> np.ndarray:
        """The target (rows,): float64 numbers or class codes, NaN where missing or infinite."""
        if self.task_kind == "regression":
            y = self.cells(self.target or "").numbers()
            y[~np.isfinite(y)] = np.nan
            return y
        codes = self.classes[0]
        return np.where(codes < 0, np.nan, codes)

    @cached_property
    def usable(self) -> np.ndarray:
        """Row numbers that have a target; all rows when there is none."""
        if self.target is None:
            return np.arange(self.table.rows)
        return np.flatnonzero(~np.isnan(self.y))

    @cached_property
    def learnable(self) -> np.ndarray:
        """Usable rows that no test is made of: only they may decide what a model sees."""
        return self.usable if self.split is None else self.split.development

    def sample(self, limit: int) -> np.ndarray:
        """Return at most `limit` learnable rows, drawn by the seed, sorted."""
        if len(self.learnable) <= limit:
            return self.learnable
        random = randomness.generator(self.seed, "audit")
        return np.sort(random.choice(self.learnable, limit, replace=False))

    @cached_property
    def hashes(self) -> np.ndarray:
        """One uint64 for each row; rows with the same features have the same."""
        return feature_hashes(self.table, self.schema)

    @cached_property
    def pictures(self) -> str | None:
        """The feature that holds pictures, if there is one."""
        return picture_column(self.table, self.schema)
