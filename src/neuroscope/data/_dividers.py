"""Ways to divide rows: shuffled (with or without strata), by group, by time.

Each divider takes row numbers and answers with two methods: `hold_out(rows, fraction)` gives the
held-out rows, `cross(rows, folds)` gives (train rows, valid rows) for each fold, all sorted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from neuroscope.base import randomness
from neuroscope.base.errors import InputError

Fold = tuple[np.ndarray, np.ndarray]

FEW_GROUPS = 2_000  # above that groups are small beside a part, and are shuffled like rows
_TRIALS = 64  # shuffles of the groups, of which the best balanced is taken


def without(rows: np.ndarray, gone: np.ndarray) -> np.ndarray:
    """Return the `rows` that are not `gone`, in their order."""
    return rows[~np.isin(rows, gone)]


@runtime_checkable  # the test session checks types at run time
class Divider(Protocol):
    """What a way to divide rows offers."""

    def hold_out(self, rows: np.ndarray, fraction: float) -> np.ndarray:
        """Return the held-out rows."""
        ...

    def cross(self, rows: np.ndarray, folds: int) -> list[Fold]:
        """Return (train rows, valid rows) for each fold."""
        ...


@dataclass(frozen=True)
class Shuffled:
    """Rows at random; equal shares of each class with `labels`; blocks stay whole.

    Systematic sampling (Madow and Madow, 1944): blocks in random order within each class, the
    classes one after the other, and every 1/fraction-th block is held out, so that a class
    differs from its share by less than one block. A class with too few blocks stays in training.
    """

    seed: int
    labels: np.ndarray | None = None  # (rows of the table,) class codes
    blocks: np.ndarray | None = None  # (rows of the table,) rows of one block are never divided

    def hold_out(self, rows: np.ndarray, fraction: float) -> np.ndarray:
        """Return about `fraction` of `rows`; no class with fewer than 3 blocks is among them."""
        position = self._positions(rows, 3)
        shift = randomness.generator(self.seed, "start").random()
        taken = np.floor((position + 1) * fraction + shift) > np.floor(position * fraction + shift)
        return rows[taken & (position >= 0)]

    def cross(self, rows: np.ndarray, folds: int) -> list[Fold]:
        """Return disjoint valid rows; a class of one block is in training rows only."""
        position = self._positions(rows, 2)
        fold = np.where(position < 0, -1, position % folds)
        return [(rows[fold != i], rows[fold == i]) for i in range(folds)]

    def _positions(self, rows: np.ndarray, fewest: int) -> np.ndarray:
        """Return each row's block's place in the order of dealing; -1 if its class is too rare."""
        first = inverse = np.arange(len(rows))
        if self.blocks is not None:
            _, first, inverse = np.unique(self.blocks[rows], return_index=True, return_inverse=True)
        order = randomness.generator(self.seed, "order", len(rows)).permutation(len(first))
        if self.labels is not None:
            strata = self.labels[rows][first]
            order = order[np.argsort(strata[order], kind="stable")]
            order = order[np.bincount(strata)[strata[order]] >= fewest]
        position = np.full(len(first), -1, dtype=np.int64)
        position[order] = np.arange(len(order))
        return position[inverse]


@dataclass(frozen=True)
class Grouped:
    """No group is divided; with `labels` the classes keep about their shares."""

    seed: int
    groups: np.ndarray  # (rows of the table,) group codes
    labels: np.ndarray | None = None  # (rows of the table,) class codes

    def hold_out(self, rows: np.ndarray, fraction: float) -> np.ndarray:
        """Return whole groups: of 64 random choices the one nearest to `fraction` of each class."""
        names, codes = np.unique(self.groups[rows], return_inverse=True)
        self._need(len(names), 2)
        if len(names) > FEW_GROUPS:
            return self._many().hold_out(rows, fraction)
        strata = self._strata(rows, 1)
        shares = np.zeros((len(names), strata.max() + 1))
        np.add.at(shares, (codes, strata), 1.0)
        shares = np.c_[shares / np.maximum(shares.sum(axis=0), 1), shares.sum(axis=1) / len(rows)]
        random, smallest = randomness.generator(self.seed, "groups"), np.inf
        best = np.empty(0, dtype=np.int64)
        for _ in range(_TRIALS):
            order = random.permutation(len(names))
            filled = np.cumsum(shares[order], axis=0)[:-1]
            distance = np.abs(filled - fraction).mean(axis=1) + np.abs(filled[:, -1] - fraction)
            if distance.min() < smallest:
                smallest, best = distance.min(), order[: 1 + distance.argmin()]
        return rows[np.isin(codes, best)]

    def cross(self, rows: np.ndarray, folds: int) -> list[Fold]:
        """Return folds of whole groups, fewer than `folds` if there are fewer groups."""
        from sklearn.model_selection import (  # noqa: PLC0415 - slow to import
            GroupKFold,
            StratifiedGroupKFold,
        )

        groups = self.groups[rows]
        distinct = len(np.unique(groups))
        self._need(distinct, 2)
        if distinct > FEW_GROUPS:
            return self._many().cross(rows, folds)
        folds = min(folds, distinct)
        if self.labels is None:
            splitter = GroupKFold(folds)
        else:
            splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=self.seed)
        parts = splitter.split(rows, self._strata(rows, folds), groups)
        return [(rows[train], rows[valid]) for train, valid in parts if len(train) and len(valid)]

    def _many(self) -> Shuffled:
        return Shuffled(self.seed, self.labels, self.groups)

    def _strata(self, rows: np.ndarray, fewest: int) -> np.ndarray:
        """Return class codes, with classes of fewer rows than `fewest` counted to the largest."""
        if self.labels is None:
            return np.zeros(len(rows), dtype=np.int64)
        labels = self.labels[rows]
        counts = np.bincount(labels)
        return np.where(counts[labels] < fewest, counts.argmax(), labels)

    @staticmethod
    def _need(groups: int, needed: int) -> None:
        if groups < needed:
            raise InputError(
                "the group column has too few groups to keep some apart for judging",
                remedy="give a group column with at least 3 different values, or leave --group out",
            )


@dataclass(frozen=True)
class Timed:
    """The past trains, the future judges; rows of one moment (or group) are never divided."""

    rank: np.ndarray  # (rows of the table,) order in time; equal ranks stay together

    def hold_out(self, rows: np.ndarray, fraction: float) -> np.ndarray:
        """Return the newest rows, about `fraction` of all."""
        rank = self.rank[rows]
        cut = self._cuts(rank, np.array([1 - fraction]))[-1]
        return rows[rank >= cut]

    def cross(self, rows: np.ndarray, folds: int) -> list[Fold]:
        """Return expanding windows: valid rows from the newer half, all older rows train.

        The newer half only, so that each fold trains on at least half of what the final model
        sees.
        """
        rank = self.rank[rows]
        cuts = self._cuts(rank, 0.5 + 0.5 * np.arange(folds) / folds)
        ends = [*cuts[1:], rank.max() + 1]
        return [
            (rows[rank < start], rows[(rank >= start) & (rank < end)])
            for start, end in zip(cuts, ends, strict=True)
        ]

    @staticmethod
    def _cuts(rank: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
        """Return distinct ranks near the quantiles, each with at least one row before it."""
        moments, counts = np.unique(rank, return_counts=True)
        if len(moments) < 2:
            raise InputError(
                "the time column has too few different times to judge on later rows",
                remedy="give a time column with more different values, or leave --time out",
            )
        before = np.cumsum(counts)[:-1] / counts.sum()  # share of rows older than moments[1:]
        nearest = np.abs(before[:, None] - quantiles[None, :]).argmin(axis=0)
        return moments[1:][np.unique(nearest)]
