"""A forecast beside its history, and its error by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from neuroscope.report.figures import is_number
from neuroscope.report.svg import Axis, Frame, Point, tag


def path(example: Mapping[str, Any], title: str) -> Markup | None:
    """Draw history, forecast, intervals and, where it is known, what came.

    `example` has "history", "truth" and "forecast", lists of numbers or None, and "low" and "high",
    one list for each interval. Step 1 is the first that is forecast.
    """
    history = _points(example.get("history"), 1 - len(example.get("history") or ()))
    said = _points(example.get("forecast"), 1)
    truth = _points(example.get("truth"), 1)
    bands = [
        (_points(low, 1), _points(high, 1))
        for low, high in zip(example.get("low") or (), example.get("high") or (), strict=False)
    ]
    if not said:
        return None
    points = [*history, *said, *truth, *(p for band in bands for side in band for p in side)]
    steps = [x for x, _ in points]
    x = Axis(min(steps), max(*steps, min(steps) + 1))
    frame = Frame(x, Axis.over(y for _, y in points), "steps from the last reading", title,
                  width=860, height=300)  # fmt: skip
    for number, (low, high) in enumerate(sorted(bands, key=_width, reverse=True)):
        _band(frame, low, high, f"band band{number + 1}")
    for line in _pieces(history):
        frame.line(line, "history")
    for line in _pieces(truth):
        frame.line(line, "history came")
    frame.line([*history[-1:], *said], "forecast")
    known = " and what came" if truth else ""
    return frame.render(title, f"History, forecast with its intervals{known}")


def by_step(
    rungs: Mapping[str, Sequence[float | None]],
    chosen: str,
    test: Sequence[float | None],
    unit: str,
) -> Markup | None:
    """Draw the error at each step ahead: faint for each rung, strong for the chosen one."""
    lines = {name: _points(values, 1) for name, values in rungs.items()}
    tested = _points(test, 1)
    points = [p for line in (*lines.values(), tested) for p in line]
    if not points:
        return None
    last = max(x for x, _ in points)
    frame = Frame(Axis(1, max(last, 2)), Axis.over([0.0, *(y for _, y in points)]),
                  "steps ahead", unit)  # fmt: skip
    for name, line in lines.items():
        if line and name != chosen:
            frame.line(line, "other")
    if lines.get(chosen):
        frame.line(lines[chosen], "valid")
    if tested:
        frame.line(tested, "train")
    return frame.render("Error by step", f"{unit} at each of {last:g} steps ahead")


def _points(values: Any, first: int) -> list[Point]:
    return [(float(first + i), float(v)) for i, v in enumerate(values or ()) if is_number(v)]


def _pieces(points: Sequence[Point]) -> list[list[Point]]:
    """Split a line where readings are missing."""
    pieces: list[list[Point]] = []
    for point in points:
        if pieces and point[0] - pieces[-1][-1][0] == 1:
            pieces[-1].append(point)
        else:
            pieces.append([point])
    return pieces


def _width(band: tuple[Sequence[Point], Sequence[Point]]) -> float:
    low, high = band
    return sum(y for _, y in high) - sum(y for _, y in low)


def _band(frame: Frame, low: Sequence[Point], high: Sequence[Point], class_: str) -> None:
    if len(low) > 1:
        placed = [frame.place(*point) for point in (*high, *reversed(low))]
        outline = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in placed) + "Z"
        frame.parts.append(tag("path", d=outline, class_=class_))
