"""What is wrong with texts: empty ones, overlong ones, and those that say nearly the same."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neuroscope.base.wording import counted, percent
from neuroscope.data.audit.finding import Finding, Subject, examples
from neuroscope.data.text.alike import twins
from neuroscope.data.text.column import MOST_CHARACTERS, text_columns, texts, without_words
from neuroscope.data.text.words import Words

_MATTER = 0.01  # share of texts from which a finding is no mere remark
_MANY = 0.1  # share of empty texts from which a model is hardly one of texts
_MOST_COMPARED = 200_000  # texts that are looked through for near repeats


def check(subject: Subject) -> Iterator[Finding]:
    """Yield the findings about the texts of a table."""
    columns = text_columns(subject.schema)
    known = subject.table.arrow.select(list(columns))
    lengths = sum(_lengths(known.column(name)) for name in columns)
    assert isinstance(lengths, np.ndarray)
    found, _ = texts(subject.table, columns)
    blank = without_words(subject.table, columns)
    if blank.any():
        yield _empty(blank)
    if (lengths > MOST_CHARACTERS).any():
        yield _long(lengths > MOST_CHARACTERS)
    rows = subject.usable[:_MOST_COMPARED]
    twin = twins(Words.of(found[row] for row in rows))
    if (twin >= 0).any():
        yield from _alike(subject, rows, twin, [found[row] for row in rows])


def _lengths(column: object) -> np.ndarray:
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.compute as pc  # noqa: PLC0415

    words = column.cast(pa.large_string())  # type: ignore[attr-defined]
    return np.asarray(pc.fill_null(pc.call_function("utf8_length", [words]), 0).to_numpy())


def _empty(blank: np.ndarray) -> Finding:
    count, share = int(blank.sum()), blank.mean()
    severity = "serious" if share > _MANY else "notice" if share > _MATTER else "info"
    return Finding(
        code="empty-texts",
        severity=severity,
        count=count,
        rows=examples(blank),
        what=f"{counted(count, 'text')} without a word, {percent(share)}",
        meaning="of these a model can only say what is usual",
        remedy="fill them in, or leave these rows out",
    )


def _long(mask: np.ndarray) -> Finding:
    return Finding(
        code="long-texts",
        severity="notice",
        count=int(mask.sum()),
        rows=examples(mask),
        what=f"{counted(int(mask.sum()), 'text')} longer than {MOST_CHARACTERS:,} characters",
        meaning="what follows is not read",
        remedy="divide long texts into parts, one a row",
    )


def _alike(
    subject: Subject, rows: np.ndarray, twin: np.ndarray, found: list[str]
) -> Iterator[Finding]:
    has = twin >= 0
    same = np.array([
        has[i] and found[i].casefold().split() == found[twin[i]].casefold().split()
        for i in range(len(rows))
    ])  # fmt: skip
    near = has & ~same
    if near.any():
        yield Finding(
            code="near-duplicate-texts",
            severity="notice" if near.mean() > _MATTER else "info",
            count=int(near.sum()),
            rows=examples(rows[near]),
            what=f"{counted(int(near.sum()), 'text')} nearly the same as an earlier one,"
            f" {percent(near.mean())}",
            meaning="reports of the same event, templates, edited copies: they count double",
            remedy="keep one of each, or divide by what they share with --group",
        )
    if subject.split is None or subject.task_kind is None:
        return
    tested = np.isin(rows, subject.split.test)
    alike = np.arange(len(rows))  # the first of the texts that are nearly the same
    for place in np.flatnonzero(has):
        alike[place] = alike[twin[place]]
    trained = np.isin(rows, subject.split.development)
    across = tested & np.isin(alike, alike[trained])
    if across.any():
        share = across.sum() / max(int(tested.sum()), 1)
        yield Finding(
            code="near-duplicates-across-split",
            severity="serious" if share > 5 * _MATTER else "notice",
            count=int(across.sum()),
            rows=examples(rows[across]),
            what=f"{counted(int(across.sum()), 'text')} of the test with nearly the same text"
            " among those that train",
            meaning="the test is easier than new texts will be",
            remedy="keep one of each, or divide by what they share with --group",
        )
