"""Small data for the estimators."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def two_classes() -> tuple[np.ndarray, np.ndarray]:
    """Return 200 rows of 4 standard normal features and noisy classes 0 and 1."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(200, 4))
    return x, (x @ [2.0, -1.0, 0.5, 0.0] + rng.normal(size=200) > 0).astype(int)


@pytest.fixture
def three_classes() -> tuple[np.ndarray, np.ndarray]:
    """Return 150 rows around three centres, with words as classes."""
    rng = np.random.default_rng(2)
    codes = np.arange(150) % 3
    centres = np.array([[0.0, 3.0], [3.0, -2.0], [-3.0, -2.0]])
    return centres[codes] + rng.normal(size=(150, 2)), np.array(["a", "b", "c"])[codes]


@pytest.fixture
def numbers() -> tuple[np.ndarray, np.ndarray]:
    """Return 200 rows of 3 features and a noisy linear target."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(200, 3))
    return x, x @ [1.0, -2.0, 0.5] + 4 + 0.1 * rng.normal(size=200)
