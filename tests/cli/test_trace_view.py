"""The terminal view of a trace shows the four parts of the step and what it leaves out."""

from __future__ import annotations

import numpy as np
import pytest
from rich.console import Console

from neuroscope.base.recipe import Recipe
from neuroscope.cli._trace_view import trace_view
from neuroscope.neuron import heads
from neuroscope.neuron.trace import trace_step, trace_unit
from neuroscope.report.trace_summary import shown
from neuroscope.verbs.trace import checked


def printed(record, width: int = 100) -> str:
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        for view in trace_view(record):
            console.print(view)
    return capture.get()


def trace_of(inputs: int = 3, hidden=(2,), optimizer: str = "adam", names=()):
    recipe = Recipe(hidden=hidden, activation="tanh", optimizer=optimizer)
    network = heads.build("binary", inputs, 2, recipe)
    x = np.random.default_rng(0).normal(size=inputs)
    return trace_step(network, x, np.ones(1), recipe, input_names=names)


def test_the_view_holds_every_number_of_a_small_net() -> None:
    trace = trace_of()
    said = printed(checked(trace))
    for part in ("1 forward", "2 loss", "3 backward", "4 update", "after adam", "agrees"):
        assert part in said
    for layer in trace.layers:
        for table in (layer.products, layer.z, layer.a, layer.dloss_dz, layer.dloss_dw,
                      layer.new_weights, layer.optimizer_weights):  # fmt: skip
            assert all(shown(value) in said for value in table.ravel())
    assert "not shown" not in said
    assert "after" not in printed(trace_of(optimizer="sgd").to_json())
    assert "not compared with PyTorch" in printed(trace.to_json())


def test_a_wide_net_is_cut_and_counted() -> None:
    said = printed(trace_of(60, (64,)).to_json())
    assert "52 smaller, not shown" in said
    assert "61 more neurons of hidden layer 1 not shown" in said
    assert len(said.splitlines()) < 120


def test_names_with_brackets_are_no_markup() -> None:
    assert "[red]a[/red]" in printed(trace_of(names=["[red]a[/red]", "[/]", "c"]).to_json())


@pytest.mark.parametrize("rule", ["perceptron", "logistic"])
def test_a_single_neuron_fits_a_narrow_terminal(rule) -> None:
    trace = trace_unit(rule, np.array([0.5, -1, 0.2]), np.ones(2), 1.0, learning_rate=0.1)
    said = printed(checked(trace), width=60)
    assert max(len(line) for line in said.splitlines()) <= 60
    assert f"{rule} neuron 2 → 1" in said
