"""What a rung is given and what it gives back: problem, training rows, watch and learner."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from neuroscope.base.errors import Interrupted
from neuroscope.base.events import Event, Monitor, ignore
from neuroscope.base.recipe import Recipe
from neuroscope.data.columns import cells
from neuroscope.data.schema import Schema
from neuroscope.data.splits import RowKind, Split, TaskKind, inner_split, whole_groups
from neuroscope.data.table import Table
from neuroscope.data.target import TargetCodec


class Encoder(Protocol):
    """What turns rows of a table into the array that a learner reads."""

    def transform(self, table: Table, rows: np.ndarray | None = None) -> Any:
        """Return `x`, with a line for each row, and `notes` on what was missing or unseen."""
        ...

    def to_json(self) -> dict[str, Any]:
        """Return the encoder as a JSON object."""
        ...


class Encoding(Protocol):
    """How a task turns rows into arrays; encoders are fitted on training rows only."""

    def key(self, recipe: Recipe) -> tuple[Any, ...]:
        """Return what the encoder depends on, out of the choices of a recipe."""
        ...

    def fit(self, training: Training, recipe: Recipe) -> tuple[Encoder, Any]:
        """Return the encoder fitted on the training rows, and these rows encoded."""
        ...


@dataclass(frozen=True)
class Problem:
    """A table, what is to be predicted and which rows do what.

    `y` holds the truth of every row: class indices (int64, -1 where missing) or numbers in the
    target's own unit (float64, nan where missing). Row weights are None when all rows count alike.

    Where the kind's truths are packed (see `judge.kinds`), `y` is (n, …) and its rows need not be
    rows of the table: those of a forecast are moments of the table's series. Then `blocks` and
    `moments` (n,) say which of them overlap and when they begin.
    """

    table: Table
    schema: Schema
    kind: TaskKind
    codec: TargetCodec
    split: Split
    seed: int
    encoding: Encoding
    y: np.ndarray
    weights: np.ndarray | None = None
    blocks: np.ndarray | None = None  # group numbers of rows that are no rows of the table
    moments: np.ndarray | None = None  # and their order in time
    backbone: str = ""  # pretrained net that may be used, by name or folder
    vectors: str = ""  # file of word vectors to begin with
    scratch: Path | None = None  # folder for what is worth keeping from rung to rung
    monitor: Monitor = ignore  # who watches what is done once for all rungs
    shared: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def classes(self) -> int:
        """Number of classes; 1 for regression."""
        return max(len(self.codec.classes), 1)

    @property
    def row_kind(self) -> RowKind:
        """The kind, for what knows none with packed truths: the neuron core and its recipes."""
        assert self.kind in ("binary", "multiclass", "regression")
        return self.kind

    def weights_of(self, rows: np.ndarray) -> np.ndarray | None:
        """Return the weights of some rows, or None where all count alike, also if all are 0."""
        weights = None if self.weights is None else self.weights[rows]
        return weights if weights is not None and weights.any() else None

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """Where the row weights say nothing, since all of them are 0."""
        if self.weights is None:
            return ()
        trained, judged = zip(*self.split.folds, strict=True)
        parts = {"training": trained, "held-out": judged, "test": (self.split.test,)}
        return tuple(
            f"all weights are 0 in the {part} rows"
            f"{' of a fold' if len(rows) > 1 else ''}: these rows count alike there"
            for part, rows in parts.items()
            if any(self.weights_of(some) is None for some in rows)
        )

    def groups_of(self, rows: np.ndarray) -> np.ndarray | None:
        """Return group numbers of rows that belong together (the group column), or None."""
        return None if self._groups is None else self._groups[rows]

    def times_of(self, rows: np.ndarray) -> np.ndarray | None:
        """Return the moments of rows that are divided in time (the time column), or None."""
        if self.moments is not None:
            return self.moments[rows]
        column = self.schema.by_role("time")
        return None if column is None else cells(self.table, column.name, rows).moments()

    @cached_property
    def _groups(self) -> np.ndarray | None:
        if self.blocks is not None:
            return self.blocks
        column = self.schema.by_role("group")
        return None if column is None else whole_groups(self.table, column.name)

    def learnt(self, rows: np.ndarray) -> np.ndarray:
        """Return the targets as a learner sees them: class indices, or standardised numbers."""
        y = self.y[rows]
        return y if self.kind != "regression" else (y - self.codec.mean) / self.codec.scale

    def training(self, rows: np.ndarray, held: np.ndarray | None = None) -> Training:
        """Return what a rung sees when it is fitted on `rows`, and judged on the rows `held`."""
        return Training(self, rows, held)

    @cached_property
    def folds(self) -> tuple[Training, ...]:
        """The training rows of each fold, with the rows it is judged on; the rungs share them."""
        return tuple(self.training(*fold) for fold in self.split.folds)


@dataclass(frozen=True)
class Training:
    """Rows to learn from, and rows held out to judge by; encoders are fitted on the former only.

    What is encoded once is kept for the next fit and the next rung, until `forget`.
    """

    problem: Problem
    rows: np.ndarray
    held: np.ndarray | None = None
    _encoded: dict[tuple[Any, ...], tuple[Encoder, Any]] = field(default_factory=dict, repr=False)
    _held: dict[int, tuple[Encoder, Any]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @cached_property
    def y(self) -> np.ndarray:
        """Targets to learn: class indices, or standardised numbers."""
        return self.problem.learnt(self.rows)

    @property
    def weights(self) -> np.ndarray | None:
        """Row weights, or None when all count alike."""
        return self.problem.weights_of(self.rows)

    def encoded(self, recipe: Recipe | None = None) -> tuple[Any, Any]:
        """Return the encoder fitted on these rows and the encoded rows, as the recipe wants."""
        recipe = recipe or Recipe()
        key = self.problem.encoding.key(recipe)
        with self._lock:
            if key not in self._encoded:
                self._encoded[key] = self.problem.encoding.fit(self, recipe)
            return self._encoded[key]

    def held_encoded(self, encoder: Encoder | None) -> Any:
        """Return the held-out rows as `encoder` sees them."""
        held = np.empty(0, np.int64) if self.held is None else self.held
        if encoder is None:
            return np.empty((len(held), 0), np.float32)
        with self._lock:
            if id(encoder) not in self._held:
                # The encoder is kept beside its rows, so that its id stays its own.
                self._held[id(encoder)] = encoder, encoder.transform(self.problem.table, held).x
            return self._held[id(encoder)][1]

    def predict_held(self, learner: Learner) -> np.ndarray:
        """Predict the held-out rows: probabilities (n, k), or numbers in the target's unit."""
        answer = learner.predict(self.held_encoded(learner.encoder))
        problem = self.problem
        return problem.codec.decode(answer) if problem.kind == "regression" else answer

    def forget(self, most_bytes: int = 0) -> None:
        """Drop encoded rows; the plainest encoding stays if it is at most `most_bytes` large."""
        with self._lock:
            plain = self._encoded.get(self.problem.encoding.key(Recipe()))
            stays = plain if plain is not None and plain[1].nbytes <= most_bytes else None
            self._encoded.clear()
            held = self._held.get(id(stays[0])) if stays else None
            self._held.clear()
            if stays is not None:
                self._encoded[self.problem.encoding.key(Recipe())] = stays
            if held is not None:
                self._held[id(held[0])] = held

    def some(self, positions: np.ndarray, held: np.ndarray | None = None) -> Training:
        """Return a part of these rows, by position, to be judged on other positions."""
        return Training(
            self.problem, self.rows[positions], None if held is None else self.rows[held]
        )


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

    def predict(self, x: Any) -> np.ndarray:
        """Return probabilities (n, k), or standardised numbers (n,), for encoded rows (n, d)."""
        ...

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the learner as JSON and arrays."""
        ...


def predict(problem: Problem, learner: Learner, rows: np.ndarray) -> np.ndarray:
    """Predict rows of the problem: probabilities (n, k), or numbers in the target's unit."""
    return problem.training(rows[:0], rows).predict_held(learner)


