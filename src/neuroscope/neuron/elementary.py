"""e**z and log(z) for the vector unit: polynomials where the C library takes one number at a time.

Float32 only, with relative errors near 1e-7; float64 goes to the C library. Coefficients: Cephes
(Moshier 1989), expf and logf.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types
from numba.extending import overload

from neuroscope.base.types import Scalar
from neuroscope.neuron._compile import compiled

_EXP_END = 709.0  # compiled code answers inf from here on, where plain Python would raise


def exp(z: Scalar) -> Scalar:
    """Return e**z; below, the same is said to the compiler."""
    return _exp_float32(z) if type(z) is np.float32 else math.exp(min(z, _EXP_END))


def log(z: Scalar) -> Scalar:
    """Return the natural logarithm of a number above 0."""
    return _log_float32(z) if type(z) is np.float32 else math.log(z)


@compiled
def _exp_float32(z: np.float32) -> np.float32:
    # e**z = 2**n * e**r with n whole and |r| <= ln(2)/2; the ends are where float32 ends.
    z = min(max(z, np.float32(-87)), np.float32(88))
    n = np.float32(math.floor(z * np.float32(1.44269504) + np.float32(0.5)))
    r = (z - n * np.float32(0.693359375)) + n * np.float32(2.12194440e-4)
    p = np.float32(1.9875691500e-4)
    p = p * r + np.float32(1.3981999507e-3)
    p = p * r + np.float32(8.3334519073e-3)
    p = p * r + np.float32(4.1665795894e-2)
    p = p * r + np.float32(1.6666665459e-1)
    p = p * r + np.float32(5.0000001201e-1)
    power_of_two = np.int32((np.int32(n) + np.int32(127)) << np.int32(23)).view(np.float32)
    return (p * r * r + r + np.float32(1)) * power_of_two


@compiled
def _log_float32(z: np.float32) -> np.float32:
    # z = m * 2**e with sqrt(1/2) <= m < sqrt(2), read off the bits; log(z) = log(1 + r) + e log(2).
    bits = np.float32(max(z, np.float32(1.2e-38))).view(np.int32)
    shift = np.int32((bits - np.int32(0x3F3504F3)) >> np.int32(23))
    e = np.float32(shift)
    r = np.int32(bits - np.int32(shift << np.int32(23))).view(np.float32) - np.float32(1)
    p = np.float32(7.0376836292e-2)
    p = p * r - np.float32(1.1514610310e-1)
    p = p * r + np.float32(1.1676998740e-1)
    p = p * r - np.float32(1.2420140846e-1)
    p = p * r + np.float32(1.4249322787e-1)
    p = p * r - np.float32(1.6668057665e-1)
    p = p * r + np.float32(2.0000714765e-1)
    p = p * r - np.float32(2.4999993993e-1)
    p = p * r + np.float32(3.3333331174e-1)
    square = r * r
    low = p * r * square - np.float32(2.12194440e-4) * e - np.float32(0.5) * square
    return np.float32(0.693359375) * e + (r + low)


@overload(exp, jit_options={"error_model": "numpy"})
def _compile_exp(z):
    if z == types.float32:
        return lambda z: _exp_float32(z)  # noqa: PLW0108
    return lambda z: math.exp(z)  # noqa: PLW0108


@overload(log, jit_options={"error_model": "numpy"})
def _compile_log(z):
    if z == types.float32:
        return lambda z: _log_float32(z)  # noqa: PLW0108
    return lambda z: math.log(z)  # noqa: PLW0108
