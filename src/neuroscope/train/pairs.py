"""Pairs of token sequences as rows for the loop: sentences of like length share a batch.

A batch holds about as many tokens as `size` pairs of mean length, so that one of long sentences
costs no more than one of short ones. Which pairs meet changes from epoch to epoch: before they are
sorted each length is stretched by chance, by up to a seventh. Where the sorted pairs are cut stays,
so each epoch has the same number of batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch

from neuroscope.base.errors import InputError
from neuroscope.train.data import Batch, Prepare
from neuroscope.train.losses import IGNORED

_STRETCH = 0.15  # of a length, when it is decided which pairs meet
_LARGEST = 8  # times as many pairs as asked for, at most, may share a batch of short ones
_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Ragged:
    """Sequences of tokens, one behind the other: sequence i is flat[bounds[i] : bounds[i + 1]]."""

    flat: np.ndarray  # (total,) int32
    bounds: np.ndarray  # (n + 1,) int64

    @classmethod
    def of(cls, sequences: Sequence[np.ndarray]) -> Ragged:
        """Lay sequences one behind the other."""
        bounds = np.zeros(len(sequences) + 1, np.int64)
        np.cumsum([len(one) for one in sequences], out=bounds[1:])
        flat = np.concatenate(sequences) if len(sequences) else np.empty(0)
        return cls(flat.astype(np.int32), bounds)

    def __len__(self) -> int:
        return len(self.bounds) - 1

    @property
    def nbytes(self) -> int:
        """Bytes of the tokens and their bounds."""
        return self.flat.nbytes + self.bounds.nbytes

    @cached_property
    def lengths(self) -> np.ndarray:
        """Tokens of each sequence, (n,)."""
        return np.diff(self.bounds)

    def some(self, rows: np.ndarray) -> Ragged:
        """Return some of the sequences."""
        return Ragged.of([self.flat[self.bounds[row] : self.bounds[row + 1]] for row in rows])

    def padded(self, rows: np.ndarray, padding: int, *, more: int = 0) -> np.ndarray:
        """Return some sequences side by side, (len(rows), longest + more) int64."""
        lengths = self.lengths[rows]
        place = np.arange(int(lengths.max(initial=0)) + more)
        counts = place < lengths[:, None]
        at = np.where(counts, self.bounds[rows][:, None] + place, 0)
        if not len(self.flat):
            return np.full(at.shape, padding, np.int64)
        return np.where(counts, self.flat[at], padding).astype(np.int64)


@dataclass(frozen=True)
class PairRows:
    """Pairs of a source and a target without start and end; each target must be learned whole.

    A batch has the inputs (source, its lengths, start + target) and the targets target + end,
    IGNORED behind it: the loss is a mean over tokens, ends included.
    """

    source: Ragged
    target: Ragged
    start: int
    end: int
    padding: int = 0
    device: torch.device = _CPU
    prepare: Prepare | None = None

    def __post_init__(self) -> None:
        if len(self.source) != len(self.target):
            raise InputError(f"{len(self.source):,} sources and {len(self.target):,} targets")
        if not len(self.source):
            raise InputError("there are no pairs to learn from")

    def __len__(self) -> int:
        return len(self.source)

    def some(self, rows: np.ndarray) -> PairRows:
        """Return some of the pairs."""
        return replace(self, source=self.source.some(rows), target=self.target.some(rows))

    def on(self, device: torch.device) -> PairRows:
        """Return the same pairs, gathered onto `device`."""
        return replace(self, device=device)

    @cached_property
    def tokens(self) -> np.ndarray:
        """What each pair costs in a batch (n,): the longer of its sides, start or end counted."""
        return np.maximum(self.source.lengths, self.target.lengths) + 1

    def batches(self, size: int, chance: np.random.Generator | None) -> list[np.ndarray]:
        """Return positions of about `size` pairs of mean length a batch; no chance: sorted."""
        lengths = self.tokens.astype(np.float64)
        bounds = self._cuts(size)
        if chance is None:
            order = np.lexsort((self.target.lengths, lengths))
            return np.split(order, bounds)
        stretched = lengths * (1 + _STRETCH * chance.random(len(lengths)))
        parts = np.split(np.lexsort((chance.random(len(lengths)), stretched)), bounds)
        return [parts[at] for at in chance.permutation(len(parts))]

    def _cuts(self, size: int) -> np.ndarray:
        """Return where the pairs, sorted by length, are cut: (batches - 1,) positions."""
        lengths = np.sort(self.tokens)
        most = size * float(lengths.mean())
        cuts, first = [], 0
        while first < len(lengths):
            # The longest pair of a batch comes last, and all are padded to it.
            ahead = lengths[first : first + _LARGEST * size]
            fits = np.flatnonzero(ahead * np.arange(1, len(ahead) + 1) <= most)
            first += max(int(fits[-1]) + 1 if len(fits) else 1, 1)
            cuts.append(first)
        return np.array(cuts[:-1], np.int64)

    def take(self, positions: np.ndarray) -> Batch:
        """Gather pairs onto the device."""
        source = self.source.padded(positions, self.padding)
        lengths = self.source.lengths[positions]
        targets = self.target.padded(positions, IGNORED, more=1)
        targets[np.arange(len(positions)), self.target.lengths[positions]] = self.end
        first = np.full((len(positions), 1), self.start)
        given = np.concatenate([first, self.target.padded(positions, self.padding)], 1)
        if not source.shape[1]:
            source = np.full((len(positions), 1), self.padding)
        parts = (torch.from_numpy(part).to(self.device, non_blocking=True)
                 for part in (source, lengths, given, targets))  # fmt: skip
        x, n, y, wanted = parts
        return Batch((x, n, y), wanted, None)
