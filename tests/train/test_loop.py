"""The loop: it repeats, follows each option of the recipe, stops, halves and recovers."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.train.making import CLASSES, net, picture_net, pictures, recipe, rows, scaled, theta
from torch import nn

from neuroscope.base import events
from neuroscope.base.errors import DivergedError, InputError, Interrupted, RecipeError
from neuroscope.base.recipe import OPTIMIZERS, Recipe
from neuroscope.neuron.descent import descend
from neuroscope.neuron.network import Network
from neuroscope.neuron.step import Examples
from neuroscope.train.data import Batch, Data
from neuroscope.train.evaluate import outputs
from neuroscope.train.loop import RATE_HALVINGS, Watch, fit


def fitted(data: Data | None = None, module: nn.Module | None = None, **changes) -> np.ndarray:
    """Return the weights after a fit."""
    module = net() if module is None else module
    fit(module, data or rows(), recipe(**changes))
    return theta(module)


def accuracy(module: nn.Module, data: Data, chosen: Recipe) -> float:
    return float((outputs(module, data, chosen).argmax(1) == np.asarray(data.targets)).mean())


def test_a_net_overfits_sixteen_rows() -> None:
    module, few = net(hidden=64), rows(16)
    result = fit(module, few, recipe(epochs=150))
    assert result.epochs[-1].train_loss < 0.05
    assert accuracy(module, few, recipe()) == 1.0
    assert not module.training


def test_a_seed_repeats_bit_for_bit_whatever_the_caller_draws() -> None:
    torch.manual_seed(1)
    first = fitted(module=net(dropout=0.5), average=0.9, mixup=0.4)
    torch.rand(7)
    again = fitted(module=net(dropout=0.5), average=0.9, mixup=0.4)
    assert np.array_equal(first, again)
    assert not np.array_equal(
        first, fitted(module=net(dropout=0.5), average=0.9, mixup=0.4, seed=1)
    )


def test_the_callers_random_numbers_and_threads_are_left_alone() -> None:
    module = net(dropout=0.5)
    torch.manual_seed(3)
    wanted = torch.rand(3)
    torch.manual_seed(3)
    threads = torch.get_num_threads()
    seen = []
    watch = Watch(threads=1, monitor=lambda _: seen.append(torch.get_num_threads()))
    fit(module, rows(), recipe(), watch=watch)
    assert torch.equal(torch.rand(3), wanted)
    assert set(seen) == {1}
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("schedule", ["constant", "one_cycle"])
def test_a_full_batch_fit_is_that_of_the_neuron_core(optimizer, schedule) -> None:
    """The same loss, penalties, clipping, optimizers and schedules as the explicit loops."""
    chosen = Recipe(
        hidden=(5,), activation="tanh", loss="mean_squared_error", optimizer=optimizer,
        schedule=schedule, warmup=0.5, epochs=6, batch_size=100, learning_rate=0.03, l2=0.01,
        l1=0.002, weight_decay=0.1, clip_norm=0.5, precision="float64", device="cpu",
    )  # fmt: skip
    rng = np.random.default_rng(0)
    x, y, w = rng.normal(size=(20, 4)), rng.normal(size=(20, 2)), rng.uniform(0.5, 2, 20)
    w /= w.mean()
    core = Network.build(4, 2, chosen, output="identity")
    module = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2)).double()
    with torch.no_grad():
        for number, layer in enumerate((module[0], module[2])):
            weights, bias = core.layer(number)
            layer.weight.copy_(torch.tensor(weights.T))
            layer.bias.copy_(torch.tensor(bias))
    list(descend(core, Examples.of(x, y, w, np.dtype("float64")), chosen))
    fit(module, Data(x, y, w), chosen)
    for number, layer in enumerate((module[0], module[2])):
        weights, bias = core.layer(number)
        assert np.allclose(layer.weight.detach().numpy().T, weights, rtol=1e-5, atol=1e-5)
        assert np.allclose(layer.bias.detach().numpy(), bias, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "change",
    [{"schedule": "cosine"}, {"schedule": "step"}, {"schedule": "log_cosine"}, {"warmup": 0.5},
     {"label_smoothing": 0.2}, {"class_weight": "balanced"}, {"mixup": 0.3}, {"average": 0.9},
     {"accumulate": 2}, {"clip_norm": 0.01}, {"batch_size": 8}, {"l1": 0.1}, {"l2": 0.1},
     {"optimizer": "adamw", "weight_decay": 0.5}, {"beta1": 0.5}, {"beta2": 0.9},
     {"epsilon": 0.1}, {"precision": "bfloat16"}, {"precision": "float64"}],
)  # fmt: skip
def test_each_choice_changes_the_weights(change) -> None:
    assert np.abs(fitted(**change) - fitted()).max() > 1e-9


def test_accumulated_batches_equal_the_big_batch() -> None:
    big = fitted(batch_size=32, precision="float64", clip_norm=0.3)
    small = fitted(batch_size=8, accumulate=4, precision="float64", clip_norm=0.3)
    assert small == pytest.approx(big, rel=1e-9, abs=1e-12)
    assert fitted(batch_size=8, precision="float64") != pytest.approx(big, rel=1e-3)


def test_accumulated_answers_equal_the_big_batch() -> None:
    """Rows hold different numbers of answers, so the mean of the batches' means is another one."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(32, 5, 6)), rng.integers(0, CLASSES, (32, 5))
    for row in range(32):
        y[row, row % 5 + 1 :] = -100
    data = Data(x, y)
    big = fitted(data, batch_size=32, precision="float64")
    small = fitted(data, batch_size=8, accumulate=4, precision="float64")
    assert small == pytest.approx(big, rel=1e-9, abs=1e-12)
    x[y == -100] = 99.0  # padding changes nothing
    assert fitted(Data(x, y), batch_size=32, precision="float64") == pytest.approx(big, abs=1e-12)


