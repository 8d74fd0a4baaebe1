"""The ladder: each rung's score with its interval on one common scale."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from neuroscope.report.figures import interval, is_number, score, short
from neuroscope.report.svg import Axis, tag

_FURTHEST = 4.0  # a rung further off than so many widths of the better ones is off the scale


@dataclass(frozen=True)
class Track:
    """One row of the chart; places across are percent, so it fits any width."""

    name: str
    title: str
    value: str
    interval: str
    role: str  # "chosen", "yardstick" or "rung"
    note: str  # why there is no value
    drawing: Markup


@dataclass(frozen=True)
class Ladder:
    """The rows, the ticks of the scale as (percent across, text), and which way is better."""

    tracks: tuple[Track, ...]
    ticks: tuple[tuple[float, str], ...]
    better: str  # "right" or "left"
    has_yardstick: bool


def ladder(rungs: list[dict], chosen: str, greater_is_better: bool) -> Ladder | None:
    """Draw the rungs, or None when none of them has a value."""
    if not any(is_number(rung.get("value")) for rung in rungs):
        return None
    axis = _axis(rungs, greater_is_better)
    yardsticks = [r["value"] for r in rungs if r.get("yardstick") and is_number(r.get("value"))]
    ticks = axis.ticks()
    tracks = tuple(_track(rung, chosen, axis, ticks, yardsticks) for rung in rungs)
    places = tuple((round(100 * axis.at(tick), 2), short(tick)) for tick in ticks)
    return Ladder(tracks, places, "right" if greater_is_better else "left", bool(yardsticks))


def _axis(rungs: list[dict], greater_is_better: bool) -> Axis:
    """Return a scale on which the good rungs can be told apart; the far worse are off it.

    From the best rung downwards, the next is taken on while the better ones, the room between them
    included, keep a good part of the scale. Where those do not differ, there is nothing to tell
    apart, and the next is taken on however far it is.
    """
    known = [rung for rung in rungs if is_number(rung.get("value"))]
    known.sort(key=lambda rung: rung["value"], reverse=greater_is_better)
    spans = [interval(rung.get("interval")) or (rung["value"], rung["value"]) for rung in known]
    seen = {score(known[0]["value"])}
    low, high = spans[0]
    for rung, (start, end) in zip(known[1:], spans[1:], strict=True):
        gap = max(low - end, start - high, 0.0)
        if len(seen) > 1 and gap > _FURTHEST * max(high - low, 1e-3 * abs(high)):
            break
        seen.add(score(rung["value"]))
        low, high = min(low, start), max(high, end)
    return Axis.over([low, high])


def _track(rung: dict, chosen: str, axis: Axis, ticks: list[float], yardsticks: list) -> Track:
    name, value = str(rung.get("name", "")), rung.get("value")
    span = interval(rung.get("interval"))
    role = "chosen" if name == chosen else "yardstick" if rung.get("yardstick") else "rung"
    has_value = is_number(value)
    said = f"{score(span[0])} to {score(span[1])}" if span and has_value else ""
    title = str(rung.get("title") or name.replace("_", " "))
    marks = [_upright(axis.at(tick), "grid") for tick in ticks]
    marks += [_upright(axis.at(line), "yardstick-line") for line in yardsticks]
    if has_value:
        marks.append(tag("svg", *_marks(value, span, axis, role), y="50%", overflow="visible"))
    spoken = f"{title}: {score(value)}{', interval ' + said if said else ''}"
    drawing = tag("svg", *marks, width="100%", height="100%", role="img", aria_label=spoken)
    return Track(name, title, score(value), said, role, _why_missing(rung, has_value), drawing)


def _why_missing(rung: dict, has_value: bool) -> str:
    note, status = str(rung.get("note") or ""), str(rung.get("status") or "")
    return note or ("" if has_value else status or "no score")


def _marks(value: float, span: tuple[float, float] | None, axis: Axis, role: str) -> list[Markup]:
    """Return whisker and dot about a middle line at 0, in pixels downwards."""
    if not axis.low <= value <= axis.high:
        return [_off_the_scale(value < axis.low)]
    marks = []
    if span:
        low, high = (_across(axis.at(end)) for end in span)
        marks.append(tag("line", x1=low, x2=high, y1=0, y2=0, class_=f"whisker {role}"))
        for end in (low, high):
            marks.append(tag("line", x1=end, x2=end, y1=-5, y2=5, class_=f"whisker {role}"))
    radius = 7.0 if role == "chosen" else 5.5
    marks.append(tag("circle", cx=_across(axis.at(value)), r=radius, class_=f"mark {role}"))
    return marks


def _off_the_scale(left: bool) -> Markup:
    place = {"x": "0%" if left else "100%", "text_anchor": "start" if left else "end"}
    text = "◂ far off the scale" if left else "far off the scale ▸"
    return tag("text", text, **place, y=5, class_="off-scale")


def _across(share: float) -> str:
    return f"{100 * share:.2f}%"


def _upright(share: float, class_: str) -> Markup:
    return tag("line", x1=_across(share), x2=_across(share), y1=0, y2="100%", class_=class_)
