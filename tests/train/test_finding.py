"""The range test, gradual unfreezing and the choice of precision."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.train.making import net, picture_net, pictures, recipe, rows, scaled, theta
from torch import nn

from neuroscope.base.errors import InputError, RecipeError
from neuroscope.base.events import EpochEnded, WarningRaised
from neuroscope.nets import gpt
from neuroscope.train import precision
from neuroscope.train.data import Data
from neuroscope.train.finetune import Stage, finetune, freeze, stages
from neuroscope.train.loop import Watch, fit
from neuroscope.train.precision import choose_precision, device_of, forward_flops, kind_of
from neuroscope.train.range_test import learning_rate_range


def test_the_range_test_finds_a_rate_that_learns_and_leaves_the_net_alone() -> None:
    module, data = net(), rows(400)
    curve, rate = learning_rate_range(module, data, recipe(average=0.9))
    rates, losses = zip(*curve, strict=True)
    assert list(rates) == sorted(rates)
    assert rates[0] == pytest.approx(1e-6)
    assert np.array_equal(theta(module), theta(net()))
    assert 1e-3 < rate < 1
    assert min(losses) < 0.8 * losses[0]
    found = fit(module, data, recipe(learning_rate=rate)).epochs[-1].train_loss
    assert found < fit(net(), data, recipe(learning_rate=1e-6)).epochs[-1].train_loss


def test_the_range_test_repeats_and_keeps_its_bounds() -> None:
    options = {"low": 1e-3, "high": 1e-1, "steps": 20}
    first = learning_rate_range(net(dropout=0.3), rows(), recipe(), **options)
    assert first == learning_rate_range(net(dropout=0.3), rows(), recipe(), **options)
    assert first[0][0][0] == pytest.approx(1e-3)
    assert first[0][-1][0] <= 0.1 + 1e-9


def test_a_range_test_in_another_thread_leaves_a_fit_alone() -> None:
    """Both draw dropout from torch's global generator, so one waits for the other."""
    alone, module, tested = (net(dropout=0.3) for _ in range(3))
    begun = threading.Event()
    fit(alone, rows(), recipe())

    def look() -> None:
        begun.wait()
        learning_rate_range(tested, rows(), recipe(), steps=20)

    def slowly(_event) -> None:
        begun.set()
        time.sleep(0.02)

    other = threading.Thread(target=look)
    other.start()
    fit(module, rows(), recipe(), watch=Watch(monitor=slowly))
    other.join()
    assert np.array_equal(theta(module), theta(alone))


@given(epochs=st.integers(1, 60), unfreeze=st.integers(0, 9), groups=st.integers(2, 8))
def test_a_plan_spends_all_epochs_and_opens_the_top_first(epochs, unfreeze, groups) -> None:
    plan = stages(recipe(epochs=epochs, unfreeze=unfreeze), groups)
    assert sum(stage.epochs for stage in plan) == epochs
    assert all(stage.epochs >= 1 for stage in plan)
    opened = [stage.unfrozen for stage in plan]
    assert opened == sorted(set(opened))
    assert opened[-1] == min(unfreeze, groups - 1)


def test_a_plan_reads_as_data() -> None:
    assert stages(recipe(epochs=10, unfreeze=2), 4) == (Stage(0, 2), Stage(1, 4), Stage(2, 4))
    assert stages(recipe(epochs=10), 4) == (Stage(0, 10),)
    assert stages(recipe(epochs=10, unfreeze=2), 4, ready=True) == (Stage(2, 10),)


def test_a_stage_costs_more_the_more_of_the_net_learns() -> None:
    assert Stage(3, 2).work(4) == 2 * 3  # forward and backward through all of it
    assert Stage(0, 2).work(4) == 2 * 1.5


def test_a_head_that_is_ready_learns_with_the_groups_below_from_the_first_step() -> None:
    x, y = pictures()
    moved: list[bool] = []
    module = picture_net()
    first = module[0].weight.detach().clone()
    told = Watch(monitor=lambda _: moved.append(not torch.equal(module[0].weight, first)))
    done = finetune(module, Data(x, y, prepare=scaled), recipe(epochs=3, unfreeze=1),
                    groups_of(module), watch=told, ready=True)  # fmt: skip
    assert [len(part.epochs) for part in done] == [3]
    assert all(moved)


def groups_of(module: nn.Sequential) -> list[list[nn.Module]]:
    return [[module[0], module[1]], [module[5]]]


def test_finetuning_trains_the_head_then_what_lies_below(tmp_path) -> None:
    x, y = pictures()
    data, module, told = Data(x, y, prepare=scaled), picture_net(), []
    first = module[0].weight.detach().clone()
    below: list[bool] = []

    def watch(event) -> None:
        if isinstance(event, EpochEnded):
            below.append(torch.equal(module[0].weight.detach(), first))
            told.append(event)

    chosen = recipe(epochs=5, unfreeze=1, layer_decay=0.1)
    kept = tmp_path / "fit.safetensors"
    done = finetune(module, data, chosen, groups_of(module),
                    watch=Watch(monitor=watch, checkpoint=kept))  # fmt: skip
    assert below == [True, False, False, False, False]
    assert [len(part.epochs) for part in done] == [1, 4]
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "fit-stage1.safetensors", "fit-stage2.safetensors",
    ]  # fmt: skip
    assert all(parameter.requires_grad for parameter in module.parameters())
    again = picture_net()
    finetune(again, data, chosen, groups_of(again), watch=Watch(checkpoint=kept))
    assert np.array_equal(theta(again), theta(module))


