"""The made tasks are what their texts say."""

from __future__ import annotations

import numpy as np
import pytest

from neuroscope.data.memory_tasks import ADDING_BASELINE, adding, copying


@pytest.mark.parametrize("steps", [2, 7, 50])
def test_adding_asks_for_the_sum_of_the_two_marked_numbers(steps: int) -> None:
    x, y = adding(300, steps, seed=1)
    assert (x.shape, x.dtype, y.dtype) == ((300, steps, 2), np.float32, np.float32)
    assert (x[:, : steps // 2, 1].sum(1) == 1).all()
    assert (x[:, steps // 2 :, 1].sum(1) == 1).all()
    np.testing.assert_allclose((x[:, :, 0] * x[:, :, 1]).sum(1), y, rtol=1e-6)
    assert len(np.unique(x[:, :, 1].argmax(1))) == steps // 2  # each step is marked at times


def test_the_best_answer_without_a_memory_is_1() -> None:
    _, y = adding(20_000, 10)
    assert ((y - 1) ** 2).mean() == pytest.approx(ADDING_BASELINE, rel=0.03)


def test_copying_asks_for_the_symbols_again() -> None:
    x, y = copying(40, 5, symbols=4, length=3, seed=2)
    assert x.shape == y.shape == (40, 11)
    assert (x[:, :3] == y[:, -3:]).all()
    assert not x[:, 3:7].any()
    assert (x[:, 7] == 5).all()
    assert not x[:, 8:].any()
    assert not y[:, :8].any()
    assert set(np.unique(x[:, :3])) == {1, 2, 3, 4}


def test_the_seed_decides() -> None:
    assert np.array_equal(adding(3, 9, seed=1)[0], adding(3, 9, seed=1)[0])
    assert not np.array_equal(adding(3, 9, seed=1)[0], adding(3, 9, seed=2)[0])
    assert not np.array_equal(copying(3, 9, seed=1)[0], copying(3, 9, seed=2)[0])
