"""What each column is (kind) and what it is for (role); inferred, shown, editable as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["numeric", "categorical", "boolean", "datetime", "text", "identifier", "constant"]
Role = Literal["feature", "target", "group", "time", "weight", "split", "ignore"]


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a schema; `reason` says why it got this kind and role."""

    name: str
    kind: Kind
    role: Role
    storage: str  # the Arrow type as text
    distinct: int  # distinct values, missing not counted
    missing: int  # rows without a value
    reason: str


@dataclass(frozen=True)
class Schema:
    """The columns of a table in their order."""

    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """Column names in the order of the source."""
        return [column.name for column in self.columns]

    @property
    def features(self) -> tuple[Column, ...]:
        """The columns a model may look at."""
        return tuple(column for column in self.columns if column.role == "feature")

    @property
    def target(self) -> Column | None:
        """The column to predict, or None when there is none."""
        return next((column for column in self.columns if column.role == "target"), None)

    def by_role(self, role: Role) -> Column | None:
        """Return the first column of a role ("group", "time", "weight", "split"), or None."""
        return next((column for column in self.columns if column.role == role), None)
