"""A torch net of sequences on a rung: built for their steps, trained by the loop of `train`."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroscope.base.recipe import Recipe
from neuroscope.data.series.encoder import SequenceRows, SeriesEncoder
from neuroscope.data.splits import TaskKind, inner_split
from neuroscope.tasks._learning import Training, Watch
from neuroscope.tasks._remembered import look_inside
from neuroscope.tasks._torch import arrays_of, checkpoint, counting, outputs, rebuilt

if TYPE_CHECKING:
    from torch import nn

    from neuroscope.train.data import Data

_STEPS_AT_ONCE = 1 << 15  # predicted at a time
_LOOKED_AT = 48  # training sequences that a net's memory is measured on
_WATCHED = 1000  # about so many held-out sequences are looked at after each epoch


@dataclass(frozen=True)
class SequenceLearner:
    """A net behind the encoder of its sequences; `record` builds the same net without weights."""

    net: nn.Module
    record: Mapping[str, Any]
    kind: TaskKind
    encoder: SeriesEncoder | None
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
        with torch.inference_mode():
            for first in range(0, len(x), size):
                some = slice(first, first + size)
                steps = torch.from_numpy(x.x[some]).to(weight)
                lengths = torch.from_numpy(x.lengths[some]).to(weight.device)
                logits = self.net(steps, lengths).double()
                answer = logits[:, 0] if self.kind == "regression" else logits.softmax(dim=1)
                found.append(answer.cpu().numpy())
        return np.concatenate(found) if found else np.empty((0, 1))

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
    training: Training, recipe: Recipe, watch: Watch, record: Mapping[str, Any]
) -> SequenceLearner:
    """Train a net by its recipe on the training rows; held-out rows are watched, never used.

    With `recipe.patience` the number of epochs is found first, see `found_epochs`.
    """
    began, sought = time.monotonic(), recipe.patience > 0
    if sought:
        recipe = found_epochs(training, recipe, watch, record)
    encoder, x = training.encoded(recipe)
    watched = None
    if training.held is not None and watch.fold == 0:
        every = max(len(training.held) // _WATCHED, 1)
        held = training.held_encoded(encoder)
        some = SequenceRows(held.x[::every], held.lengths[::every])
        watched = _rows(training, training.held[::every], some)
    # Epochs that are sought again, after a run was killed, may come out others in the time left.
    kept = None if sought else checkpoint(training, watch)
    left = None
    if watch.seconds is not None:
        left = max(watch.seconds - (time.monotonic() - began), 0.1 * watch.seconds)
    seen = {"monitor": counting(watch), "checkpoint": kept, "seconds": left}
    net, followed = _fitted(record, recipe, watch, _rows(training, training.rows, x), watched, seen)
    look_inside(training, watch, net.eval(), record, x.x[-_LOOKED_AT:], x.lengths[-_LOOKED_AT:])
    return SequenceLearner(net.eval(), record, training.problem.kind, encoder, followed)


def found_epochs(
    training: Training, recipe: Recipe, watch: Watch, record: Mapping[str, Any]
) -> Recipe:
    """Return the recipe with the number of epochs after which the loss of new rows is lowest.

    An eighth, a quarter, half and all of the epochs are tried on four fifths of the training rows,
    each with its own whole schedule, until the loss of the other rows no longer falls or the time
    does not allow the next one. Small noisy sets are learned by heart within few epochs.
    """
    problem, (encoder, x) = training.problem, training.encoded(recipe)
    inner, held = inner_split(
        training.y, seed=recipe.seed, stratify=problem.kind != "regression",
        groups=problem.groups_of(training.rows), times=problem.times_of(training.rows),
    )  # fmt: skip
    rows = _rows(training, training.rows, x).some(inner)
    judged = SequenceRows(x.x[held], x.lengths[held])
    lengths = sorted({max(recipe.epochs // part, 1) for part in (8, 4, 2, 1)})
    began, best, tried = time.monotonic(), math.inf, []
    for epochs in lengths:
        trial_began = time.monotonic()
        share = None if watch.seconds is None else watch.seconds / 2
        trial = replace(recipe, epochs=epochs, patience=0)
        net, followed = _fitted(record, trial, watch, rows, None, {"seconds": share})
        learner = SequenceLearner(net, record, problem.kind, encoder, followed)
        cost = _cost(learner.predict(judged), training.y[held], problem.kind)
        if tried and cost >= best:
            break
        best, tried = cost, [*tried, epochs]
        now = time.monotonic()
        ahead = 5 * (now - trial_began)  # twice as long, and then on all rows
        if watch.seconds is not None and now - began + ahead > watch.seconds:
            break
    reason = f"after {tried[-1]:,} epochs the loss of a fifth of the training rows was lowest"
    return recipe.because(reason, epochs=tried[-1], patience=0)


def _cost(answer: np.ndarray, y: np.ndarray, kind: TaskKind) -> float:
    """Return the mean log loss, or the mean square, of rows that were not learned."""
    if kind == "regression":
        return float(np.mean((answer - y) ** 2))
    return float(-np.log(np.maximum(answer[np.arange(len(y)), y], 1e-12)).mean())


def _fitted(
    record: Mapping[str, Any], recipe: Recipe, watch: Watch, rows: Data, watched: Data | None,
    seen: Mapping[str, Any],
) -> tuple[nn.Module, Recipe]:  # fmt: skip
    """Build the net and train it; returns it with the recipe that was followed in the end."""
    from neuroscope import nets  # noqa: PLC0415 - imports torch
    from neuroscope.train import loop  # noqa: PLC0415 - imports torch

    net = nets.build(record)
    whole = loop.Watch(rung=watch.rung, fold=watch.fold, stop=watch.stop, **seen)
    followed = loop.fit(net, rows, recipe, valid=watched, watch=whole,
                        groups=nets.catalogue.get(record["family"]).groups(net))  # fmt: skip
    return net, followed.recipe


def _rows(training: Training, rows: np.ndarray, x: SequenceRows) -> Data:
    """Return the sequences with their targets as the loop takes them; nothing is copied."""
    from neuroscope.train.data import Data  # noqa: PLC0415 - imports torch

    problem = training.problem
    y = problem.learnt(rows)
    targets = y.astype(np.float32)[:, None] if problem.kind == "regression" else y
    return Data((x.x, x.lengths), targets, problem.weights_of(rows))
