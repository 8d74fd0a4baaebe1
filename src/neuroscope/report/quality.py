"""The sections on how right the model is: mistakes, probabilities, threshold."""

from __future__ import annotations

from typing import Any

from neuroscope.base.nouns import called
from neuroscope.report import words
from neuroscope.report.charts import fit
from neuroscope.report.figures import amount, count, is_number, percent, plain, score, sentence
from neuroscope.report.story import Story, entries

Section = dict[str, Any] | None
_WIDE = 12  # classes from which the matrix is folded away
_MOST_ROWS = 12


def confusion(story: Story) -> Section:
    """Which class is taken for which, and the rows that are wrong with the most certainty."""
    block = story.dict("confusion")
    classes = [plain(name) for name in entries(block.get("labels") or block.get("classes"))]
    counts = _matrix(block.get("matrix") or block.get("counts"), len(classes))
    mistakes = story.records("mistakes") or _records(block.get("surest_mistakes"))
    if not counts and not mistakes:
        return None
    whole = block.get("of_classes", len(classes))
    part = is_number(whole) and whole > len(classes)
    return {
        "classes": classes,
        "of": count(whole) if part else "",
        "rows": [_matrix_row(classes, row, i, story.noun) for i, row in enumerate(counts)],
        "wide": len(classes) > _WIDE,
        "words": called(_reading(block, classes, counts, part=part), story.noun),
        "named": "Picture" if any(entry.get("picture") for entry in mistakes) else "Row",
        "by_class": [
            [
                plain(entry.get("name")),
                count(entry.get("rows")),
                percent(entry.get("precision")),
                percent(entry.get("recall")),
                score(entry.get("f1")),
            ]
            for entry in _records(block.get("by_class"))
            if not part or plain(entry.get("name")) in classes
        ],
        "mistakes": [
            [
                plain(entry.get("picture") or entry.get("row")),
                plain(entry.get("truth")),
                plain(entry.get("predicted", entry.get("decided"))),
                percent(entry.get("probability")),
            ]
            for entry in mistakes[:_MOST_ROWS]
        ],
    }


def _reading(
    block: dict[str, Any], classes: list[str], counts: list[list[float]], *, part: bool
) -> str:
    """Read the matrix out; where it shows a part of the classes, what was said of all of them."""
    if not part:
        return words.reading_of_confusion(classes, counts)
    right = f"{percent(block.get('accuracy'))} of the rows are named correctly."
    worst = next(iter(_records(block.get("most_confused"))), None)
    if worst is None:
        return right
    return (
        f"{right} The most common mistake: {count(worst.get('rows'))} rows that are "
        f"“{plain(worst.get('truth'))}” ({percent(worst.get('share'))} of them) are called "
        f"“{plain(worst.get('decided'))}”."
    )


def _matrix(value: Any, size: int) -> list[list[float]]:
    rows = [
        [v if is_number(v) else 0.0 for v in row] for row in value or [] if isinstance(row, list)
    ]
    return rows if size and len(rows) == size and all(len(row) == size for row in rows) else []


def _matrix_row(classes: list[str], row: list[float], number: int, noun: str) -> dict[str, Any]:
    total = sum(row)
    cells = [
        {
            "count": count(value),
            "percent": percent(value / total) if value else "",
            "strength": round(100 * value / total) if total else 0,
            "right": column == number,
            "said": f"{count(value)} {noun}s are {classes[number]} and called {classes[column]}",
        }
        for column, value in enumerate(row)
    ]
    return {"name": classes[number], "cells": cells}


def residuals(story: Story) -> Section:
    """Predicted against actual, the size of the misses, and the rows that are missed most."""
    block, target = story.dict("residuals"), story.text("target") or "target"
    points = [(b, a) for a, b in _pairs(block.get("points"))] or _pairs(block.get("sample"))
    worst = _records(block.get("worst"))
    chart = fit.predicted_actual(points, target)
    if chart is None and not worst:
        return None
    return {
        "chart": chart,
        "shown": count(len(points)),
        "words": plain(block.get("sentence")) if block.get("sentence") else "",
        "bins": [_residual_bin(part) for part in _records(block.get("bins"))],
        "worst": [
            [
                plain(entry.get("row")),
                amount(entry.get("actual")),
                amount(entry.get("predicted")),
                _miss(entry),
            ]
            for entry in worst[:_MOST_ROWS]
        ],
    }


