"""One training step in the terminal: forward, loss, backward, update."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from neuroscope.report.trace_summary import (
    FORMULAS,
    Layer,
    Unit,
    agreement_line,
    headline,
    layers_of,
    shown,
)

_UNITS = 3  # neurons of a layer; the page and the JSON show more


def trace_view(trace: Mapping[str, Any]) -> list[RenderableType]:
    """Return what the terminal shows of a trace's JSON, in the order of the step."""
    layers = layers_of(trace, units=_UNITS)
    return [
        Text(headline(trace), style="bold"),
        *(Text(note, style="dim") for note in trace.get("notes", ())),
        Rule("1 forward: z = sum of input × weight + bias, a = activation(z)"),
        *(view for layer in layers for view in _forward(layer)),
        Rule("2 loss"),
        *_loss(trace, layers[-1]),
        Rule("3 backward: dloss/dz = dloss/da × da/dz"),
        *(view for layer in layers[::-1] for view in _backward(layer)),
        Rule(f"4 update: new = old − {trace['learning_rate']:g} × dloss/dw"),
        *(_update(trace, layer) for layer in layers),
        *_agreement(trace),
    ]


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for i, column in enumerate(columns):
        table.add_column(column, justify="right" if i else "left", overflow="ellipsis")
    return table


def _forward(layer: Layer) -> Iterator[RenderableType]:
    for unit in layer.units:
        table = _table(f"{layer.title}, {unit.name}", "input", "value", "× weight", "= product")
        for c in unit.contributions:
            table.add_row(Text(c.name), shown(c.value), shown(c.weight), shown(c.product))
        if unit.not_shown:
            table.add_row(f"{unit.not_shown} smaller, not shown", "", "", shown(unit.rest),
                          style="dim")  # fmt: skip
        table.add_row("bias", "", "", shown(unit.bias.weight))
        table.add_row("sum z", "", "", shown(unit.z), style="bold")
        table.add_row(f"a = {layer.activation}(z)", "", "", shown(unit.a), style="bold")
        yield table
        yield Text()
    if layer.not_shown:
        yield Text(f"{layer.not_shown} more neurons of {layer.title.lower()} not shown", "dim")


def _loss(trace: Mapping[str, Any], last: Layer) -> Iterator[RenderableType]:
    table = _table("", "output", "answer", "target", "answer − target")
    for unit in last.units:
        answer, target = trace["output"][unit.index], trace["target"][unit.index]
        table.add_row(Text(unit.name), shown(answer), shown(target), shown(answer - target))
    yield table
    if last.not_shown:
        yield Text(f"{last.not_shown} more outputs not shown", "dim")
    name = trace["loss_name"]
    yield Text(f"{name} = {FORMULAS[name]} = {shown(trace['loss'])}", style="bold")


def _backward(layer: Layer) -> Iterator[RenderableType]:
    table = _table(layer.title, "neuron", "dloss/da", "× da/dz", "= dloss/dz")
    for unit in layer.units:
        slope = "matrix" if layer.activation == "softmax" else shown(unit.da_dz)
        table.add_row(Text(unit.name), shown(unit.dloss_da), slope, shown(unit.dloss_dz))
    yield table
    if layer.not_shown:
        yield Text(f"{layer.not_shown} more neurons not shown", "dim")


def _update(trace: Mapping[str, Any], layer: Layer) -> Table:
    columns = ["weight", "dloss/dw", "old", "new"]
    own = trace["optimizer"] != "sgd" or any(trace[n] for n in ("l1", "l2", "clip_norm"))
    table = _table(layer.title, *columns, *([f"after {trace['optimizer']}"] if own else []))
    for unit in layer.units:
        for name, *numbers in _weights(unit):
            table.add_row(Text(name), *(shown(number) for number in numbers[: 4 if own else 3]))
    return table


def _weights(unit: Unit) -> Iterator[tuple[str, float, float, float, float]]:
    for c in unit.updated:
        name = f"{c.name} → {unit.name}"
        yield name, c.slope, c.weight, c.new_weight, c.optimizer_weight


def _agreement(trace: Mapping[str, Any]) -> Iterator[RenderableType]:
    yield Text()
    checked = trace.get("agreement")
    style = "dim" if not checked else "green" if checked["agrees"] else "bold red"
    yield Text(agreement_line(trace), style=style)
