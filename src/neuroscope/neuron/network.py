"""A dense network: layers of neurons, each fed by all outputs of the layer before.

`Network` is a value: its widths, activations, loss and one vector of weights. The arithmetic is in
`forward` and `backprop`; training is `descent.descend`.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from neuroscope.base import randomness
from neuroscope.base.errors import InputError
from neuroscope.base.recipe import Recipe
from neuroscope.base.sparse import SparseRows
from neuroscope.base.types import Floats1D, Floats2D
from neuroscope.neuron import activations, losses
from neuroscope.neuron.forward import Shape, forward, make_workspace, zeros

if TYPE_CHECKING:
    from neuroscope.neuron.step import Examples

CHUNK = 512  # rows that go forward together when predicting

# What a layer multiplies the variance of its inputs by is undone by its initial weights.
_HE = ("relu", "leaky_relu", "gelu", "mish")  # they silence about half: He et al. 2015


@dataclass(frozen=True)
class Network:
    """Widths (d, hidden ..., k), activations of each layer, the loss and all weights."""

    widths: tuple[int, ...]
    activations: tuple[str, ...]
    loss_name: str
    theta: Floats1D  # W of every layer, then b of every layer
    huber_delta: float = 1.0

    @classmethod
    def build(cls, inputs: int, outputs: int, recipe: Recipe, *, output: str) -> Network:
        """Build a net with freshly drawn weights; `output` names the last activation."""
        losses.check_pair(recipe.loss, output)
        widths = (inputs, *recipe.hidden, outputs)
        kinds = (recipe.activation,) * len(recipe.hidden) + (output,)
        size = sum((before + 1) * after for before, after in itertools.pairwise(widths))
        theta = zeros(size, np.dtype(recipe.precision))
        network = cls(widths, kinds, recipe.loss, theta, float(recipe.huber_delta))
        rng = randomness.generator(recipe.seed, "init")
        for layer in range(len(kinds)):
            weights, _ = network.layer(layer)
            std = initial_std(recipe.init, kinds[layer], *weights.shape)
            weights[:] = rng.normal(0.0, std, weights.shape) if std > 0 else 0.0
        return network

    @property
    def shape(self) -> Shape:
        """The net as the compiled loops read it."""
        widths = np.array(self.widths, np.int64)
        weights = widths[:-1] * widths[1:]
        ends = np.concatenate([weights, widths[1:]]).cumsum()
        starts = np.concatenate([[0], ends[:-1]])
        codes = np.array([activations.CODES[name] for name in self.activations], np.int64)
        layers = len(codes)
        return Shape(widths, codes, starts[:layers], starts[layers:],
                     losses.CODES[self.loss_name], float(self.huber_delta))  # fmt: skip

    @property
    def parameters(self) -> int:
        """Number of weights and biases."""
        return self.theta.size

    def layer(self, index: int) -> tuple[Floats2D, Floats1D]:
        """Return W (n_in, n_out) and b (n_out,) of a layer as views of theta."""
        shape, n_in, n_out = self.shape, self.widths[index], self.widths[index + 1]
        weights = self.theta[shape.weights_at[index] :][: n_in * n_out].reshape(n_in, n_out)
        return weights, self.theta[shape.bias_at[index] :][:n_out]

    def of_inputs(self, chosen: np.ndarray) -> Network:
        """Return the net that reads only some inputs, by number: the others are 0."""
        weights, _ = self.layer(0)
        theta = np.concatenate([weights[chosen].ravel(), self.theta[weights.size :]])
        return replace(self, widths=(len(chosen), *self.widths[1:]), theta=theta)

    def check_rows(self, x: np.ndarray | SparseRows, y: np.ndarray | None = None) -> None:
        """Refuse rows that do not fit the net (InputError): compiled loops check no bounds."""
        if len(x.shape) != 2 or x.shape[1] != self.widths[0]:
            raise InputError(
                f"the net takes {self.widths[0]} inputs a row, the rows have shape {x.shape}",
                remedy="give the features that the net was built for",
            )
        if y is not None and y.shape != (len(x), self.widths[-1]):
            raise InputError(
                f"the net has {self.widths[-1]} outputs, the targets of {len(x)} rows have shape "
                f"{y.shape}",
                remedy="give one target for each row and output",
            )

    def propagate(self, x: np.ndarray | SparseRows) -> tuple[Floats2D, Floats2D]:
        """Return sums z and outputs a of the last layer, both (n, k), for inputs (n, d)."""
        if isinstance(x, SparseRows):
            from neuroscope.neuron.sparse import outputs  # noqa: PLC0415 - it is built on networks

            self.check_rows(x)
            return outputs(self, x)
        x = np.ascontiguousarray(x, self.theta.dtype)
        self.check_rows(x)
        z, a = np.empty((2, len(x), self.widths[-1]), self.theta.dtype)
        shape, last = self.shape, len(self.widths) - 2
        work = make_workspace(shape, min(CHUNK, max(len(x), 1)), self.theta.dtype)
        for first in range(0, len(x), CHUNK):
            rows = slice(first, min(first + CHUNK, len(x)))
            a[rows] = forward(shape, self.theta, x[rows], work, 0.0, first)
            z[rows] = work.z[work.at[last] :][: z[rows].size].reshape(z[rows].shape)
        return z, a

    def predict(self, x: np.ndarray | SparseRows) -> Floats2D:
        """Return the outputs (n, k) for inputs (n, d)."""
        return self.propagate(x)[1]

    def loss(self, examples: Examples) -> float:
        """Return the mean loss over examples, without penalties and dropout."""
        self.check_rows(examples.x, examples.y)
        z, a = self.propagate(examples.x)
        shape = self.shape
        total = losses.batch_loss(shape.loss, shape.huber_delta, z, a, examples.y, examples.w)
        return total / max(float(examples.w.sum()), 1e-30)


def initial_std(init: str, activation: str, n_in: int, n_out: int) -> float:
    """Return the standard deviation of a layer's first weights.

    normal: 0.01. glorot: sqrt(2 / (n_in + n_out)) (Glorot and Bengio 2010). he: sqrt(2 / n_in)
    (He et al. 2015). auto: he for activations that silence half their inputs, 1/sqrt(n_in) for
    SELU (Klambauer et al. 2017), glorot for the rest.
    """
    if init == "auto":
        init = "he" if activation in _HE else "lecun" if activation == "selu" else "glorot"
    scale = {
        "zeros": 0.0,
        "normal": 1e-4,
        "glorot": 2.0 / (n_in + n_out),
        "he": 2.0 / n_in,
        "lecun": 1.0 / n_in,
    }[init]
    return float(np.sqrt(scale))
