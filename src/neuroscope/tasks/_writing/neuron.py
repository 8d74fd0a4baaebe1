"""One softmax neuron a token, that sees the token before: the least that reads.

    P(w | v) = softmax(W[v] + b)[w]

Places of the text with the same token before them are one row for it, whose target is how often
each token followed and whose weight is how often it stood there: the cost is the same as over all
places one by one, and a pass costs as little as the vocabulary. What it learns is the table of
pairs, smoothed by the share of each token.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from neuroscope.base.recipe import WHOLE, Recipe
from neuroscope.base.sparse import SparseRows
from neuroscope.neuron import heads
from neuroscope.neuron.network import Network
from neuroscope.neuron.step import Examples
from neuroscope.tasks import _net
from neuroscope.tasks._learning import Training, Watch
from neuroscope.tasks._writing.passages import Passages
from neuroscope.tasks._writing.posing import TextEncoder

# Of a recipe: it is one layer, learned to the end.
IGNORES = (
    "hidden", "activation", "numeric_bins", "label_smoothing", "huber_delta", "class_weight",
    "patience", "dropout",
)  # fmt: skip
_SMOOTH = 1.0  # imagined places of each token, at which tokens follow by their share
_ROUGH_SECONDS = 2e-8  # an epoch takes for each weight, for a first guess of a fit's length


@dataclass(frozen=True)
class PairNeuron:
    """The neuron of the core, fed with the token before."""

    learner: _net.NetLearner
    encoder: TextEncoder | None
    recipe: Recipe | None

    @property
    def parameters(self) -> int:
        """Number of weights and biases."""
        return self.learner.parameters

    @property
    def logits(self) -> np.ndarray:
        """ln P (vocabulary, vocabulary) of each token after each other."""
        weights, bias = self.learner.network.layer(0)
        z = weights.astype(np.float64) + bias
        z -= z.max(axis=1, keepdims=True)
        return z - np.log(np.exp(z).sum(axis=1, keepdims=True))

    def predict(self, x: Passages) -> np.ndarray:
        """Return the bits (n, 1) that each piece costs."""
        known = self.logits
        return x.bits(lambda runs: -np.concatenate([known[run[:-1], run[1:]] for run in runs]))

    def reader(self) -> PairReader:
        """Return who writes by this neuron."""
        return PairReader(self.logits)

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the neuron as JSON and arrays."""
        return self.learner.pack()


class PairReader:
    """Reads the last token and nothing else."""

    room: int | None = None

    def __init__(self, logits: np.ndarray) -> None:
        self.logits = logits

    def forget(self) -> None:
        """There is nothing to forget."""

    def read(self, tokens: np.ndarray) -> np.ndarray:
        """Return the logits of what follows the last of the tokens (n, t)."""
        return self.logits[tokens[:, -1]]


def unpack(record: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> PairNeuron:
    """Rebuild the learner that `pack` wrote; ModelError when its parts do not fit together."""
    return PairNeuron(_net.unpack(record, arrays), None, None)


def recipes(training: Training) -> list[Recipe]:
    """Return the recipe for these texts."""
    kinds = len(training.encoded()[0].tokeniser)
    return [
        Recipe(net="neuron", loss="cross_entropy", optimizer="adam", seed=training.problem.seed)
        .because(f"one row for each of {kinds:,} tokens before", batch_size=kinds)
        .because("the cost has one lowest place; a pass costs next to nothing", epochs=600)
        .because("large steps, then small ones", learning_rate=0.3, schedule="cosine")
        .because("no pair seen yet is not a pair that never comes", init="zeros")
    ]  # fmt: skip


def fit(training: Training, recipe: Recipe, watch: Watch) -> PairNeuron:
    """Count the pairs of the training pieces and learn them by gradient descent.

    Raises RecipeError for a recipe that says what this neuron ignores, such as hidden layers.
    """
    recipe.refuse(IGNORES, "one neuron on the character before")
    encoder, x = training.encoded(recipe)
    rows = examples(x.runs, len(encoder.tokeniser), np.dtype(recipe.precision))
    network = heads.build("multiclass", rows.x.shape[1], rows.y.shape[1], recipe)
    recipe = _net.learn(network, rows, _within(watch, network, rows, recipe), watch)
    learner = _net.NetLearner(network, None, recipe, "multiclass")
    return PairNeuron(learner, encoder, recipe)


def _within(watch: Watch, network: Network, rows: Examples, recipe: Recipe) -> Recipe:
    """Return the recipe with epochs that the time allows; they are timed where that is in doubt."""
    guess = _ROUGH_SECONDS * network.parameters * recipe.epochs
    if watch.left is None or recipe.optimizer == WHOLE or 4 * guess < watch.left:
        return recipe
    each = _net.timed_epoch(network, rows, recipe, watch)
    affordable = max(int(0.8 * watch.left / each), 1)
    return recipe if affordable >= recipe.epochs else _net.cut(recipe, affordable, each)


def examples(runs: list[np.ndarray], kinds: int, dtype: np.dtype) -> Examples:
    """Return a row for each kind of token before: what followed it, and how often it stood.

    Row v holds a single 1, in column v: its z is W[v] + b, without a product.
    """
    pairs = np.zeros((kinds, kinds))
    for run in runs:
        np.add.at(pairs, (run[:-1], run[1:]), 1.0)
    share = pairs.sum(axis=0) + 1 / kinds
    share /= share.sum()
    pairs += _SMOOTH * share
    weights = pairs.sum(axis=1)
    each = np.arange(kinds + 1)
    one_hot = SparseRows(each, each[:-1].astype(np.int32), np.ones(kinds, np.float32), kinds)
    return Examples.of(one_hot, pairs / weights[:, None], weights / weights.mean(), dtype)
