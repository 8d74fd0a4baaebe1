"""The arithmetic of texts: how surprising a net finds them, character by character.

The truth of n pieces of text is (n, 1): how many characters each asks for (the end of a document
is one). A prediction is (n, 1): the bits -log2 p that the piece costs. Both add up, so the mean
over characters is the quotient of the sums.
"""

from __future__ import annotations

import numpy as np

from neuroscope.base.errors import InputError
from neuroscope.judge._arithmetic import Evaluate, ratio


def check(title: str, y: np.ndarray, p: np.ndarray) -> None:
    """Refuse counts and bits of other shapes than (n, 1) (InputError)."""
    if y.ndim != 2 or y.shape[1] != 1 or p.shape != y.shape:
        raise InputError(f"{title} needs counts and bits (n, 1), got {y.shape} and {p.shape}")


def bits_per_character(y: np.ndarray, p: np.ndarray, threshold: float) -> Evaluate:  # noqa: ARG001
    """Sum of bits over sum of characters."""
    count, bits = y[:, 0], p[:, 0]
    return lambda W: ratio(W @ bits, W @ count)


def perplexity(y: np.ndarray, p: np.ndarray, threshold: float) -> Evaluate:
    """2 to the bits per character: between how many characters the net is torn on average."""
    bits = bits_per_character(y, p, threshold)
    return lambda W: np.exp2(bits(W))
