"""Words: nearest words, analogies and a map of word vectors, from a file or a trained run."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from neuroscope.base.errors import InputError, ModelError
from neuroscope.base.events import Monitor, Progress, ignore
from neuroscope.data.text import vectors as files
from neuroscope.data.text.questions import Question, read_questions
from neuroscope.data.text.vectors import WordVectors
from neuroscope.explain.word_space import complete, flat_map, nearest, unit_rows
from neuroscope.judge.intervals import proportion_interval
from neuroscope.report.charts.word_map import word_map
from neuroscope.runs.artefact import SUFFIX
from neuroscope.runs.folder import is_run
from neuroscope.verbs._save import save
from neuroscope.verbs.load import load

SHOWN = 10  # neighbours of a word
_MAPPED = 80  # words of a map that nobody chose
_SKIPPED = 100  # of the most frequent words: of, the, and ... lie alike in every language
_LABEL = "answering the questions"


@dataclass(frozen=True)
class Asked:
    """What is asked of word vectors; files are names, "" or None where nothing is wanted."""

    near: tuple[str, ...] = ()
    analogies: tuple[tuple[str, str, str], ...] = ()  # a, b, c of "a is to b as c is to"
    questions: str | None = None  # a file of analogies with their answers
    map: str | None = None  # an SVG file to write
    out: str | None = None  # a file to write the vectors to
    count: int = SHOWN
    limit: int | None = None  # words of a file to read


def words(source: str, asked: Asked | None = None, *, monitor: Monitor = ignore) -> dict[str, Any]:
    """Return what word vectors say; `source` is a file of GloVe or word2vec, a model or a run.

    Raises InputError for a word that is not there, SourceError for a file that is no vectors,
    ModelError for a model without word vectors.
    """
    asked = asked or Asked()
    _check(asked)
    vectors = _vectors(source, asked.limit, monitor)
    unit = unit_rows(vectors.vectors)
    near = [_near(vectors, unit, word, asked.count) for word in asked.near]
    analogies = [_analogy(vectors, unit, three, asked.count) for three in asked.analogies]
    found: dict[str, Any] = {
        "source": source,
        "form": vectors.form,
        "words": len(vectors.words),
        "width": vectors.width,
        "first": list(vectors.words[:SHOWN]),
        "notes": list(vectors.notes),
        "near": near,
        "analogies": analogies,
    }
    if asked.questions:
        found["questions"] = judged(vectors, unit, read_questions(asked.questions), monitor)
    if asked.map:
        found["map"] = map_of(vectors, [*asked.near, *_flat(asked.analogies)], [*near, *analogies])
        drawing = word_map(found["map"], f"Words of {Path(source).name}", alone=True)
        save(asked.map, lambda file: _put(file, f"{drawing}\n"))
        found["map_file"] = asked.map
    if asked.out:
        save(asked.out, lambda file: _write(vectors, file, str(asked.out)))
        found["out"] = asked.out
    return found


def _check(asked: Asked) -> None:
    """Refuse what cannot be written before anything is read."""
    if asked.count < 1:
        raise InputError(f"{asked.count} neighbours are none", remedy="ask for 1 or more")
    if asked.map and Path(asked.map).suffix.lower() != ".svg":
        raise InputError(f"{asked.map!r} is no name of a map", remedy="end it in .svg")
    if asked.out and _ending(asked.out) not in files.ENDINGS:
        known = ", ".join(files.ENDINGS)
        raise InputError(f"{asked.out!r} names no known format",
                         remedy=f"end it in one of {known}, or these with .gz")  # fmt: skip


def _put(file: IO[bytes], text: str) -> None:
    file.write(text.encode())


def _ending(name: str) -> str:
    return Path(name.lower().removesuffix(".gz")).suffix


def _write(vectors: WordVectors, file: IO[bytes], name: str) -> None:
    if not name.lower().endswith(".gz"):
        files.write(vectors, file, _ending(name))
        return
    with gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as packed:
        files.write(vectors, packed, _ending(name))


def _vectors(source: str, limit: int | None, monitor: Monitor) -> WordVectors:
    """Read a file of vectors, or take those of a model."""
    place = Path(source)
    if place.is_file() and place.suffix != SUFFIX and not is_run(place):
        return files.read(place, limit=limit, monitor=monitor)
    if not place.exists() and (place.suffix or place.parent != Path()):
        files.read(place)  # says what is wrong with the name
    try:
        return _model(source).word_vectors
    except AttributeError:
        raise ModelError("this model has no word vectors", where=source,
                         remedy="name a file of GloVe or word2vec, or a run that learned "
                         "vectors of words") from None  # fmt: skip


def _model(source: str) -> Any:
    try:
        return load(source)
    except ModelError:
        raise
    except InputError as error:
        if Path(source).exists():
            raise
        raise InputError(
            "no file of word vectors, and no run of this name", where=source,
            remedy="check the name; neuroscope runs lists the runs",
        ) from error  # fmt: skip


def _near(vectors: WordVectors, unit: np.ndarray, word: str, count: int) -> dict[str, Any]:
    place = vectors.place(word)
    found, cosines = nearest(unit, unit[[place]], count, [[place]])
    return {"word": vectors.words[place], "nearest": _listed(vectors, found[0], cosines[0])}


def _analogy(
    vectors: WordVectors, unit: np.ndarray, three: tuple[str, str, str], count: int
) -> dict[str, Any]:
    places = [vectors.place(word) for word in three]
    found, cosines = complete(unit, np.array([places]), count)
    a, b, c = (vectors.words[place] for place in places)
    return {"a": a, "b": b, "c": c, "nearest": _listed(vectors, found[0], cosines[0])}


def _listed(vectors: WordVectors, found: np.ndarray, cosines: np.ndarray) -> list[dict[str, Any]]:
    return [
        {"word": vectors.words[place], "cosine": float(cosine)}
        for place, cosine in zip(found, cosines, strict=True)
    ]


def _flat(analogies: Sequence[tuple[str, str, str]]) -> list[str]:
    return [word for three in analogies for word in three]


def judged(
    vectors: WordVectors, unit: np.ndarray, questions: Sequence[Question], monitor: Monitor = ignore
) -> dict[str, Any]:
    """Return how many analogies the vectors answer rightly, for each category and in all.

    A question counts where all four of its words have a vector; `covered` says how many do. The
    intervals are Wilson's; questions that share words are not independent, so they are too narrow.
    """
    names = list(dict.fromkeys(question.category for question in questions))
    rows = []
    for done, name in enumerate(names):
        monitor(Progress(label=_LABEL, done=done, total=len(names)))
        own = [question.words for question in questions if question.category == name]
        places = [[vectors.find(word) for word in four] for four in own]
        known = np.array([four for four in places if None not in four], np.int64).reshape(-1, 4)
        answers, _ = complete(unit, known[:, :3]) if len(known) else (np.empty((0, 1)), None)
        right = int((answers[:, 0] == known[:, 3]).sum()) if len(known) else 0
        rows.append(_row(name, len(own), len(known), right))
    monitor(Progress(label=_LABEL, done=len(names), total=len(names)))
    kinds = {"meaning": [r for r in rows if not r["name"].startswith("gram")],
             "grammar": [r for r in rows if r["name"].startswith("gram")]}  # fmt: skip
    totals = [_total(kind, of) for kind, of in kinds.items() if all(kinds.values())]
    return {"categories": rows, "kinds": totals, "all": _total("all", rows),
            "folded": vectors.lower_case}  # fmt: skip


def _row(name: str, asked: int, covered: int, right: int) -> dict[str, Any]:
    low, high = proportion_interval(right, covered)
    return {"name": name, "questions": asked, "covered": covered, "right": right,
            "accuracy": right / covered if covered else None,
            "interval": [low, high] if covered else None}  # fmt: skip


def _total(name: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return _row(name, *(sum(row[key] for row in rows) for key in ("questions", "covered", "right")))


def map_of(
    vectors: WordVectors, asked: Sequence[str] = (), answers: Sequence[dict[str, Any]] = ()
) -> dict[str, Any]:
    """Return words and their places on a flat map: those asked for and the answers to them.

    Where nothing was asked, 80 words behind the 100 most frequent ones, which are particles and
    the like in most texts.
    """
    places = [vectors.place(word) for word in asked]
    drawn = [vectors.index[one["word"]] for answer in answers for one in answer["nearest"]]
    chosen = list(dict.fromkeys([*places, *drawn]))
    if not chosen:
        first = min(_SKIPPED, max(len(vectors.words) - _MAPPED, 0))
        chosen = list(range(first, min(first + _MAPPED, len(vectors.words))))
    flat = flat_map(vectors.vectors, np.array(chosen))
    return {
        "words": [vectors.words[place] for place in chosen],
        "places": flat.places.round(5).tolist(),
        "asked": [place in places for place in chosen],
        "shares": list(flat.shares),
    }
