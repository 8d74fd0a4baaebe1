"""The section on what the model looks at: columns by importance, and a neuron's own weights."""

from __future__ import annotations

from typing import Any

from neuroscope.report import words
from neuroscope.report.figures import interval, is_number, plain, score
from neuroscope.report.story import Story, as_dict, entries

Section = dict[str, Any] | None
_MOST_ROWS = 12


def importance(story: Story) -> Section:
    """The columns by how much worse the score gets without them, and a neuron's weights."""
    known = [entry for entry in story.records("importance") if is_number(entry.get("drop"))]
    ordered = sorted(known, key=lambda entry: -entry["drop"])
    weights = _weights(story)
    if not known and weights is None:
        return None
    most = max(ordered[0]["drop"], 1e-12) if ordered else 1.0
    bars = [_bar(entry, most) for entry in ordered]
    name = str(story.dict("metric").get("name") or "")
    unread = {str(entry.get("column")) for entry in known}
    return {
        "bars": bars[:_MOST_ROWS],
        "rest": bars[_MOST_ROWS:],
        "metric": words.title_of(name) if name else "the score",
        "useless": sum(bar["chance"] for bar in bars),
        "alone_nothing": bool(bars) and all(bar["chance"] for bar in bars),
        "beside": bool(story.dict("forecast")),
        "unmeasured": len(_features(story) - unread) if known else 0,
        "weights": weights,
    }


def _bar(entry: dict[str, Any], most: float) -> dict[str, Any]:
    drop, span = entry["drop"], interval(entry.get("interval"))
    return {
        "column": plain(entry.get("column")),
        "drop": loss(drop),
        "interval": f"{loss(span[0])} to {loss(span[1])}" if span else "",
        "share": round(100 * max(drop, 0) / most, 1),
        "chance": span[0] <= 0 if span else drop <= 0,
    }


def loss(value: float) -> str:
    """Return a lost score with three decimals; what rounds to nothing is 0."""
    return score(value) if abs(value) >= 100 else f"{value:z.3f}"


def _features(story: Story) -> set[str]:
    """Return the features that a table model reads."""
    columns = [c for c in entries(story.dict("schema").get("columns")) if isinstance(c, dict)]
    unread = ("text", "identifier", "constant")
    return {
        str(c.get("name"))
        for c in columns
        if c.get("role") == "feature" and c.get("kind") not in unread
    }


def _weights(story: Story) -> Section:
    block = story.dict("weights")
    outputs = [plain(name) for name in entries(block.get("outputs"))]
    rows = [
        [plain(entry.get("feature")), *(_signed(e) for e in entries(entry.get("effects")))]
        for entry in map(as_dict, entries(block.get("features")))
    ]
    rows = [row for row in rows if len(row) == 1 + len(outputs)]
    if not rows:
        return None
    return {
        "outputs": outputs,
        "unit": plain(block.get("unit")),
        "target": story.text("target"),
        "rows": rows[:_MOST_ROWS],
        "rest": rows[_MOST_ROWS:],
    }


def _signed(effect: Any) -> str:
    """Return an effect with its sign, which is what a reader looks for first."""
    if not is_number(effect):
        return plain(None)
    said = score(abs(effect)) if abs(effect) >= 0.0005 else "0.000"
    return said if said == "0.000" else f"{'+' if effect > 0 else '−'}{said}"