def test_a_frozen_backbone_stays_as_it_was_with_its_statistics() -> None:
    x, y = pictures()
    module = picture_net()
    finetune(module, Data(x, y, prepare=scaled), recipe(), groups_of(module))
    fresh = picture_net().state_dict()
    changed = {k for k, v in module.state_dict().items() if not torch.equal(v, fresh[k])}
    assert changed == {"5.weight", "5.bias"}


def test_the_time_of_a_finetuning_is_shared() -> None:
    x, y = pictures()
    module, told = picture_net(), []
    watch = Watch(seconds=1.5, rung="fine", monitor=told.append)
    done = finetune(module, Data(x, y, prepare=scaled), recipe(epochs=100_000, unfreeze=1),
                    groups_of(module), watch=watch)  # fmt: skip
    assert [part.stopped for part in done] == ["time", "time"]
    assert sum(part.seconds for part in done) < 2.5
    assert done[0].seconds < 1.5 * done[1].seconds  # a busy machine may stretch either
    (said,) = [event for event in told if isinstance(event, WarningRaised) and event.cut_short]
    assert "100,000 epochs planned in 2 stages, the time budget allowed about" in said.message
    counted = [event.epoch for event in told if isinstance(event, EpochEnded)]
    assert counted[: len(done[0].epochs)] == list(range(1, len(done[0].epochs) + 1))
    assert {event.epochs for event in told if isinstance(event, EpochEnded)} == {100_000}


def test_finetuning_without_a_backbone_is_refused() -> None:
    module = net()
    with pytest.raises(InputError, match="a backbone and a head"):
        finetune(module, rows(), recipe(), [[module]])


def test_freezing_counts_from_the_head() -> None:
    module = nn.Sequential(*[nn.Linear(2, 2) for _ in range(4)])
    freeze([[layer] for layer in module], 1)
    assert [layer.weight.requires_grad for layer in module] == [False, False, True, True]


def test_operations_are_counted_by_hand() -> None:
    assert forward_flops(nn.Linear(5, 7), (torch.rand(3, 5),)) == 2 * 3 * 5 * 7
    convolution = nn.Conv2d(2, 4, 3)
    assert forward_flops(convolution, (torch.rand(3, 2, 8, 8),)) == 2 * 3 * 36 * 4 * 2 * 9
    recurrent = nn.LSTM(3, 5, batch_first=True)
    assert forward_flops(recurrent, (torch.rand(2, 4, 3),)) == 2 * 8 * 4 * 5 * (3 + 5)
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    products = 2 * 6 * (4 * 8 * 8 + 2 * 8 * 16) + 2 * 2 * 2 * 3 * 3 * 8
    assert forward_flops(layer, (torch.rand(2, 3, 8),)) == products
    assert layer.training


@pytest.mark.parametrize(
    ("module", "kind"),
    [
        (nn.Sequential(nn.Linear(2, 2)), "dense"),
        (nn.Sequential(nn.Conv2d(1, 1, 1), nn.Linear(2, 2)), "convolution"),
        (nn.Sequential(nn.GRU(2, 2)), "recurrent"),
        (nn.Sequential(nn.Conv2d(1, 1, 1), nn.MultiheadAttention(2, 1)), "attention"),
        (gpt.build(vocabulary=4, steps=64, width=4), "written attention"),
        (gpt.build(vocabulary=4, steps=2048, width=4), "dense"),
    ],
)
def test_the_layer_that_decides_on_precision(module, kind) -> None:
    assert kind_of(module) == kind


@pytest.mark.parametrize(("there", "batch", "wanted"), [
    (True, 4096, "bfloat16"), (True, 2, "float32"), (False, 4096, "float32"),
])  # fmt: skip
def test_precision_follows_from_operations_and_processor(monkeypatch, there, batch, wanted) -> None:
    monkeypatch.setattr(precision, "has_bfloat16", lambda: there)
    module = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 3))
    chosen = choose_precision(module, (torch.rand(batch, 64),), recipe())
    assert chosen.precision == wanted
    assert ("million operations" in chosen.reasons["precision"]) == there
    assert chosen == choose_precision(module, (torch.rand(batch, 64),), recipe())


def test_a_device_that_is_not_there_is_refused() -> None:
    missing = [
        name
        for name, found in (
            ("cuda", torch.cuda.is_available()),
            ("mps", torch.backends.mps.is_available()),
        )
        if not found
    ]
    for name in missing:
        with pytest.raises(RecipeError, match=f"{name}' is not there; set device to auto"):
            device_of(recipe(device=name))
    assert device_of(recipe(device="cpu")).type == "cpu"
