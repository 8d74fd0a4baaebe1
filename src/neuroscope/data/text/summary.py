"""What texts are like, for `look`: lengths, words, languages, examples of each class."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroscope.data.schema import Schema
from neuroscope.data.table import Table
from neuroscope.data.text.column import text_columns, texts
from neuroscope.data.text.languages import languages
from neuroscope.data.text.words import Words

_SAMPLE = 2000  # texts whose language is looked at
_SHOWN = 80  # characters of an example


def summary(table: Table, schema: Schema) -> dict[str, Any]:
    """Return lengths in words, the size of the vocabulary, languages and examples."""
    columns = text_columns(schema)
    found, _ = texts(table, columns)
    words = Words.of(found)
    seen = np.bincount(words.numbers, minlength=len(words.vocabulary))
    every = max(len(found) // _SAMPLE, 1)
    low, middle, high = np.quantile(words.lengths, (0, 0.5, 1)) if len(found) else (0, 0, 0)
    return {
        "columns": list(columns),
        "texts": len(found),
        "words": [int(low), int(middle), int(high)],
        "characters": int(sum(map(len, found))),
        "vocabulary": len(words.vocabulary),
        "once": int((seen == 1).sum()),
        "languages": languages(found[::every]),
        "examples": _examples(table, schema, found),
    }


def _examples(table: Table, schema: Schema, found: list[str]) -> list[dict[str, str]]:
    """Return the first text of each class."""
    if schema.target is None:
        return []
    shown: dict[str, str] = {}
    counts: dict[str, int] = {}
    for label, text in zip(table.arrow.column(schema.target.name).to_pylist(), found, strict=True):
        if label is not None:
            counts[str(label)] = counts.get(str(label), 0) + 1
            if text.strip():
                shown.setdefault(str(label), " ".join(text[: 4 * _SHOWN].split())[:_SHOWN])
    return [{"label": name, "count": str(counts[name]), "text": text}
            for name, text in sorted(shown.items())][:40]  # fmt: skip
