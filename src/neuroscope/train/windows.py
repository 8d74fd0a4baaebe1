"""Windows of tokens out of documents: what a net that writes is trained on.

A document of n + 1 tokens asks n times for the next one. One that fits into a window is a row; a
longer one is cut edge to edge, and every token is asked for once an epoch. While learning the first
window is shortened by chance, so that no two epochs cut a text alike. Windows drawn anywhere within
a document would hardly ever hold its first token and its last, and what is trained on them learns
neither how a text begins nor how it ends.
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

_SPARE = 8  # a document is so many times as long as the room to choose its cuts in, or more
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
        """Return how many windows cover each document such that there is a choice where to cut.

        Where the last one would be nearly full there is one more.
        """
        spare = np.minimum(self._lengths // _SPARE, self.steps // 2)
        return np.where(self._lengths > self.steps, -(-(self._lengths + spare) // self.steps), 1)

    def batches(self, size: int, chance: np.random.Generator | None) -> Sequence[np.ndarray]:
        """Return the windows of each batch (n, 2): their first token, and the one behind the last.

        Without `chance` they lie in order.
        """
        windows = self._edge_to_edge() if chance is None else self._drawn(chance)
        return [windows[first : first + size] for first in range(0, len(windows), size)]

    def _edge_to_edge(self) -> np.ndarray:
        """Return windows that cover each document once, in order."""
        counts = -(-self._lengths // self.steps)
        return self._cut(counts, np.full_like(counts, self.steps))

    def _cut(self, counts: np.ndarray, first: np.ndarray) -> np.ndarray:
        """Return windows that cover each document once; `first` are the lengths of the first."""
        number = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        ends = np.repeat(first, counts) + number * self.steps
        begins = np.where(number > 0, ends - self.steps, 0)
        ends = np.minimum(ends, np.repeat(self._lengths, counts))
        return np.repeat(self.bounds[:-1], counts)[:, None] + np.stack([begins, ends], 1)

    def _drawn(self, chance: np.random.Generator) -> np.ndarray:
        """Return the windows of an epoch in random order, cut anew for each pass."""
        passes, more = divmod(len(self), int(self._counts.sum()))
        cuts = [self._loosely_cut(chance) for _ in range(passes)]
        if more:
            whole = self._loosely_cut(chance)
            cuts.append(whole[chance.choice(len(whole), more, replace=False)])
        return chance.permutation(np.concatenate(cuts))

    def _loosely_cut(self, chance: np.random.Generator) -> np.ndarray:
        """Return windows that cover each document once, the first and the last one shorter."""
        counts = self._counts
        outer = self._lengths - (counts - 2) * self.steps  # of the first and the last together
        least, most = np.maximum(outer - self.steps, 1), np.minimum(outer - 1, self.steps)
        return self._cut(counts, chance.integers(least, most + 1))

    def take(self, positions: np.ndarray) -> Batch:
        """Return windows (n, t), each followed by what it is asked for: its tokens one later.

        What lies behind a window's end is padding: token 0, and no answer.
        """
        starts, stops = np.ascontiguousarray(positions.T, np.int64)
        lengths = stops - starts
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
