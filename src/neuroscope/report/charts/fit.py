"""How predictions meet the truth, how stated probabilities do, and what more rows bring."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from neuroscope.report.figures import is_number
from neuroscope.report.svg import Axis, Frame, Point, thinned

_MOST_DOTS = 800


def predicted_actual(points: Sequence[Point], target: str) -> Markup | None:
    """Draw (predicted, actual) pairs about the line on which they are equal."""
    if not points:
        return None
    axis = Axis.over([value for point in points for value in point], margin=0.04)
    frame = Frame(axis, axis, "predicted", "actual", height=340)
    frame.line([(axis.low, axis.low), (axis.high, axis.high)], "perfect")
    frame.cloud(thinned(points, _MOST_DOTS), "cloud")
    return frame.render(
        f"Predicted and actual {target}", "Dots near the diagonal are predicted well"
    )


def calibration(bins: Sequence[dict]) -> Markup | None:
    """Draw how often the event happened against the probability that was stated."""
    known = [b for b in bins if is_number(b.get("predicted")) and is_number(b.get("observed"))]
    if not known:
        return None
    axis = Axis(0.0, 1.0)
    frame = Frame(axis, axis, "probability the model states", "how often it happens", height=340)
    frame.line([(0, 0), (1, 1)], "perfect")
    for part in known:
        if is_number(part.get("low")) and is_number(part.get("high")):
            frame.whisker(part["predicted"], part["low"], part["high"], "whisker rung")
    points = [(part["predicted"], part["observed"]) for part in known]
    frame.line(points, "valid")
    frame.dots(points, "mark chosen", radius=4.5)
    return frame.render("Calibration", "Dots on the diagonal are probabilities that can be trusted")


def learning_curve(
    points: Sequence[Sequence[float]], metric: str, counted: str = "training rows"
) -> Markup | None:
    """Draw the score by number of training rows, points (rows, value, standard error)."""
    known = [point for point in points if all(is_number(value) for value in point[:2])]
    if not known:
        return None
    spread = [(p[0], p[1], p[2] if len(p) > 2 and is_number(p[2]) else 0.0) for p in known]
    rows = [point[0] for point in spread]
    log = min(rows) > 0 and max(rows) > 8 * min(rows)
    ends = [value for _, middle, se in spread for value in (middle - se, middle + se)]
    frame = Frame(
        Axis.over(rows, log=log),
        Axis.over(ends),
        counted,
        metric,
        x_ticks=_spaced(rows, log),
    )
    frame.line([(n, value) for n, value, _ in spread], "valid")
    for n, value, error in spread:
        if error:
            frame.whisker(n, value - error, value + error, "whisker chosen")
    frame.dots([(n, value) for n, value, _ in spread], "mark chosen", radius=4.5)
    return frame.render("Learning curve", f"{metric} by number of {counted}")


def _spaced(rows: Sequence[float], log: bool) -> list[float]:
    """Return the numbers of rows that can be written below the axis without touching."""
    axis = Axis.over(rows, log=log)
    kept: list[float] = []
    for n in sorted(set(rows), reverse=True):
        if not kept or axis.at(kept[-1]) - axis.at(n) > 0.16:
            kept.append(n)
    return kept