def test_a_row_of_weight_two_is_that_row_twice() -> None:
    data = rows(20)
    x, y = np.asarray(data.inputs), np.asarray(data.targets)
    weights = np.ones(20)
    weights[3] = 2
    twice = Data(np.concatenate([x, x[3:4]]), np.append(y, y[3]))
    options = {"batch_size": 100, "epochs": 3, "precision": "float64", "optimizer": "sgd"}
    heavy = Data(x, y, weights)
    assert fitted(heavy, **options) == pytest.approx(fitted(twice, **options), rel=1e-9)


def test_balanced_classes_weigh_the_same() -> None:
    x, y = np.zeros((40, 6), np.float32), (np.arange(40) < 4).astype(int)
    module = net()
    fit(module, Data(x, y), recipe(class_weight="balanced", epochs=200, batch_size=40))
    chances = torch.softmax(torch.from_numpy(outputs(module, Data(x, y), recipe())), 1)
    assert chances[0, :2].numpy() == pytest.approx([0.5, 0.5], abs=0.02)


@pytest.mark.parametrize("bad", [np.nan, -1.0])
def test_weights_that_are_no_weights_are_refused(bad) -> None:
    data = rows(8)
    weights = np.ones(8)
    weights[2] = bad
    with pytest.raises(InputError, match="finite and not negative"):
        fit(net(), replace(data, weights=weights), recipe())


def test_clipping_bounds_the_step() -> None:
    before = theta(net())
    options = {"optimizer": "sgd", "epochs": 1, "batch_size": 96, "learning_rate": 1.0}
    free = np.linalg.norm(fitted(**options) - before)
    assert free > 0.02
    bound = np.linalg.norm(fitted(**options, clip_norm=0.01) - before)
    assert bound == pytest.approx(0.01, rel=1e-3)


def test_the_average_lags_behind_and_is_what_stays() -> None:
    start, last = theta(net()), fitted()
    mean = fitted(average=0.99)
    assert 0.1 < np.linalg.norm(mean - start) / np.linalg.norm(last - start) < 0.95


def test_layer_decay_slows_the_groups_below() -> None:
    moved = []
    for decay in (1.0, 0.1):
        module, start = net(), net()
        groups = [[module[0]], [module[3]]]
        options = recipe(optimizer="sgd", epochs=1, batch_size=96, layer_decay=decay)
        fit(module, rows(), options, groups=groups)
        moved.append([
            float((module[i].weight - start[i].weight).detach().norm()) for i in (0, 3)
        ])  # fmt: skip
    assert moved[1][0] == pytest.approx(0.1 * moved[0][0], rel=1e-3)
    assert moved[1][1] == pytest.approx(moved[0][1], rel=1e-5)


def test_frozen_layers_keep_weights_and_statistics() -> None:
    module = picture_net()
    for part in (module[0], module[1]):
        part.requires_grad_(False)
    before = {k: v.clone() for k, v in module.state_dict().items()}
    x, y = pictures()
    fit(module, Data(x, y, prepare=scaled), recipe())
    changed = {k for k, v in module.state_dict().items() if not torch.equal(v, before[k])}
    assert changed == {"5.weight", "5.bias"}


def test_a_net_without_anything_to_learn_is_refused() -> None:
    with pytest.raises(InputError, match="unfreeze"):
        fit(net().requires_grad_(False), rows(), recipe())


