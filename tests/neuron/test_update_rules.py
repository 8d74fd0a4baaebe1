"""Update rules against torch.optim, schedules against their closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from neuroscope.base.recipe import OPTIMIZERS, SCHEDULES, Recipe
from neuroscope.neuron.update import make_rule, norm, penalise, rate_at, update

RATE, DECAY = 0.03, 0.02
PEERS = {
    "sgd": lambda w: torch.optim.SGD(w, RATE),
    "momentum": lambda w: torch.optim.SGD(w, RATE, momentum=0.8),
    "nesterov": lambda w: torch.optim.SGD(w, RATE, momentum=0.8, nesterov=True),
    "adagrad": lambda w: torch.optim.Adagrad(w, RATE, eps=1e-6, initial_accumulator_value=0),
    "rmsprop": lambda w: torch.optim.RMSprop(w, RATE, alpha=0.95, eps=1e-6),
    "adam": lambda w: torch.optim.Adam(w, RATE, betas=(0.85, 0.95), eps=1e-6),
    "adamw": lambda w: torch.optim.AdamW(w, RATE, betas=(0.85, 0.95), eps=1e-6, weight_decay=DECAY),
}


def rule_of(**choices):
    return make_rule(Recipe(**choices), batch_size=1, total_steps=choices.get("epochs", 100))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(("precision", "bound"), [("float64", 1e-11), ("float32", 2e-5)])
def test_a_rule_walks_the_same_way_as_torch(optimizer, precision, bound) -> None:
    rng = np.random.default_rng(3)
    rule = rule_of(
        optimizer=optimizer, learning_rate=RATE, momentum=0.8, beta1=0.85, beta2=0.95,
        epsilon=1e-6, weight_decay=DECAY,
    )  # fmt: skip
    start = rng.normal(size=7)
    w, m, v = start.astype(precision), np.zeros(7, precision), np.zeros(7, precision)
    theirs = torch.tensor(start, requires_grad=True)
    peer = PEERS[optimizer]([theirs])
    for step in range(200):
        gradient = rng.normal(size=7) * 10 ** rng.uniform(-3, 1)
        theirs.grad = torch.tensor(gradient)
        peer.step()
        update(rule, RATE, step, rule.weight_decay, w, gradient.astype(precision), m, v)
    assert np.abs(w - start).max() > 0.1
    assert w == pytest.approx(theirs.detach().numpy(), rel=bound, abs=bound)


def test_weight_decay_belongs_to_adamw_alone() -> None:
    for optimizer in OPTIMIZERS:
        rule = rule_of(optimizer=optimizer, weight_decay=0.5)
        assert rule.weight_decay == (0.5 if optimizer == "adamw" else 0.0)


def closed_form(schedule: str, done: float) -> float:
    if schedule == "step":
        return 10.0 ** -((done >= 0.5) + (done >= 0.75))
    if schedule == "cosine":
        return math.cos(math.pi * done / 2) ** 2
    if schedule == "one_cycle":
        if done < 0.3:
            return 0.04 + 0.96 * math.sin(math.pi * done / 0.6) ** 2
        return math.cos(math.pi * (done - 0.3) / 1.4) ** 2
    if schedule == "log_cosine":
        return math.sin(math.pi * math.log2(1 + 15 * done)) ** 2
    return 1.0


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_schedule_follows_its_formula(schedule) -> None:
    rule = rule_of(schedule=schedule, learning_rate=0.2, epochs=1000)
    for step in range(0, 1000, 7):
        expected = 0.2 * closed_form(schedule, step / 1000)
        assert rate_at(rule, step) == pytest.approx(expected, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_warmup_rises_in_a_line_and_then_leaves_the_schedule_alone(schedule) -> None:
    choices = {"schedule": schedule, "learning_rate": 0.2, "epochs": 1000}
    warm, cold = rule_of(**choices, warmup=0.1), rule_of(**choices)
    for step in range(100):
        assert rate_at(warm, step) == pytest.approx(rate_at(cold, step) * (step + 1) / 100)
    assert [rate_at(warm, s) for s in range(100, 1000)] == [
        rate_at(cold, s) for s in range(100, 1000)
    ]


def test_one_cycle_peaks_once_at_the_learning_rate() -> None:
    rule = rule_of(schedule="one_cycle", learning_rate=0.2, epochs=1000)
    rates = [rate_at(rule, step) for step in range(1000)]
    assert (int(np.argmax(rates)), max(rates)) == (300, pytest.approx(0.2))
    assert rates[0] == pytest.approx(0.2 / 25)
    assert rates[-1] < 1e-5


def test_penalties_are_the_slopes_of_l1_and_l2() -> None:
    rule = rule_of(l1=0.3, l2=0.5)
    w, gradient = np.array([-2.0, 0.0, 4.0]), np.array([1.0, 1.0, 1.0])
    penalise(rule, w, gradient)
    assert gradient == pytest.approx([1 - 0.3 - 1.0, 1.0, 1 + 0.3 + 2.0])


def test_norm_is_the_euclidean_length() -> None:
    assert norm(np.array([3.0, 0.0, -4.0])) == 5.0


def test_a_rise_of_a_step_and_a_part_does_not_overshoot() -> None:
    rule = rule_of(schedule="constant", learning_rate=0.2, epochs=12, warmup=0.1)
    assert [rate_at(rule, step) for step in range(3)] == pytest.approx([0.2 / 1.2, 0.2, 0.2])
