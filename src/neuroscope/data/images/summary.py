"""What a set of pictures is, as a JSON object for whoever shows it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from neuroscope.data import columns
from neuroscope.data.images.column import picture_column
from neuroscope.data.images.facts import facts
from neuroscope.data.images.pixels import channels_of, suggest_size
from neuroscope.data.images.store import Pictures
from neuroscope.data.schema import Schema
from neuroscope.data.table import Table

_EXAMPLES = 3  # pictures named of each class


def summary(table: Table, schema: Schema) -> dict[str, Any] | None:
    """Return counts, sizes, kinds, classes with examples and what is set aside; None without.

    "width" and "height" hold the smallest, the median and the largest in pixels; "size" is what
    is suggested for training, "channels" 1 for grey and 3 for colour.
    """
    column = picture_column(table, schema)
    if column is None:
        return None
    known = facts(table, column)
    sound = known.sound
    size = suggest_size(known)
    return {
        "column": column,
        "pictures": int(sound.sum()),
        "width": _spread(known.width[sound]),
        "height": _spread(known.height[sound]),
        "formats": dict(Counter(known.format[sound].tolist()).most_common()),
        "modes": dict(Counter(known.mode[sound].tolist()).most_common()),
        "channels": channels_of(known),
        "size": {"pixels": size.pixels, "reason": size.reason},
        "classes": _classes(table, schema, column, sound),
        "set_aside": [{"name": name, "reason": why} for name, why in table.origin.set_aside],
    }


def _spread(values: np.ndarray) -> list[int] | None:
    if not len(values):
        return None
    return [int(values.min()), int(np.median(values)), int(values.max())]


def _classes(table: Table, schema: Schema, column: str, sound: np.ndarray) -> list[dict[str, Any]]:
    """Return label, count and first pictures of each class; none for a target of numbers."""
    target = schema.target
    if target is None or target.distinct > table.rows / 2:
        return []
    codes, labels = columns.cells(table, target.name).categories()
    codes = np.where(sound, codes, -1)
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(len(labels) + 1))
    pictures = Pictures(table, column)
    found = []
    for i, label in enumerate(labels):
        rows = order[starts[i] : starts[i + 1]]
        names = [pictures.name(int(row)) for row in rows[:_EXAMPLES]]
        shown = [int(row) + 1 for row in rows[:_EXAMPLES]]
        found.append({"label": label, "count": len(rows), "rows": shown, "names": names})
    return sorted(found, key=lambda one: one["label"])
