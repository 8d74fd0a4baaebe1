"""Rows that are zero almost everywhere, kept as the numbers that are not: bags of words.

Compressed sparse rows: row i has the numbers `values[starts[i]:starts[i + 1]]` in the columns
`places[starts[i]:starts[i + 1]]`, and 0 in all others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class SparseRows:
    """Rows (n, width) of which only the numbers other than 0 are kept."""

    starts: np.ndarray  # (n + 1,) int64
    places: np.ndarray  # (m,) int32, from 0 to below width
    values: np.ndarray  # (m,) float32
    width: int

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, as of an array."""
        return len(self), self.width

    @property
    def nbytes(self) -> int:
        """Bytes that are held."""
        return self.starts.nbytes + self.places.nbytes + self.values.nbytes

    @property
    def lengths(self) -> np.ndarray:
        """Return how many numbers each row holds, (n,)."""
        return np.diff(self.starts)

    def __getitem__(self, rows: np.ndarray | slice) -> SparseRows:
        """Return some rows, by position."""
        chosen = np.arange(len(self))[rows]
        lengths = self.lengths[chosen]
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        at = np.arange(starts[-1]) + np.repeat(self.starts[chosen] - starts[:-1], lengths)
        return SparseRows(starts, self.places[at], self.values[at], self.width)

    def row(self, position: int) -> tuple[np.ndarray, np.ndarray]:
        """Return columns and numbers of one row."""
        some = slice(self.starts[position], self.starts[position + 1])
        return self.places[some], self.values[some]

    def dense(self) -> np.ndarray:
        """Return the rows with their zeros, (n, width) float32."""
        out = np.zeros(self.shape, np.float32)
        np.add.at(out, (np.repeat(np.arange(len(self)), self.lengths), self.places), self.values)
        return out