def test_early_stopping_restores_the_best_epoch() -> None:
    learn, held = rows(24), rows(200, seed=5)
    module = net(hidden=128)
    result = fit(module, learn, recipe(epochs=300, patience=5, learning_rate=0.03), valid=held)
    losses = [epoch.valid_loss for epoch in result.epochs]
    assert result.stopped == "patience"
    assert result.best_epoch == int(np.argmin(losses)) + 1 == len(losses) - 5
    logits = torch.from_numpy(outputs(module, held, recipe()))
    now = nn.functional.cross_entropy(logits, torch.from_numpy(np.asarray(held.targets)))
    assert float(now) == pytest.approx(min(losses), rel=1e-5)


def test_watching_rows_does_not_change_what_is_learned() -> None:
    """Neither dropout's draws nor the statistics of norms see the watched rows."""
    x, y = pictures()
    data, seen = Data(x, y, prepare=scaled), []
    for valid in (None, Data(x[:20], y[:20], prepare=scaled)):
        module = picture_net()
        module.append(nn.Dropout(0.3))
        result = fit(module, data, recipe(), valid=valid)
        seen.append([epoch.train_loss for epoch in result.epochs])
    assert seen[0] == seen[1]


def test_a_loss_of_ones_own_is_followed() -> None:
    def squared(found, wanted):
        return (found - nn.functional.one_hot(wanted.long(), CLASSES)).square().sum(1)

    module = net()
    result = fit(module, rows(), recipe(epochs=60), loss=squared, valid=rows(seed=2))
    assert result.epochs[-1].train_loss < 0.5 * result.epochs[0].train_loss
    assert outputs(module, rows(), recipe()).sum(1).mean() == pytest.approx(1.0, abs=0.15)


def test_bfloat16_agrees_with_float32() -> None:
    x, y = pictures()
    results = []
    for precision in ("float32", "bfloat16"):
        module, data = picture_net(), Data(x, y, prepare=scaled)
        result = fit(module, data, recipe(precision=precision, epochs=10))
        assert module[0].weight.dtype == torch.float32
        results.append([epoch.train_loss for epoch in result.epochs])
    assert results[0] == pytest.approx(results[1], rel=0.05)
    assert results[0] != results[1]


def test_memory_mapped_rows_learn_the_same(tmp_path) -> None:
    x, y = pictures()
    x.tofile(tmp_path / "x")
    mapped = np.memmap(tmp_path / "x", np.uint8, "r", shape=x.shape)
    y.flags.writeable = False
    results = []
    for inputs in (x, mapped):
        module = picture_net()
        fit(module, Data(inputs, y, prepare=scaled), recipe())
        results.append(theta(module))
    assert np.array_equal(*results)


def test_folds_are_positions_and_copy_nothing() -> None:
    data, chosen = rows(), np.arange(0, 96, 2)
    x, y = np.asarray(data.inputs), np.asarray(data.targets)
    assert np.array_equal(fitted(data.some(chosen)), fitted(Data(x[chosen], y[chosen])))
    assert data.some(chosen).inputs is data.inputs
    twice = data.some(chosen).some(np.array([1, 2]))
    assert list(twice.rows) == [2, 4]
    weights = np.where(np.arange(96) % 2, 5.0, 1.0)  # rows of other folds have no say
    assert np.array_equal(fitted(replace(data, weights=weights).some(chosen)),
                          fitted(replace(data, weights=np.ones(96)).some(chosen)))  # fmt: skip


def test_a_last_row_alone_joins_the_batch_before_it_while_learning() -> None:
    chance = np.random.default_rng(0)
    batches = rows(33).batches(16, chance)
    assert [len(batch) for batch in batches] == [16, 17]
    assert sorted(np.concatenate(batches)) == list(range(33))
    assert [len(batch) for batch in rows(33).batches(16, None)] == [16, 16, 1]
    assert [len(batch) for batch in rows(3).batches(1, chance)] == [1, 1, 1]


