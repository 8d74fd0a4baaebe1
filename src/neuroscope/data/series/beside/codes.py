"""Columns beside the targets as numbers for a net: what is learned of them, from the oldest part.

Numbers become (x - mean) / std, and where one is missing the last known one stands; categories one
column of 0 and 1 each. Nothing looks ahead: a step knows its own value and those before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from neuroscope.base.errors import ModelError, SchemaError
from neuroscope.data.series.beside.lines import Lines, Raw

MOST_CATEGORIES = 16  # of one column, the most frequent ones; the others share no column


@dataclass(frozen=True)
class Code:
    """How one column becomes numbers; `ahead` says that it is known for steps to come."""

    name: str
    ahead: bool
    mean: float = 0.0
    std: float = 1.0
    labels: tuple[str, ...] | None = None  # None is a column of numbers
    optional: bool = False  # of categories: a missing one was there in training and says something

    @property
    def width(self) -> int:
        """Columns that come out."""
        return 1 if self.labels is None else len(self.labels)

    @property
    def names(self) -> tuple[str, ...]:
        """What each of them is called."""
        if self.labels is None:
            return (self.name,)
        return tuple(f"{self.name} = {label}" for label in self.labels)

    def encode(self, lines: Lines) -> np.ndarray:
        """Return the codes (m, width) float32 of the lines' steps."""
        raw = lines.column(self.name)
        if self.labels is None:
            return self._numbers(raw, lines)[:, None].astype(np.float32)
        mine = {label: place for place, label in enumerate(self.labels)}
        theirs = [mine.get(label, -1) for label in raw.labels or ()]
        codes = np.array([*theirs, -1], np.int64)[raw.values]
        return (codes[:, None] == np.arange(len(self.labels))).astype(np.float32)

    def _numbers(self, raw: Raw, lines: Lines) -> np.ndarray:
        """Return numbers (m,) with the last known one of each line in gaps, 0 before the first."""
        known = np.isfinite(raw.values)
        known[lines.bounds[:-1]] = True  # a line takes nothing from the one before it
        seen = np.maximum.accumulate(np.where(known, np.arange(len(known)), 0))
        scaled = (raw.values[seen] - self.mean) / self.std
        return np.clip(np.where(np.isfinite(scaled), scaled, 0.0), -1e3, 1e3)

    def to_json(self) -> dict[str, Any]:
        """Return the code as a JSON object; `from_json` gives an equal one back."""
        return asdict(self) | {"labels": None if self.labels is None else list(self.labels)}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Code:
        """Build the code that `to_json` wrote; ModelError for anything else."""
        try:
            labels = record["labels"]
            return cls(str(record["name"]), bool(record["ahead"]), float(record["mean"]),
                       float(record["std"]), None if labels is None else tuple(map(str, labels)),
                       bool(record["optional"]))  # fmt: skip
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"the model's columns cannot be read: {error!r}") from error


def learn(lines: Lines, ahead: Sequence[str], until: np.ndarray) -> tuple[Code, ...]:
    """Return the code of each column, from the steps before `until` (o,), places on the grid.

    A column without a value there is a SchemaError.
    """
    lengths = np.diff(lines.bounds)
    place = np.arange(lines.bounds[-1]) + np.repeat(lines.first - lines.bounds[:-1], lengths)
    old = place < np.repeat(until, lengths)
    return tuple(_learned(raw, old, raw.name in ahead) for raw in lines.columns)


def _learned(raw: Raw, old: np.ndarray, ahead: bool) -> Code:
    known = raw.values[old & ~raw.missing]
    if not len(known):
        raise SchemaError("no value to learn from: all are missing in the older part",
                          where=f"column {raw.name!r}", remedy="leave it out",
                          )  # fmt: skip
    if raw.labels is None:
        std = float(known.std())
        return Code(raw.name, ahead, float(known.mean()), std if std > 0 else 1.0)
    counts = np.bincount(known, minlength=len(raw.labels))
    frequent = np.argsort(-counts, kind="stable")[:MOST_CATEGORIES]
    labels = tuple(raw.labels[code] for code in sorted(frequent) if counts[code])
    return Code(raw.name, ahead, labels=labels, optional=bool(raw.missing[old].any()))
