"""Single neurons, in the order in which they were found, each with its own rule.

A neuron sums its weighted inputs, z = w . x + b, and answers a = f(z). The last entry of `theta` is
the bias b. The four learning neurons differ only in f and in what they call an error:

    perceptron  a = +1 if z > 0 else -1    learns from wrong answers only: dC/dz = -y   y is -1 or 1
    adaline     a = +1 if z > 0 else -1    learns from the sum itself: dC/dz = z - y    y is -1 or 1
    linear      a = z                      squared loss: dC/dz = z - y                  y any number
    logistic    a = 1 / (1 + e^-z)         log loss: dC/dz = a - y                      y is 0 or 1

and all follow w_new = w - learning_rate * dC/dz * x, one row at a time. A row on the boundary
itself, z = 0, is a wrong answer to the perceptron's rule, whichever its class: else it would never
leave its first weights, which are 0.

Sources: McCulloch and Pitts 1943; perceptron, Rosenblatt 1958; ADALINE (least mean squares), Widrow
and Hoff 1960; logistic regression, Cox 1958, as a neuron with log loss: Bridle 1990.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neuroscope.base.errors import InputError, choice_error
from neuroscope.base.types import Floats1D, Floats2D, Integers1D, Scalar
from neuroscope.neuron._compile import compiled
from neuroscope.neuron.elementary import exp, log

RULES = ("perceptron", "adaline", "linear", "logistic")
PERCEPTRON, ADALINE, LINEAR, LOGISTIC = range(4)

_ROUNDING = 1e-14  # share of a mean below which differences from it are rounding (float64)


@dataclass(frozen=True)
class McCullochPittsNeuron:
    """The neuron of 1943: inputs are 0 or 1, nothing is learned, the threshold is set by hand.

    It fires (1) when no inhibitory input is on and at least `threshold` excitatory inputs are on.
    One active inhibitory input vetoes, whatever the others say.
    """

    threshold: int
    excitatory: tuple[int, ...]  # positions of the exciting inputs
    inhibitory: tuple[int, ...] = ()  # positions of the vetoing inputs

    def fire(self, inputs: Sequence[int]) -> int:
        """Return 1 or 0 for inputs of 0s and 1s; other or too few are an InputError."""
        wanted = max((*self.excitatory, *self.inhibitory), default=-1) + 1
        if len(inputs) < wanted:
            raise InputError(f"this neuron has {wanted} inputs, it was given {len(inputs)}")
        if any(value not in (0, 1) for value in inputs):
            raise InputError("a McCulloch-Pitts neuron takes inputs of 0 and 1 only")
        if any(inputs[position] for position in self.inhibitory):
            return 0
        return int(sum(inputs[position] for position in self.excitatory) >= self.threshold)


def gate(name: str) -> McCullochPittsNeuron:
    """Return a logic gate as a hand-set neuron: AND, OR, NOR, AND NOT (two inputs), NOT."""
    gates = {
        "AND": McCullochPittsNeuron(2, (0, 1)),
        "OR": McCullochPittsNeuron(1, (0, 1)),
        "NOT": McCullochPittsNeuron(0, (), (0,)),
        "NOR": McCullochPittsNeuron(0, (), (0, 1)),
        "AND NOT": McCullochPittsNeuron(1, (0,), (1,)),
    }
    if name not in gates:
        raise choice_error("gate", name, gates)
    return gates[name]


def xor(first: int, second: int) -> int:
    """Answer XOR with two layers: no single neuron can (Minsky and Papert 1969)."""
    only_first = gate("AND NOT").fire([first, second])
    only_second = gate("AND NOT").fire([second, first])
    return gate("OR").fire([only_first, only_second])


@compiled
def error_of(rule: int, z: Scalar, y: Scalar) -> Scalar:
    """Return dC/dz of one row."""
    if rule == LOGISTIC:  # one number at a time the C library's exponential is the faster one
        return type(z)(1) / (type(z)(1) + math.exp(-z)) - y
    if rule == PERCEPTRON:
        return -y if y * z <= type(z)(0) else type(z)(0)
    return z - y


@compiled
def weighted_sum(
    theta: Floats1D,  # (d+1,)  weights, then the bias
    x: Floats2D,  # (n, d)
    row: int,
) -> Scalar:
    """Return z = w . x + b of one row."""
    z = theta[x.shape[1]]
    for j in range(x.shape[1]):
        z += theta[j] * x[row, j]
    return z


@compiled
def learn_row(
    rule: int,
    theta: Floats1D,  # (d+1,)  changed
    x: Floats2D,  # (n, d)
    row: int,
    y: float,
    rate: float,  # learning rate times the row's weight
    l2: float,  # adds l2 / 2 * sum w^2 to the loss
) -> float:
    """Learn from one row, in place; returns z before the step."""
    real = theta.dtype.type
    z = weighted_sum(theta, x, row)
    step = real(rate) * error_of(rule, z, real(y))
    keep = real(1.0 - rate * l2)
    for j in range(x.shape[1]):
        theta[j] = keep * theta[j] - step * x[row, j]
    theta[x.shape[1]] -= step
    return z


@compiled
def learn_rows(
    rule: int,
    theta: Floats1D,  # (d+1,)  changed
    x: Floats2D,  # (n, d)
    y: Floats1D,  # (n,)
    w: Floats1D,  # (n,)  row weights
    order: Integers1D,  # (m,)  rows in the order in which they are learned
    rate: float,
    l2: float,
    met: Floats1D,  # (n,)  written: z of each row just before it was learned
) -> None:
    """Learn from rows one at a time, in place, exactly as `learn_row` after `learn_row` would.

    The next row's sum is prepared while this row's error is still being computed, because
    w_new . x' = keep (w . x') - step (x . x'): the processor need not wait for the new weights.
    """
    if order.size == 0:
        return
    real = theta.dtype.type
    d = x.shape[1]
    row = order[0]
    z = weighted_sum(theta, x, row)
    for i in range(order.size):
        following = order[min(i + 1, order.size - 1)]
        before, overlap = real(0), real(1)  # w . x' and x . x', the bias counting as an input of 1
        for j in range(d):
            before += theta[j] * x[following, j]
            overlap += x[row, j] * x[following, j]
        rate_here = rate * w[row]
        step, keep = real(rate_here) * error_of(rule, z, y[row]), real(1.0 - rate_here * l2)
        met[row] = z
        z = keep * before + theta[d] - step * overlap
        for j in range(d):
            theta[j] = keep * theta[j] - step * x[row, j]
        theta[d] -= step
        row = following


@compiled
def mean_cost(
    rule: int,
    z: Floats1D,  # (n,)
    y: Floats1D,  # (n,)
    w: Floats1D,  # (n,)  row weights
) -> float:
    """Return the mean loss: log loss, perceptron criterion max(0, -y z), or (z - y)^2 / 2."""
    zero, half, one = z.dtype.type(0), z.dtype.type(0.5), z.dtype.type(1)
    total, weight = 0.0, 0.0
    for i in range(z.size):
        weight += w[i]
    if rule == LOGISTIC:
        for i in range(z.size):
            total += w[i] * (max(z[i], zero) - y[i] * z[i] + log(one + exp(-abs(z[i]))))
    elif rule == PERCEPTRON:
        for i in range(z.size):
            total += w[i] * max(zero, -y[i] * z[i])
    else:
        for i in range(z.size):
            total += w[i] * half * (z[i] - y[i]) * (z[i] - y[i])
    return total / max(weight, 1e-30)


@compiled
def weighted_sums(
    theta: Floats1D,  # (d+1,)
    x: Floats2D,  # (n, d)
    z: Floats1D,  # (n,)  written
) -> None:
    """Compute z of every row."""
    for row in range(x.shape[0]):
        z[row] = weighted_sum(theta, x, row)


def least_squares(
    x: np.ndarray,  # (n, d)
    y: np.ndarray,  # (n,), or (n, k) for k neurons on the same inputs
    *,
    w: np.ndarray | None = None,  # (n,)  row weights
    l2: float = 0.0,
) -> np.ndarray:
    """Return the linear neuron's best theta (d+1,), or (d+1, k), in closed form, in float64.

    Minimises mean of w (z - y)^2 / 2 + l2 / 2 sum w_j^2; the bias, last, is not penalised. Columns
    are brought to standard deviation 1 first, so that their units decide nothing; where they repeat
    each other the solution that is shortest in these units is taken (pseudo-inverse). Gauss 1809;
    ridge: Hoerl and Kennard 1970.
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    w = np.ones(len(y)) if w is None else np.asarray(w, np.float64)
    share = w / w.sum()
    x_mean, y_mean = share @ x, share @ y
    scaled = x - x_mean
    spread = np.sqrt(share @ scaled**2)
    varies = spread > _ROUNDING * np.abs(x_mean)  # else what is left of a constant is rounding
    spread = np.where(varies, spread, 1.0)
    scaled *= varies / spread
    covariance = scaled.T @ (scaled * share[:, None]) + np.diag(l2 / spread**2)
    weighted = (share * (y - y_mean).T).T
    slopes = (np.linalg.lstsq(covariance, scaled.T @ weighted, rcond=None)[0].T / spread).T
    return np.concatenate([slopes, [y_mean - x_mean @ slopes]])
