"""Fitting a net of the neuron core on a rung, from one neuron to deep dense networks."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from neuroscope.base.errors import ModelError
from neuroscope.base.events import EpochEnded, GradientFlow, WarningRaised
from neuroscope.base.recipe import WHOLE, Recipe
from neuroscope.base.sparse import SparseRows
from neuroscope.data.splits import inner_split
from neuroscope.neuron import heads
from neuroscope.neuron.alerts import gradient_alerts
from neuroscope.neuron.descent import Epoch, descend, descend_safely
from neuroscope.neuron.network import Network
from neuroscope.neuron.step import Examples
from neuroscope.tasks._learning import Encoder, Training, Watch, thinned

_REPORTS = 100  # epochs of a fit that are told at most
_ROUGH_SPEED = 2e10  # floating-point operations a second, for a first guess of a fit's length


@dataclass(frozen=True)
class NetLearner:
    """A network of the core behind its encoder."""

    network: Network
    encoder: Encoder | None
    recipe: Recipe | None
    kind: heads.Kind

    @property
    def parameters(self) -> int:
        """Number of weights and biases."""
        return self.network.parameters

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return probabilities (n, k), or standardised numbers (n,)."""
        return heads.answers(self.kind, self.network.predict(x).astype(np.float64))

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return widths and activations as JSON, each layer's weights and bias as arrays."""
        record = {
            "kind": self.kind,
            "widths": list(self.network.widths),
            "activations": list(self.network.activations),
            "loss": self.network.loss_name,
            "huber_delta": self.network.huber_delta,
        }
        arrays = {}
        for number in range(len(self.network.activations)):
            weights, bias = self.network.layer(number)
            arrays |= {f"layer{number + 1}.weights": weights, f"layer{number + 1}.bias": bias}
        return record, arrays


def unpack(record: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> NetLearner:
    """Rebuild the learner that `pack` wrote; ModelError when its parts do not fit together."""
    try:
        widths = tuple(int(width) for width in record["widths"])
        layers = range(1, len(widths))
        weights = [arrays[f"layer{number}.weights"] for number in layers]
        biases = [arrays[f"layer{number}.bias"] for number in layers]
        fits = all(
            w.shape == (widths[i], widths[i + 1]) and b.shape == (widths[i + 1],)
            for i, (w, b) in enumerate(zip(weights, biases, strict=True))
        )
        theta = np.concatenate([part.ravel() for part in (*weights, *biases)])
        network = Network(widths, tuple(record["activations"]), record["loss"], theta,
                          float(record["huber_delta"]))  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"the model's network cannot be read: {error!r}") from error
    if not fits or len(network.activations) != len(widths) - 1:
        raise ModelError("the model's layers do not fit together", remedy="use another copy")
    return NetLearner(network, None, None, record["kind"])


def candidates(make: Callable[..., list[Recipe]], training: Training) -> list[Recipe]:
    """Return what a maker in `_rows/defaults` proposes for these rows, best guess first."""
    problem = training.problem
    features = training.encoded()[1].shape[1]
    return make(problem.row_kind, len(training.rows), features, problem.classes, problem.seed)


def warm_up(precision: str = "float32") -> None:
    """Load the core's compiled loops, or compile them once for this machine, on two rows."""
    recipe = Recipe(epochs=1, batch_size=2, hidden=(1,), precision=precision)
    network = heads.build("binary", 1, 2, recipe)
    examples = heads.examples("binary", np.zeros((2, 1)), np.array([0, 1]), 2, recipe)
    network.loss(examples)
    for _ in descend(network, examples, recipe):
        pass


def fit(
    training: Training, recipe: Recipe, watch: Watch, *,
    begin: Callable[[Network], None] | None = None,
) -> NetLearner:  # fmt: skip
    """Fit one net by its recipe; epochs are cut to what `watch.seconds` allows, and it says so.

    `begin` sets first weights of the fresh net.
    """
    problem = training.problem
    kind, classes = problem.row_kind, problem.classes
    encoder, x = training.encoded(recipe)
    network = heads.build(kind, x.shape[1], classes, recipe)
    if begin is not None:
        begin(network)
    positions = np.arange(len(x))
    valid = None
    if recipe.patience:
        positions, held = inner_split(
            training.y, seed=recipe.seed, fraction=0.15, stratify=kind != "regression",
            groups=problem.groups_of(training.rows), times=problem.times_of(training.rows),
        )  # fmt: skip
        valid = _examples(training, x, held, recipe, smooth=False)
    recipe, positions = _within(watch, network, training, x, positions, recipe)
    train = _examples(training, x, positions, recipe, smooth=True)
    watched = _watched(training, encoder, recipe) if watch.fold == 0 else None
    recipe = learn(network, train, recipe, watch, valid=valid, watched=watched)
    return NetLearner(network, encoder, recipe, kind)


def learn(
    network: Network, train: Examples, recipe: Recipe, watch: Watch, *,
    valid: Examples | None = None, watched: Examples | None = None,
) -> Recipe:  # fmt: skip
    """Train a net in place and tell of it; returns the recipe that was followed in the end.

    Epochs beyond `watch.seconds` end the descent, if they were not cut beforehand.
    """
    course: list[tuple[float, ...]] = []  # gradient norms of each epoch
    best = network.theta.copy()
    deadline = math.inf if watch.seconds is None else time.perf_counter() + 1.2 * watch.seconds
    for report in descend_safely(network, train, recipe, valid=valid, lanes=watch.lanes):
        if isinstance(report, Recipe):
            recipe, course = report, []
            watch.tell(WarningRaised(
                message=f"the loss diverged; begun again with learning rate "
                f"{recipe.learning_rate:.3g}, half of what it was", rung=watch.rung,
            ))  # fmt: skip
        else:
            course.append(report.norms)
            if report.best:
                best[:] = network.theta
            _tell(report, network, recipe, watch, watched)
            if time.perf_counter() > deadline and report.epoch < recipe.epochs:
                reason = f"{recipe.epochs} planned, stopped by the time budget"
                recipe = recipe.because(reason, epochs=report.epoch)
                network.theta[:] = best
                break
    if "time budget" in recipe.reasons.get("epochs", ""):
        message = f"epochs: {recipe.reasons['epochs']}; a longer --budget may do better"
        watch.tell(WarningRaised(message=message, rung=watch.rung))
    for alert in gradient_alerts(course, recipe.activation):
        watch.tell(WarningRaised(message=alert, rung=watch.rung))
    return recipe


