"""A fit that had no time for more than a few steps is told as such, not judged."""

from __future__ import annotations

import time

import numpy as np
import pytest
from tests.train.making import recipe
from torch import Tensor, nn

from neuroscope.base.errors import BudgetError
from neuroscope.train.data import Data
from neuroscope.train.loop import Watch, fit


class Slow(nn.Linear):
    def forward(self, input: Tensor) -> Tensor:
        time.sleep(0.05)
        return super().forward(input)


def _rows(count: int) -> Data:
    return Data(np.random.default_rng(0).normal(size=(count, 4)).astype(np.float32),
                np.arange(count) % 3)  # fmt: skip


def test_a_few_steps_of_an_epoch_are_no_fit() -> None:
    with pytest.raises(BudgetError, match=r"allowed \d steps? of 4,000; give more time with --bud"):
        fit(Slow(4, 3), _rows(16_000), recipe(), watch=Watch(seconds=0.2))


def test_a_whole_epoch_is_one_however_short() -> None:
    done = fit(Slow(4, 3), _rows(64), recipe(epochs=1000), watch=Watch(seconds=0.3))
    assert done.stopped == "time"
    assert done.epochs
