"""The section on sequences: how good the answer is early on, and when it became sure."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from neuroscope.report.figures import is_number, percent, plain, score, short
from neuroscope.report.story import Story, as_dict, entries
from neuroscope.report.svg import Axis, Frame

Section = dict[str, Any] | None


def over_time(story: Story) -> Section:
    """What the model would have said had each sequence ended earlier."""
    block = story.dict("over_time")
    moments = [float(v) for v in entries(block.get("moments")) if is_number(v)]
    if len(moments) < 2:
        return None
    unit = plain(block.get("unit"))
    scores = _points(moments, block.get("scores"))
    settled = as_dict(block.get("settled"))
    return {
        "unit": unit,
        "metric": plain(block.get("metric")),
        "scores": _lines([(scores, "valid")], plain(block.get("metric")), unit, moments),
        "words": _words(block, moments, unit),
        "score_rows": [[short(moment), score(value)] for moment, value in scores],
        "settled": short(settled["median"]) if is_number(settled.get("median")) else "",
        "alarms": [_alarm(entry) for entry in _records(block.get("alarms"))],
        "positive": plain(block.get("positive")),
        "examples": [_example(entry, moments, unit) for entry in _records(block.get("examples"))],
    }


def _points(moments: list[float], values: Any) -> list[tuple[float, float]]:
    pairs = zip(moments, values if isinstance(values, list) else [], strict=False)
    return [(moment, float(value)) for moment, value in pairs if is_number(value)]


def _records(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in entries(value) if isinstance(entry, dict)]


def _lines(
    lines: list[tuple[list[tuple[float, float]], str]], title: str, unit: str, moments: list[float]
) -> Markup | None:
    values = [value for line, _ in lines for _, value in line]
    if not values:
        return None
    frame = Frame(
        Axis(moments[0], moments[-1]), Axis.over(values), f"{unit} since the first", title
    )
    for line, class_ in lines:
        frame.line(line, class_)
        frame.dots(line, f"dot {class_}")
    return frame.render(title, f"{title} by {unit} since the first reading")


def _words(block: dict[str, Any], moments: list[float], unit: str) -> str:
    """Say by when the answer is nearly as good as at the end."""
    scores = _points(moments, block.get("scores"))
    if not scores:
        return ""
    (first, begun), (_, end) = scores[0], scores[-1]
    gained = end - begun
    text = f"{plain(block.get('metric'))} is {score(begun)} after {short(first)} {unit} and "
    text += f"{score(end)} at the end."
    near = next((moment for moment, value in scores if value >= begun + 0.9 * gained), None)
    if gained > 0 and near is not None:
        text += f" Nine tenths of the gain are there after {short(near)} {unit}."
    return text


def _alarm(entry: dict[str, Any]) -> list[str]:
    when = [
        short(entry[k]) if is_number(entry.get(k)) else "–" for k in ("early", "median", "late")
    ]
    return [percent(entry.get("rate")), score(entry.get("threshold")),
            percent(entry.get("false_alarms")), percent(entry.get("found")), *when]  # fmt: skip


def _example(entry: dict[str, Any], moments: list[float], unit: str) -> dict[str, Any]:
    truth, said = plain(entry.get("truth")), plain(entry.get("said"))
    named = plain(entry.get("name")) if entry.get("name") else f"row {plain(entry.get('row'))}"
    line = _points(moments, entry.get("probability"))
    title = f"{named}: {truth}"
    frame = Frame(Axis(moments[0], moments[-1]), Axis(0, 1), unit, f"probability of {truth}")
    frame.line(line, "valid")
    frame.dots(line, "dot valid")
    right = said == truth
    return {
        "title": title,
        "chart": frame.render(title, f"Probability of {truth} as the sequence grows"),
        "words": "right in the end" if right else f"in the end taken for {said}",
    }
