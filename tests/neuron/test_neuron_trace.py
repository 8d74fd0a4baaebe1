"""A trace holds the numbers that train, and agrees with autograd; a wrong number is found."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from tests.neuron.reference import random_case
from tests.neuron.test_gradients import CASES, generator

from neuroscope.base.errors import InputError, RecipeError
from neuroscope.base.recipe import OPTIMIZERS, Recipe
from neuroscope.neuron import units
from neuroscope.neuron.descent import descend
from neuroscope.neuron.network import Network
from neuroscope.neuron.step import Examples
from neuroscope.neuron.trace import trace_step, trace_unit
from neuroscope.verbs.trace import check_against_autograd, checked

RECIPE = Recipe(optimizer="sgd", learning_rate=0.1, l2=0.01)


def traced(loss="binary_cross_entropy", output="sigmoid", hidden="tanh", depth=2, recipe=RECIPE):
    network, examples = random_case(generator(loss, hidden), loss, output, hidden, depth=depth)
    return network, examples, trace_step(network, examples.x[0], examples.y[0], recipe)


@pytest.mark.parametrize(("loss", "output", "hidden"), CASES)
def test_a_trace_agrees_with_autograd(loss, output, hidden) -> None:
    for depth in (0, 2):
        _, _, trace = traced(loss, output, hidden, depth)
        agreement = check_against_autograd(trace)
        assert agreement.agrees, agreement
        assert agreement.numbers_compared > 8


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(
    "choice", [{}, {"l1": 0.05, "l2": 0.1}, {"clip_norm": 0.01}, {"weight_decay": 0.3}]
)
def test_the_optimizer_step_is_torchs_and_the_one_that_trains(optimizer, choice) -> None:
    recipe = replace(RECIPE, optimizer=optimizer, epochs=1, precision="float64", **choice)
    network, examples, trace = traced(recipe=recipe)
    assert check_against_autograd(trace).agrees
    before = network.theta.copy()
    one = Examples(examples.x[:1], examples.y[:1], np.ones(1))
    (report,) = descend(network, one, recipe)
    assert report.train_loss == pytest.approx(trace.loss, rel=1e-12)
    for number, layer in enumerate(trace.layers):
        weights, bias = network.layer(number)
        assert layer.optimizer_weights == pytest.approx(weights, rel=1e-12, abs=1e-15)
        assert layer.optimizer_bias == pytest.approx(bias, rel=1e-12, abs=1e-15)
    assert not np.array_equal(network.theta, before)


def test_a_trace_follows_the_chain_rule_from_end_to_end() -> None:
    network, examples, trace = traced()
    theta = network.theta.copy()
    for layer in trace.layers:
        assert layer.products.sum(axis=0) + layer.bias == pytest.approx(layer.z)
        assert layer.dloss_da * layer.da_dz == pytest.approx(layer.dloss_dz)
        assert np.outer(layer.inputs, layer.dloss_dz) == pytest.approx(layer.dloss_dw)
        assert layer.weights - 0.1 * layer.dloss_dw == pytest.approx(layer.new_weights)
        assert layer.bias - 0.1 * layer.dloss_db == pytest.approx(layer.new_bias)
    for before, after in zip(trace.layers, trace.layers[1:], strict=False):
        assert np.array_equal(before.a, after.inputs)
    assert trace.output == pytest.approx(network.predict(examples.x[:1])[0])
    assert np.array_equal(network.theta, theta)


def test_softmax_shows_its_whole_jacobian() -> None:
    _, _, trace = traced("cross_entropy", "softmax")
    last = trace.layers[-1]
    assert last.da_dz.T @ last.dloss_da == pytest.approx(last.dloss_dz, abs=1e-12)


@pytest.mark.parametrize("field", ["dloss_dw", "z", "new_weights", "optimizer_bias", "dloss_da"])
def test_the_check_finds_a_wrong_number_and_says_where(field) -> None:
    _, _, trace = traced()
    layer = trace.layers[1]
    wrong = replace(layer, **{field: getattr(layer, field) * (1 + 1e-6)})
    agreement = check_against_autograd(
        replace(trace, layers=(trace.layers[0], wrong, trace.layers[2]))
    )
    assert not agreement.agrees
    assert agreement.largest_relative_difference == pytest.approx(1e-6, rel=0.01)
    assert agreement.where.endswith("layer 2")
    none = replace(layer, **{field: getattr(layer, field) * np.nan})
    broken = replace(trace, layers=(trace.layers[0], none, trace.layers[2]))
    assert not check_against_autograd(broken).agrees


@pytest.mark.parametrize("rule", units.RULES)
@pytest.mark.parametrize("l2", [0.0, 0.2])
def test_single_neurons_are_traced_as_they_learn(rule, l2) -> None:
    rng = np.random.default_rng(1)
    for target in (0.0 if rule == "logistic" else -1.0, 1.0):
        theta, x = rng.normal(size=5), rng.normal(size=4)
        trace = trace_unit(rule, theta, x, target, learning_rate=0.3, l2=l2)
        assert check_against_autograd(trace).agrees
        learned = theta.copy()
        units.learn_row(units.RULES.index(rule), learned, x[None], 0, target, 0.3, l2)
        (layer,) = trace.layers
        assert np.append(layer.optimizer_weights, layer.optimizer_bias) == pytest.approx(learned)
        assert layer.z == pytest.approx(theta[:-1] @ x + theta[-1])
        assert (layer.dloss_da is None) == (rule in ("perceptron", "adaline"))


@pytest.mark.parametrize("size", [5, 12, 17, 25, 34, 36, 40, 300])
@pytest.mark.parametrize("target", [0.0, 1.0])
def test_a_sure_output_is_traced_without_false_alarm(size, target) -> None:
    recipe = replace(RECIPE, hidden=(4,), activation="tanh", precision="float64")
    network = Network.build(3, 1, recipe, output="sigmoid")
    network.layer(1)[1][:] = size
    for x in np.random.default_rng(size).normal(size=(20, 3)):
        trace = trace_step(network, x, np.array([target]), recipe)
        agreement = check_against_autograd(trace)
        assert agreement.agrees, agreement
        assert agreement.tolerance == 1e-10 or (target == 1 and size > 10)
        wrong = replace(trace.layers[0], a=trace.layers[0].a + 1e-8)
        broken = replace(trace, layers=(wrong, trace.layers[1]))
        assert not check_against_autograd(broken).agrees


def test_checked_is_json_and_carries_the_agreement() -> None:
    _, _, trace = traced("cross_entropy", "softmax")
    record = json.loads(json.dumps(checked(trace), allow_nan=False))
    assert record["agreement"]["agrees"] is True
    assert record["agreement"]["torch_version"]
    assert len(record["layers"]) == 3
    assert record["layers"][0]["weights"] == trace.layers[0].weights.tolist()


def test_float32_nets_are_traced_in_float64() -> None:
    network, examples = random_case(
        generator(9), "huber", "identity", "relu", depth=1, precision="float32"
    )
    trace = trace_step(network, examples.x[0], examples.y[0], RECIPE)
    assert trace.layers[0].dloss_dw.dtype == np.float64
    assert check_against_autograd(trace).agrees


def test_rows_that_do_not_fit_are_refused_in_one_line() -> None:
    network, examples, _ = traced()
    with pytest.raises(InputError, match="inputs a row"):
        trace_step(network, np.zeros(99), examples.y[0], RECIPE)
    with pytest.raises(InputError, match="not finite"):
        trace_step(network, examples.x[0] * np.nan, examples.y[0], RECIPE)
    with pytest.raises(InputError, match="names"):
        trace_step(network, examples.x[0], examples.y[0], RECIPE, input_names=["a"] * 99)
    with pytest.raises(InputError, match="4 inputs, the row has 2"):
        trace_unit("linear", np.zeros(5), np.zeros(2), 0.0, learning_rate=0.1)
    with pytest.raises(RecipeError, match="perceptron"):
        trace_unit("perceptrn", np.zeros(3), np.zeros(2), 1.0, learning_rate=0.1)
