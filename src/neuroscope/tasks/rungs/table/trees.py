"""The yardstick: gradient-boosted trees (Friedman 2001), scikit-learn's histogram version.

They are fitted by scikit-learn and kept as plain arrays, so that a model file needs no pickle.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from neuroscope.base import randomness
from neuroscope.base.errors import ModelError
from neuroscope.base.events import WarningRaised
from neuroscope.base.recipe import Recipe
from neuroscope.tasks._learning import Encoder, Training, Watch, thinned

TITLE = "gradient-boosted trees"
ORDER = 9
YARDSTICK = True
PARALLEL = True
SHARE = 3.0
CORE = False
REFITTED = True

_ROUNDS = 100  # of boosting, scikit-learn's default
_ROUNDS_A_STEP = 10  # between looks at the clock
_TIMED_ROWS = 10_000  # of a look ahead
# Below so many rows one thread is as fast as two, and folds are fitted side by side; OpenMP's
# threads would wait for each other in busy loops, up to a hundred times longer on a busy machine.
_ONE_THREAD_BELOW = 50_000
_FIELDS = ("feature", "threshold", "missing_left", "left", "right", "leaf", "value")


@dataclass(frozen=True)
class Trees:
    """All trees end to end: node arrays (m,), `starts` (rounds, outputs) of each tree's root.

    `seen` (classes,) says which classes the training rows hold; the others get probability 0.
    """

    nodes: Mapping[str, np.ndarray]
    starts: np.ndarray
    baseline: np.ndarray  # (outputs,)
    kind: str
    seen: np.ndarray  # (k,) bool; of a number: (1,)
    encoder: Encoder | None = None
    recipe: None = None

    @property
    def parameters(self) -> int:
        """Number of split thresholds and leaf values."""
        return len(self.nodes["value"])

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return probabilities (n, k), or standardised numbers (n,)."""
        raw = np.repeat(self.baseline[None, :].astype(np.float64), len(x), axis=0)
        for round_starts in self.starts:
            for output, start in enumerate(round_starts):
                raw[:, output] += self._leaf_values(x, int(start))
        if self.kind == "regression":
            return raw[:, 0]
        if self.seen.sum() == 2:  # two classes: one tree a round, for the second
            raw = np.stack([np.zeros(len(raw)), raw[:, 0]], axis=1)
        shifted = np.exp(raw - raw.max(axis=1, keepdims=True))
        p = np.zeros((len(x), len(self.seen)))
        p[:, self.seen] = shifted / shifted.sum(axis=1, keepdims=True)
        return p

    def _leaf_values(self, x: np.ndarray, start: int) -> np.ndarray:
        """Walk all rows down one tree, a level at a time."""
        nodes = self.nodes
        at = np.full(len(x), start)
        walking = np.flatnonzero(~nodes["leaf"][at])
        while len(walking):
            here = at[walking]
            values = x[walking, nodes["feature"][here]]
            left = values <= nodes["threshold"][here]
            left |= np.isnan(values) & nodes["missing_left"][here]
            at[walking] = start + np.where(left, nodes["left"][here], nodes["right"][here])
            walking = walking[~nodes["leaf"][at[walking]]]
        return nodes["value"][at]

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the trees as arrays."""
        return {"kind": self.kind}, {
            **{f"nodes.{name}": values for name, values in self.nodes.items()},
            "starts": self.starts,
            "baseline": self.baseline,
            "seen": self.seen,
        }


def recipes(training: Training) -> list[Recipe]:  # noqa: ARG001 - a yardstick is not tuned
    """Return no candidates: the yardstick stands as scikit-learn ships it."""
    return []


def fit(training: Training, recipe: Recipe | None, watch: Watch) -> Trees:  # noqa: ARG001
    """Boost until the rounds are done or `watch.seconds` are over."""
    from sklearn.ensemble import (  # noqa: PLC0415 - heavy, and only this rung needs it
        HistGradientBoostingClassifier,
        HistGradientBoostingRegressor,
    )
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 - imported with scikit-learn

    encoder, x = training.encoded()
    regression = training.problem.kind == "regression"
    maker = HistGradientBoostingRegressor if regression else HistGradientBoostingClassifier
    seed = randomness.integer(training.problem.seed, "trees")
    model: Any = maker(max_iter=_ROUNDS, random_state=seed)
    with threadpool_limits(1 if len(x) < _ONE_THREAD_BELOW else None, user_api="openmp"):
        if watch.seconds is None:
            model.set_params(early_stopping=_early_stopping(training.problem.kind, training.y))
            model.fit(x, training.y, sample_weight=training.weights)
        else:
            _fit_within(model, x, training, watch)
    seen = np.ones(1, bool)
    if not regression:
        seen = np.isin(np.arange(training.problem.classes), model.classes_)
    return _as_arrays(model, training.problem.kind, encoder, seen)


def _early_stopping(kind: str, y: np.ndarray) -> str | bool:
    """Return scikit-learn's default, but no early stopping where a class has a single row.

    It holds rows out for that, a share of each class, and refuses a class it cannot divide.
    """
    lone = kind != "regression" and np.unique(y, return_counts=True)[1].min() < 2
    return False if lone else "auto"


def _fit_within(model: Any, x: np.ndarray, training: Training, watch: Watch) -> None:
    """Boost some rounds at a time while the next ones fit; the first ones on rows that do."""
    from sklearn.base import clone  # noqa: PLC0415 - heavy, and only this rung needs it

    began = time.monotonic()
    seconds = watch.seconds or 0.0
    rows, rounds = np.arange(len(x)), 0
    if len(x) > _ONE_THREAD_BELOW:  # long enough to be worth a look ahead
        trial = np.arange(0, len(x), max(len(x) // _TIMED_ROWS, 1))
        brief: Any = clone(model)
        brief.set_params(max_iter=_ROUNDS_A_STEP, early_stopping=False)
        brief.fit(x[trial], training.y[trial])
        expected = (time.monotonic() - began) * len(x) / len(trial)
        if expected > seconds:
            problem = training.problem
            count = max(int(len(x) * seconds / expected), len(trial))
            rows = thinned(problem.kind, training.y, count, seed=problem.seed)
    weights = training.problem.weights_of(training.rows[rows])
    x, y = x[rows], training.y[rows]
    stopping = _early_stopping(training.problem.kind, y)
    model.set_params(warm_start=True, early_stopping=stopping)
    for rounds in range(_ROUNDS_A_STEP, _ROUNDS + 1, _ROUNDS_A_STEP):
        step_began = time.monotonic()
        model.set_params(max_iter=rounds).fit(x, y, sample_weight=weights)
        now = time.monotonic()
        if model.n_iter_ < rounds:  # it stopped by itself
            return
        if now - began + (now - step_began) > seconds:
            break
    if rounds < _ROUNDS or len(rows) < len(training.rows):
        message = (
            f"{rounds} of {_ROUNDS} rounds on {len(rows):,} of {len(training.rows):,} rows, cut to "
            "the time budget; a longer --budget makes this a fairer yardstick"
        )
        watch.tell(WarningRaised(message=message, rung=watch.rung))


def _as_arrays(model: Any, kind: str, encoder: Encoder, seen: np.ndarray) -> Trees:
    predictors = model._predictors
    flat = [tree.nodes for row in predictors for tree in row]
    sizes = np.array([len(tree) for tree in flat])
    starts = np.concatenate([[0], sizes.cumsum()[:-1]]).reshape(len(predictors), -1)
    nodes = np.concatenate(flat)
    fields = dict(
        zip(
            _FIELDS,
            ("feature_idx", "num_threshold", "missing_go_to_left", "left", "right", "is_leaf",
             "value"),
            strict=True,
        )
    )  # fmt: skip
    arrays = {ours: np.ascontiguousarray(nodes[theirs]) for ours, theirs in fields.items()}
    arrays["missing_left"] = arrays["missing_left"].astype(bool)
    arrays["leaf"] = arrays["leaf"].astype(bool)
    for name in ("feature", "left", "right"):
        arrays[name] = arrays[name].astype(np.int32)
    baseline = np.atleast_1d(np.asarray(model._baseline_prediction, np.float64).ravel())
    return Trees(arrays, starts.astype(np.int64), baseline, kind, seen, encoder)


def unpack(record: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Trees:
    """Rebuild the learner that `pack` wrote; ModelError when a part is missing."""
    try:
        nodes = {name: arrays[f"nodes.{name}"] for name in _FIELDS}
        parts = (arrays["starts"], arrays["baseline"], str(record["kind"]), arrays["seen"])
        return Trees(nodes, *parts)
    except KeyError as error:
        raise ModelError(f"the model's trees lack {error}", remedy="use another copy") from error
