"""The sections of a run on texts: words that count, texts with the words that decided, mistakes.

They are fed by the block "texts" of the result.
"""

from __future__ import annotations

from typing import Any

from neuroscope.report.figures import is_number, percent, plain
from neuroscope.report.story import Story, entries

Section = dict[str, Any] | None
_LEAST = 0.04  # of the strongest mark of a text; weaker ones are not drawn


def _records(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in entries(value) if isinstance(entry, dict)]


def weights(story: Story) -> Section:
    """The words and pairs that speak for each class in the neuron, with their exact weights."""
    block = story.dict("texts")
    classes = [
        {"name": plain(one.get("class")), "terms": [
            {"word": plain(term.get("term")), "weight": f"{term['weight']:+.1f}"}
            for term in _records(one.get("terms")) if is_number(term.get("weight"))
        ]}
        for one in _records(block.get("weights"))
    ]  # fmt: skip
    if not any(one["terms"] for one in classes):
        return None
    return {"classes": classes, "again": block.get("rung") != "neuron"}


def examples(story: Story) -> Section:
    """A text of each class with the words that decided, rung beside rung."""
    shown = []
    for entry in _records(story.dict("texts").get("examples")):
        marks = [
            {"title": plain(one.get("title")), "pieces": pieces(one.get("pieces"))}
            for one in _records(entry.get("marks"))
        ]
        shown.append(_named(entry) | {"marks": marks})
    return {"texts": shown} if shown else None


def mistakes(story: Story) -> Section:
    """The test texts that were named wrongly with the most certainty, and what spoke for it."""
    shown = [
        _named(entry) | {"pieces": pieces(entry.get("pieces"))}
        for entry in _records(story.dict("texts").get("mistakes"))
    ]
    return {"texts": shown} if shown else None


def suspects(story: Story) -> Section:
    """The labels that a model which had not seen the text doubts."""
    shown = [
        _named(entry) | {"text": plain(entry.get("text"))}
        for entry in _records(story.dict("texts").get("suspects"))
    ]
    return {"texts": shown} if shown else None


def pieces(value: Any) -> list[dict[str, Any]]:
    """Return the pieces of a text, each with how it is to be marked.

    `side` is "for", "against" or "", `strength` from 1 to 5, `effect` in words.
    """
    known = _records(value)
    effects = [e if is_number(e := one.get("effect")) else 0.0 for one in known]
    most = max((abs(effect) for effect in effects), default=0.0)
    found = []
    for one, effect in zip(known, effects, strict=True):
        share = abs(effect) / most if most > 0 else 0.0
        marked = share >= _LEAST
        found.append({
            "text": str(one.get("text") or ""),
            "side": ("for" if effect > 0 else "against") if marked else "",
            "strength": min(int(5 * share) + 1, 5) if marked else 0,
            "effect": f"{effect:+.2f}" if marked else "",
        })  # fmt: skip
    return found


def _named(entry: dict[str, Any]) -> dict[str, Any]:
    chance = entry.get("probability")
    return {
        "row": plain(entry.get("row")),
        "truth": plain(entry.get("truth")),
        "predicted": plain(entry.get("predicted")),
        "probability": percent(chance) if is_number(chance) else "",
    }
