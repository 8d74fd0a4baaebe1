"""Many categories: what the target usually is, how frequent each is, and a hashed code."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from neuroscope.base import randomness
from neuroscope.data.columns import Cells
from neuroscope.data.encoders.choice import known_codes
from neuroscope.data.encoders.code import Tally, smooth_clip
from neuroscope.data.statistics import FOLDS, target_statistics

BUCKETS = 16  # columns of the hashed code
MOST_LABELS = 20_000  # the most frequent are kept in the model; the others count as unseen
MOST_CLASSES = 10  # with more classes there is no rate of each class
_NO_SPREAD = 1e-9  # of rates, logarithms and standardised numbers: what is below is rounding


@dataclass(frozen=True)
class Wide:
    """Learned and hashed codes of a column with many categories.

    Target statistic of category c: (sum of y in c + 10 · mean of y) / (rows of c + 10)
    (Micci-Barreca, 2001), standardised; training rows get it from the other four of five folds,
    so that no row sees its own target. Unseen and missing categories get the mean, which is 0.
    """

    kind: ClassVar[str] = "wide"
    column: str
    labels: tuple[str, ...]  # sorted
    statistics: tuple[tuple[float, ...], ...]  # one row for each statistic, one value for a label
    statistic_names: tuple[str, ...]
    frequency: tuple[float, ...]  # standardised log(1 + rows) of each label
    frequency_unseen: float
    flag: bool  # training rows miss values

    @classmethod
    def fit(
        cls,
        codes: np.ndarray,
        labels: list[str],
        column: str,
        *,
        y: np.ndarray | None,
        seed: int,
    ) -> tuple[Wide, np.ndarray]:
        """Learn the codes; return them with the out-of-fold statistics (n, statistics)."""
        codes, labels = _most_frequent(codes, labels)
        targets, names = _targets(y, len(codes))
        fold = randomness.generator(seed, "target statistics", column).permutation(len(codes))
        means, honest, prior = target_statistics(codes, len(labels), targets, fold % FOLDS)
        spread = honest.std(axis=0)
        spread[spread < _NO_SPREAD] = 1
        rows = np.bincount(codes[codes >= 0], minlength=len(labels))
        logs = np.log1p(rows)
        center, width = _mean_and_spread(logs, rows)
        code = cls(
            column,
            tuple(labels),
            tuple(tuple(row) for row in ((means - prior) / spread).T.tolist()),
            names,
            tuple(((logs - center) / width).tolist()),
            -center / width,
            flag=bool(0 < (codes == -1).sum() < len(codes)),
        )
        return code, smooth_clip((honest - prior) / spread).astype(np.float32)

    @property
    def names(self) -> list[str]:
        """Return the names of statistics, frequency, hashed code and flag."""
        return (
            [f"{self.column} ({name})" for name in self.statistic_names]
            + [f"{self.column} (frequency)"]
            + [f"{self.column} (code {bucket})" for bucket in range(BUCKETS)]
            + [f"{self.column} is missing"] * self.flag
        )

    def write(self, cells: Cells, out: np.ndarray) -> Tally:
        """Write the codes of each row, as for rows that were not in training."""
        codes, missing, unseen = known_codes(cells, self.labels)
        k = len(self.statistics)
        for column, statistic in enumerate(self.statistics):
            out[:, column] = smooth_clip(np.array([*statistic, 0.0]))[codes]
        out[:, k] = smooth_clip(np.array([*self.frequency, self.frequency_unseen]))[codes]
        bucket = np.array([zlib.crc32(text.encode()) % BUCKETS for text in self.labels] + [0])
        at = np.flatnonzero(codes >= 0)
        out[at, k + 1 + bucket[codes[at]]] = 1
        if self.flag:
            out[:, -1] = missing
        return Tally(missing=int(missing.sum()), unseen=unseen)

    def describe(self) -> str:
        """Return in plain words what becomes of the categories."""
        text = f"{len(self.labels):,} categories: {', '.join((*self.statistic_names, 'frequency'))}"
        return f"{text} and a code of {BUCKETS} columns" + "; a flag for missing" * self.flag


def _most_frequent(codes: np.ndarray, labels: list[str]) -> tuple[np.ndarray, list[str]]:
    """Return codes for the sorted most frequent labels; -1 is missing, -2 is too rare."""
    rows = np.bincount(codes[codes >= 0], minlength=len(labels))
    kept = sorted(np.argsort(-rows, kind="stable")[:MOST_LABELS], key=lambda i: labels[i])
    lookup = np.full(len(labels) + 1, -2, dtype=np.int64)
    lookup[kept] = np.arange(len(kept))
    lookup[-1] = -1
    return lookup[codes], [labels[i] for i in kept]


def _targets(y: np.ndarray | None, n: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return float64 targets (n, k) to average, and what each average is called."""
    if y is None:
        return np.empty((n, 0)), ()
    if not np.issubdtype(y.dtype, np.integer):
        return y[:, None].astype(np.float64), ("mean target",)
    classes = int(y.max()) + 1
    if classes > MOST_CLASSES:
        return np.empty((n, 0)), ()
    if classes <= 2:
        return (y == 1)[:, None].astype(np.float64), ("target rate",)
    names = tuple(f"rate of class {c}" for c in range(classes))
    return np.eye(classes)[y], names


def _mean_and_spread(values: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    mean = float(np.average(values, weights=weights))
    spread = float(np.sqrt(np.average((values - mean) ** 2, weights=weights)))
    return mean, spread if spread > _NO_SPREAD else 1.0
