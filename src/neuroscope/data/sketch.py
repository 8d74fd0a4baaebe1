"""A small memory of the rows a model was made from, to tell later whether it has seen a row.

Of each row one hash over features and target is taken; of many rows those hashes are kept that
are multiples of a number ("bottom-k" sampling by hash, Cohen 1997), so that the same rows of a
later table are looked at. Not covered: rows changed by a rounding, and later tables so small
that none of their rows is looked at.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from neuroscope.data._kinds import is_series
from neuroscope.data.columns import Cells, cells, list_bits, mixed
from neuroscope.data.schema import Schema
from neuroscope.data.table import Table

SEEN_ROWS = "seen_rows"  # what the sketch is called among the parts of a model
MOST = 4096  # hashes kept: 32 KB


@dataclass(frozen=True)
class Seen:
    """How many of the rows looked at are among those that are remembered."""

    seen: int
    looked_at: int
    rows: int
    usual: float  # share of the remembered rows that have a twin among themselves

    @property
    def share(self) -> float:
        """Share of the rows that were seen, as far as looked at."""
        return self.seen / self.looked_at if self.looked_at else 0.0


def sketch(table: Table, schema: Schema, rows: np.ndarray) -> dict[str, Any]:
    """Return a JSON object that remembers `rows` of a table by features and target."""
    hashes = _hashes(table, schema)[rows]
    distinct, counts = np.unique(hashes, return_counts=True)
    every = max(-(-len(distinct) // MOST), 1)
    kept = distinct[distinct % np.uint64(every) == 0]
    twins = float(counts[counts > 1].sum() / len(hashes)) if len(hashes) else 0.0
    packed = base64.b64encode(kept.astype("<u8").tobytes()).decode("ascii")
    return {"every": every, "twins": twins, "hashes": packed}


def recognise(table: Table, schema: Schema, record: Mapping[str, Any]) -> Seen | None:
    """Return how many rows of `table` (aligned to the schema) a sketch remembers.

    None where there is no sketch, it cannot be read, or the table lacks a column that it needs.
    """
    wanted = _names(schema)
    try:
        every, usual = int(record["every"]), float(record["twins"])
        known = np.frombuffer(base64.b64decode(record["hashes"], validate=True), "<u8")
    except (KeyError, TypeError, ValueError):
        return None
    if every < 1 or not set(wanted) <= set(table.names):
        return None
    hashes = _hashes(table, schema)
    looked_at = hashes[hashes % np.uint64(every) == 0]
    return Seen(int(np.isin(looked_at, known).sum()), len(looked_at), table.rows, usual)


def _names(schema: Schema) -> list[str]:
    names = [c.name for c in schema.features if c.kind != "identifier"]
    return names + ([schema.target.name] if schema.target else [])


def _hashes(table: Table, schema: Schema) -> np.ndarray:
    """Return one uint64 for each row that depends on the values alone, not on the table."""
    hashes = np.full(table.rows, 0x9E3779B97F4A7C15, dtype=np.uint64)
    pictures = {column.name for column in schema.features if column.kind == "image"}
    for name in _names(schema):
        found = _picture_bits(table, name) if name in pictures else _bits(cells(table, name))
        hashes = mixed(hashes ^ found)
    return hashes


def _picture_bits(table: Table, name: str) -> np.ndarray:
    """Return what each picture shows as a number: a file may have been renamed since."""
    from neuroscope.data.images.facts import facts  # noqa: PLC0415 - loads Pillow

    return facts(table, name).content.astype(np.int64).view(np.uint64)


def _bits(column: Cells) -> np.ndarray:
    kind = column.values.type
    if is_series(kind):
        return list_bits(column.values)
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        return _number_bits(column.numbers())
    if pa.types.is_temporal(kind):
        return _number_bits(column.moments())
    codes, labels = column.categories()
    return np.array([*map(_text_bits, labels), 0], dtype=np.uint64)[codes]


def _number_bits(values: np.ndarray) -> np.ndarray:
    values = values + 0.0  # -0.0 becomes 0.0
    values[np.isnan(values)] = np.nan  # one bit pattern for every NaN
    return values.view(np.uint64)


def _text_bits(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
