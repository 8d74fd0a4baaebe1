"""Small nets and rows for the tests of the loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from neuroscope.base.recipe import Recipe
from neuroscope.train.data import Data

CLASSES = 3


def rows(count: int = 96, seed: int = 0) -> Data:
    """Return rows (n, 6) whose class follows from them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, 6)).astype(np.float32)
    w = np.random.default_rng(9).normal(size=(6, CLASSES))
    return Data(x, (x @ w).argmax(1))


def net(seed: int = 0, dropout: float = 0.0, hidden: int = 16) -> nn.Sequential:
    """Return a dense net of two layers."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, hidden), nn.ReLU(), nn.Dropout(dropout),
                         nn.Linear(hidden, CLASSES))  # fmt: skip


def picture_net(seed: int = 0) -> nn.Sequential:
    """Return a convolution with norm and a head, for (n, 1, 8, 8)."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(),
                         nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(32, CLASSES))  # fmt: skip


def pictures(count: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Return uint8 pictures (n, 1, 8, 8) whose brightest third is their class."""
    rng = np.random.default_rng(1)
    y = np.arange(count) % CLASSES
    x = rng.integers(0, 100, (count, 1, 8, 8), dtype=np.uint8)
    for i, kind in enumerate(y):
        x[i, :, :, 3 * kind : 3 * kind + 2] += 150
    return x, y


def scaled(inputs, chance):
    """Turn uint8 into floats."""
    return (inputs[0].float() / 255,)


def recipe(**changes: Any) -> Recipe:
    """Return a short recipe for classes."""
    chosen: dict[str, Any] = {
        "loss": "cross_entropy",
        "batch_size": 16,
        "epochs": 4,
        "learning_rate": 0.01,
        "device": "cpu",
    }
    return Recipe(**(chosen | changes))


def theta(module: nn.Module) -> np.ndarray:
    """Return all weights and statistics in one row."""
    return torch.cat([value.double().flatten() for value in module.state_dict().values()]).numpy()
