"""Windows of tokens out of documents: what a net that writes is trained on.

A document of n + 1 tokens asks n times for the next one. One that fits into a window is a row; of
a longer one an epoch draws as many windows as would cover it, each beginning anywhere, so that an
epoch is about one pass over the text and no two epochs cut it alike. Held-out documents are cut
edge to edge instead, so that every token of theirs is asked for once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from neuroscope.base.errors import InputError
from neuroscope.train.data import Batch, Prepare
from neuroscope.train.losses import IGNORED

_CPU = torch.device("cpu")


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of up to `steps` tokens.

    tokens   (m,) the documents one after the other
    bounds   (documents + 1,) where each document begins; the last one ends at the last bound
    rows     windows an epoch, by the same share of each document; 0 is one pass
    """

    tokens: Tensor
    bounds: np.ndarray
    steps: int
    rows: int = 0
    prepare: Prepare | None = None
    device: torch.device = _CPU

    @classmethod
    def of(cls, documents: Sequence[np.ndarray], steps: int, rows: int = 0) -> Windows:
        """Lay documents (length,) of token numbers side by side; those below 2 tokens ask nothing.

        Raises InputError where nothing is left to learn from.
        """
        asking = [document for document in documents if len(document) > 1]
        if not asking:
            raise InputError("there is no text to learn from: no document has two tokens or more")
        tokens = torch.from_numpy(np.concatenate(asking).astype(np.int64))
        lengths = [len(document) for document in asking]
        return cls(tokens, np.concatenate([[0], np.cumsum(lengths)]), steps, rows)

    def __len__(self) -> int:
        return self.rows or int(self._counts.sum())

    @property
    def answers(self) -> int:
        """Tokens that are asked for in one pass."""
        return int(self._lengths.sum())

    @property
    def longest(self) -> int:
        """Tokens of the longest window."""
        return int(min(self._lengths.max(), self.steps))

    @property
    def _lengths(self) -> np.ndarray:
        """Return how many tokens each document asks for."""
        return np.diff(self.bounds) - 1

    @property
    def _counts(self) -> np.ndarray:
        """Return how many windows cover each document."""
        return -(-self._lengths // self.steps)

    def batches(self, size: int, chance: np.random.Generator | None) -> Sequence[np.ndarray]:
        """Return the first tokens of the windows of each batch; without `chance` edge to edge."""
        starts = self._edge_to_edge() if chance is None else self._drawn(chance)
        return [starts[first : first + size] for first in range(0, len(starts), size)]

    def _edge_to_edge(self) -> np.ndarray:
        """Return the beginnings of windows that cover each document once, in order."""
        counts = self._counts
        number = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return np.repeat(self.bounds[:-1], counts) + number * self.steps

    def _drawn(self, chance: np.random.Generator) -> np.ndarray:
        """Return beginnings in random order, such that each window lies within its document."""
        documents = np.repeat(np.arange(len(self.bounds) - 1), self._counts)
        if self.rows:
            passes, more = divmod(self.rows, len(documents))
            some = chance.choice(len(documents), more, replace=False)
            documents = np.concatenate([*[documents] * passes, documents[some]])
        documents = chance.permutation(documents)
        free = np.maximum(self._lengths[documents] - self.steps, 0)
        return self.bounds[documents] + chance.integers(0, free + 1)

    def take(self, positions: np.ndarray) -> Batch:
        """Return windows (n, t), each followed by what it is asked for: its tokens one later.

        What lies behind a document's end is padding: token 0, and no answer.
        """
        starts = np.ascontiguousarray(positions, np.int64)
        last = self.bounds[np.searchsorted(self.bounds, starts, "right")] - 1
        lengths = np.minimum(last - starts, self.steps)
        longest = int(lengths.max())
        at = torch.from_numpy(starts).to(self.device)[:, None]
        steps = torch.arange(longest + 1, device=self.device)
        if (lengths == longest).all():
            both = self.tokens[at + steps]
            return Batch((both[:, :-1],), both[:, 1:], None)
        ends = torch.from_numpy(lengths).to(self.device)[:, None]
        both = self.tokens[at + steps.minimum(ends)]
        inside = steps[:-1] < ends
        return Batch((both[:, :-1].where(inside, 0),), both[:, 1:].where(inside, IGNORED), None)

    def on(self, device: torch.device) -> Windows:
        """Return the same windows, lying on `device`."""
        return replace(self, tokens=self.tokens.to(device), device=device)
