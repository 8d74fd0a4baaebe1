"""The target as numbers a loss can use, and predictions back in the user's own values."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from neuroscope.base.errors import ModelError, SchemaError, TargetError
from neuroscope.base.wording import counted
from neuroscope.data.columns import Cells
from neuroscope.data.splits import TaskKind

_MOST = 1e140  # of a target: a billion squares of it still add up within float64
_BY_NAME = "going by its name"
_YES = """yes y true t positive pos bad churn churned fraud default spam malignant died dead death
sick ill disease failure failed fail defect defective anomaly abnormal attack"""
_NO = """no n false f negative neg good stayed legitimate legit ham benign alive survived
healthy normal success passed pass ok none"""


@dataclass(frozen=True, kw_only=True)
class TargetCodec:
    """Classes as indices 0 … k-1, or numbers as (y - mean) / scale."""

    kind: TaskKind
    column: str
    classes: tuple[str, ...] = ()  # sorted; of a binary target (negative, positive)
    storage: str = "string"  # Arrow type that predictions come back in
    positive_reason: str = ""  # why the second class of a binary target is the positive one
    mean: float = 0.0
    scale: float = 1.0  # standard deviation

    @classmethod
    def fit(cls, cells: Cells, kind: TaskKind, *, positive: str | None = None) -> TargetCodec:
        """Learn classes, or mean and scale, from the cells of the target column.

        Classes are best learnt from all labelled rows (a class may be rare), mean and scale from
        training rows only. `positive` names the class of a binary target that is looked for.
        Raises TargetError for missing values, one class, more than two classes of a binary
        target, or a constant number.
        """
        if kind == "regression":
            return cls._fit_number(cells)
        codes, labels = cells.categories()
        _refuse_missing(codes < 0, cells)
        if len(labels) < 2:
            only = f"all rows have {labels[0]!r}" if labels else "there are no rows"
            raise _nothing_to_learn(cells, f"the target has one class: {only}")
        if kind == "binary" and len(labels) > 2:
            raise _nothing_to_learn(cells, f"a binary target has {len(labels)} classes")
        classes, reason = sorted(labels, key=_natural), ""
        if kind == "binary":
            rows = dict(zip(labels, np.bincount(codes).tolist(), strict=True))
            chosen, reason = _positive(rows, positive, cells.column)
            classes = [*(c for c in classes if c != chosen), chosen]
        return cls(
            kind=kind,
            column=cells.column,
            classes=tuple(classes),
            storage=_storage(cells.values.type),
            positive_reason=reason,
        )

    @classmethod
    def _fit_number(cls, cells: Cells) -> TargetCodec:
        y = cells.numbers()
        _refuse_missing(~np.isfinite(y), cells)
        _refuse_extreme(y, cells)
        scale = float(y.std()) if len(y) else 0.0
        if scale <= 1e-12 * abs(float(y.mean()) if len(y) else 1.0):
            raise _nothing_to_learn(cells, "the target is the same number in all rows")
        return cls(kind="regression", column=cells.column, mean=float(y.mean()), scale=scale)

    def encode(self, cells: Cells) -> np.ndarray:
        """Return (n,) class indices (int64), or standardised numbers (float64).

        A missing value is a TargetError, a class that is not known a SchemaError; both name the
        row.
        """
        if self.kind == "regression":
            y = cells.numbers()
            _refuse_missing(~np.isfinite(y), cells)
            return (y - self.mean) / self.scale
        codes, labels = cells.categories()
        _refuse_missing(codes < 0, cells)
        place = {label: i for i, label in enumerate(self.classes)}
        y = np.array([place.get(text, -1) for text in labels], dtype=np.int64)[codes]
        if (y < 0).any():
            at = int(np.flatnonzero(y < 0)[0])
            raise SchemaError(
                f"{labels[codes[at]]!r} is no class of the model",
                where=_where(cells, at),
                remedy=f"known classes: {', '.join(self.classes[:10])}",
            )
        return y

    def decode(self, y: np.ndarray) -> np.ndarray:
        """Return class indices as the user's own values, or standardised numbers in their unit."""
        if self.kind == "regression":
            return np.asarray(y, dtype=np.float64) * self.scale + self.mean
        values = pa.array(self.classes).cast(self.storage)
        return values.to_numpy(zero_copy_only=False)[np.asarray(y)]

    def to_json(self) -> dict[str, Any]:
        """Return the codec as a JSON object; `from_json` gives an equal codec back."""
        return vars(self) | {"classes": list(self.classes)}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> TargetCodec:
        """Build the codec that `to_json` wrote; anything else is a ModelError."""
        try:
            return cls(**{**record, "classes": tuple(record["classes"])})
        except (KeyError, TypeError) as error:
            raise ModelError(
                f"the model's target cannot be read: {error!r}", remedy="train the model again"
            ) from error


def _positive(rows: dict[str, int], wanted: str | None, column: str) -> tuple[str, str]:
    """Return which of two classes is looked for, and why."""
    if wanted is not None:
        if wanted not in rows:
            raise TargetError(
                f"{wanted!r} is no class of the target",
                where=f"column {column!r}",
                remedy=f"classes: {', '.join(rows)}",
            )
        return wanted, "named by the user"
    with contextlib.suppress(ValueError):
        larger = max(rows, key=float)
        return larger, f"{larger} is the larger number"
    for words, other in ((_YES, False), (_NO, True)):
        said = [label for label in rows if label.strip().casefold() in words.split()]
        if len(said) == 1:
            chosen = next(c for c in rows if c != said[0]) if other else said[0]
            return chosen, f"going by the name of the other, {said[0]!r}" if other else _BY_NAME
    first, second = sorted(rows)
    chosen = first if rows[first] < rows[second] else second
    if rows[first] == rows[second]:
        return chosen, "both are equally frequent; it is the second in order"
    return chosen, f"it is rarer: {rows[chosen]:,} of {sum(rows.values()):,} rows"


def _natural(label: str) -> tuple[int, float, str]:
    """Sort numbers by value, before text."""
    try:
        return 0, float(label), label
    except ValueError:
        return 1, 0.0, label


def _storage(kind: pa.DataType) -> str:
    """Return the type of decoded classes: integer and boolean stay, the rest is text."""
    return str(kind) if pa.types.is_integer(kind) or pa.types.is_boolean(kind) else "string"


def _refuse_missing(missing: np.ndarray, cells: Cells) -> None:
    if missing.any():
        raise TargetError(
            f"the target is missing in {counted(int(missing.sum()), 'row')}",
            where=_where(cells, int(missing.argmax())),
            remedy="fill the target in, or leave these rows out",
        )


def _refuse_extreme(y: np.ndarray, cells: Cells) -> None:
    """Refuse numbers whose squares float64 cannot hold: no error of them could be measured."""
    largest = float(np.abs(y).max(initial=0.0))
    if 0 < largest < 1 / _MOST or largest > _MOST:
        at = int(np.abs(y).argmax())
        raise TargetError(
            f"the target's numbers reach {y[at]:.3g}, whose square is beyond float64",
            where=_where(cells, at),
            remedy="give the target in another unit: multiply it by a constant",
        )


def _where(cells: Cells, at: int) -> str:
    return f"column {cells.column!r}, row {1 + int(at if cells.rows is None else cells.rows[at])}"


def _nothing_to_learn(cells: Cells, what: str) -> TargetError:
    return TargetError(
        what, where=f"column {cells.column!r}", remedy="choose another column with --target"
    )
