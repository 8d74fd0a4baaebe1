"""Reading a report in tests as a person and a screen reader get it."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

from neuroscope.report.page import write_report

VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """A page as a reader and a screen reader get it; unbalanced tags are an error."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        if not self.open or self.open[-1] not in ("style", "title", "desc"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split()).replace(" .", ".").replace(" ,", ",")

    def all(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.tags if name == tag]

    def ids(self) -> list[str]:
        return [attributes["id"] for _, attributes in self.tags if attributes.get("id")]


def page_of(folder: Path) -> Page:
    return Page(write_report(folder).read_text(encoding="utf-8"))


def change(folder: Path, **blocks) -> dict:
    """Change or (None) remove blocks of a run's result."""
    path = folder / "result.json"
    result = json.loads(path.read_text()) | blocks
    result = {name: value for name, value in result.items() if value is not None}
    path.write_text(json.dumps(result))
    return result