def thinned(kind: TaskKind, y: np.ndarray, count: int, *, seed: int) -> np.ndarray:
    """Return about `count` positions of the targets `y` (n,), sorted.

    Each class keeps its share, and at least one row.
    """
    if count >= len(y):
        return np.arange(len(y))
    classes = kind != "regression"
    kept, _ = inner_split(y, seed=seed, fraction=1 - count / len(y), stratify=classes)
    return np.union1d(kept, np.unique(y, return_index=True)[1]) if classes else kept


_LEAST_LEFT = 0.1  # share of a fit's seconds that the descent has, whatever encoding took


@dataclass(frozen=True)
class Watch:
    """Who watches a fit, which begins with it, and how long that may take."""

    rung: str = ""
    fold: int = 0
    monitor: Monitor = ignore
    seconds: float | None = None  # the fit should stay below; None is no limit
    stop: threading.Event = field(default_factory=threading.Event)
    trial: int = 0  # which of the rung's `trials` recipes is fitted
    trials: int = 1
    alone: bool = False  # no other fit runs beside it, so a large net may use all cores
    began: float = field(default_factory=time.monotonic, init=False, compare=False)

    @property
    def left(self) -> float | None:
        """What is left of the seconds, after encoding; a tenth of them at least."""
        if self.seconds is None:
            return None
        return max(self.seconds - (time.monotonic() - self.began), _LEAST_LEFT * self.seconds)

    @property
    def lanes(self) -> int | None:
        """Threads that may share a batch; None is as many as pay."""
        return None if self.alone else 1

    def tell(self, event: Event) -> None:
        """Hand an event to the monitor; raises Interrupted when the run is to stop."""
        if self.stop.is_set():
            raise Interrupted("stopped")
        self.monitor(event)


_TO_CONCLUDE = 0.1  # share of the budget that a resumed run has at least


@dataclass
class Budget:
    """Seconds that a run may take in all, from `began` on; None is as long as it takes."""

    seconds: float | None = None
    began: float = field(default_factory=time.monotonic)

    @property
    def spent(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.began

    def take_up(self, spent: float) -> None:
        """Count the seconds that an interrupted run has spent; a tenth of the budget stays."""
        self.began -= spent
        if self.seconds is not None:
            self.seconds = max(self.seconds, self.spent + _TO_CONCLUDE * self.seconds)

    def left(self, share: float = 1.0) -> float | None:
        """Return `share` of the seconds that are left, or None when there is no limit."""
        return None if self.seconds is None else max(share * (self.seconds - self.spent), 0.0)
