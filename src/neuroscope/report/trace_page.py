"""One training step as a page: the drawn net, then forward, loss, backward and update."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from neuroscope.report.trace_summary import (
    CONTRIBUTIONS,
    FORMULAS,
    Layer,
    agreement_line,
    headline,
    largest,
    layers_of,
    shown,
    unit_names,
)

FULL_TABLE = 3_000  # weights of a layer up to which the page holds them all
_COLUMN, _ROW, _TOP, _SIDE, _RADIUS = 210, 70, 46, 172, 23
_LABELLED = 8  # lines between two layers up to which each carries its weight


@dataclass(frozen=True)
class Node:
    """A circle of the drawing."""

    x: float
    y: float
    value: str
    name: str
    tip: str


@dataclass(frozen=True)
class Edge:
    """A line of the drawing; `label` is the weight where there is room for it."""

    x1: float
    y1: float
    x2: float
    y2: float
    width: float
    positive: bool
    label: str
    label_x: float
    label_y: float
    tip: str


def trace_page(trace: Mapping[str, Any]) -> str:
    """Return one self-contained HTML page for the JSON of a trace (`Trace.to_json`).

    With "agreement" in it, as `verbs.trace.checked` gives it, the page says how PyTorch compares.
    """
    from jinja2 import Environment, PackageLoader  # noqa: PLC0415 - keeps the import quick

    environment = Environment(
        loader=PackageLoader("neuroscope", "report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["n"] = shown
    layers = layers_of(trace)
    nodes, edges, notes = _drawing(trace, layers)
    columns = len(layers) + 1
    below = 62 if any(note for _, note in notes) else 38
    height = max(node.y for node in nodes) + below
    return environment.get_template("trace_page.html.j2").render(
        trace=trace,
        layers=layers,
        backward=layers[::-1],
        headline=headline(trace),
        agreement=agreement_line(trace),
        agrees=trace.get("agreement", {}).get("agrees"),
        formula=FORMULAS[trace["loss_name"]],
        nodes=nodes,
        edges=edges,
        notes=notes,
        radius=_RADIUS,
        width=2 * _SIDE + (columns - 1) * _COLUMN,
        height=height,
        names=[unit_names(trace, layer) for layer in range(-1, len(layers))],
        full=[len(x["inputs"]) * len(x["a"]) <= FULL_TABLE for x in trace["layers"]],
    )


def _drawing(
    trace: Mapping[str, Any], layers: list[Layer]
) -> tuple[list[Node], list[Edge], list[tuple[float, str]]]:
    """Place the shown inputs and neurons in columns and join them by their products."""
    first = trace["layers"][0]
    force = [max(abs(row[unit.index]) for unit in layers[0].units) for row in first["products"]]
    columns = [sorted(largest(force, CONTRIBUTIONS))]
    columns += [[unit.index for unit in layer.units] for layer in layers]
    tallest = max(len(column) for column in columns)
    nodes: list[Node] = []
    edges: list[Edge] = []
    notes: list[tuple[float, str]] = []
    places: list[dict[int, tuple[float, float]]] = []
    for c, column in enumerate(columns):
        x, names = _SIDE + c * _COLUMN, unit_names(trace, c - 1)
        top = _TOP + (tallest - len(column)) * _ROW / 2 + 30
        places.append({i: (x, top + k * _ROW) for k, i in enumerate(column)})
        values = first["inputs"] if c == 0 else trace["layers"][c - 1]["a"]
        for i, (_, y) in places[c].items():
            nodes.append(
                Node(x, y, _short(values[i]), _clip(names[i]), _tip(trace, c, i, names[i]))
            )
        hidden = len(names) - len(column)
        notes.append((x, f"{hidden} more not drawn" if hidden else ""))
        if c:
            edges += _edges(trace["layers"][c - 1], places[c - 1], places[c])
    return nodes, edges, notes


def _edges(
    layer: Mapping[str, Any],
    before: dict[int, tuple[float, float]],
    after: dict[int, tuple[float, float]],
) -> list[Edge]:
    products = {(i, j): layer["products"][i][j] for i in before for j in after}
    top = max((abs(value) for value in products.values()), default=0.0) or 1.0
    labelled = len(products) <= _LABELLED
    edges = []
    for k, ((i, j), product) in enumerate(products.items()):
        (x1, y1), (x2, y2) = before[i], after[j]
        weight, value, slope = layer["weights"][i][j], layer["inputs"][i], layer["dloss_dw"][i][j]
        tip = (
            f"{shown(value)} × {shown(weight)} = {shown(product)}; dloss/dw {shown(slope)}; "
            f"new weight {shown(layer['new_weights'][i][j])}"
        )
        at = 0.3 + 0.13 * (k % 3)  # labels of neighbours do not meet
        label = _short(weight) if labelled else ""
        width = 0.6 + 5 * abs(product) / top
        edges.append(
            Edge(x1, y1, x2, y2, round(width, 2), product >= 0, label, x1 + at * (x2 - x1),
                 y1 + at * (y2 - y1), tip)
        )  # fmt: skip
    return edges


def _short(value: float) -> str:
    """Write a number so that it fits into a circle."""
    size = abs(value)
    text = f"{value:.2f}" if size == 0 or 0.005 <= size < 1000 else f"{value:.0e}"
    return text.replace("-", "−")


def _clip(name: str) -> str:
    return name if len(name) <= 18 else f"{name[:17]}…"


def _tip(trace: Mapping[str, Any], column: int, i: int, name: str) -> str:
    if column == 0:
        return f"{name} = {shown(trace['layers'][0]['inputs'][i])}"
    layer = trace["layers"][column - 1]
    return (
        f"{name}: z {shown(layer['z'][i])}, a {shown(layer['a'][i])}, "
        f"dloss/dz {shown(layer['dloss_dz'][i])}"
    )
