"""The page of a trace: self-contained, escaped, and saying what it leaves out."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from neuroscope.base.recipe import Recipe
from neuroscope.neuron import heads, units
from neuroscope.neuron.trace import trace_step, trace_unit
from neuroscope.report.trace_page import trace_page
from neuroscope.report.trace_summary import layers_of, shown
from neuroscope.verbs.trace import checked


def trace_of(kind: str, inputs: int, outputs: int, hidden=(4,), names=()):
    recipe = Recipe(hidden=hidden, activation="tanh", l2=0.01)
    network = heads.build(kind, inputs, outputs, recipe)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=inputs), np.eye(outputs)[0] if outputs > 2 else np.ones(1)
    return trace_step(network, x, y, recipe, input_names=names)


class Balance(HTMLParser):
    """Checks that every tag is closed in order and collects the text."""

    VOID = ("meta", "br")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag, attrs) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        self.text.append(data)


def text_of(page: str) -> str:
    parser = Balance()
    parser.feed(page)
    assert parser.open == []
    return re.sub(r"\s+", " ", " ".join(parser.text))


def test_the_page_holds_the_step_and_its_check() -> None:
    trace = trace_of("binary", 3, 2)
    text = text_of(trace_page(checked(trace)))
    for heading in ("1 · Forward", "2 · Loss", "3 · Backward", "4 · Update"):
        assert heading in text
    assert f"= {shown(trace.loss)}" in text
    assert re.search(r"PyTorch [\w.+]+ agrees: largest relative difference", text)
    for layer in trace.layers:
        for table in (layer.weights, layer.products, layer.z, layer.a, layer.dloss_dw,
                      layer.new_weights, layer.optimizer_weights, layer.dloss_dz):  # fmt: skip
            assert all(shown(value) in text for value in table.ravel())
    assert "after adam" in text and "penalties" in text


def test_without_a_check_the_page_says_so_and_a_failed_check_stands_out() -> None:
    record = trace_of("binary", 3, 2).to_json()
    assert "not compared with PyTorch" in trace_page(record)
    failed = checked(trace_of("binary", 3, 2))
    failed["agreement"]["agrees"] = False
    assert 'class="check bad"' in trace_page(failed)
    assert "DOES NOT AGREE" in trace_page(failed)


def test_names_from_the_table_cannot_become_markup() -> None:
    hostile = ['<script>alert("x")</script>', "a & b", "'\"><img src=x>"]
    page = trace_page(trace_of("binary", 3, 2, names=hostile).to_json())
    assert "<script" not in page and "<img" not in page
    assert '<script>alert("x")</script>' in text_of(page)


def test_the_page_needs_nothing_from_outside() -> None:
    page = trace_page(trace_of("binary", 3, 2).to_json())
    assert not re.search(r"(src|href)\s*=|url\(|@import|https?://", page)


def test_wide_inputs_show_the_largest_and_count_the_rest() -> None:
    trace = trace_of("multiclass", 60, 12, hidden=(64, 20))
    first, _, last = layers_of(trace.to_json())
    assert (len(first.units), first.not_shown, last.not_shown) == (6, 58, 6)
    for unit in first.units:
        sizes = [abs(c.product) for c in unit.contributions]
        assert sizes == sorted(sizes, reverse=True)
        assert unit.not_shown == 52
        total = sum(c.product for c in unit.contributions) + unit.rest + unit.bias.weight
        assert total == pytest.approx(unit.z)
        assert min(sizes) >= np.sort(np.abs(trace.layers[0].products[:, unit.index]))[-8]
    text = text_of(trace_page(trace.to_json()))
    assert "52 smaller, not shown" in text
    assert "58 more neurons" in text
    assert "6 more outputs are not shown" in text
    assert "3,840 weights are too many for a page" in text
    assert "All 1300 weights and biases" in text
    assert "Softmax couples the outputs" in text


@pytest.mark.parametrize("rule", units.RULES)
def test_single_neurons_have_a_page(rule) -> None:
    trace = trace_unit(rule, np.array([0.5, -1, 0.2]), np.ones(2), 1.0, learning_rate=0.1)
    text = text_of(trace_page(checked(trace)))
    assert f"{rule} neuron 2 → 1" in text
    assert ("learns from its sum z" in text) == (rule in ("perceptron", "adaline"))


def test_numbers_are_written_for_readers() -> None:
    assert [shown(v) for v in (-0.5, 1234567.0, None, 0.0)] == ["−0.5", "1.235e+06", "–", "0"]
