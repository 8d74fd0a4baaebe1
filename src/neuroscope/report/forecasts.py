"""The section on forecasts: what came and what comes next, how far off by step, the intervals."""

from __future__ import annotations

from typing import Any

from neuroscope.report.charts import forecast as charts
from neuroscope.report.figures import amount, count, percent, score
from neuroscope.report.story import Story, as_dict, entries

Section = dict[str, Any] | None
_KINDS = {"test": "checked on test readings", "next": "what comes next"}


def forecast(story: Story) -> Section:
    """The forecasts of a run of series; None for other runs."""
    block = story.dict("forecast")
    examples = [e for e in entries(block.get("examples")) if isinstance(e, dict)]
    if not examples:
        return None
    steps, intervals = as_dict(block.get("by_step")), as_dict(block.get("intervals"))
    held, titles = as_dict(steps.get("held_out")), story.titles()
    chosen, test = story.text("chosen"), entries(steps.get("test"))
    return {
        "facts": _facts(block),
        "examples": [_example(e, story.text("target")) for e in examples],
        "by_step": charts.by_step(held, chosen, test, str(block.get("unit") or "error")),
        "unit": str(block.get("unit") or "error"),
        "chosen": titles.get(chosen, chosen),
        "step_heads": ["Steps ahead", *(titles.get(name, name) for name in held), "on the test"],
        "step_rows": _step_rows(held, test),
        "sentence": str(intervals.get("sentence") or ""),
        "levels": [
            [
                percent(level.get("level")),
                percent(level.get("coverage")),
                amount(level.get("width")),
            ]
            for level in entries(intervals.get("levels"))
        ],
        "quantile_loss": amount(intervals.get("quantile_loss")),
        "held_out": count(intervals.get("held_out")),
    }


def _facts(block: dict[str, Any]) -> list[tuple[str, str]]:
    """What there is, as (title, number)."""
    reasons = as_dict(block.get("reasons"))
    found = [
        ("series", count(block.get("series"))), ("readings", count(block.get("readings"))),
        ("step", str(block.get("step") or "")),
        ("ahead", f"{count(block.get('horizon'))} steps ({reasons.get('horizon', '')})"),
        ("back", f"{count(block.get('look_back'))} readings ({reasons.get('look_back', '')})"),
        ("season", f"{count(block.get('season'))} steps ({reasons.get('season', '')})"),
    ]  # fmt: skip
    return [(title, text) for title, text in found if text]


def _example(example: dict[str, Any], target: str) -> dict[str, Any]:
    name = str(example.get("series") or target)
    return {
        "title": f"{name}: {_KINDS.get(str(example.get('kind')), '')}",
        "drawing": charts.path(example, name),
        "span": f"{example.get('from', '')} to {example.get('to', '')}",
        "test": example.get("kind") == "test",
    }


def _step_rows(held: dict[str, Any], test: list[Any]) -> list[list[str]]:
    """The error of each rung at a few steps: the first, the last, and some between."""
    steps = max((len(values) for values in held.values()), default=len(test))
    wanted = (
        sorted({1, *(round(1 + (steps - 1) * i / 5) for i in range(6)), steps}) if steps else []
    )
    columns = [*held.values(), test]
    return [
        [count(step), *(score(values[step - 1]) if step <= len(values) else "–"
                        for values in columns)]
        for step in wanted
    ]  # fmt: skip
