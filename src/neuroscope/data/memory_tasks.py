"""Two made tasks that only a net with a memory can do.

Hochreiter and Schmidhuber 1997, "Long short-term memory", section 5.4 (adding); Arjovsky et al.
2016, 1511.06464, section 4.1 (copying). How long a net must remember is a number that one sets.
"""

from __future__ import annotations

import numpy as np

from neuroscope.base import randomness

ADDING_BASELINE = 1 / 6  # mean squared error of the answer 1, the best without a memory


def adding(n: int, steps: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return sequences (n, steps, 2) and sums (n,), float32: add the two marked numbers.

    The first channel is uniform in [0, 1]; the second is 1 at one step of the first half and at one
    of the second, else 0. `steps` is 2 or more.
    """
    chance = randomness.generator(seed, "adding")
    x = np.zeros((n, steps, 2), np.float32)
    x[:, :, 0] = chance.random((n, steps))
    rows, half = np.arange(n), steps // 2
    marked = chance.integers(0, half, n), chance.integers(half, steps, n)
    for at in marked:
        x[rows, at, 1] = 1.0
    return x, x[rows, marked[0], 0] + x[rows, marked[1], 0]


def copying(
    n: int, gap: int, *, symbols: int = 8, length: int = 10, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return tokens and answers (n, length + gap + length) int64: repeat them after the gap.

    A sequence is `length` symbols 1 ... `symbols`, `gap` blanks 0 whose last is the signal
    `symbols` + 1, and blanks. The answer is blank up to the signal, then the symbols.
    `gap` is 1 or more.
    """
    words = randomness.generator(seed, "copying").integers(1, symbols + 1, (n, length))
    x = np.zeros((n, 2 * length + gap), np.int64)
    y = x.copy()
    x[:, :length], y[:, -length:] = words, words
    x[:, length + gap - 1] = symbols + 1
    return x, y
