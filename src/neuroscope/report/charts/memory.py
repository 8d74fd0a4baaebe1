"""How strongly an answer hangs on each step before it, and what a net holds while it reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from neuroscope.report.figures import is_number
from neuroscope.report.svg import Axis, Frame, Point, tag

_FAINTEST = 1e-6  # share of the strongest below which lines are cut off


def distances(lines: Sequence[tuple[str, Sequence[Point]]], unit: str) -> Markup:
    """Draw shares of the strongest gradient by distance from the end, one line a net."""
    shown = [[(x, max(y, _FAINTEST)) for x, y in points] for _, points in lines]
    last = max(points[-1][0] for points in shown)
    low = min(min(y for _, y in points) for points in shown)
    frame = Frame(Axis(0, max(last, 1)), Axis(min(low, 0.1), 1.0, log=True), f"{unit}s ago",
                  "share of the strongest (log)", width=860, height=300)  # fmt: skip
    x_low, x_high = frame.place(0, 0.01), frame.place(last, 0.01)
    if low < 0.01:
        line = f"M{x_low[0]:.1f} {x_low[1]:.1f}H{x_high[0]:.1f}"
        frame.parts.append(tag("path", d=line, class_="perfect"))
    for number, points in enumerate(shown):
        frame.line(points, f"memory{number + 1}")
    return frame.render("How far back each net looks",
                        f"Gradient of the answer by {unit}s ago, {len(lines)} nets")  # fmt: skip


def reading(values: Sequence[float], unit: str, step: float) -> Markup:
    """Draw one sequence as a net reads it."""
    count = len(values)
    frame = Frame(Axis(-(count - 1) * step, 0.0), Axis.over(values), f"{unit}s from the last",
                  "standardised", width=860, height=180)  # fmt: skip
    frame.line([((k + 1 - count) * step, float(v)) for k, v in enumerate(values)], "history")
    return frame.render("The sequence", f"One sequence of {count} steps as the nets read it")


def states(hidden: Sequence[Sequence[float]], title: str, unit: str, step: float) -> Markup:
    """Draw the states of units, a row each, over the steps of one sequence."""
    steps, units = len(hidden[0]), len(hidden)
    frame = Frame(Axis(-(steps - 1) * step, 0.0) if steps > 1 else Axis(-1, 0),
                  Axis(0, units), f"{unit}s from the last", "unit", height=240)  # fmt: skip
    right = frame.width - frame.right
    width = (right - frame.left) / steps
    top, floor = frame.top, frame.height - frame.bottom
    high = (floor - top) / units
    for row, values in enumerate(hidden):
        for column, value in enumerate(values):
            if not is_number(value) or abs(value) < 0.04:
                continue
            frame.parts.append(tag(
                "rect", x=frame.left + column * width, y=top + row * high, width=width + 0.3,
                height=high + 0.3, class_="positive" if value > 0 else "negative",
                fill_opacity=min(abs(float(value)), 1.0),
            ))  # fmt: skip
    return frame.render(f"States of {title}", f"States of {units} units over {steps} steps")


def gates(lines: Mapping[str, Sequence[float]], title: str, unit: str, step: float) -> Markup:
    """Draw the mean of each gate over the steps of one sequence."""
    count = max(len(values) for values in lines.values())
    values = [float(v) for line in lines.values() for v in line if is_number(v)]
    across = Axis(-(count - 1) * step, 0.0) if count > 1 else Axis(-1, 0)
    top = 1.0 if max(values, default=1.0) > 0.3 else max(values, default=1.0) * 1.1
    frame = Frame(across, Axis(0, max(top, 1e-6)), f"{unit}s from the last", "mean", height=240)
    for number, line in enumerate(lines.values()):
        points = [((k + 1 - count) * step, float(v)) for k, v in enumerate(line) if is_number(v)]
        if points:
            frame.line(points, f"memory{number + 1}")
    return frame.render(f"{', '.join(lines)} of {title}", "Means over the units, step by step")
