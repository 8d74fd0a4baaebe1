"""Pieces of text as tokens: a document is read from its start on, piece after piece."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from neuroscope.data.text.tokeniser import END, START


@dataclass(frozen=True, eq=False)
class Passages:
    """The tokens of n pieces.

    tokens  of each piece, (length,) int32
    first   (n,) whether a piece begins anew; the others go on where the piece before them ended
    ends    whether a document is over where it ends, so that its end is asked for as well
    """

    tokens: Sequence[np.ndarray]
    first: np.ndarray
    ends: bool

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def nbytes(self) -> int:
        """Bytes that the tokens take."""
        return sum(part.nbytes for part in self.tokens)

    @cached_property
    def runs(self) -> list[np.ndarray]:
        """What is read in one go: <start>, the tokens of pieces that follow each other, <end>."""
        begins = np.flatnonzero(self.first).tolist()
        stops = [*begins[1:], len(self)]
        end = [np.array([END], np.int32)] if self.ends else []
        start = np.array([START], np.int32)
        return [
            np.concatenate([start, *self.tokens[begin:stop], *end])
            for begin, stop in zip(begins, stops, strict=True)
        ]

    @cached_property
    def owners(self) -> np.ndarray:
        """Which piece each token that is asked for belongs to, run after run."""
        counts = np.array([len(part) for part in self.tokens], np.int64)
        if self.ends:
            last = np.append(self.first[1:], True)
            counts = counts + last
        return np.repeat(np.arange(len(self)), counts)

    def bits(self, nats: Callable[[list[np.ndarray]], np.ndarray]) -> np.ndarray:
        """Return the bits (n, 1) that each piece costs.

        `nats(runs)` gives -ln p of every token of the runs but the first ones, in one row.
        """
        if not len(self):
            return np.empty((0, 1))
        found = np.bincount(self.owners, nats(self.runs), minlength=len(self))
        return found[:, None] / np.log(2)
