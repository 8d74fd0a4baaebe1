"""A torch net of sequences on a rung: built for their steps, trained by the loop of `train`."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroscope.base.recipe import Recipe
from neuroscope.data.series.encoder import SequenceRows
from neuroscope.data.splits import TaskKind, inner_split
from neuroscope.tasks._learning import Training, Watch
from neuroscope.tasks._sequences.remembered import look_inside
from neuroscope.tasks._torch import (
    arrays_of,
    built,
    looked_at,
    outputs,
    rebuilt,
    trained,
    watching,
)

if TYPE_CHECKING:
    from torch import nn

    from neuroscope.train.data import Data

    Begin = Callable[[nn.Module], None]  # sets first weights of a fresh net

_STEPS_AT_ONCE = 1 << 15  # predicted at a time
_LOOKED_AT = 48  # training sequences that a net's memory is measured on


@dataclass(frozen=True)
class SequenceLearner:
    """A net behind the encoder of its sequences; `record` builds the same net without weights."""

    net: nn.Module
    record: Mapping[str, Any]
    kind: TaskKind
    encoder: Any  # of series, or of texts
    recipe: Recipe | None

    @property
    def parameters(self) -> int:
        """Number of weights and biases."""
        return sum(weight.numel() for weight in self.net.parameters())

    def predict(self, x: SequenceRows) -> np.ndarray:
        """Return probabilities (n, k), or standardised numbers (n,)."""
        import torch  # noqa: PLC0415 - slow to import

        self.net.eval()
        weight, found = next(self.net.parameters()), []
        size = max(_STEPS_AT_ONCE // max(x.x.shape[1], 1), 1)
        order = np.argsort(x.lengths, kind="stable")  # a batch is read as far as its longest goes
        with torch.inference_mode():
            for first in range(0, len(x), size):
                some = order[first : first + size]
                steps = torch.from_numpy(x.x[some]).to(weight.device)
                steps = steps.to(weight) if steps.is_floating_point() else steps
                lengths = torch.from_numpy(x.lengths[some]).to(weight.device)
                logits = self.net(steps, lengths).cpu().double()  # Apple's GPUs have no double
                answer = logits[:, 0] if self.kind == "regression" else logits.softmax(dim=1)
                found.append(answer.numpy())
        if not found:
            return np.empty((0, 1))
        answers = np.concatenate(found)
        answers[order] = answers.copy()
        return answers

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the net's record as JSON and its weights as arrays."""
        return {"net": dict(self.record), "kind": self.kind}, arrays_of(self.net)


