"""What a row is called: sentences written about rows, read to a person who has pictures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

ROW = "row"
_OF_TASK = {
    "image_classes": "picture", "series_classes": "sequence", "series_forecast": "forecast",
    "text_making": "piece",
    "text_classes": "text",
    "translation": "pair",
    "word_vectors": "passage",
}  # fmt: skip


def noun_of(task: str) -> str:
    """Return what a row of a task is called: "row", "picture", "sequence", "forecast", "pair"."""
    return _OF_TASK.get(task, ROW)


def called(text: str, noun: str) -> str:
    """Return a text about rows as one about `noun`s; "row 7", the place of one, stays."""
    if noun == ROW:
        return text
    text = text.replace("these columns", f"these {noun}s")
    text = re.sub(r"\brows\b(?! \d)", f"{noun}s", text)
    return re.sub(r"\brow\b(?! \d)", noun, text)


def called_in(record: Mapping[str, Any], paths: Iterable[str], noun: str) -> dict[str, Any]:
    """Return a copy of a record with the texts at some paths ("metric.meaning") about `noun`s.

    A path may lead to a text, a list or an object of texts; "*" is each entry of a list.
    """
    found = dict(record)
    for path in paths:
        found = _at(found, path.split("."), noun)
    return found


def _at(value: Any, path: list[str], noun: str) -> Any:
    if not path:
        return _whole(value, noun)
    if isinstance(value, list) and path[0] == "*":
        return [_at(entry, path[1:], noun) for entry in value]
    if isinstance(value, Mapping) and path[0] in value:
        return {**value, path[0]: _at(value[path[0]], path[1:], noun)}
    return value


def _whole(value: Any, noun: str) -> Any:
    if isinstance(value, str):
        return called(value, noun)
    if isinstance(value, list):
        return [_whole(entry, noun) for entry in value]
    if isinstance(value, Mapping):
        return {name: _whole(entry, noun) for name, entry in value.items()}
    return value
