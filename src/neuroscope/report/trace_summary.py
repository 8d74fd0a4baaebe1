"""What of a trace is shown at first sight: the units and contributions that count the most.

Page and terminal show the same selection; the JSON of the trace has every number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

UNITS = 6  # neurons of a layer shown at first
CONTRIBUTIONS = 8  # inputs of a neuron shown at first
UPDATED = 4  # weights of a neuron whose update is shown

FORMULAS = {
    "perceptron": "max(0, −target × z)",
    "mean_squared_error": "½ (output − target)², summed over outputs",
    "huber": "½ (output − target)², straight beyond huber_delta",
    "binary_cross_entropy": "−target log(output) − (1 − target) log(1 − output)",
    "cross_entropy": "−sum of target × log(output)",
}


@dataclass(frozen=True)
class Contribution:
    """One input of a neuron on its way through the step."""

    name: str
    value: float
    weight: float
    product: float
    slope: float  # dloss/dw
    new_weight: float
    optimizer_weight: float


@dataclass(frozen=True)
class Unit:
    """One neuron with its largest contributions."""

    index: int
    name: str
    contributions: tuple[Contribution, ...]
    not_shown: int  # inputs left out
    rest: float  # sum of their products
    bias: Contribution  # an input of 1
    z: float
    a: float
    dloss_da: float | None
    da_dz: float | None  # None where it is a matrix or not used
    dloss_dz: float

    @property
    def updated(self) -> tuple[Contribution, ...]:
        """The weights whose update is shown, and the bias."""
        return (*self.contributions[:UPDATED], self.bias)


@dataclass(frozen=True)
class Layer:
    """One layer with the neurons through which the error flows the most."""

    number: int
    title: str
    activation: str
    inputs: int
    units: tuple[Unit, ...]
    not_shown: int


def layers_of(trace: Mapping[str, Any], *, units: int = UNITS) -> list[Layer]:
    """Select from a trace's JSON what is shown of each layer."""
    return [_layer(trace, number, units) for number in range(len(trace["layers"]))]


def unit_names(trace: Mapping[str, Any], layer: int) -> list[str]:
    """Return the names of the outputs of a layer counted from 0; -1 is the row itself."""
    if layer < 0:
        return list(trace["input_names"])
    if layer == len(trace["layers"]) - 1:
        return list(trace["output_names"])
    return [f"h{layer + 1}.{j + 1}" for j in range(len(trace["layers"][layer]["a"]))]


def largest(values: Sequence[float], count: int) -> list[int]:
    """Return the places of the `count` largest absolute values, the largest first."""
    return np.argsort(-np.abs(np.asarray(values, float)), kind="stable")[:count].tolist()


def shown(value: float | None) -> str:
    """Write a number with four digits and a true minus sign."""
    return "–" if value is None else f"{value:.4g}".replace("-", "−")


def headline(trace: Mapping[str, Any]) -> str:
    """Return the line that names the model, its loss and its rule."""
    widths = [len(trace["input_names"]), *(len(layer["a"]) for layer in trace["layers"])]
    what = "network" if trace["model"] == "network" else f"{trace['model']} neuron"
    extras = [f"{name} {trace[name]:g}" for name in ("l1", "l2", "weight_decay", "clip_norm")
              if trace[name]]  # fmt: skip
    parts = [
        f"{what} {' → '.join(str(width) for width in widths)}",
        f"loss {trace['loss_name']}",
        f"optimizer {trace['optimizer']}",
        f"learning_rate {trace['learning_rate']:g}",
        *extras,
    ]
    return " · ".join(parts)


def agreement_line(trace: Mapping[str, Any]) -> str:
    """Say how the trace compares with PyTorch, or that it was not compared."""
    checked = trace.get("agreement")
    if not checked:
        return "not compared with PyTorch"
    largest_one = checked["largest_relative_difference"]
    size = "not finite" if largest_one is None else f"{largest_one:.1e}"
    verdict = "agrees" if checked["agrees"] else "DOES NOT AGREE"
    return (
        f"PyTorch {checked['torch_version']} {verdict}: largest relative difference {size} "
        f"({checked['where']}) over {checked['numbers_compared']:,} numbers, "
        f"allowed {checked['tolerance']:.1e}"
    )


def _layer(trace: Mapping[str, Any], number: int, units: int) -> Layer:
    layer = trace["layers"][number]
    names, inputs = unit_names(trace, number), unit_names(trace, number - 1)
    chosen = sorted(largest(layer["dloss_dz"], units))
    last = number == len(trace["layers"]) - 1
    return Layer(
        number=number + 1,
        title="Output layer" if last else f"Hidden layer {number + 1}",
        activation=layer["activation"],
        inputs=len(inputs),
        units=tuple(_unit(layer, j, names[j], inputs) for j in chosen),
        not_shown=len(names) - len(chosen),
    )


def _unit(layer: Mapping[str, Any], j: int, name: str, inputs: Sequence[str]) -> Unit:
    products = [row[j] for row in layer["products"]]
    chosen = largest(products, CONTRIBUTIONS)
    contributions = tuple(
        Contribution(
            inputs[i], layer["inputs"][i], layer["weights"][i][j], products[i],
            layer["dloss_dw"][i][j], layer["new_weights"][i][j], layer["optimizer_weights"][i][j],
        )
        for i in chosen
    )  # fmt: skip
    b = layer["bias"][j]
    bias = Contribution("bias", 1.0, b, b, layer["dloss_db"][j], layer["new_bias"][j],
                        layer["optimizer_bias"][j])  # fmt: skip
    da_dz = layer["da_dz"]
    matrix = layer["activation"] == "softmax"
    return Unit(
        index=j,
        name=name,
        contributions=contributions,
        not_shown=len(products) - len(chosen),
        rest=sum(products) - sum(products[i] for i in chosen),
        bias=bias,
        z=layer["z"][j],
        a=layer["a"][j],
        dloss_da=None if layer["dloss_da"] is None else layer["dloss_da"][j],
        da_dz=None if da_dz is None or matrix else da_dz[j],
        dloss_dz=layer["dloss_dz"][j],
    )
