"""What a rung is given and what it gives back: problem, training rows, watch and learner."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from neuroscope.base.errors import Interrupted
from neuroscope.base.events import Event, Monitor, ignore
from neuroscope.base.recipe import Recipe
from neuroscope.data.encoders import Encoder
from neuroscope.data.schema import Schema
from neuroscope.data.splits import Split, TaskKind, whole_groups
from neuroscope.data.table import Table
from neuroscope.data.target import TargetCodec


@dataclass(frozen=True)
class Problem:
    """A table, what is to be predicted and which rows do what.

    `y` holds the truth of every row: class indices (int64, -1 where missing) or numbers in the
    target's own unit (float64, nan where missing). Row weights are None when all rows count alike.
    """

    table: Table
    schema: Schema
    kind: TaskKind
    codec: TargetCodec
    split: Split
    seed: int
    y: np.ndarray
    weights: np.ndarray | None = None

    @property
    def classes(self) -> int:
        """Number of classes; 1 for regression."""
        return max(len(self.codec.classes), 1)

    def weights_of(self, rows: np.ndarray) -> np.ndarray | None:
        """Return the weights of some rows, or None."""
        return None if self.weights is None else self.weights[rows]

    def groups_of(self, rows: np.ndarray) -> np.ndarray | None:
        """Return group numbers of rows that belong together (the group column), or None."""
        return None if self._groups is None else self._groups[rows]

    @cached_property
    def _groups(self) -> np.ndarray | None:
        column = self.schema.by_role("group")
        return None if column is None else whole_groups(self.table, column.name)

    def training(self, rows: np.ndarray) -> Training:
        """Return what a rung sees when it is fitted on `rows` and nothing else."""
        return Training(self, rows)


@dataclass(frozen=True)
class Training:
    """Rows to learn from; encoders are fitted on these rows only, once for each `numeric_bins`."""

    problem: Problem
    rows: np.ndarray
    _encoded: dict[int, tuple[Encoder, np.ndarray]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @cached_property
    def y(self) -> np.ndarray:
        """Targets to learn: class indices, or standardised numbers."""
        y = self.problem.y[self.rows]
        if self.problem.kind != "regression":
            return y
        return (y - self.problem.codec.mean) / self.problem.codec.scale

    @property
    def weights(self) -> np.ndarray | None:
        """Row weights, or None when all count alike."""
        return self.problem.weights_of(self.rows)

    def encoded(self, numeric_bins: int = 0) -> tuple[Encoder, np.ndarray]:
        """Return the encoder fitted on these rows and the encoded rows (n, d) float32."""
        with self._lock:
            if numeric_bins not in self._encoded:
                encoder, encoded = Encoder.fit_transform(
                    self.problem.table,
                    self.problem.schema,
                    self.rows,
                    numeric_bins=numeric_bins,
                    y=self.y,
                    seed=self.problem.seed,
                )
                self._encoded[numeric_bins] = encoder, encoded.x
        return self._encoded[numeric_bins]

    def some(self, positions: np.ndarray) -> Training:
        """Return a part of these rows, by position."""
        return Training(self.problem, self.rows[positions])


class Learner(Protocol):
    """What stands on a rung once it is fitted."""

    @property
    def recipe(self) -> Recipe | None:
        """The recipe that was followed in the end, or None where the rung has none."""
        ...

    @property
    def encoder(self) -> Encoder | None:
        """What turns table rows into the rows it reads, or None when it reads none."""
        ...

    @property
    def parameters(self) -> int:
        """Number of learned numbers."""
        ...

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return probabilities (n, k), or standardised numbers (n,), for encoded rows (n, d)."""
        ...

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the learner as JSON and arrays."""
        ...


def predict(problem: Problem, learner: Learner, rows: np.ndarray) -> np.ndarray:
    """Predict rows of the problem: probabilities (n, k), or numbers in the target's unit."""
    x = np.empty((len(rows), 0), np.float32)
    if learner.encoder is not None:
        x = learner.encoder.transform(problem.table, rows).x
    answer = learner.predict(x)
    return problem.codec.decode(answer) if problem.kind == "regression" else answer


@dataclass(frozen=True)
class Watch:
    """Who watches a fit and how long it may take."""

    rung: str = ""
    fold: int = 0
    monitor: Monitor = ignore
    seconds: float | None = None  # the fit should stay below; None is no limit
    stop: threading.Event = field(default_factory=threading.Event)
    valid: np.ndarray | None = None  # rows whose loss is watched and never learned from
    alone: bool = False  # no other fit runs beside it, so a large net may use all cores

    @property
    def lanes(self) -> int | None:
        """Threads that may share a batch; None is as many as pay."""
        return None if self.alone else 1

    def tell(self, event: Event) -> None:
        """Hand an event to the monitor; raises Interrupted when the run is to stop."""
        if self.stop.is_set():
            raise Interrupted("stopped")
        self.monitor(event)


@dataclass
class Budget:
    """Seconds that a run may take in all, from `began` on; None is as long as it takes."""

    seconds: float | None = None
    began: float = field(default_factory=time.monotonic)

    @property
    def spent(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.began

    def left(self, share: float = 1.0) -> float | None:
        """Return `share` of the seconds that are left, or None when there is no limit."""
        return None if self.seconds is None else max(share * (self.seconds - self.spent), 0.0)
