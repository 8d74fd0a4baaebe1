"""Backpropagation (Rumelhart, Hinton and Williams 1986): the chain rule, from the last layer back.

With delta = dC/dz of a layer (n, k) and `inputs` what the layer was given (n, d):

    dC/dW    = inputs.T @ delta        every weight: its input times the delta it fed
    dC/db    = sum of delta over rows
    delta of the layer before = (delta @ W.T) * da/dz
"""

from __future__ import annotations

from neuroscope.base.types import Floats1D, Floats2D
from neuroscope.neuron._compile import compiled, compiled_into_caller
from neuroscope.neuron.forward import Shape, Workspace, bias_of, block, weights_of
from neuroscope.neuron.losses import output_delta
from neuroscope.neuron.matmul import matmul_left_turned, matmul_right_turned


@compiled_into_caller
def backprop(
    shape: Shape,
    theta: Floats1D,
    x: Floats2D,  # (n, d)  the batch that went forward
    y: Floats2D,  # (n, k)  its targets
    w: Floats1D,  # (n,)    its row weights
    work: Workspace,  # read: a, slope; written: delta
    gradient: Floats1D,  # written: dC/dtheta, laid out like theta
) -> None:
    """Compute the gradient of the batch's mean loss with respect to every weight and bias."""
    send_back(shape, theta, y, w, w.size, work)
    for layer in range(shape.activations.size):
        weight_slopes(shape, layer, x, work, 0, shape.widths[layer], gradient)
        bias_slopes(shape, layer, x.shape[0], work, gradient)


@compiled_into_caller
def send_back(
    shape: Shape,
    theta: Floats1D,
    y: Floats2D,  # (n, k)  targets
    w: Floats1D,  # (n,)    row weights
    batch: int,  # rows of the whole batch, over which the loss is a mean
    work: Workspace,  # read: a, slope; written: delta
) -> None:
    """Compute delta of every layer, the last first."""
    n, last = y.shape[0], shape.activations.size - 1
    output_delta(shape.loss, shape.huber_delta, shape.activations[last], batch,
                 block(shape, work, work.a, last, n), block(shape, work, work.slope, last, n),
                 y, w, block(shape, work, work.delta, last, n))  # fmt: skip
    for layer in range(last, 0, -1):
        delta = block(shape, work, work.delta, layer, n)
        before = block(shape, work, work.delta, layer - 1, n)
        slope = block(shape, work, work.slope, layer - 1, n)
        matmul_right_turned(delta, weights_of(shape, theta, layer), work.turned, before)
        for i in range(n):
            for j in range(before.shape[1]):
                before[i, j] *= slope[i, j]


@compiled_into_caller
def weight_slopes(
    shape: Shape,
    layer: int,
    x: Floats2D,  # (n, d)
    work: Workspace,  # read: a, delta
    first: int,
    last: int,
    gradient: Floats1D,  # written: dC/dW of the layer's inputs first to last
) -> None:
    """dC/dW = inputs.T @ delta, for some of the layer's inputs."""
    n = x.shape[0]
    delta = block(shape, work, work.delta, layer, n)
    inputs = block(shape, work, work.a, layer - 1, n) if layer > 0 else x
    slopes = weights_of(shape, gradient, layer)[first:last]
    matmul_left_turned(inputs, first, last, delta, work.turned, slopes)


@compiled_into_caller
def bias_slopes(
    shape: Shape,
    layer: int,
    n: int,
    work: Workspace,  # read: delta
    gradient: Floats1D,  # written: dC/db of the layer
) -> None:
    """dC/db = sum of delta over rows."""
    sum_rows(block(shape, work, work.delta, layer, n), bias_of(shape, gradient, layer))


@compiled
def sum_rows(
    delta: Floats2D,  # (n, k)
    out: Floats1D,  # (k,)  written
) -> None:
    """out_j = sum over rows of delta_ij."""
    out[:] = 0
    for i in range(delta.shape[0]):
        for j in range(out.size):
            out[j] += delta[i, j]
