"""Rows that are mostly zeros, such as bags of words: the first layer visits what is there.

For a row i that holds the numbers v in the columns p, and nothing else,

    z_i      = sum over (p, v) of v W_p + b        forward: some rows of W
    dC/dW_p += v delta_i                           backprop: the same rows of W

so that a text of 50 words costs 50 rows of W, however many words there are. With several layers the
first one is a table of word vectors, and z_i is their mean where v is 1 / words (the embedding of
fastText; Joulin et al. 2016, arXiv 1607.01759). The layers above are those of `forward`.

A step changes the weights of the columns that its batch holds, and no others: momenta, penalties
and weight decay of a column rest while its word is not seen (as in torch.optim.SparseAdam).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuroscope.base.sparse import SparseRows
from neuroscope.base.types import Floats1D, Floats2D, Integers1D
from neuroscope.neuron._compile import compiled, compiled_into_caller
from neuroscope.neuron.activations import SOFTMAX, activate, softmax_rows
from neuroscope.neuron.backprop import bias_slopes, send_back, weight_slopes
from neuroscope.neuron.forward import (
    Shape,
    Workspace,
    bias_of,
    block,
    forward,
    make_workspace,
    silence,
    weights_of,
)
from neuroscope.neuron.losses import batch_loss
from neuroscope.neuron.step import Examples, State, change, draw, shuffle
from neuroscope.neuron.update import Rule, norm, penalise, rate_at

if TYPE_CHECKING:
    from neuroscope.neuron.network import Network

CHUNK = 512  # rows that go forward together where all rows do


@compiled
def sparse_product(
    starts: Integers1D,  # (N+1,)
    places: np.ndarray,  # (m,) int32
    values: np.ndarray,  # (m,) float32
    rows: Integers1D,  # (n,)  which of the N rows
    weights: Floats2D,  # (d, k)
    bias: Floats1D,  # (k,)
    z: Floats2D,  # (n, k)  written
) -> None:
    """z = x @ W + b."""
    for i in range(rows.size):
        for j in range(bias.size):
            z[i, j] = bias[j]
        for at in range(starts[rows[i]], starts[rows[i] + 1]):
            here, value = weights[places[at]], z.dtype.type(values[at])
            for j in range(bias.size):
                z[i, j] += value * here[j]


@compiled
def sparse_slopes(
    starts: Integers1D,  # (N+1,)
    places: np.ndarray,  # (m,) int32
    values: np.ndarray,  # (m,) float32
    rows: Integers1D,  # (n,)
    delta: Floats2D,  # (n, k)
    slopes: Floats2D,  # (d, k)  added to
) -> None:
    """dC/dW += x.T @ delta."""
    k = delta.shape[1]
    for i in range(rows.size):
        for at in range(starts[rows[i]], starts[rows[i] + 1]):
            here, value = slopes[places[at]], delta.dtype.type(values[at])
            for j in range(k):
                here[j] += value * delta[i, j]


@compiled
def sparse_forward(
    shape: Shape, theta: Floats1D, starts: Integers1D, places: np.ndarray, values: np.ndarray,
    rows: Integers1D, work: Workspace, dropout: float, chance: int,
) -> Floats2D:  # fmt: skip
    """Propagate some rows through all layers; returns the outputs a (n, k) of the last one."""
    n = rows.size
    z, a = block(shape, work, work.z, 0, n), block(shape, work, work.a, 0, n)
    slope = block(shape, work, work.slope, 0, n)
    sparse_product(starts, places, values, rows, weights_of(shape, theta, 0),
                   bias_of(shape, theta, 0), z)  # fmt: skip
    if shape.activations[0] == SOFTMAX:
        softmax_rows(z, a)
    else:
        activate(shape.activations[0], z.reshape(z.size), a.reshape(z.size), slope.reshape(z.size))
    if shape.activations.size == 1:
        return a
    if dropout > 0:
        silence(dropout, chance, a.reshape(z.size), slope.reshape(z.size))
    above = Shape(shape.widths[1:], shape.activations[1:], shape.weights_at[1:], shape.bias_at[1:],
                  shape.loss, shape.huber_delta)  # fmt: skip
    room = Workspace(work.at[1:], work.z, work.a, work.slope, work.delta, work.turned)
    return forward(above, theta, a, room, dropout, chance + 1)


@compiled_into_caller
def sparse_backprop(
    shape: Shape, theta: Floats1D, starts: Integers1D, places: np.ndarray, values: np.ndarray,
    rows: Integers1D, y: Floats2D, w: Floats1D, batch: int, work: Workspace, gradient: Floats1D,
) -> None:  # fmt: skip
    """Compute the gradient of a batch that went forward; of the first weights it is *added*."""
    n = rows.size
    send_back(shape, theta, y, w, batch, work)
    sparse_slopes(starts, places, values, rows, block(shape, work, work.delta, 0, n),
                  weights_of(shape, gradient, 0))  # fmt: skip
    bias_slopes(shape, 0, n, work, gradient)
    unused = y  # the layers above read what the first one made
    for layer in range(1, shape.activations.size):
        weight_slopes(shape, layer, unused, work, 0, shape.widths[layer], gradient)
        bias_slopes(shape, layer, n, work, gradient)


@compiled
def sparse_epoch(
    shape: Shape, rule: Rule, step: int, chance: np.ndarray, theta: Floats1D, moments: Floats2D,
    gradient: Floats1D, starts: Integers1D, places: np.ndarray, values: np.ndarray, y: Floats2D,
    w: Floats1D, order: Integers1D, work: Workspace, yb: Floats2D, wb: Floats1D,
    seen: Integers1D,  # (d,)  changed: the step that a column was met in last
    met: Integers1D,  # (d,)  scratch: the columns of a batch
    norms: Floats1D,
) -> float:  # fmt: skip
    """Take one pass over the rows, as `step.train_epoch`; returns the mean loss on the way."""
    k, biases = shape.widths[1], shape.bias_at[0]
    above = shape.weights_at[1] if shape.activations.size > 1 else biases
    total, weight, steps = 0.0, 0.0, 0
    norms[:] = 0
    shuffle(order, chance)
    for first in range(0, order.size, rule.batch_size):
        rows = order[first : first + rule.batch_size]
        n, salt = rows.size, int(np.int64(draw(chance) >> np.uint64(40)))
        here = step + steps
        for i in range(n):
            yb[i], wb[i] = y[rows[i]], w[rows[i]]
            weight += w[rows[i]]
        columns = met[: meet(starts, places, rows, here + 1, seen, met, gradient, k)]
        output = sparse_forward(shape, theta, starts, places, values, rows, work, rule.dropout,
                                salt)  # fmt: skip
        z = block(shape, work, work.z, shape.activations.size - 1, n)
        total += batch_loss(shape.loss, shape.huber_delta, z, output, yb[:n], wb[:n])
        sparse_backprop(shape, theta, starts, places, values, rows, yb[:n], wb[:n], n, work,
                        gradient)  # fmt: skip
        squares = 0.0
        for column in columns:
            squares += norm(gradient[column * k : (column + 1) * k]) ** 2
        norms[0] += np.sqrt(squares)
        for layer in range(1, norms.size):
            flat = weights_of(shape, gradient, layer)
            norms[layer] += norm(flat.reshape(flat.size))
        sparse_step(shape, rule, here, columns, squares, above, theta, gradient, moments)
        steps += 1
    for layer in range(norms.size):
        norms[layer] /= steps
    return float(total / max(weight, 1e-30))


@compiled
def meet(
    starts: Integers1D, places: np.ndarray, rows: Integers1D, mark: int, seen: Integers1D,
    met: Integers1D, gradient: Floats1D, k: int,
) -> int:  # fmt: skip
    """List the columns that some rows hold, and set their slopes to 0; returns how many."""
    count = 0
    for i in range(rows.size):
        for at in range(starts[rows[i]], starts[rows[i] + 1]):
            column = places[at]
            if seen[column] != mark:
                seen[column], met[count] = mark, column
                gradient[column * k : (column + 1) * k] = 0
                count += 1
    return count


@compiled_into_caller
def sparse_step(
    shape: Shape, rule: Rule, step: int, columns: Integers1D, squares: float, above: int,
    theta: Floats1D, gradient: Floats1D, moments: Floats2D,
) -> None:  # fmt: skip
    """Take a step with the weights of some columns and of all layers above.

    `above` is where their weights begin, `squares` the squared length of the columns' slopes.
    """
    k, biases, real = shape.widths[1], shape.bias_at[0], theta.dtype.type
    if rule.l1 > 0 or rule.l2 > 0:
        penalise(rule, theta[above:biases], gradient[above:biases])
        for column in columns:
            penalise(rule, theta[column * k : (column + 1) * k],
                     gradient[column * k : (column + 1) * k])  # fmt: skip
    factor = real(1)
    if rule.clip_norm > 0:
        whole = np.sqrt(squares + norm(gradient[above:]) ** 2)
        factor = real(min(1.0, rule.clip_norm / max(whole, 1e-30)))
        gradient[above:] *= factor
    rate = rate_at(rule, step)
    for column in columns:
        first, last = column * k, (column + 1) * k
        if factor < 1:
            gradient[first:last] *= factor
        change(rule, rate, step, rule.weight_decay, theta, gradient, moments, first, last)
    change(rule, rate, step, rule.weight_decay, theta, gradient, moments, above, biases)
    change(rule, rate, step, 0.0, theta, gradient, moments, biases, theta.size)


@compiled
def sparse_outputs(
    shape: Shape, theta: Floats1D, starts: Integers1D, places: np.ndarray, values: np.ndarray,
    work: Workspace, z: Floats2D, a: Floats2D,
) -> None:  # fmt: skip
    """Write sums and outputs of the last layer for all rows."""
    n, last = starts.size - 1, shape.activations.size - 1
    for first in range(0, n, CHUNK):
        rows = np.arange(first, min(first + CHUNK, n))
        a[first : first + rows.size] = sparse_forward(
            shape, theta, starts, places, values, rows, work, 0.0, 0
        )
        z[first : first + rows.size] = block(shape, work, work.z, last, rows.size)


@compiled
def sparse_gradient(
    shape: Shape, theta: Floats1D, starts: Integers1D, places: np.ndarray, values: np.ndarray,
    y: Floats2D, w: Floats1D, work: Workspace,
    part: Floats1D,  # (p,)  scratch; the slopes of the first weights are summed here
    gradient: Floats1D,  # (p,)  written: dC/dtheta, C the mean loss of all rows
) -> float:  # fmt: skip
    """Return the mean loss of all rows and write its gradient; no more than a chunk is held."""
    n, last, total = starts.size - 1, shape.activations.size - 1, 0.0
    first_layer = shape.widths[0] * shape.widths[1]
    part[:first_layer] = 0
    gradient[:] = 0
    for first in range(0, n, CHUNK):
        rows = np.arange(first, min(first + CHUNK, n))
        yb, wb = y[first : first + rows.size], w[first : first + rows.size]
        output = sparse_forward(shape, theta, starts, places, values, rows, work, 0.0, 0)
        z = block(shape, work, work.z, last, rows.size)
        total += batch_loss(shape.loss, shape.huber_delta, z, output, yb, wb)
        sparse_backprop(shape, theta, starts, places, values, rows, yb, wb, n, work, part)
        gradient[first_layer:] += part[first_layer:]
    gradient[:first_layer] = part[:first_layer]
    return total / n


class Columns:
    """What steps on sparse rows need beside the weights; the loop is `descent.descend`'s."""

    def __init__(self, network: Network, batch_size: int) -> None:
        """Allocate scratch for batches of up to batch_size rows."""
        dtype, inputs = network.theta.dtype, network.widths[0]
        self.shape = network.shape
        self.work = workspace(network, batch_size)
        self.yb = np.empty((batch_size, network.widths[-1]), dtype)
        self.wb = np.empty(batch_size, dtype)
        self.seen, self.met = np.zeros(inputs, np.int64), np.empty(inputs, np.int64)

    def train_epoch(
        self, rule: Rule, state: State, train: Examples, gradient: Floats1D, norms: Floats1D
    ) -> float:
        """Take one pass over the rows; returns the mean loss, measured as the batches went by."""
        x = train.x
        assert isinstance(x, SparseRows)
        self.seen[:] = 0
        return sparse_epoch(
            self.shape, rule, state.step, state.chance, state.theta, state.moments, gradient,
            x.starts, x.places, x.values, train.y, train.w, state.order, self.work, self.yb,
            self.wb, self.seen, self.met, norms,
        )  # fmt: skip

    def close(self) -> None:
        """There is nothing to close."""


def workspace(network: Network, rows: int) -> Workspace:
    """Allocate what sparse rows leave behind; the first layer needs no transpose of its inputs."""
    shape = network.shape
    slim = shape._replace(widths=np.array([1, *network.widths[1:]]))
    return make_workspace(slim, rows, network.theta.dtype)


def outputs(network: Network, x: SparseRows) -> tuple[Floats2D, Floats2D]:
    """Return sums z and outputs a of the last layer, both (n, k)."""
    z, a = np.empty((2, len(x), network.widths[-1]), network.theta.dtype)
    work = workspace(network, min(CHUNK, max(len(x), 1)))
    sparse_outputs(network.shape, network.theta, x.starts, x.places, x.values, work, z, a)
    return z, a
