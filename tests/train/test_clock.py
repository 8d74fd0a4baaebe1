"""The time budget: kept, said, and the schedule fitted to it."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from tests.train.making import net, recipe, rows, theta

from neuroscope.base.events import WarningRaised
from neuroscope.base.recipe import SCHEDULES
from neuroscope.neuron.update import make_rule, rate_at
from neuroscope.train import clock as clocks
from neuroscope.train.clock import Clock
from neuroscope.train.loop import Watch, fit
from neuroscope.train.schedules import rate_factor


def slow(seconds):
    """Return a prepare that makes each batch take so long."""

    def prepare(inputs, chance):
        time.sleep(seconds)
        return inputs

    return prepare


@pytest.mark.parametrize("epochs", [1, 1000])
def test_a_fit_stays_within_its_time_also_within_one_epoch(epochs) -> None:
    told: list = []
    data = replace(rows(4000 if epochs == 1 else 40), prepare=slow(0.01))
    chosen = recipe(epochs=epochs, batch_size=4, schedule="cosine")
    result = fit(net(), data, chosen, watch=Watch(seconds=1.2, monitor=told.append))
    assert 0.3 < result.seconds < 3
    assert result.epochs[-1].learning_rate < 0.3 * chosen.learning_rate  # the curve came down
    assert result.recipe.epochs == len(result.epochs) <= epochs
    assert "stopped by the time budget" in result.recipe.reasons["epochs"]
    said = [event.message for event in told if isinstance(event, WarningRaised)]
    assert sum("time budget allows about" in message for message in said) == 1


def test_slow_first_steps_are_no_reason_to_warn() -> None:
    """On a GPU the first steps load its kernels; they must not be taken for the pace."""
    told: list = []
    left = iter([0.2] * 6)

    def prepare(inputs, chance):
        time.sleep(next(left, 0.0))
        return inputs

    data = replace(rows(400), prepare=prepare)
    watch = Watch(seconds=40, monitor=told.append)
    result = fit(net(), data, recipe(epochs=20, batch_size=4), watch=watch)
    assert result.stopped == "done"
    assert len(result.epochs) == 20
    assert not [event for event in told if isinstance(event, WarningRaised)]


def test_enough_time_has_no_say_in_the_weights() -> None:
    free, timed = net(), net()
    fit(free, rows(), recipe(schedule="cosine"))
    result = fit(timed, rows(), recipe(schedule="cosine"), watch=Watch(seconds=600))
    assert np.array_equal(theta(free), theta(timed))
    assert result.stopped == "done"
    assert not result.recipe.reasons


def test_time_for_watching_is_kept_back() -> None:
    """Watching takes ten times as long as learning here."""
    held = replace(rows(64), prepare=slow(0.1))
    data = replace(rows(32), prepare=slow(0.01))
    chosen = recipe(epochs=500, batch_size=8)
    assert 0.5 < fit(net(), data, chosen, valid=held, watch=Watch(seconds=2.0)).seconds < 5


def test_time_for_what_is_predicted_afterwards_is_kept_back() -> None:
    data = replace(rows(64), prepare=slow(0.01))
    taken = [
        fit(net(), data, recipe(epochs=500, batch_size=4),
            watch=Watch(seconds=1.5, predicted=predicted)).seconds
        for predicted in (0, 600)  # worth 50 steps, half a second
    ]  # fmt: skip
    assert taken[1] < taken[0] - 0.25


def test_the_curve_is_laid_over_the_steps_that_are_left(monkeypatch) -> None:
    now = [0.0]
    monkeypatch.setattr(clocks.time, "perf_counter", lambda: now[0])
    clock = Clock(planned=1000, epoch_steps=100, seconds=100.0, began=0.0)
    places = []
    while not clock.over and clock.step < 1000:
        places.append(clock.done)
        now[0] += 1.0 if clock.step < 40 else 2.0  # the machine becomes busy
        clock.advance()
    assert now[0] <= 100
    assert clock.done == pytest.approx(1.0, abs=0.05)
    assert np.all(np.diff(places) > 0)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("warmup", [0.0, 0.5])
def test_schedules_are_those_of_the_neuron_core(schedule, warmup) -> None:
    chosen = recipe(schedule=schedule, warmup=warmup, learning_rate=1.0)
    rule = make_rule(chosen, batch_size=1, total_steps=50)
    ours = [rate_factor(chosen, step / 50, 1 / 50) for step in range(50)]
    assert ours == pytest.approx([rate_at(rule, step) for step in range(50)], abs=1e-12)
