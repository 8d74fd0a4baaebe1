"""One self-contained HTML page a run: no script, no request to anywhere, opens offline."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from neuroscope.base.errors import InputError
from neuroscope.base.nouns import called
from neuroscope.base.version import __version__
from neuroscope.report import (
    background,
    forecasts,
    insight,
    memory,
    over_time,
    pictures,
    quality,
    sections,
    texts,
    translations,
    word_space,
    words,
    writing,
)
from neuroscope.report.story import Story
from neuroscope.runs.disk import write_atomic
from neuroscope.runs.folder import RunFolder, is_run

_TEMPLATES = Path(__file__).with_name("templates")
_SECTIONS = {
    "decision": sections.decision,
    "forecast": forecasts.forecast,
    "writing": writing.writing,
    "translation": translations.translation,
    "word_space": word_space.word_space,
    "ladder": sections.ladder,
    "transfer": pictures.transfer,
    "training": sections.training,
    "confusion": quality.confusion,
    "surest": pictures.mistakes,
    "steps": pictures.rungs,
    "inside": pictures.inside,
    "suspects": pictures.suspects,
    "text_weights": texts.weights,
    "text_examples": texts.examples,
    "text_mistakes": texts.mistakes,
    "text_suspects": texts.suspects,
    "residuals": quality.residuals,
    "probabilities": quality.probabilities,
    "over_time": over_time.over_time,
    "memory": memory.memory,
    "importance": insight.importance,
    "more_rows": quality.more_rows,
    "data": background.data,
    "recipe": background.recipe,
    "reproduce": background.reproduce,
}
_CONTENTS = {
    "forecast": ("forecast", "The forecast"),
    "writing": ("writing", "What it writes"),
    "translation": ("translation", "The translations"),
    "word_space": ("words", "The words"),
    "ladder": ("ladder", "Ladder and cost"),
    "transfer": ("transfer", "Worth of transfer"),
    "training": ("training", "How it learned"),
    "confusion": ("mistakes", "Right and wrong"),
    "surest": ("surest", "Surest mistakes"),
    "steps": ("steps", "Answer by answer"),
    "inside": ("inside", "Inside the network"),
    "suspects": ("suspects", "Doubtful labels"),
    "text_weights": ("words", "Words that count"),
    "text_examples": ("decided", "Words that decided"),
    "text_mistakes": ("surest", "Surest mistakes"),
    "text_suspects": ("suspects", "Doubtful labels"),
    "residuals": ("misses", "How far off"),
    "probabilities": ("probabilities", "Probabilities"),
    "over_time": ("over-time", "Over time"),
    "memory": ("memory", "Memory"),
    "importance": ("importance", "What it looks at"),
    "more_rows": ("rows", "More rows?"),
    "data": ("data", "The data"),
    "recipe": ("recipe", "Recipe"),
    "reproduce": ("reproduce", "Get it again"),
}


def write_report(folder: Path) -> Path:
    """Write `report.html` into a run folder from what it holds, and return its path.

    Works for a run that was cut short too; a block that is missing is left out. Raises InputError
    when this is no run folder or a record in it is damaged, StorageError when it cannot be written.
    """
    folder = Path(folder)
    if not is_run(folder) and not (folder / "result.json").is_file():
        raise InputError("not a run folder", where=str(folder))
    path = RunFolder(folder).report
    write_atomic(path, render(Story.read(folder)).encode())
    return path


def render(story: Story) -> str:
    """Return the page of a story."""
    terms = _Terms(story.noun, story.positive)
    shown: dict[str, Any] = {name: section(story) for name, section in _SECTIONS.items()}
    listed = (entry for name, entry in _CONTENTS.items() if shown[name])
    contents = [(place, called(title, story.noun)) for place, title in listed]
    return (
        _environment()
        .get_template("page.html")
        .render(
            **shown,
            contents=contents,
            story=story,
            noun=story.noun,
            subject=_subject(story),
            created=story.created[:16].replace("T", " "),
            version=__version__,
            style=Markup((_TEMPLATES / "style.css").read_text(encoding="utf-8")),
            term=terms.link,
            glossary=terms.used,
        )
    )


def _subject(story: Story) -> str:
    target, source = story.text("target"), story.text("source")
    if not target:
        return source
    if story.text("kind") == "text":
        return f"Writing like {source}" if source else "Writing"
    return f"Predicting “{target}” from {source}" if source else f"Predicting “{target}”"


class _Terms:
    """Links words to the glossary at the foot of the page, which lists the ones that were used."""

    def __init__(self, noun: str, positive: str = "") -> None:
        self._noun, self._positive = noun, positive
        self._used: set[str] = set()

    def link(self, term: str | None, text: str = "") -> Markup:
        """Return the word, with its meaning as a tooltip and as a link."""
        if term is None:
            return escape(text)
        written, meaning = self._entry(term)
        self._used.add(term)
        return Markup('<a class="term" href="#term-{}" title="{}">{}</a>').format(
            term, meaning, text or written
        )

    def used(self) -> list[tuple[str, str, str]]:
        """Return (term, how it is written, meaning) of the words linked so far."""
        known = ((term, *self._entry(term)) for term in self._used)
        return sorted(known, key=lambda entry: entry[1].casefold())

    def _entry(self, term: str) -> tuple[str, str]:
        written, meaning = words.GLOSSARY[term]
        said = words.naming(meaning, self._positive)
        return called(written, self._noun), called(said, self._noun)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["rows"] = lambda records, *names: [[r[n] for n in names] for r in records]
    return environment
