"""The arithmetic of word vectors: how often a true neighbour is told from noise.

A row is a passage of text. Its truth is (n, 1): how many times a true neighbour is set beside a
noise word there. A prediction is (n, 1): how many times the neighbour got the higher score, half a
time where both got the same.
"""

from __future__ import annotations

import numpy as np

from neuroscope.base.errors import InputError
from neuroscope.judge._arithmetic import Evaluate, ratio


def check(title: str, y: np.ndarray, p: np.ndarray) -> None:
    """Refuse counts of other shapes than (n, 1) (InputError)."""
    if y.ndim != 2 or y.shape[1] != 1 or p.shape != y.shape:
        raise InputError(f"{title} needs two counts (n, 1), got {y.shape} and {p.shape}")


def ranking(y: np.ndarray, p: np.ndarray, threshold: float) -> Evaluate:  # noqa: ARG001
    """Sum of wins over sum of comparisons."""
    asked, won = y[:, 0], p[:, 0]
    return lambda W: ratio(W @ won, W @ asked)
