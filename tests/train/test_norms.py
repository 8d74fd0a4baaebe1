"""Batch norms end with the statistics of the weights that stay."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.train.making import CLASSES, picture_net, pictures, recipe, rows, scaled
from torch import Tensor, nn

from neuroscope.base.errors import InputError, Interrupted, RecipeError
from neuroscope.base.events import EpochEnded
from neuroscope.train import course, norms
from neuroscope.train.clock import Clock
from neuroscope.train.data import Data
from neuroscope.train.loop import Watch, fit


def sample(count: int = 60) -> Data:
    """Return pictures as the loop takes them."""
    x, y = pictures(count)
    return Data(x, y, prepare=scaled)


def seen_by_norm(module: nn.Sequential, data: Data) -> tuple[Tensor, Tensor]:
    """Return mean and variance (8,) of what the norm reads of all rows, by the definition."""
    with torch.no_grad():
        maps = module[0](torch.from_numpy(np.asarray(data.inputs)).float() / 255)
    flat = maps.transpose(0, 1).flatten(1)
    return flat.mean(1), flat.var(1)


@pytest.mark.parametrize(
    "changes",
    [{}, {"average": 0.9}, {"patience": 2, "learning_rate": 0.05}, {"mixup": 0.4},
 {"accumulate": 2}],
)  # fmt: skip
def test_statistics_are_those_of_the_weights_that_stay(changes) -> None:
    data = sample()
    module = picture_net()
    fit(module, data, recipe(epochs=6, **changes), valid=sample(30))
    mean, variance = seen_by_norm(module, data)
    norm = module[1]
    assert isinstance(norm, nn.BatchNorm2d)
    assert torch.allclose(norm.running_mean, mean, atol=1e-4)
    assert torch.allclose(norm.running_var, variance, rtol=0.02)
    assert norm.momentum == 0.1


def test_a_net_of_few_steps_predicts_what_it_has_learned(monkeypatch) -> None:
    """Three large steps: the running statistics are still those of the first weights."""
    data = sample(300)
    chosen = recipe(epochs=1, batch_size=100, learning_rate=0.05)
    found = []
    for remedy in (norms.settle, lambda engine: False):
        monkeypatch.setattr(course, "settle", remedy)
        found.append(fit(picture_net(), data, chosen, valid=data).epochs[-1].valid_loss)
    assert found[0] < 0.9 * found[1]


def test_noise_of_training_stays_out() -> None:
    """Augmented pictures are not what is predicted."""

    def doubled(inputs, chance):
        return (inputs[0].float() / 255 * (1 if chance is None else 2),)

    data = sample()
    module = picture_net()
    fit(module, replace(data, prepare=doubled), recipe())
    mean, variance = seen_by_norm(module, data)
    assert torch.allclose(module[1].running_mean, mean, atol=1e-4)
    assert torch.allclose(module[1].running_var, variance, rtol=0.02)


def test_frozen_norms_keep_their_statistics() -> None:
    module = picture_net()
    module[0].requires_grad_(False)
    module[1].requires_grad_(False)
    module[1].running_mean.fill_(0.25)
    fit(module, sample(), recipe())
    assert torch.equal(module[1].running_mean, torch.full((8,), 0.25))


def test_few_rows_are_enough_and_the_seed_draws_them(monkeypatch) -> None:
    monkeypatch.setattr(norms, "ROWS", 100)
    seen: list[int] = []

    def counting(inputs, chance):
        seen.append(len(inputs[0]) if chance is None else 0)
        return scaled(inputs, chance)

    data = replace(sample(3000), prepare=counting)
    one, other = picture_net(), picture_net()
    for module in (one, other):
        fit(module, data, recipe(epochs=1))
    assert sum(count == 64 for count in seen) == 2 * 2  # for each fit; others are probed by 16
    assert torch.equal(one[1].running_mean, other[1].running_mean)


def test_a_row_alone_has_no_statistics() -> None:
    module = nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4), nn.Linear(4, CLASSES))
    fit(module, rows(65), recipe(batch_size=13))
    assert bool(module[1].running_var.isfinite().all())


@pytest.mark.parametrize(
    ("count", "error", "said"),
    [(12, RecipeError, "set batch_size to 2 or more"), (1, InputError, "give more rows")],
)
def test_batches_of_one_row_are_refused_where_norms_learn(count, error, said) -> None:
    module = nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4), nn.Linear(4, CLASSES))
    with pytest.raises(error, match=said):
        fit(module, rows(count), recipe(batch_size=1))
    module[1].requires_grad_(False)
    fit(module, rows(count), recipe(batch_size=1))  # frozen norms need no variance


def test_a_fit_stopped_in_its_last_epoch_ends_with_the_same_statistics(tmp_path) -> None:
    data, chosen = sample(), recipe(average=0.9, patience=3)
    whole, halted, again = picture_net(), picture_net(), picture_net()
    fit(whole, data, chosen, valid=sample(30), watch=Watch(threads=1))
    stop = threading.Event()

    def halt(event) -> None:
        if isinstance(event, EpochEnded) and event.epoch == chosen.epochs:
            stop.set()

    watch = Watch(checkpoint=tmp_path / "fit.safetensors", stop=stop, monitor=halt, threads=1)
    with pytest.raises(Interrupted):
        fit(halted, data, chosen, valid=sample(30), watch=watch)
    fit(again, data, chosen, valid=sample(30),
        watch=replace(watch, stop=threading.Event(), monitor=lambda event: None))  # fmt: skip
    for name, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


def test_time_for_the_end_is_kept_back(monkeypatch) -> None:
    now = [0.0]
    monkeypatch.setattr("neuroscope.train.clock.time.perf_counter", lambda: now[0])
    fitted = []
    for ending in (0.0, 20.0):
        now[0] = 0.0
        clock = Clock(1000, 100, 100.0, began=0.0, ending=ending)
        for _ in range(10):
            now[0] += 1.0
            clock.advance()
        fitted.append(clock.fitted)
    assert fitted[0] - fitted[1] == 20
