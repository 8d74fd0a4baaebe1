"""One training step on one row with every number: forward, loss, backward, update.

The numbers come from the compiled functions that train, called in float64 one after the other, so
that what is shown is what runs. Dropout is off, so that every unit is seen, and the step is the
first one at the full learning rate: without schedule, and with moments of 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from neuroscope.base.errors import InputError, choice_error
from neuroscope.base.recipe import Recipe
from neuroscope.base.types import Floats, Floats1D, Floats2D
from neuroscope.neuron import activations, losses, units
from neuroscope.neuron.backprop import backprop
from neuroscope.neuron.forward import Workspace, forward, make_workspace
from neuroscope.neuron.network import Network
from neuroscope.neuron.update import SGD, Rule, make_rule, norm, penalise, update


@dataclass(frozen=True, eq=False)
class LayerTrace:
    """All numbers of one layer of n_in inputs and n_out neurons, for one row."""

    number: int  # counted from 1
    activation: str
    inputs: Floats1D  # (n_in,)
    weights: Floats2D  # (n_in, n_out)
    products: Floats2D  # (n_in, n_out)  input times weight
    bias: Floats1D  # (n_out,)
    z: Floats1D  # (n_out,)  sum of the products of a neuron, plus its bias
    a: Floats1D  # (n_out,)  activation of z
    dloss_da: Floats1D | None  # (n_out,)  None where the loss is taken at z itself
    da_dz: Floats | None  # (n_out,); (n_out, n_out) for softmax, row: a, column: z
    dloss_dz: Floats1D  # (n_out,)
    dloss_dw: Floats2D  # (n_in, n_out)
    dloss_db: Floats1D  # (n_out,)
    new_weights: Floats2D  # (n_in, n_out)  weights - learning_rate * dloss_dw
    new_bias: Floats1D  # (n_out,)
    optimizer_weights: Floats2D  # (n_in, n_out)  after the recipe's own rule and penalties
    optimizer_bias: Floats1D  # (n_out,)


@dataclass(frozen=True, eq=False)
class Trace:
    """One step on one row, as plain data; `to_json` holds every number."""

    model: str  # "network" or the rule of a single neuron
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    layers: tuple[LayerTrace, ...]
    target: Floats1D  # (k,)
    output: Floats1D  # (k,)
    loss_name: str
    loss: float  # of this row, penalties left out
    huber_delta: float
    learning_rate: float
    optimizer: str
    l1: float
    l2: float
    weight_decay: float
    clip_norm: float
    rule: dict[str, float]  # momentum, beta1, beta2, epsilon of the optimizer

    def to_json(self) -> dict[str, Any]:
        """Return the trace as a JSON object; arrays become lists."""
        return _plain(self)


def trace_step(
    network: Network,
    x_row: np.ndarray,  # (d,)
    y_row: np.ndarray,  # (k,)
    recipe: Recipe,
    *,
    input_names: Sequence[str] = (),
    output_names: Sequence[str] = (),
) -> Trace:
    """Take one training step on one row and keep every number; `network` is left as it was.

    Raises InputError when the row does not fit the net or holds a number that is not finite.
    """
    before = replace(network, theta=network.theta.astype(np.float64))
    x, y = _row(x_row), _row(y_row)
    before.check_rows(x, y)
    shape, work = before.shape, make_workspace(before.shape, 1, np.dtype(np.float64))
    forward(shape, before.theta, x, work, 0.0, 0)
    gradient = replace(before, theta=np.empty_like(before.theta))
    backprop(shape, before.theta, x, y, np.ones(1), work, gradient.theta)
    plain, stepped = _stepped(before, gradient.theta, recipe)
    layers: list[LayerTrace] = []
    for number in range(len(network.activations), 0, -1):
        after = layers[0] if layers else None
        forward_part = _forward_part(before, work, x, number - 1)
        slopes = _slopes_at(before, forward_part["z"], forward_part["a"], y[0], after)
        dloss_dw, dloss_db = gradient.layer(number - 1)
        updated = plain.layer(number - 1) + stepped.layer(number - 1)
        names = ("new_weights", "new_bias", "optimizer_weights", "optimizer_bias")
        layer = LayerTrace(
            number=number,
            activation=network.activations[number - 1],
            **forward_part,
            dloss_da=slopes,
            da_dz=_da_dz(network.activations[number - 1], forward_part["z"], forward_part["a"]),
            dloss_dz=_of_layer(before, work, work.delta, number - 1),
            dloss_dw=dloss_dw,
            dloss_db=dloss_db,
            **dict(zip(names, updated, strict=True)),
        )
        layers.insert(0, layer)
    z, a = layers[-1].z, layers[-1].a
    return Trace(
        model="network",
        input_names=_names("input", input_names, x.shape[1]),
        output_names=_names("output", output_names, y.shape[1]),
        layers=tuple(layers),
        target=y[0],
        output=a,
        loss_name=network.loss_name,
        loss=losses.batch_loss(shape.loss, shape.huber_delta, z[None], a[None], y, np.ones(1)),
        huber_delta=network.huber_delta,
        **_choices(recipe),
    )


def trace_unit(
    rule: str,
    theta: np.ndarray,  # (d+1,)  weights, then the bias
    x_row: np.ndarray,  # (d,)
    target: float,
    *,
    learning_rate: float,
    l2: float = 0.0,
    input_names: Sequence[str] = (),
) -> Trace:
    """Trace one step of a single neuron: perceptron, adaline, linear or logistic.

    Perceptron and ADALINE answer +1 or -1 but learn from the sum z, so dloss/da is None there.
    """
    if rule not in units.RULES:
        raise choice_error("rule", rule, units.RULES)
    x, code, theta = _row(x_row), units.RULES.index(rule), np.array(theta, np.float64)
    if theta.shape != (x.shape[1] + 1,):
        raise InputError(f"the neuron has {theta.size - 1} inputs, the row has {x.shape[1]}")
    y, w, z, after, shrunk = (
        _row(np.array([target])),
        theta[:-1, None],
        np.empty(1),
        *(theta.copy() for _ in range(2)),
    )
    units.weighted_sums(theta, x, z)
    units.learn_row(code, after, x, 0, y[0, 0], learning_rate, 0.0)
    units.learn_row(code, shrunk, x, 0, y[0, 0], learning_rate, l2)
    activation = {"linear": "identity", "logistic": "sigmoid"}.get(rule, "sign")
    a, da_dz = np.where(z > 0, 1.0, -1.0), None
    if activation != "sign":
        a, da_dz = _activated(activation, z)
    delta = np.array([units.error_of(code, z[0], y[0, 0])])
    layer = LayerTrace(
        number=1, activation=activation, inputs=x[0], weights=w, products=x.T * w,
        bias=theta[-1:], z=z, a=a, dloss_da=_unit_slope(rule, a, y[0]), da_dz=da_dz,
        dloss_dz=delta, dloss_dw=x.T * delta, dloss_db=delta, new_weights=after[:-1, None],
        new_bias=after[-1:], optimizer_weights=shrunk[:-1, None], optimizer_bias=shrunk[-1:],
    )  # fmt: skip
    return Trace(
        model=rule,
        input_names=_names("input", input_names, x.shape[1]),
        output_names=("output",),
        layers=(layer,),
        target=y[0],
        output=a,
        loss_name=_UNIT_LOSS[rule],
        loss=units.mean_cost(code, z, y[0], np.ones(1)),
        huber_delta=1.0,
        **_choices(Recipe(optimizer="sgd", learning_rate=learning_rate, l2=l2)),
    )


_UNIT_LOSS = {
    "perceptron": "perceptron",
    "adaline": "mean_squared_error",
    "linear": "mean_squared_error",
    "logistic": "binary_cross_entropy",
}


def _row(values: np.ndarray) -> Floats2D:
    row = np.array(values, np.float64).reshape(1, -1)
    if not np.isfinite(row).all():
        raise InputError("a number of the row is not finite", remedy="trace another row")
    return row


def _names(kind: str, given: Sequence[str], count: int) -> tuple[str, ...]:
    names = tuple(given) or tuple(f"{kind} {i}" for i in range(1, count + 1))
    if len(names) != count:
        raise InputError(f"there are {count} {kind}s and {len(names)} names for them")
    return names


def _of_layer(network: Network, work: Workspace, room: Floats1D, layer: int) -> Floats1D:
    return room[work.at[layer] :][: network.widths[layer + 1]].copy()


def _forward_part(network: Network, work: Workspace, x: Floats2D, layer: int) -> dict[str, Any]:
    inputs = _of_layer(network, work, work.a, layer - 1) if layer > 0 else x[0]
    weights, bias = network.layer(layer)
    return {
        "inputs": inputs,
        "weights": weights,
        "products": inputs[:, None] * weights,
        "bias": bias,
        "z": _of_layer(network, work, work.z, layer),
        "a": _of_layer(network, work, work.a, layer),
    }


def _slopes_at(
    network: Network, z: Floats1D, a: Floats1D, y: Floats1D, after: LayerTrace | None
) -> Floats1D:
    """Return dloss/da: from the loss in the last layer, from the layer after it elsewhere."""
    if after is not None:
        return after.weights @ after.dloss_dz
    shape = network.shape
    each = [losses.slope_of(shape.loss, shape.huber_delta, a[j], y[j]) for j in range(z.size)]
    return np.array(each)


def _activated(activation: str, z: Floats1D) -> tuple[Floats1D, Floats1D]:
    a, slope = np.empty_like(z), np.empty_like(z)
    activations.activate(activations.CODES[activation], z, a, slope)
    return a, slope


def _da_dz(activation: str, z: Floats1D, a: Floats1D) -> Floats:
    if activation == "softmax":
        return np.diag(a) - np.outer(a, a)
    return _activated(activation, z)[1]


def _unit_slope(rule: str, a: Floats1D, y: Floats1D) -> Floats1D | None:
    if rule not in ("linear", "logistic"):
        return None
    kind = losses.CODES[_UNIT_LOSS[rule]]
    return np.array([losses.slope_of(kind, 1.0, a[0], y[0])])


def _stepped(network: Network, gradient: Floats1D, recipe: Recipe) -> tuple[Network, Network]:
    """Return the net after the plain rule, and after the recipe's rule as `train_step` takes it."""
    rule = make_rule(recipe, batch_size=1, total_steps=1)
    plain, own, g = network.theta.copy(), network.theta.copy(), gradient.copy()
    biases = network.shape.bias_at[0]
    _update(rule._replace(optimizer=SGD), 0.0, plain, g)
    if rule.l1 > 0 or rule.l2 > 0:
        penalise(rule, own[:biases], g[:biases])
    if rule.clip_norm > 0:
        g *= min(1.0, rule.clip_norm / max(norm(g), 1e-30))
    _update(rule, rule.weight_decay, own[:biases], g[:biases])
    _update(rule, 0.0, own[biases:], g[biases:])
    return replace(network, theta=plain), replace(network, theta=own)


def _update(rule: Rule, weight_decay: float, w: Floats1D, g: Floats1D) -> None:
    update(rule, rule.learning_rate, 0, weight_decay, w, g, np.zeros_like(w), np.zeros_like(w))


def _choices(recipe: Recipe) -> dict[str, Any]:
    own = {
        "momentum": ("momentum",), "nesterov": ("momentum",), "adagrad": ("epsilon",),
        "rmsprop": ("beta2", "epsilon"), "adam": ("beta1", "beta2", "epsilon"),
        "adamw": ("beta1", "beta2", "epsilon"),
    }.get(recipe.optimizer, ())  # fmt: skip
    names = ("learning_rate", "optimizer", "l1", "l2", "clip_norm")
    return {name: getattr(recipe, name) for name in names} | {
        "weight_decay": recipe.weight_decay if recipe.optimizer == "adamw" else 0.0,
        "rule": {name: getattr(recipe, name) for name in own},
    }


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Trace | LayerTrace):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    return value
