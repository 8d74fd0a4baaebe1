"""Large nets: threads that share each batch, for nets whose steps take a millisecond or more."""

from __future__ import annotations

import itertools
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from neuroscope.base import settings
from neuroscope.base.types import Floats1D, Floats2D, Integers1D
from neuroscope.neuron._compile import compiled
from neuroscope.neuron.network import Network
from neuroscope.neuron.step import (
    Examples,
    State,
    add_norms,
    bound,
    draw,
    gather,
    learn_slopes,
    make_scratch,
    shuffle,
)
from neuroscope.neuron.update import Rule, rate_at, update

PIECE = 4096  # numbers joined and stepped at a time
LANE_WORK = 1.5e8  # floating-point operations a step from which sharing it over cores pays


def lanes_for(parameters: int, batch_size: int) -> int:
    """Return how many threads should share a batch: one, or one a core (8 at most)."""
    work = 6.0 * parameters * batch_size
    return settings.cores() if work >= LANE_WORK else 1


class Lanes:
    """Threads that share each batch of a large net: every lane learns the slopes of its rows.

    The loop is `train_epoch`'s; the gradients of the lanes are joined in the lanes' order, so that
    the sum does not depend on which thread was first.
    """

    def __init__(self, network: Network, batch_size: int, count: int) -> None:
        """Allocate scratch for `count` lanes of up to batch_size / count rows each."""
        self.shape, self.count = network.shape, count
        rows = math.ceil(batch_size / count)
        self.scratch = [make_scratch(network, rows) for _ in range(count)]
        self.gradients = np.zeros((count, network.theta.size), network.theta.dtype)
        self.slices = _cuts(int(self.shape.bias_at[0]), count)
        self.pool = ThreadPoolExecutor(count)
        self._whole = np.empty(0, self.gradients.dtype)  # no shares: the gradient is joined already

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
            loss, mass = self._slopes(rule, state.theta, train, rows, salt)
            if rule.l1 > 0 or rule.l2 > 0 or rule.clip_norm > 0:  # these need the whole gradient
                self._join(rows.size, gradient)
                add_norms(self.shape, gradient, norms)
                bound(self.shape, rule, state.theta, gradient)
                self._update(rule, step, state, gradient, self._whole)
            else:
                self._update(rule, step, state, gradient, self._shares(rows.size))
                add_norms(self.shape, gradient, norms)
            total, weight, step = total + loss, weight + mass, step + 1
        norms /= step - state.step
        return total / max(weight, 1e-30)

    def _slopes(
        self, rule: Rule, theta: Floats1D, train: Examples, rows: Integers1D, salt: int
    ) -> tuple[float, float]:
        def learn(lane: int) -> tuple[float, float]:
            first, last = _cuts(rows.size, self.count)[lane]
            work, xb, yb, wb = self.scratch[lane]
            mine, here = rows[first:last], last - first
            if not here:
                self.gradients[lane] = 0
                return 0.0, 0.0
            mass = gather(mine, train.x, train.y, train.w, xb, yb, wb)
            loss = learn_slopes(
                self.shape, rule.dropout, salt + 1_000_003 * lane, theta, self.gradients[lane],
                xb[:here], yb[:here], wb[:here], work,
            )  # fmt: skip
            return loss, mass

        results = list(self.pool.map(learn, range(self.count)))
        return sum(loss for loss, _ in results), sum(mass for _, mass in results)

    def _shares(self, rows: int) -> Floats1D:
        """Return each lane's share of a batch's rows."""
        shares = [(last - first) / rows for first, last in _cuts(rows, self.count)]
        return np.array(shares, self.gradients.dtype)

    def _join(self, rows: int, gradient: Floats1D) -> None:
        shares = self._shares(rows)

        def add(cut: tuple[int, int]) -> None:
            join(self.gradients, shares, cut[0], cut[1], gradient)

        list(self.pool.map(add, _cuts(gradient.size, self.count)))

    def _update(
        self, rule: Rule, step: int, state: State, gradient: Floats1D, shares: Floats1D
    ) -> None:
        rate, biases = rate_at(rule, step), int(self.shape.bias_at[0])

        def change(cut: tuple[int, int], weight_decay: float = rule.weight_decay) -> None:
            join_and_update(rule, rate, step, weight_decay, state.theta, self.gradients, shares,
                            gradient, state.moments, cut[0], cut[1])  # fmt: skip

        list(self.pool.map(change, self.slices))
        change((biases, gradient.size), 0.0)


def _cuts(size: int, parts: int) -> list[tuple[int, int]]:
    """Cut `size` things into consecutive parts of nearly equal size."""
    edges = [size * part // parts for part in range(parts + 1)]
    return list(itertools.pairwise(edges))


@compiled
def join(
    gradients: Floats2D,  # (lanes, p)
    shares: Floats1D,  # (lanes,)  each lane's share of the batch's rows
    first: int,
    last: int,
    gradient: Floats1D,  # (p,)  written from first to last
) -> None:
    """Sum the lanes' gradients, each by its share of the rows."""
    for i in range(first, last):
        gradient[i] = shares[0] * gradients[0, i]
    for lane in range(1, shares.size):
        for i in range(first, last):
            gradient[i] += shares[lane] * gradients[lane, i]


@compiled
def join_and_update(
    rule: Rule,
    rate: float,
    step: int,
    weight_decay: float,
    theta: Floats1D,  # (p,)  changed from first to last
    gradients: Floats2D,  # (lanes, p)
    shares: Floats1D,  # (lanes,), or (0,) where `gradient` is joined already
    gradient: Floats1D,  # (p,)  written from first to last
    moments: Floats2D,  # (2, p)  changed from first to last
    first: int,
    last: int,
) -> None:
    """Join and step a piece at a time, so that a piece is still in the cache when it is stepped."""
    for start in range(first, last, PIECE):
        stop = min(start + PIECE, last)
        if shares.size > 0:
            join(gradients, shares, start, stop, gradient)
        update(rule, rate, step, weight_decay, theta[start:stop], gradient[start:stop],
               moments[0, start:stop], moments[1, start:stop])  # fmt: skip
