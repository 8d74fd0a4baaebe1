"""What a fit shows of itself, and the alerts on its course."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from tests.train.making import net, picture_net, pictures, recipe, rows, scaled
from torch import nn

from neuroscope.base.events import DeadUnits, EpochEnded, Event, GradientFlow, WarningRaised
from neuroscope.train.alerts import course_alerts
from neuroscope.train.data import Data
from neuroscope.train.evaluate import outputs
from neuroscope.train.loop import Watch, fit
from neuroscope.train.signals import dead_units


def events_of(module: nn.Module, data: Data, **changes) -> list[Event]:
    told: list[Event] = []
    fit(module, data, recipe(**changes), watch=Watch(rung="deep", fold=2, monitor=told.append))
    return told


def test_gradients_and_updates_are_those_of_the_last_step() -> None:
    module, start, data = net(), net(), rows(32)
    options = {"optimizer": "sgd", "epochs": 1, "batch_size": 32, "learning_rate": 0.5}
    flow = next(e for e in events_of(module, data, **options) if isinstance(e, GradientFlow))
    assert (flow.rung, flow.fold, flow.epoch, flow.layers) == ("deep", 2, 1, ("0", "3"))
    x, y = torch.from_numpy(np.asarray(data.inputs)), torch.from_numpy(np.asarray(data.targets))
    nn.functional.cross_entropy(start(x), y).backward()
    for layer, norm, update in zip((0, 3), flow.norms, flow.updates, strict=True):
        slope, before = start[layer].weight.grad, start[layer].weight.detach()
        assert norm == pytest.approx(float(slope.norm()), rel=1e-5)
        moved = module[layer].weight.detach() - before
        assert update == pytest.approx(float(moved.norm() / before.norm()), rel=1e-5)


def test_dead_units_are_counted_by_layer() -> None:
    module = picture_net()
    with torch.no_grad():
        module[1].bias[:3] = -100.0
    x, _ = pictures()
    found = dead_units(module.eval(), lambda: module(torch.from_numpy(x).float() / 255))
    assert found == {"0": (3, 8)}


def test_dead_units_of_functions_and_of_dense_layers_are_seen() -> None:
    class Functional(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.below = nn.Linear(4, 6)

        def forward(self, x):
            return torch.relu(self.below(x))

    module = Functional()
    with torch.no_grad():
        module.below.bias[:] = torch.tensor([-50.0, 9, 9, 9, 9, -50])
    x = torch.rand(20, 3, 4)  # (n, t, d)
    assert dead_units(module, lambda: module(x)) == {"below": (2, 6)}
    gelu = nn.Sequential(nn.Linear(4, 6), nn.GELU())
    assert dead_units(gelu, lambda: gelu(x)) == {}


def test_a_dying_net_is_called_dead_by_name() -> None:
    module = net()
    with torch.no_grad():
        module[0].bias[:10] = -100.0
    told = events_of(module, rows(), learning_rate=1e-3)
    last = [event for event in told if isinstance(event, DeadUnits)][-1]
    assert (last.layers, last.dead, last.units) == (("0",), (10,), (16,))
    said = [event.text for event in told if isinstance(event, WarningRaised)]
    assert len(said) == 1
    assert said[0].startswith("deep: 10 of 16 units of layer 0 are dead since epoch 1")


def test_a_healthy_fit_raises_no_alarm() -> None:
    assert not fit(net(hidden=32), rows(400), recipe(), valid=rows(100, seed=3)).alerts


def test_looking_costs_nothing_in_the_weights_and_long_fits_are_looked_at_a_hundred_times() -> None:
    told = events_of(net(), rows(16), epochs=250)
    assert sum(isinstance(event, EpochEnded) for event in told) == 250
    assert 80 <= sum(isinstance(event, GradientFlow) for event in told) <= 101


def course(
    train: list[float], valid: list[float] | None = None, *, norms=(0.1, 0.1), update: float = 1e-3,
    factors: list[float] | None = None, accuracy: list[float] | None = None,
) -> list[Event]:  # fmt: skip
    found: list[Event] = []
    for number, loss in enumerate(train):
        factor = factors[number] if factors else 1.0
        found.append(EpochEnded(
            rung="", fold=0, epoch=number + 1, epochs=len(train), train_loss=loss,
            valid_loss=valid[number] if valid else None, learning_rate=0.1 * factor, seconds=1.0,
            valid_accuracy=accuracy[number] if accuracy else None,
        ))  # fmt: skip
        found.append(GradientFlow(
            rung="", fold=0, epoch=number + 1, norms=norms[number] if isinstance(norms, list)
            else norms, layers=("conv1", "head"), updates=(update * factor, update * factor),
        ))  # fmt: skip
    return found


FALLING = [1.0, 0.8, 0.6, 0.5, 0.4, 0.35, 0.3, 0.25]


@pytest.mark.parametrize(
    ("history", "said"),
    [
        (course(FALLING, norms=(1e-9, 0.1)), "vanishes in layer 1 of 2 (conv1) since epoch 1"),
        (course(FALLING, norms=[(1.0, 1.0)] * 3 + [(5e4, 1.0)] + [(1.0, 1.0)] * 4),
         "explodes in layer 1 of 2 (conv1) in epoch 4 (norm 5e+04)"),
        (course(FALLING, norms=[(1.0, math.nan)] * 8), "explodes in layer 2 of 2 (head)"),
        (course(FALLING, [1, 0.9, 0.85, 0.9, 1, 1.1, 1.2, 1.3]), "overfitting since epoch 3: "),
        (course(FALLING, update=0.5), "learning_rate 0.1 is too high: a step changes the weights"),
        (course([1, 1.3, 1.0, 1.4, 1.1, 1.5]), "loss rose in 3 of 6 epochs; divide it by 3"),
        (course([1, 0.999, 0.998], update=1e-8), "learning_rate 0.1 is too low"),
    ],
)  # fmt: skip
def test_each_trouble_is_said_with_layer_and_remedy(history, said) -> None:
    alerts = course_alerts(history, 0.1)
    assert len(alerts) == 1
    assert said in alerts[0]
    assert "; " in alerts[0]  # what happened; what to do


@pytest.mark.parametrize(
    "history",
    [
        course(FALLING, [1, 0.9, 0.8, 0.7, 0.6, 0.61, 0.6, 0.61]),
        course(FALLING, norms=[(1e-9, 0.1)] + [(0.1, 0.1)] * 7),
        course(FALLING, factors=[1, 1, 0.5, 0.2, 0.1, 1e-2, 1e-3, 1e-5]),
        course(FALLING[:1], update=0.5),  # of weights that start at 0 each step is a large one
        [],
    ],
)
def test_a_flat_end_a_single_epoch_or_a_falling_rate_is_no_trouble(history) -> None:
    assert course_alerts(history, 0.1) == []


def test_an_overfitted_fit_says_since_when() -> None:
    rng = np.random.default_rng(0)
    data = Data(rng.normal(size=(24, 6)).astype(np.float32), rng.integers(0, 3, 24))
    held = Data(rng.normal(size=(100, 6)).astype(np.float32), rng.integers(0, 3, 100))
    result = fit(net(hidden=64), data, recipe(epochs=60), valid=held)
    turned = int(np.argmin([epoch.valid_loss for epoch in result.epochs])) + 1
    told = [alert for alert in result.alerts if alert.startswith("overfitting")]
    best, last = result.epochs[turned - 1].valid_accuracy, result.epochs[-1].valid_accuracy
    assert best is not None
    assert last is not None
    assert bool(told) == (best - last > math.sqrt(best * (1 - best) / 100))
    assert all(f"since epoch {turned}: " in alert for alert in told)


RISING = [1, 0.9, 0.85, 0.9, 1, 1.1, 1.2, 1.3]


@pytest.mark.parametrize(
    ("accuracy", "rows", "told"),
    [
        ([0.9] * 8, 1000, False),  # only too sure of itself
        ([0.9] * 7 + [0.91], 1000, False),
        ([0.9] * 7 + [0.88], 1000, True),
        ([0.9] * 7 + [0.88], 50, False),  # one row of 50 is chance
        ([0.5, 0.6, 0.9, 0.7, 0.7, 0.6, 0.6, 0.6], 50, True),
        (None, 50, True),  # no classes: the loss is what counts
    ],
)
def test_overfitting_is_told_where_answers_got_worse(accuracy, rows, told) -> None:
    history = course(FALLING, RISING, accuracy=accuracy)
    said = course_alerts(history, 0.1, rows=rows)
    assert [alert.startswith("overfitting since epoch 3") for alert in said] == [True] * told
    assert course_alerts(history, 0.1, rows=rows, restored=True) == []


def test_the_watched_accuracy_is_that_of_the_net_that_stays() -> None:
    held, module = rows(200, seed=5), net()
    result = fit(module, rows(), recipe(average=0.9), valid=held)
    logits = outputs(module, held, recipe())
    right = float(np.mean(logits.argmax(1) == np.asarray(held.targets)))
    assert result.epochs[-1].valid_accuracy == pytest.approx(right)


def test_a_fit_whose_best_weights_are_restored_raises_no_alarm() -> None:
    rng = np.random.default_rng(0)
    data = Data(rng.normal(size=(24, 6)).astype(np.float32), rng.integers(0, 3, 24))
    held = Data(rng.normal(size=(1000, 6)).astype(np.float32), rng.integers(0, 3, 1000))
    result = fit(net(hidden=64), data, recipe(epochs=60, patience=60), valid=held)
    losses = [epoch.valid_loss for epoch in result.epochs]
    assert losses[-1] > 1.1 * min(losses)
    assert result.best_epoch < 60
    assert not [alert for alert in result.alerts if alert.startswith("overfitting")]


def test_pictures_are_reported_with_the_names_of_their_layers() -> None:
    x, y = pictures()
    told = events_of(picture_net(), Data(x, y, prepare=scaled), epochs=1)
    flow = next(event for event in told if isinstance(event, GradientFlow))
    assert flow.layers == ("0", "5")


def test_units_that_are_cut_off_at_six_can_die_too() -> None:
    """MobileNet's nn.ReLU6 is called as a hardtanh; one that cuts off at -1 kills nothing."""
    module, clipped = (
        nn.Sequential(nn.Linear(4, 6), cut) for cut in (nn.ReLU6(), nn.Hardtanh(-1, 1))
    )
    for one in (module, clipped):
        with torch.no_grad():
            one[0].bias[:2] = -50.0
            one[0].bias[2:] = 9.0
    x = torch.rand(20, 4)
    assert dead_units(module, lambda: module(x)) == {"0": (2, 6)}
    assert dead_units(clipped, lambda: clipped(x)) == {}
