"""The section on translations: side by side, the worst ones, and where each token comes from."""

from __future__ import annotations

from typing import Any

from neuroscope.report.charts.attention import attention
from neuroscope.report.figures import count, is_number
from neuroscope.report.story import Story, as_dict, entries

Section = dict[str, Any] | None
_SCORES = ("bleu", "chrf", "exact_match")


def translation(story: Story) -> Section:
    """The translations of a run; None for other runs."""
    block = story.dict("translation")
    examples = _sentences(block.get("examples"))
    if not examples:
        return None
    signatures = as_dict(block.get("signatures"))
    return {
        "source": str(block.get("source") or "source"),
        "target": str(block.get("target") or "target"),
        "examples": examples,
        "worst": _sentences(block.get("worst")),
        "rungs": _rungs(block),
        "beam": count(block.get("beam")),
        "translated": count(block.get("translated")),
        "signatures": [f"{name}: {text}" for name, text in signatures.items()],
        "attention": _pictures(block),
    }


def _sentences(records: Any) -> list[dict[str, str]]:
    found = [one for one in entries(records) if isinstance(one, dict)]
    return [
        {"row": count(one.get("row")), "chrf": _score(one.get("chrf")),
         **{name: str(one.get(name) or "") for name in ("source", "output", "reference")}}
        for one in found
    ]  # fmt: skip


def _rungs(block: dict[str, Any]) -> list[list[str]]:
    """BLEU, chrF and percent of exact ones of each rung, with their intervals."""
    rows = []
    for rung in entries(block.get("rungs")):
        cells = [str(rung.get("title") or rung.get("name") or "")]
        for name in _SCORES:
            times = 100 if name == "exact_match" else 1
            said = [v * times if is_number(v) else None for v in entries(rung.get(name))]
            low, high = (_score(v) for v in (said + [None] * 3)[1:3])
            cells.append(f"{_score(said[0])} ({low} to {high})" if said else "–")
        rows.append(cells)
    return rows


def _pictures(block: dict[str, Any]) -> list[Any]:
    drawn = []
    for one in entries(block.get("attention")):
        record = as_dict(one)
        read, said, weights = (entries(record.get(n)) for n in ("source", "output", "weights"))
        if read and said and len(weights) == len(said):
            drawn.append(attention([str(t) for t in read], [str(t) for t in said], weights))
    return drawn


def _score(value: Any) -> str:
    return f"{value:.1f}" if is_number(value) else "–"