def _residual_bin(part: dict[str, Any]) -> list[str]:
    ends = [amount(part.get(name)) for name in ("miss_low", "miss_high")]
    return [
        f"{amount(part.get('lower'))} to {amount(part.get('upper'))}",
        count(part.get("rows", part.get("count"))),
        amount(part.get("predicted")),
        amount(part.get("actual")),
        " to ".join(ends),
    ]


def _miss(entry: dict[str, Any]) -> str:
    actual, predicted = entry.get("actual"), entry.get("predicted")
    if not (is_number(actual) and is_number(predicted)):
        return plain(None)
    return f"{'+' if actual > predicted else ''}{amount(actual - predicted)}"


def probabilities(story: Story) -> Section:
    """Whether stated probabilities come true, and from which one on to say yes."""
    block, decided = story.dict("calibration"), story.dict("threshold")
    bins = [
        part | {"count": part.get("count", part.get("rows"))}
        for part in _records(block.get("bins"))
    ]
    chart = fit.calibration(bins)
    if chart is None and not is_number(decided.get("value")):
        return None
    error = block.get("error", block.get("expected_calibration_error"))
    return {
        "chart": chart,
        "words": str(
            block.get("sentence") or called(words.reading_of_calibration(bins), story.noun)
        ),
        "error": f"{100 * error:.1f}" if is_number(error) else "",
        "temperature": score(block.get("temperature"))
        if is_number(block.get("temperature"))
        else "",
        "bins": [
            [
                percent(part.get("predicted")),
                percent(part.get("observed")),
                f"{percent(part.get('low'))} to {percent(part.get('high'))}",
                count(part.get("count")),
            ]
            for part in bins
        ],
        "threshold": _threshold(decided, story.noun),
        "detection": sentence(story.dict("detection").get("sentence")),
        "cost": sentence(story.dict("cost").get("sentence")),
        "positive": story.positive,
    }


def _threshold(block: dict[str, Any], noun: str) -> Section:
    if not is_number(block.get("value")):
        return None
    half, cost = block.get("cost_at_half"), block.get("expected_cost")
    saved = ""
    if is_number(half) and is_number(cost) and block["value"] != 0.5:
        saved = f"Mean cost a {noun}: {score(cost)}, against {score(half)} at a threshold of 0.5."
    return {
        "value": score(block["value"]),
        "sensitivity": percent(block.get("sensitivity")),
        "specificity": percent(block.get("specificity")),
        "saved": saved,
        "reason": sentence(block.get("reason") or block.get("sentence")),
    }


def more_rows(story: Story) -> Section:
    """Whether more training rows would help."""
    block, metric = story.dict("learning_curve"), story.dict("metric")
    title = str(metric.get("title") or words.title_of(str(metric.get("name") or "score")))
    points = [point for point in entries(block.get("points")) if isinstance(point, list)]
    points = [point for point in points if len(point) >= 2]
    chart = fit.learning_curve(points, title, called("training rows", story.noun))
    if chart is None:
        return None
    return {
        "chart": chart,
        "sentence": str(block.get("sentence") or ""),
        "metric": title,
        "rows": [[count(p[0]), score(p[1]), score(p[2] if len(p) > 2 else None)] for p in points],
    }


def _records(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in entries(value) if isinstance(entry, dict)]


def _pairs(value: Any) -> list[tuple[float, float]]:
    pairs = [pair for pair in entries(value) if isinstance(pair, list) and len(pair) == 2]
    return [(pair[0], pair[1]) for pair in pairs if is_number(pair[0]) and is_number(pair[1])]
