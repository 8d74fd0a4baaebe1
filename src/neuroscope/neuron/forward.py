"""Forward propagation: z = a_before @ W + b, a = f(z), layer after layer.

The weights of all layers lie end to end in one vector theta; `Shape` says where each layer's
W (n_in, n_out) and b (n_out,) begin. `Workspace` holds what a batch leaves behind on its way.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from neuroscope.base.types import Floats, Floats1D, Floats2D
from neuroscope.neuron._compile import compiled
from neuroscope.neuron.activations import SOFTMAX, activate, softmax_rows
from neuroscope.neuron.matmul import matmul

LINE = 16  # float32 numbers of a cache line


class Shape(NamedTuple):
    """What the net is; L layers of weights."""

    widths: np.ndarray  # (L+1,)  d, units of each hidden layer, k
    activations: np.ndarray  # (L,)  code of each layer's activation
    weights_at: np.ndarray  # (L,)  where W begins in theta
    bias_at: np.ndarray  # (L,)  where b begins in theta
    loss: int
    huber_delta: float


class Workspace(NamedTuple):
    """What one batch leaves behind; each layer's (n, k) block begins at `at[layer]`."""

    at: np.ndarray  # (L,)
    z: np.ndarray  # weighted sums
    a: np.ndarray  # activations
    slope: np.ndarray  # da/dz, dropout included
    delta: np.ndarray  # dC/dz
    turned: np.ndarray  # scratch for the largest transpose


def make_workspace(shape: Shape, batch_size: int, dtype: np.dtype) -> Workspace:
    """Allocate the room that batches of up to `batch_size` rows need."""
    units = -(-shape.widths[1:] * batch_size // LINE) * LINE
    at = np.concatenate([[0], np.cumsum(units)[:-1]]).astype(np.int64)
    weights = shape.widths[1:] * shape.widths[:-1]
    largest = max(int(weights.max()), int(shape.widths.max()) * batch_size)
    total = int(units.sum())
    room = zeros(4 * total + largest, dtype)
    z, a, slope, delta = room[: 4 * total].reshape(4, total)
    return Workspace(at, z, a, slope, delta, room[4 * total :])


def zeros(shape: int | tuple[int, ...], dtype: np.dtype) -> Floats:
    """Return zeros that begin at a multiple of 64 bytes, the width of a cache line.

    The vector unit reads a line at a time; what straddles two costs it two reads, and NumPy's own
    arrays may begin anywhere: products are up to 1.6 times as fast on rows that begin a line.
    """
    numbers = shape if isinstance(shape, int) else math.prod(shape)
    room = np.zeros(numbers + 64 // dtype.itemsize, dtype)
    start = -room.__array_interface__["data"][0] % 64 // dtype.itemsize
    return room[start : start + numbers].reshape(shape)


@compiled
def weights_of(shape: Shape, theta: Floats1D, layer: int) -> Floats2D:
    """Return W (n_in, n_out) of a layer as a view of theta."""
    n_in, n_out = shape.widths[layer], shape.widths[layer + 1]
    start = shape.weights_at[layer]
    return theta[start : start + n_in * n_out].reshape(n_in, n_out)


@compiled
def bias_of(shape: Shape, theta: Floats1D, layer: int) -> Floats1D:
    """Return b (n_out,) of a layer as a view of theta."""
    start = shape.bias_at[layer]
    return theta[start : start + shape.widths[layer + 1]]


@compiled
def block(shape: Shape, work: Workspace, room: Floats1D, layer: int, n: int) -> Floats2D:
    """Return the (n, k) block of a layer as a view of one of the workspace's rooms."""
    k = shape.widths[layer + 1]
    start = work.at[layer]
    return room[start : start + n * k].reshape(n, k)


@compiled
def forward(
    shape: Shape,
    theta: Floats1D,  # all weights
    x: Floats2D,  # (n, d)  one batch
    work: Workspace,  # written: z, a, slope of every layer
    dropout: float,  # fraction of hidden units to silence; 0 when predicting
    chance: int,  # random number of this step, read only when dropout > 0
) -> Floats2D:
    """Propagate a batch through all layers; returns the outputs a (n, k) of the last one."""
    n = x.shape[0]
    inputs = x
    last = shape.widths.size - 2
    for layer in range(last + 1):
        z = block(shape, work, work.z, layer, n)
        a = block(shape, work, work.a, layer, n)
        slope = block(shape, work, work.slope, layer, n)
        bias = bias_of(shape, theta, layer)
        matmul(inputs, weights_of(shape, theta, layer), z)
        for i in range(n):
            for j in range(bias.size):
                z[i, j] += bias[j]
        if shape.activations[layer] == SOFTMAX:
            softmax_rows(z, a)
        else:
            activate(shape.activations[layer], z.reshape(z.size), a.reshape(z.size),
                     slope.reshape(z.size))  # fmt: skip
        if dropout > 0 and layer < last:
            silence(dropout, chance + layer, a.reshape(z.size), slope.reshape(z.size))
        inputs = a
    return inputs


@compiled
def silence(
    dropout: float,
    chance: int,
    a: Floats1D,  # (n k)  changed
    slope: Floats1D,  # (n k)  changed
) -> None:
    """Dropout (Srivastava et al. 2014): set a share of units to 0 and scale the rest up by 1/keep.

    Each unit's draw is a hash of its place and the step's `chance`: no state, and it vectorises.
    """
    keep = a.dtype.type(1.0 / (1.0 - dropout))
    below = np.uint32(dropout * 4294967295.0)
    salt = np.uint32((chance * 2654435761) & 0xFFFFFFFF)
    for i in range(a.size):
        h = np.uint32(np.uint32(i) * np.uint32(0x9E3779B1)) ^ salt
        h = np.uint32((h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B))
        h = np.uint32((h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35))
        h = h ^ (h >> np.uint32(16))
        factor = keep if h >= below else a.dtype.type(0)
        a[i] *= factor
        slope[i] *= factor
