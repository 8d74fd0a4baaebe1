"""Losses: what a wrong output costs, and how the cost changes with the output.

a is the output (n, k), y the target (n, k), w the weight of each row (n,), 1 when all count alike.
A loss is the mean over rows of w times the sum over outputs; the 1/2 of the squared loss is
included, so that dloss/da = a - y. With sigmoid and binary cross-entropy, or softmax and
cross-entropy, the chain rule collapses to dloss/dz = a - y, which is used as it stands.

Sources: perceptron criterion, Rosenblatt 1958; squared loss, Widrow and Hoff 1960; Huber 1964;
cross-entropy as maximum likelihood, Bridle 1990, Bishop 1995.
"""

from __future__ import annotations

from neuroscope.base.errors import RecipeError
from neuroscope.base.recipe import LOSSES
from neuroscope.base.types import Floats1D, Floats2D
from neuroscope.neuron._compile import compiled, compiled_into_caller
from neuroscope.neuron.activations import SIGMOID, SOFTMAX
from neuroscope.neuron.elementary import exp, log

CODES = {name: code for code, name in enumerate(LOSSES)}
PERCEPTRON, MEAN_SQUARED_ERROR, HUBER, BINARY_CROSS_ENTROPY, CROSS_ENTROPY = range(5)

# The output activations a loss accepts: those whose range the loss is defined on.
OUTPUTS = {
    "perceptron": ("identity",),
    "mean_squared_error": ("identity", "sigmoid", "tanh", "relu", "leaky_relu", "gelu", "selu",
                           "mish", "softmax"),
    "huber": ("identity", "sigmoid", "tanh", "relu", "leaky_relu", "gelu", "selu", "mish",
              "softmax"),
    "binary_cross_entropy": ("sigmoid",),
    "cross_entropy": ("softmax",),
}  # fmt: skip


def check_pair(loss: str, output: str) -> None:
    """Refuse an output activation on whose range the loss is not defined (RecipeError)."""
    if output not in OUTPUTS[loss]:
        raise RecipeError(
            f"the loss {loss!r} does not go with the output activation {output!r}",
            remedy=f"choose one of: {', '.join(OUTPUTS[loss])}",
        )


@compiled
def loss_of(
    kind: int,
    delta_at: float,  # where Huber turns from square to straight
    z: float,
    a: float,
    y: float,
) -> float:
    """Return the loss of one output, without the row's weight."""
    real = type(a)
    zero, half, one = real(0), real(0.5), real(1)
    if kind == BINARY_CROSS_ENTROPY:  # from z, where it cannot overflow: log(1 + e^-|z|) + ...
        return max(z, zero) - y * z + log(one + exp(-abs(z)))
    if kind == CROSS_ENTROPY:
        return -y * log(max(a, real(1e-37))) if y > zero else zero
    if kind == PERCEPTRON:
        return max(zero, -y * a)
    error = a - y
    edge = real(delta_at)
    if kind == HUBER and abs(error) > edge:
        return edge * (abs(error) - half * edge)
    return half * error * error


@compiled
def slope_of(kind: int, delta_at: float, a: float, y: float) -> float:
    """Return dloss/da of one output (its own row and weight 1)."""
    real = type(a)
    zero, one, tiny = real(0), real(1), real(1e-37)
    if kind == BINARY_CROSS_ENTROPY:
        return (a - y) / max(a * (one - a), tiny)
    if kind == CROSS_ENTROPY:
        return -y / max(a, tiny)
    if kind == PERCEPTRON:
        return -y if y * a <= zero else zero
    error = a - y
    edge = real(delta_at)
    if kind == HUBER:
        return min(max(error, -edge), edge)
    return error


@compiled
def batch_loss(
    kind: int,
    delta_at: float,
    z: Floats2D,  # (n, k)  weighted sums of the output layer
    a: Floats2D,  # (n, k)  outputs
    y: Floats2D,  # (n, k)  targets
    w: Floats1D,  # (n,)    row weights
) -> float:
    """Return the sum over rows of weight times loss (float64, so that long sums stay exact)."""
    total = 0.0
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            total += w[i] * loss_of(kind, delta_at, z[i, j], a[i, j], y[i, j])
    return total


@compiled_into_caller
def output_delta(
    kind: int,
    delta_at: float,
    output: int,  # code of the output activation
    batch: int,  # rows over which the loss is a mean
    a: Floats2D,  # (n, k)
    slope: Floats2D,  # (n, k)  da/dz, not used with softmax
    y: Floats2D,  # (n, k)
    w: Floats1D,  # (n,)
    delta: Floats2D,  # (n, k)  written: dC/dz, C the mean loss of the batch
) -> None:
    """Compute dC/dz of the output layer: dC/da through the output activation."""
    n, k = a.shape
    fused = (kind == BINARY_CROSS_ENTROPY and output == SIGMOID) or (
        kind == CROSS_ENTROPY and output == SOFTMAX
    )
    for i in range(n):
        share = w[i] / a.dtype.type(batch)
        if fused:
            for j in range(k):
                delta[i, j] = share * (a[i, j] - y[i, j])
        elif output == SOFTMAX:  # Jacobian: dC/dz_j = a_j (dC/da_j - sum_m a_m dC/da_m)
            mean = a.dtype.type(0)
            for j in range(k):
                delta[i, j] = slope_of(kind, delta_at, a[i, j], y[i, j])
                mean += a[i, j] * delta[i, j]
            for j in range(k):
                delta[i, j] = share * a[i, j] * (delta[i, j] - mean)
        else:
            for j in range(k):
                delta[i, j] = share * slope_of(kind, delta_at, a[i, j], y[i, j]) * slope[i, j]
