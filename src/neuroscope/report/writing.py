"""The section on text: what the model writes, whether it is copied, how it learned to."""

from __future__ import annotations

from typing import Any

from neuroscope.base.events import SampleProduced
from neuroscope.report.figures import count, percent
from neuroscope.report.story import Story, as_dict, entries

Section = dict[str, Any] | None
_COURSE = 6  # samples of the training that are shown, of each rung


def writing(story: Story) -> Section:
    """What a model of texts writes; None for other runs."""
    block = story.dict("writing")
    if not block:
        return None
    about, titles = as_dict(block.get("about")), story.titles()
    copies = as_dict(block.get("copies"))
    unseen = block.get("unseen")
    return {
        "samples": [str(text) for text in entries(block.get("samples"))],
        "one": bool(block.get("one")),
        "temperature": block.get("temperature"),
        "copies": str(copies.get("sentence") or ""),
        "longest": str(copies.get("longest") or ""),
        "unseen": f"{count(unseen)} of the new ones stand in the test text, which it never saw: "
        "it found them by itself." if unseen else "",
        "unknown": str(block.get("unknown") or ""),
        "facts": _facts(about),
        "frequent": [[_visible(str(as_dict(one).get("character"))),
                      percent(as_dict(one).get("share"))]
                     for one in entries(about.get("frequent"))],
        "course": [
            {"title": titles.get(name, name), "samples": _few(story, name)}
            for name in dict.fromkeys(e.rung for e in story.events if isinstance(e, SampleProduced))
        ],
    }  # fmt: skip


def _facts(about: dict[str, Any]) -> list[tuple[str, str]]:
    found = [
        ("texts", count(about.get("documents"))),
        ("characters", count(about.get("characters"))),
        ("kinds of characters", count(about.get("kinds"))),
        ("words", count(about.get("words"))),
        ("it begins", str(about.get("begins") or "")[:120]),
    ]
    return [(title, text) for title, text in found if text]


def _few(story: Story, rung: str) -> list[tuple[str, str]]:
    """Return samples of a rung's training, evenly out of all: (after which epoch, text)."""
    every = [e for e in story.events if isinstance(e, SampleProduced) and e.rung == rung]
    step = max((len(every) - 1) / max(_COURSE - 1, 1), 1)
    places = sorted({round(step * i) for i in range(_COURSE) if round(step * i) < len(every)})
    return [(f"after epoch {every[place].epoch}", every[place].text) for place in places]


def _visible(character: str) -> str:
    return {"\n": "new line", " ": "space", "\t": "tab"}.get(character, character)
