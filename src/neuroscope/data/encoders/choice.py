"""Few categories: two become one column of -1 and +1, more become one column each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from neuroscope.data.columns import Cells
from neuroscope.data.encoders.code import Tally


@dataclass(frozen=True)
class Choice:
    """One-hot columns; of two categories the second is +1, the first -1 (RealMLP, 2024).

    Missing and unseen categories are 0 in all of them.
    """

    kind: ClassVar[str] = "choice"
    column: str
    labels: tuple[str, ...]  # the categories of the training rows, sorted
    flag: bool  # training rows miss values

    @classmethod
    def fit(cls, codes: np.ndarray, labels: list[str], column: str) -> Choice:
        """Learn the categories from `codes` (n,) and their `labels`, as `columns.categories`."""
        missing = int((codes < 0).sum())
        return cls(column, tuple(sorted(labels)), flag=0 < missing < len(codes))

    @property
    def names(self) -> list[str]:
        """Return the names, such as "Contract=Two year"."""
        shown = self.labels[1:] if len(self.labels) == 2 else self.labels
        names = [f"{self.column}={label}" for label in shown]
        return names + [f"{self.column} is missing"] * self.flag

    def write(self, cells: Cells, out: np.ndarray) -> Tally:
        """Write the columns of each row."""
        codes, missing, unseen = known_codes(cells, self.labels)
        at = np.flatnonzero(codes >= 0)
        if len(self.labels) == 2:
            out[at, 0] = 2 * codes[at] - 1
        else:
            out[at, codes[at]] = 1
        if self.flag:
            out[:, -1] = missing
        return Tally(missing=int(missing.sum()), unseen=unseen)

    def describe(self) -> str:
        """Return in plain words what becomes of the categories."""
        if len(self.labels) == 2:
            text = f"-1 for {self.labels[0]!r}, +1 for {self.labels[1]!r}"
        else:
            text = f"one column for each of {len(self.labels)} categories"
        return text + "; a flag for missing" * self.flag


def known_codes(cells: Cells, labels: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray, int]:
    """Return codes (n,) into `labels`, -1 where none; which rows are missing; how many unseen."""
    codes, given = cells.categories()
    place = {label: i for i, label in enumerate(labels)}
    lookup = np.array([place.get(label, -1) for label in given] + [-1], dtype=np.int64)
    missing = codes < 0
    codes = lookup[codes]
    return codes, missing, int(((codes < 0) & ~missing).sum())