def test_a_batcher_decides_which_rows_share_a_batch() -> None:
    seen = []

    def in_pairs(count, size, chance):
        order = np.arange(count // 2) if chance is None else chance.permutation(count // 2)
        batches = [np.array([2 * i, 2 * i + 1]) for i in order]
        seen.append((size, batches))
        return batches

    fit(net(), replace(rows(), batcher=in_pairs), recipe(epochs=2))
    assert {size for size, _ in seen} == {16}
    assert not np.array_equal(seen[0][1], seen[-1][1])


class Windows:
    """Random windows of a long text: each batch draws new starts."""

    prepare = None

    def __init__(self, text: np.ndarray, width: int) -> None:
        self.text, self.width = torch.from_numpy(text), width

    def __len__(self) -> int:
        return len(self.text) - self.width

    def batches(self, size, chance):
        if chance is None:
            return [np.arange(i, min(i + size, len(self))) for i in range(0, len(self), size)]
        return [chance.integers(0, len(self), size) for _ in range(20)]

    def take(self, positions):
        at = torch.from_numpy(positions)[:, None] + torch.arange(self.width + 1)
        text = self.text[at]
        return Batch((text[:, :-1],), text[:, 1:], None)

    def on(self, device):
        return self


def test_a_language_model_draws_windows() -> None:
    text = np.tile(np.array([0, 1, 2, 1]), 50)
    torch.manual_seed(0)

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding, self.rnn = nn.Embedding(3, 8), nn.GRU(8, 16, batch_first=True)
            self.head = nn.Linear(16, 3)

        def forward(self, x):
            return self.head(self.rnn(self.embedding(x))[0])

    windows = Windows(text, 8)
    result = fit(Model(), windows, recipe(epochs=8, learning_rate=0.02), valid=windows)
    assert result.epochs[-1].valid_loss < 0.2  # only the first letter of a window is open
    with pytest.raises(RecipeError, match="class_weight"):
        fit(Model(), windows, recipe(class_weight="balanced"))


def test_divergence_halves_the_rate_and_says_so() -> None:
    told: list[events.Event] = []

    class Fragile(nn.Module):
        """Not finite once its weight has moved further than a small rate takes it."""

        def __init__(self) -> None:
            super().__init__()
            self.w = nn.Parameter(torch.zeros(1, 6))

        def forward(self, x):
            return torch.where(self.w.abs().max() < 0.2, x @ self.w.T, torch.inf)

    x = np.random.default_rng(0).normal(size=(64, 6)).astype(np.float32)
    chosen = recipe(loss="mean_squared_error", learning_rate=0.4, epochs=1, optimizer="adam")

    def slowly(inputs, chance):
        time.sleep(0.1 if chance else 0)
        return inputs

    data = Data(x, x[:, 0], prepare=slowly)
    result = fit(Fragile(), data, chosen, watch=Watch(monitor=told.append))
    assert result.seconds > 0.7  # also those of the beginnings that came to nothing
    assert 0.4 / 2**RATE_HALVINGS <= result.recipe.learning_rate < 0.4
    assert "halved" in result.recipe.reasons["learning_rate"]
    said = [event.text for event in told if isinstance(event, events.WarningRaised)]
    assert "begun again with learning rate 0.2, half" in said[0]


def test_what_never_converges_is_given_up() -> None:
    module = net()
    with pytest.raises(DivergedError, match="also at learning rate"):
        fit(module, rows(), recipe(optimizer="sgd", learning_rate=1e38))
    assert np.array_equal(theta(module), theta(net()))


def test_divergence_is_found_within_a_long_epoch(monkeypatch) -> None:
    monkeypatch.setattr("neuroscope.train.clock._LOOK", 0.01)
    monkeypatch.setattr("neuroscope.train.course._DIVERGED_LOOK", 0.02)
    batches = []

    def counted(inputs, chance):
        batches.append(chance)
        time.sleep(0.002 if chance else 0)
        return inputs

    data = replace(rows(2000), prepare=counted)
    with pytest.raises(DivergedError):
        fit(net(), data, recipe(optimizer="sgd", learning_rate=1e38, batch_size=4))
    learned = sum(chance is not None for chance in batches)
    assert learned < 0.5 * 500 * (RATE_HALVINGS + 1)


def test_rows_that_are_not_finite_are_named() -> None:
    data = rows()
    np.asarray(data.inputs)[37, 2] = np.nan
    with pytest.raises(InputError, match=r"row 37 .*; look for missing values"):
        fit(net(), data, recipe())


def test_stopping_raises_interrupted() -> None:
    stop = threading.Event()
    watch = Watch(stop=stop, monitor=lambda _: stop.set())
    with pytest.raises(Interrupted):
        fit(net(), rows(), recipe(), watch=watch)


@pytest.mark.parametrize(
    ("inputs", "targets", "said"),
    [(np.zeros((3, 2)), np.zeros(4), "3, 4"), (np.zeros((0, 2)), np.zeros(0), "no rows")],
)
def test_rows_that_do_not_match_are_refused(inputs, targets, said) -> None:
    with pytest.raises(InputError, match=said):
        Data(inputs, targets)
