"""A table as a matrix of float32: one code for each feature, fitted on training rows only."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from neuroscope.base.errors import ModelError, SchemaError, did_you_mean
from neuroscope.base.wording import counted, listed
from neuroscope.data import columns
from neuroscope.data.encoders.choice import Choice
from neuroscope.data.encoders.code import Code, Tally
from neuroscope.data.encoders.dates import Dates
from neuroscope.data.encoders.numeric import Numeric
from neuroscope.data.encoders.wide import Wide
from neuroscope.data.schema import Column, Schema
from neuroscope.data.table import Table

ONE_HOT_WIDTH = 24  # categories up to which each gets its own column

_CODES: dict[str, Any] = {code.kind: code for code in (Numeric, Choice, Wide, Dates)}
_SKIPPED = {
    "text": "free text is not used on tables; a text task reads it",
    "identifier": "an identifier names rows and says nothing about new ones",
    "constant": "has one value in all rows",
    "image": "pictures are not used on tables; an image task reads them",
    "series": "sequences are not used on tables; a task of sequences reads them",
}


@dataclass(frozen=True)
class Encoded:
    """The encoded rows and what could not be taken as it was, counted by column."""

    x: np.ndarray  # (n, d) float32, C-contiguous, finite
    unseen: Mapping[str, int]  # rows with a category that the training rows do not have
    missing: Mapping[str, int]
    infinite: Mapping[str, int]
    ignored: tuple[str, ...] = ()  # columns of the table that the encoder does not know

    @property
    def notes(self) -> tuple[str, ...]:
        """Return the counts as sentences; missing values are normal and not among them."""
        lines = [
            f"column {name!r}: {counted(rows, 'row')} with a category not seen in training"
            for name, rows in self.unseen.items()
        ] + [
            f"column {name!r}: {counted(rows, 'infinite value')} taken as missing"
            for name, rows in self.infinite.items()
        ]
        if self.ignored:
            columns = counted(len(self.ignored), "column")
            lines.append(f"{columns} not used by the model: {listed(self.ignored)}")
        return tuple(lines)


@dataclass(frozen=True)
class Encoder:
    """The fitted codes of all features, JSON both ways."""

    codes: tuple[Code, ...]
    skipped: Mapping[str, str]  # column: why it is not encoded
    known: tuple[str, ...] = ()  # all columns of the schema, so that only others are "ignored"

    @classmethod
    def fit(
        cls,
        table: Table,
        schema: Schema,
        rows: np.ndarray | None = None,
        *,
        numeric_bins: int = 0,
        y: np.ndarray | None = None,
        seed: int = 0,
    ) -> Encoder:
        """Fit on `rows` (all if None); `y` (n,) their targets: class indices or numbers.

        Without `y`, columns of many categories get no target statistic. To train on the same
        rows use `fit_transform`, which keeps each row's own target out of its code.
        Raises SchemaError when no feature is left or a value is not of its column's kind.
        """
        return cls._fit(table, schema, rows, numeric_bins, y, seed)[0]

    @classmethod
    def fit_transform(
        cls,
        table: Table,
        schema: Schema,
        rows: np.ndarray | None = None,
        *,
        numeric_bins: int = 0,
        y: np.ndarray | None = None,
        seed: int = 0,
    ) -> tuple[Encoder, Encoded]:
        """Fit and encode the training rows, target statistics out of fold; else as `fit`."""
        encoder, honest = cls._fit(table, schema, rows, numeric_bins, y, seed)
        encoded = encoder.transform(table, rows)
        for code, start in zip(encoder.codes, encoder._starts, strict=False):
            if code.column in honest:
                values = honest[code.column]
                encoded.x[:, start : start + values.shape[1]] = values
        return encoder, encoded

    @classmethod
    def _fit(
        cls,
        table: Table,
        schema: Schema,
        rows: np.ndarray | None,
        numeric_bins: int,
        y: np.ndarray | None,
        seed: int,
    ) -> tuple[Encoder, dict[str, np.ndarray]]:
        codes: list[Code] = []
        honest: dict[str, np.ndarray] = {}
        read = columns.reader(table, rows)
        for column in schema.features:
            if column.kind not in _SKIPPED:
                code, values = _fit_column(read(column.name), column, numeric_bins, y, seed)
                codes.append(code)
                if values is not None:
                    honest[column.name] = values
        skipped = {c.name: _SKIPPED[c.kind] for c in schema.features if c.kind in _SKIPPED}
        encoder = cls(tuple(codes), skipped, tuple(schema.names))
        if not encoder.names:
            raise SchemaError(
                "no feature is left to learn from",
                remedy="every column is constant, an identifier or text; add columns that vary",
            )
        return encoder, honest

    def transform(self, table: Table, rows: np.ndarray | None = None) -> Encoded:
        """Encode `rows` (all if None); columns may stand in any order, others are ignored.

        Raises SchemaError for missing columns and values that are not of their column's kind.
        """
        self._check_columns(table)
        n = table.rows if rows is None else len(rows)
        x = np.zeros((n, len(self.names)), dtype=np.float32)
        tallies: dict[str, Tally] = {}
        read = columns.reader(table, rows)
        for code, (start, end) in zip(self.codes, pairwise(self._starts), strict=True):
            if end > start:
                tallies[code.column] = code.write(read(code.column), x[:, start:end])
        counts = {
            what: {name: getattr(t, what) for name, t in tallies.items() if getattr(t, what)}
            for what in ("unseen", "missing", "infinite")
        }
        known = set(self.known)
        ignored = tuple(name for name in table.names if name not in known)
        return Encoded(x, **counts, ignored=ignored)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """One name for each encoded column, such as "Contract=Two year"."""
        return tuple(name for code in self.codes for name in code.names)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The original columns that are encoded."""
        return tuple(code.column for code in self.codes)

    @cached_property
    def sources(self) -> np.ndarray:
        """For each encoded column (d,) the index in `columns` of where it comes from."""
        return np.repeat(np.arange(len(self.codes)), [len(code.names) for code in self.codes])

    @cached_property
    def _starts(self) -> list[int]:
        return np.cumsum([0, *(len(code.names) for code in self.codes)]).tolist()

    def describe(self) -> dict[str, str]:
        """Return for each feature, in plain words, what becomes of it."""
        return {code.column: code.describe() for code in self.codes} | dict(self.skipped)

    def to_json(self) -> dict[str, Any]:
        """Return the encoder as a JSON object; `from_json` gives an equal encoder back."""
        codes = [{"kind": c.kind} | dataclasses.asdict(c) for c in self.codes]  # type: ignore[call-overload]
        return {"codes": codes, "skipped": dict(self.skipped), "known": list(self.known)}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Encoder:
        """Build the encoder that `to_json` wrote; anything else is a ModelError."""
        try:
            codes = tuple(_code(dict(fields)) for fields in record["codes"])
            return cls(codes, dict(record["skipped"]), tuple(record["known"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"the model's encoders cannot be read: {error!r}", remedy="train the model again"
            ) from error

    def _check_columns(self, table: Table) -> None:
        there = set(table.names)
        gone = [code.column for code in self.codes if code.names and code.column not in there]
        if gone:
            raise SchemaError(
                f"{counted(len(gone), 'column')} that the model needs not found:"
                f" {listed([repr(name) for name in gone])}",
                remedy=did_you_mean(gone[0], table.names) or "add them to the file",
            )


def _fit_column(
    cells: columns.Cells, column: Column, numeric_bins: int, y: np.ndarray | None, seed: int
) -> tuple[Code, np.ndarray | None]:
    """Return the code of one column, and out-of-fold statistics if it has some."""
    if column.kind == "numeric":
        return Numeric.fit(cells, numeric_bins), None
    if column.kind == "datetime":
        return Dates.fit(cells), None
    codes, labels = cells.categories()
    if len(labels) <= ONE_HOT_WIDTH:
        return Choice.fit(codes, labels, column.name), None
    return Wide.fit(codes, labels, column.name, y=y, seed=seed)


def _code(fields: dict[str, Any]) -> Code:
    """Build a code from its JSON object; lists become tuples."""
    cls = _CODES[fields.pop("kind")]
    return cls(**{name: _tuples(value) for name, value in fields.items()})


def _tuples(value: Any) -> Any:
    return tuple(_tuples(inner) for inner in value) if isinstance(value, list) else value
