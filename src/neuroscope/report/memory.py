"""The section on memory: how far back each net looks, and what it holds over one sequence."""

from __future__ import annotations

from typing import Any

from neuroscope.report.charts import memory as charts
from neuroscope.report.figures import count, is_number, plain
from neuroscope.report.story import Story, as_dict, entries

Section = dict[str, Any] | None
_GATES = {
    "forget_gate": "keeps", "input_gate": "writes", "output_gate": "shows", "update_gate": "keeps",
    "reset_gate": "reads its past",
}  # fmt: skip


def memory(story: Story) -> Section:
    """How far back the nets of a climb remember, side by side; None where none was fitted."""
    block = story.dict("memory")
    nets = [net for net in entries(block.get("nets")) if isinstance(net, dict)]
    lines = [(plain(net.get("title")), _points(net)) for net in nets]
    lines = [(title, points) for title, points in lines if len(points) > 1]
    if not lines:
        return None
    unit = plain(block.get("unit")) or "step"
    reached = [(plain(net.get("title")), _reach(net)) for net in nets]
    return {
        "unit": unit,
        "chart": charts.distances(lines, unit),
        "keys": [(f"memory{number + 1}", title) for number, (title, _) in enumerate(lines)],
        "words": _words(reached, lines, unit),
        "rows": [[title, count(reach), *_shares(points)] for (title, reach), (_, points)
                 in zip(reached, lines, strict=False)],
        "heads": ["Net", f"Reaches back ({unit}s)", *_share_heads(lines)],
        "below": any(share < 0.01 for _, points in lines for _, share in points),
        "read": _read(nets[0], unit),
        "nets": [drawn for net in nets if (drawn := _inside(net, unit))],
    }  # fmt: skip


def _points(net: dict[str, Any]) -> list[tuple[float, float]]:
    """Return (readings back, share of the strongest) where the gradient is above 0."""
    values = [float(v) if is_number(v) else 0.0 for v in entries(net.get("gradient"))]
    most, step = max(values, default=0.0), _step(net)
    return [(k * step, value / most) for k, value in enumerate(values) if value > 1e-9 * most > 0]


def _step(net: dict[str, Any]) -> float:
    step = net.get("step")
    return float(step) if is_number(step) else 1.0


def _reach(net: dict[str, Any]) -> int:
    reach = net.get("reach")
    return round(float(reach) * _step(net)) if is_number(reach) else 0


def _share_heads(lines: list[tuple[str, list[tuple[float, float]]]]) -> list[str]:
    last = max(points[-1][0] for _, points in lines)
    return [f"{place:g} back" for place in _places(last)]


def _places(last: float) -> list[int]:
    return sorted({round(last * part) for part in (0.1, 0.25, 0.5, 1.0)})


def _shares(points: list[tuple[float, float]]) -> list[str]:
    found = []
    for place in _places(points[-1][0]):
        near = min(points, key=lambda point: abs(point[0] - place))
        found.append(f"{100 * near[1]:.2g} %")
    return found


def _words(
    reached: list[tuple[str, int]], lines: list[tuple[str, list[tuple[float, float]]]], unit: str
) -> str:
    last = max(points[-1][0] for _, points in lines)
    ordered = sorted(reached, key=lambda entry: entry[1])
    (short, least), (far, most) = ordered[0], ordered[-1]
    named = f"{far[:1].upper()}{far[1:]}"
    if least == most:
        who = named if len(ordered) == 1 else "Each of these nets"
        return f"{who} looks {most:,} {unit}s back, of {last:g} that are there."
    return f"{named} looks {most:,} of {last:g} {unit}s back, {short} {least:,}."


def _read(net: dict[str, Any], unit: str) -> Any:
    """Draw the sequence whose states are shown, as the net reads it."""
    values = [v for v in entries(net.get("read")) if is_number(v)]
    return charts.reading(values, unit, _step(net)) if len(values) > 1 else None


def _inside(net: dict[str, Any], unit: str) -> dict[str, Any] | None:
    states, title = as_dict(net.get("states")), plain(net.get("title"))
    hidden = [entries(row) for row in entries(states.get("hidden"))]
    gates = {
        f"{name.replace('_', ' ')}: {_GATES.get(name, '')}": entries(values)
        for name, values in as_dict(states.get("gates")).items()
    }
    attention = entries(states.get("attention"))
    if not hidden:
        return None
    return {
        "title": title,
        "states": charts.states(hidden, title, unit, _step(net)),
        "gates": charts.gates(gates, title, unit, _step(net)) if gates else None,
        "gate_keys": [(f"memory{number + 1}", name) for number, name in enumerate(gates)],
        "attention": charts.gates({"attention": attention}, title, unit, _step(net))
        if len(attention) > 1 else None,
    }  # fmt: skip