def unpack(record: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> SequenceLearner:
    """Rebuild the learner that `pack` wrote; ModelError when its parts do not fit together."""
    return rebuilt(
        record, arrays, lambda net: SequenceLearner(net, record["net"], record["kind"], None, None)
    )


def shape(training: Training, recipe: Recipe) -> dict[str, Any]:
    """Return what every family's `build` wants to know of these sequences."""
    encoder, x = training.encoded(recipe)
    return {
        "channels": encoder.channels, "steps": x.x.shape[1],
        "outputs": outputs(training.problem), "dropout": recipe.dropout, "seed": recipe.seed,
    }  # fmt: skip


def fit(
    training: Training, recipe: Recipe, watch: Watch, record: Mapping[str, Any], *,
    net: nn.Module | None = None, begin: Begin | None = None,
) -> SequenceLearner:  # fmt: skip
    """Train a net by its recipe on the training rows; held-out rows are watched, never used.

    The net is built anew from its record, with what `begin` sets, or it is `net` as it is.

    With `recipe.patience` the number of epochs is found first, see `found_epochs`.
    """
    sought = recipe.patience > 0
    if sought:
        recipe = found_epochs(training, recipe, watch, record, begin)
    encoder, x = training.encoded(recipe)
    rows, valid = _rows(training, training.rows, x), None
    some = looked_at(training, watch)
    if some is not None and training.held is not None:
        held = training.held_encoded(encoder)
        shown = SequenceRows(held.x[some], held.lengths[some])
        valid = _rows(training, training.held[some], shown)
    # Epochs that are sought again, after a run was killed, may come out others in the time left.
    seen = watching(training, watch, kept=not sought)
    net = _fresh(record, begin) if net is None else net
    followed = trained(net, record, rows, recipe, seen, valid=valid)
    look_inside(training, watch, net.eval(), record, x.x[-_LOOKED_AT:], x.lengths[-_LOOKED_AT:])
    return SequenceLearner(net.eval(), record, training.problem.kind, encoder, followed)


def _fresh(record: Mapping[str, Any], begin: Begin | None) -> nn.Module:
    net = built(record)
    if begin is not None:
        begin(net)
    return net


def found_epochs(
    training: Training, recipe: Recipe, watch: Watch, record: Mapping[str, Any],
    begin: Begin | None = None,
) -> Recipe:  # fmt: skip
    """Return the recipe with the number of epochs after which the loss of new rows is lowest.

    An eighth, a quarter, half and all of the epochs are tried on four fifths of the training rows,
    each with its own whole schedule, until the loss of the other rows no longer falls or the time
    does not allow the next one. Small noisy sets are learned by heart within few epochs.
    """
    from neuroscope.train import loop  # noqa: PLC0415 - imports torch

    problem, (encoder, x) = training.problem, training.encoded(recipe)
    inner, held = inner_split(
        training.y, seed=recipe.seed, stratify=problem.kind != "regression",
        groups=problem.groups_of(training.rows), times=problem.times_of(training.rows),
    )  # fmt: skip
    rows = _rows(training, training.rows, x, inner)
    judged = SequenceRows(x.x[held], x.lengths[held])
    lengths = sorted({max(recipe.epochs // part, 1) for part in (8, 4, 2, 1)})
    began, seconds, best, tried = time.monotonic(), watch.left, math.inf, []
    half = None if seconds is None else seconds / 2
    for epochs in lengths:
        trial_began = time.monotonic()
        trial, net = replace(recipe, epochs=epochs, patience=0), _fresh(record, begin)
        seen = loop.Watch(rung=watch.rung, fold=watch.fold, stop=watch.stop, seconds=half)
        followed = trained(net, record, rows, trial, seen)
        learner = SequenceLearner(net, record, problem.kind, encoder, followed)
        cost = _cost(learner.predict(judged), training.y[held], problem.kind)
        if tried and cost >= best:
            break
        best, tried = cost, [*tried, epochs]
        now = time.monotonic()
        ahead = 5 * (now - trial_began)  # twice as long, and then on all rows
        if seconds is not None and now - began + ahead > seconds:
            break
    reason = f"after {tried[-1]:,} epochs the loss of a fifth of the training rows was lowest"
    return recipe.because(reason, epochs=tried[-1], patience=0)


def _cost(answer: np.ndarray, y: np.ndarray, kind: TaskKind) -> float:
    """Return the mean log loss, or the mean square, of rows that were not learned."""
    if kind == "regression":
        return float(np.mean((answer - y) ** 2))
    return float(-np.log(np.maximum(answer[np.arange(len(y)), y], 1e-12)).mean())


def _rows(
    training: Training, rows: np.ndarray, x: SequenceRows, some: np.ndarray | None = None
) -> Data:
    """Return the sequences, or some of them, with their targets as the loop takes them.

    Texts of like length share a batch. Nothing is copied.
    """
    from neuroscope.train.data import Data, alike  # noqa: PLC0415 - imports torch

    problem = training.problem
    y = problem.learnt(rows)
    targets = y.astype(np.float32)[:, None] if problem.kind == "regression" else y
    texts = not np.issubdtype(x.x.dtype, np.floating)
    lengths = x.lengths if some is None else x.lengths[some]
    return Data((x.x, x.lengths), targets, problem.weights_of(rows), some,
                batcher=alike(lengths) if texts else None)  # fmt: skip
