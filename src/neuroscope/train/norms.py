"""Statistics of batch norms that belong to the weights that stay.

While a net learns, a batch norm keeps running means and variances that follow the weights at a
tenth a step (Ioffe and Szegedy 2015). After few steps, or beside averaged weights, they are those
of another net: it predicts by chance what it has learned. So they are computed anew for the weights
that stay, over some of the training rows, as they look in prediction: neither augmented nor mixed,
nothing dropped (Wu and Johnson 2021, arXiv 2105.07576, "precise" statistics).
"""

from __future__ import annotations

import numpy as np
import torch
from torch.nn.modules.batchnorm import _BatchNorm

from neuroscope.base import randomness
from neuroscope.train.engine import Engine
from neuroscope.train.evaluate import WATCH_BATCH

ROWS = 1024  # that are enough for means and variances: a forward pass of them is a third of a step


def learning_norms(engine: Engine) -> list[_BatchNorm]:
    """Return the batch norms whose statistics follow the training rows; frozen ones do not."""
    engine.learn()
    return [
        module
        for module in engine.net.modules()
        if isinstance(module, _BatchNorm) and module.training and module.track_running_stats
    ]


def settle(engine: Engine) -> bool:
    """Compute the statistics of the learning batch norms for the weights that the net holds.

    The mean over rows of each batch's mean and unbiased variance. The rows are drawn from the
    recipe's seed, so that a fit that was taken up again ends alike. Returns whether there were any.
    """
    norms = learning_norms(engine)
    batches = _some_rows(engine) if norms else []
    engine.net.eval()
    if not batches:
        return False
    for norm in norms:
        norm.reset_running_stats()
    usual = [norm.momentum for norm in norms]
    try:
        _average(engine, norms, batches)
    finally:
        for norm, momentum in zip(norms, usual, strict=True):
            norm.momentum = momentum
        engine.net.eval()
    return True


def rows_settled(engine: Engine) -> int:
    """Return how many rows `settle` runs through the net."""
    return min(ROWS, len(engine.rows)) if learning_norms(engine) else 0


def _some_rows(engine: Engine) -> list[np.ndarray]:
    """Return batches of about ROWS rows; a row alone has no variance and is left out."""
    size = min(WATCH_BATCH * int(engine.recipe.batch_size), ROWS)
    chance = randomness.generator(engine.recipe.seed, "statistics")
    chosen: list[np.ndarray] = []
    for positions in engine.rows.batches(size, chance):
        if sum(map(len, chosen)) >= ROWS:
            break
        chosen += [positions] if len(positions) > 1 else []
    return chosen


@torch.no_grad()
def _average(engine: Engine, norms: list[_BatchNorm], batches: list[np.ndarray]) -> None:
    seen = 0
    for norm in norms:
        norm.train()
    for positions in batches:
        seen += len(positions)
        for norm in norms:
            norm.momentum = len(positions) / seen  # of the first batch 1: all of it
        inputs = engine.forward.prepared(engine.rows.take(positions).inputs)
        engine.forward(inputs)
