"""Activations a = f(z) and their slopes da/dz, each written out once.

z is the weighted sum of a neuron, a its output. Every scalar function returns (a, slope); the loops
below apply them to a whole batch. Softmax couples the outputs of a row, so its slope is a matrix
(Jacobian) and is applied in `losses.output_delta`.

Sources: threshold, McCulloch and Pitts 1943; ReLU, Nair and Hinton 2010; leaky ReLU, Maas et al.
2013; GELU (tanh form), Hendrycks and Gimpel 2016; SELU, Klambauer et al. 2017; Mish, Misra 2019.
"""

from __future__ import annotations

from neuroscope.base.recipe import ACTIVATIONS
from neuroscope.base.types import Floats1D, Floats2D
from neuroscope.neuron._compile import compiled, compiled_into_caller
from neuroscope.neuron.elementary import exp

CODES = {name: code for code, name in enumerate(ACTIVATIONS)}
(IDENTITY, THRESHOLD, SIGMOID, TANH, RELU, LEAKY_RELU, GELU, SELU, MISH, SOFTMAX) = range(10)


@compiled_into_caller
def sigmoid(z):
    """a = 1 / (1 + e**-z); da/dz = a (1 - a)."""
    one = type(z)(1)
    a = one / (one + exp(-z))
    return a, a * (one - a)


@compiled_into_caller
def tanh(z):
    """a = 2 sigmoid(2z) - 1; da/dz = 1 - a**2."""
    one, two = type(z)(1), type(z)(2)
    a = two / (one + exp(-two * z)) - one
    return a, one - a * a


@compiled_into_caller
def relu(z):
    """a = max(0, z); da/dz = 1 above 0, else 0."""
    zero, one = type(z)(0), type(z)(1)
    return max(z, zero), one if z > zero else zero


@compiled_into_caller
def leaky_relu(z):
    """a = z above 0, else 0.01 z."""
    zero, one, leak = type(z)(0), type(z)(1), type(z)(0.01)
    slope = one if z > zero else leak
    return z * slope, slope


@compiled_into_caller
def gelu(z):
    """a = z/2 (1 + tanh(u)), u = sqrt(2/pi) (z + 0.044715 z**3)."""
    half, one, cubic = type(z)(0.5), type(z)(1), type(z)(0.044715)
    scale = type(z)(0.7978845608028654)
    t, t_slope = tanh(scale * (z + cubic * z * z * z))
    u_slope = scale * (one + type(z)(3) * cubic * z * z)
    return half * z * (one + t), half * (one + t) + half * z * t_slope * u_slope


@compiled_into_caller
def selu(z):
    """a = s z above 0, else s alpha (e**z - 1)."""
    zero, one = type(z)(0), type(z)(1)
    s, s_alpha = type(z)(1.0507009873554805), type(z)(1.7580993408473766)
    below = s_alpha * exp(min(z, zero))
    return (s * z, s) if z > zero else (below - s_alpha * one, below)


@compiled_into_caller
def mish(z):
    """a = z tanh(softplus(z)); with e = e**z: tanh(softplus(z)) = (e**2 + 2e) / (e**2 + 2e + 2)."""
    one, two, far = type(z)(1), type(z)(2), type(z)(20)
    e = exp(min(z, far))
    top = e * (e + two)
    t = top / (top + two)
    return z * t, t + z * (one - t * t) * (e / (one + e))


@compiled
def activate(
    kind: int,
    z: Floats1D,  # (n k)  weighted sums of a layer, the batch laid end to end
    a: Floats1D,  # (n k)  written: activations
    slope: Floats1D,  # (n k)  written: da/dz
) -> None:
    """Apply one activation to a whole layer; softmax is `softmax_rows`."""
    real = z.dtype.type
    zero, one = real(0), real(1)
    if kind == RELU:
        for i in range(z.size):
            a[i], slope[i] = relu(z[i])
    elif kind == SIGMOID:
        for i in range(z.size):
            a[i], slope[i] = sigmoid(z[i])
    elif kind == TANH:
        for i in range(z.size):
            a[i], slope[i] = tanh(z[i])
    elif kind == LEAKY_RELU:
        for i in range(z.size):
            a[i], slope[i] = leaky_relu(z[i])
    elif kind == GELU:
        for i in range(z.size):
            a[i], slope[i] = gelu(z[i])
    elif kind == SELU:
        for i in range(z.size):
            a[i], slope[i] = selu(z[i])
    elif kind == MISH:
        for i in range(z.size):
            a[i], slope[i] = mish(z[i])
    elif kind == THRESHOLD:
        for i in range(z.size):
            a[i], slope[i] = (one if z[i] >= zero else zero), zero
    else:
        for i in range(z.size):
            a[i], slope[i] = z[i], one


@compiled
def softmax_rows(
    z: Floats2D,  # (n, k)
    a: Floats2D,  # (n, k)  written: e**z / sum(e**z) of each row
) -> None:
    """Turn each row of weighted sums into probabilities (Bridle 1990), without overflow."""
    for i in range(z.shape[0]):
        largest = z[i, 0]
        for j in range(1, z.shape[1]):
            largest = max(largest, z[i, j])
        total = z.dtype.type(0)
        for j in range(z.shape[1]):
            a[i, j] = exp(z[i, j] - largest)
            total += a[i, j]
        for j in range(z.shape[1]):
            a[i, j] /= total