def _examples(
    training: Training, x: np.ndarray, positions: np.ndarray, recipe: Recipe, *, smooth: bool
) -> Examples:
    weights = training.problem.weights_of(training.rows[positions])
    rows = x if len(positions) == len(x) else x[positions]  # large tables: no second copy
    return heads.examples(
        training.problem.row_kind, rows, training.y[positions], training.problem.classes,
        recipe, sample_weight=weights, smooth=smooth,
    )  # fmt: skip


def _watched(training: Training, encoder: Encoder, recipe: Recipe) -> Examples | None:
    if training.held is None:
        return None
    problem, x = training.problem, training.held_encoded(encoder)
    y = problem.learnt(training.held)
    return heads.examples(problem.row_kind, x, y, problem.classes, recipe, smooth=False)


def _tell(
    report: Epoch, network: Network, recipe: Recipe, watch: Watch, watched: Examples | None
) -> None:
    """Tell of an epoch; of long fits only every so many, and always of the last."""
    every = math.ceil(recipe.epochs / _REPORTS)
    if report.epoch % every and report.epoch != recipe.epochs:
        if watch.stop.is_set():
            watch.tell(WarningRaised(message="stopped"))
        return
    valid_loss = report.valid_loss
    if watched is not None:
        valid_loss = network.loss(watched)
    watch.tell(EpochEnded(
        rung=watch.rung, fold=watch.fold, trial=watch.trial, trials=watch.trials,
        epoch=report.epoch, epochs=recipe.epochs,
        train_loss=report.train_loss, valid_loss=valid_loss,
        learning_rate=report.learning_rate, seconds=report.seconds,
    ))  # fmt: skip
    if watch.fold == 0:
        watch.tell(GradientFlow(
            rung=watch.rung, fold=0, trial=watch.trial, epoch=report.epoch, norms=report.norms
        ))  # fmt: skip


def _within(
    watch: Watch,
    network: Network,
    training: Training,
    x: np.ndarray,
    positions: np.ndarray,
    recipe: Recipe,
) -> tuple[Recipe, np.ndarray]:
    """Cut epochs, and below one epoch rows, so that a fit stays within `watch.seconds`.

    Nothing is timed when a rough guess is far below the limit, so that the clock has no say in
    the weights of an ordinary run.
    """
    seconds = watch.seconds
    work = 6.0 * _weights_a_row(network, x) * len(positions) * recipe.epochs
    if seconds is None or recipe.optimizer == WHOLE or 4 * work / _ROUGH_SPEED < seconds:
        return recipe, positions  # whole passes that the clock ends are weights, too
    epoch_seconds = _time_epoch(watch, network, training, x, positions, recipe)
    affordable = 0.8 * seconds / epoch_seconds
    if affordable >= recipe.epochs:
        return recipe, positions
    if affordable >= 1:
        return cut(recipe, int(affordable), epoch_seconds), positions
    count = max(int(affordable * len(positions)), min(200, len(positions)))
    chosen = thinned(training.problem.kind, training.y[positions], count, seed=recipe.seed)
    reason = f"one pass over {len(chosen):,} of {len(positions):,} rows, cut to the time budget"
    return recipe.because(reason, epochs=1), positions[chosen]


def cut(recipe: Recipe, epochs: int, each: float) -> Recipe:
    """Return the recipe with as many epochs as there is time for; each takes so many seconds."""
    reason = f"{recipe.epochs} planned, cut to the time budget ({each:.2g} s an epoch)"
    return recipe.because(reason, epochs=epochs)


def _weights_a_row(network: Network, x: np.ndarray | SparseRows) -> float:
    """Return how many weights a row meets on its way through the net."""
    if not isinstance(x, SparseRows):
        return network.parameters
    first = network.widths[0] * network.widths[1]
    return network.parameters - first + len(x.values) / max(len(x), 1) * network.widths[1]


def _time_epoch(
    watch: Watch,
    network: Network,
    training: Training,
    x: np.ndarray,
    positions: np.ndarray,
    recipe: Recipe,
) -> float:
    """Return the seconds of one epoch, timed on a copy of the net and some of the rows."""
    sample = positions[: max(4000, len(positions) // 20)]
    examples = _examples(training, x, sample, recipe, smooth=True)
    return timed_epoch(network, examples, recipe, watch) * len(positions) / len(sample)


def timed_epoch(network: Network, train: Examples, recipe: Recipe, watch: Watch) -> float:
    """Return the seconds of one epoch, timed on a copy of the net."""
    trial = replace(network, theta=network.theta.copy())
    twice = replace(recipe, epochs=2, patience=0)
    began, last = time.perf_counter(), 0.0
    epochs: Iterator[Epoch] = descend(trial, train, twice, lanes=watch.lanes)
    for report in epochs:  # the first also loads or compiles the loops
        if report.epoch == 1:
            began = time.perf_counter()
        last = time.perf_counter() - began
    return max(last, 1e-6)
