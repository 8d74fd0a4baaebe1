"""Large nets: threads that share each batch, for nets whose steps take a millisecond or more.

A step has two halves. First each lane takes its rows of the batch forward and back, to the delta of
every neuron. Then each lane takes its share of every layer's weights, sums their slopes over all
rows and changes them while they are still in its cache. No lane writes what another one reads.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from neuroscope.base import settings
from neuroscope.base.types import Floats1D, Floats2D, Integers1D
from neuroscope.neuron._compile import compiled
from neuroscope.neuron.backprop import bias_slopes, send_back, weight_slopes
from neuroscope.neuron.forward import Shape, Workspace, block, forward
from neuroscope.neuron.losses import batch_loss
from neuroscope.neuron.network import Network
from neuroscope.neuron.step import (
    Examples,
    State,
    bound,
    change,
    draw,
    gather,
    make_scratch,
    shuffle,
)
from neuroscope.neuron.update import Rule, norm, rate_at

Result = TypeVar("Result")

PIECE = 32768  # numbers whose slopes are summed and stepped at a time: they stay in the cache
LANE_WORK = 1.5e8  # floating-point operations a step from which sharing it over cores pays


def lanes_for(parameters: int, batch_size: int) -> int:
    """Return how many threads should share a batch: one, or one a core (8 at most)."""
    work = 6.0 * parameters * batch_size
    return settings.cores() if work >= LANE_WORK else 1


class Lanes:
    """Threads that share each batch of a large net; the loop over batches is `train_epoch`'s."""

    def __init__(self, network: Network, batch_size: int, count: int) -> None:
        """Allocate scratch for batches of up to batch_size rows."""
        self.shape, self.count = network.shape, count
        self.work, self.xb, self.yb, self.wb = make_scratch(network, batch_size)
        self.turned = [np.zeros_like(self.work.turned) for _ in range(count)]
        self.squares = np.zeros((count, self.shape.activations.size))
        self.pool = ThreadPoolExecutor(count - 1)  # the calling thread is a lane, too

    def train_epoch(
        self, rule: Rule, state: State, train: Examples, gradient: Floats1D, norms: Floats1D
    ) -> float:
        """Take one pass over the rows; returns the mean loss, measured as the batches went by."""
        total, weight, step = 0.0, 0.0, state.step
        norms[:] = 0
        shuffle(state.order, state.chance)
        for first in range(0, len(train.x), rule.batch_size):
            rows = state.order[first : first + rule.batch_size]
            salt = int(draw(state.chance) >> np.uint64(40))
            loss, mass = self._send(rule, state.theta, train, rows, salt)
            self._learn(rule, step, state, rows.size, gradient)
            norms += np.sqrt(self.squares.sum(axis=0)).astype(norms.dtype)
            total, weight, step = total + loss, weight + mass, step + 1
        norms /= step - state.step
        return total / max(weight, 1e-30)

    def _send(
        self, rule: Rule, theta: Floats1D, train: Examples, rows: Integers1D, salt: int
    ) -> tuple[float, float]:
        """Take the batch to the deltas; returns the sums of weight times loss and of weight."""

        def send(lane: int) -> tuple[float, float]:
            mine = rows.size * lane // self.count, rows.size * (lane + 1) // self.count
            return send_rows(
                self.shape, rule.dropout, salt + 1_000_003 * lane, theta, train.x, train.y,
                train.w, rows, *mine, self.xb, self.yb, self.wb, self._workspace(lane),
            )  # fmt: skip

        results = self._all(send)
        return sum(loss for loss, _ in results), sum(mass for _, mass in results)

    def _learn(self, rule: Rule, step: int, state: State, n: int, gradient: Floats1D) -> None:
        """Turn the deltas of n rows into slopes, and take the step."""
        rate, x = rate_at(rule, step), self.xb[:n]
        whole = rule.l1 > 0 or rule.l2 > 0 or rule.clip_norm > 0  # these come between the two

        def learn(lane: int, slopes: bool = True, stepping: bool = not whole) -> None:
            learn_share(
                self.shape, rule, rate, step, x, self._workspace(lane), state.theta, gradient,
                state.moments, lane, self.count, slopes, stepping, self.squares[lane],
            )  # fmt: skip

        self._all(learn)
        if whole:
            bound(self.shape, rule, state.theta, gradient)
            self._all(lambda lane: learn(lane, slopes=False, stepping=True))

    def close(self) -> None:
        """Let the threads go."""
        self.pool.shutdown()

    def _workspace(self, lane: int) -> Workspace:
        return self.work._replace(turned=self.turned[lane])

    def _all(self, work: Callable[[int], Result]) -> list[Result]:
        """Let every lane do its work; returns what they give back, in the lanes' order."""
        others = [self.pool.submit(work, lane) for lane in range(1, self.count)]
        return [work(0), *(other.result() for other in others)]


@compiled
def send_rows(
    shape: Shape, dropout: float, chance: int, theta: Floats1D, x: Floats2D, y: Floats2D,
    w: Floats1D, rows: Integers1D, first: int, last: int, xb: Floats2D, yb: Floats2D, wb: Floats1D,
    work: Workspace,
) -> tuple[float, float]:  # fmt: skip
    """Take rows first to last of a batch forward and back; returns their loss and weight."""
    if first == last:
        return 0.0, 0.0
    xb, yb, wb = xb[first:last], yb[first:last], wb[first:last]
    at = work.at + first * shape.widths[1:]  # these rows' places in the blocks of the whole batch
    mine = Workspace(at, work.z, work.a, work.slope, work.delta, work.turned)
    mass = gather(rows[first:last], x, y, w, xb, yb, wb)
    output = forward(shape, theta, xb, mine, dropout, chance)
    z = block(shape, mine, mine.z, shape.activations.size - 1, last - first)
    loss = batch_loss(shape.loss, shape.huber_delta, z, output, yb, wb)
    send_back(shape, theta, yb, wb, rows.size, mine)
    return loss, mass


@compiled
def learn_share(
    shape: Shape, rule: Rule, rate: float, step: int, x: Floats2D, work: Workspace,
    theta: Floats1D, gradient: Floats1D, moments: Floats2D, lane: int, count: int,
    slopes: bool, stepping: bool, squares: Floats1D,
) -> None:  # fmt: skip
    """Compute the slopes of a lane's share of the weights, and change them, a piece at a time.

    A lane has its share of every layer's inputs; the first one also has the biases. `squares` gets
    the squared length of each layer's gradient.
    """
    for layer in range(shape.activations.size):
        n_in, n_out = shape.widths[layer], shape.widths[layer + 1]
        begin, end = n_in * lane // count, n_in * (lane + 1) // count
        inputs = max(PIECE // n_out // 4 * 4, 4)
        if slopes:
            squares[layer] = 0
            if lane == 0:
                bias_slopes(shape, layer, x.shape[0], work, gradient)
        for first in range(begin, end, inputs):
            last = min(first + inputs, end)
            start = shape.weights_at[layer] + first * n_out
            stop = shape.weights_at[layer] + last * n_out
            if slopes:
                weight_slopes(shape, layer, x, work, first, last, gradient)
                squares[layer] += norm(gradient[start:stop]) ** 2
            if stepping:
                change(rule, rate, step, rule.weight_decay, theta, gradient, moments, start, stop)
    if stepping and lane == 0:
        change(rule, rate, step, 0.0, theta, gradient, moments, shape.bias_at[0], theta.size)
