"""The section on word vectors: how many words, a map of some, and what lies near what."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from neuroscope.report.charts.word_map import word_map
from neuroscope.report.figures import count, is_number
from neuroscope.report.story import Story, as_dict, entries


def word_space(story: Story) -> dict[str, Any] | None:
    """The words of a run of word vectors; None for other runs."""
    block = story.dict("word_space")
    if not block:
        return None
    drawn = as_dict(block.get("map"))
    return {
        "facts": _facts(block),
        "map": word_map(drawn, "A map of words") if _sound(drawn) else None,
        "near": [_near(one) for one in map(as_dict, entries(block.get("near")))],
        "name": story.text("name"),
    }


def _facts(block: dict[str, Any]) -> str:
    return (
        f"{count(block.get('tokens'))} words of text, {count(block.get('words'))} different ones; "
        f"{count(block.get('left_out'))} more occur less than {count(block.get('least'))} times in "
        "the training passages and were left out."
    )


def _near(one: dict[str, Any]) -> list[Markup]:
    """Return a word and its neighbours; a word that is read from the right keeps its number so."""
    found = [
        Markup("<bdi>{}</bdi> {:.2f}").format(str(near.get("word", "")), near["cosine"])
        for near in map(as_dict, entries(one.get("nearest")))
        if is_number(near.get("cosine"))
    ]
    return [Markup("<bdi>{}</bdi>").format(str(one.get("word", ""))), Markup(", ").join(found)]


def _sound(drawn: dict[str, Any]) -> bool:
    """Say whether a record of a map can be drawn."""
    words, places, shares = (entries(drawn.get(key)) for key in ("words", "places", "shares"))
    pairs = all(isinstance(p, list) and len(p) == 2 and all(map(is_number, p)) for p in places)
    return bool(words) and len(words) == len(places) and pairs and len(shares) == 2
