"""What a table with pictures needs of them row by row: which can be read, which are the same.

Pillow is loaded only when a table has pictures.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

import numpy as np
import pyarrow as pa

from neuroscope.base.errors import SourceError
from neuroscope.base.events import Monitor, ignore
from neuroscope.base.wording import counted, listed
from neuroscope.data import columns
from neuroscope.data.images.column import is_arrays, owns_pictures, picture_column
from neuroscope.data.schema import Schema
from neuroscope.data.table import SetAside, Table

_FORMATS = {
    ".jpg": "JPEG", ".jpeg": "JPEG", ".jpe": "JPEG", ".jfif": "JPEG", ".png": "PNG",
    ".webp": "WEBP", ".bmp": "BMP", ".dib": "BMP", ".gif": "GIF", ".tif": "TIFF", ".tiff": "TIFF",
}  # fmt: skip


def sound(table: Table, monitor: Monitor = ignore) -> Table:
    """Look at each picture file of `table`; list those that cannot be read in `set_aside`.

    Where the pictures are the source itself (a folder, an archive) their rows are left out; the
    rows of a table stay, so that row numbers keep their meaning. Raises SourceError when no
    picture is left.
    """
    column = picture_column(table)
    if column is None or is_arrays(table.arrow.column(column).type):
        return table
    from neuroscope.data.images.facts import facts  # noqa: PLC0415 - loads Pillow

    found = facts(table, column, monitor=monitor)
    names = table.arrow.column(column).to_pylist()
    whole = owns_pictures(table.origin)
    bad = [
        SetAside(names[row] if whole else f"row {row + 1}: {names[row] or ''}".rstrip(": "), reason)
        for row, reason in enumerate(found.problem.tolist())
        if reason
    ]
    if len(bad) == table.rows:
        what = f"no picture can be read ({table.rows:,} looked at): {bad[0].name} {bad[0].reason}"
        raise SourceError(what, where=table.origin.text)
    aside = (*table.origin.set_aside, *bad)
    notes = [*table.origin.notes, *_mislabelled(names, found.format.tolist())]
    notes += [_told(aside, whole)] if aside else []
    kept = table.arrow.filter(pa.array(found.sound)) if whole and bad else table.arrow
    return Table(kept, replace(table.origin, notes=tuple(notes), set_aside=aside))


def _told(aside: tuple[SetAside, ...], whole: bool) -> str:
    shown = "; ".join(f"{name} {reason}" for name, reason in aside[:3])
    more = f"; and {len(aside) - 3:,} more" if aside[3:] else ""
    noun = "file" if whole else "row without a usable picture"
    count = counted(len(aside), noun) if whole or len(aside) == 1 else (
        f"{len(aside):,} rows without a usable picture"
    )  # fmt: skip
    return f"set aside: {count}: {shown}{more}"


def _mislabelled(names: list[str | None], formats: list[str]) -> list[str]:
    """Return a note on files whose ending says another format than they have."""
    wrong = []
    for name, found in zip(names, formats, strict=True):
        said = _FORMATS.get(PurePosixPath(name or "").suffix.lower())
        if found and said and said != found.replace("MPO", "JPEG"):
            wrong.append(f"{name} is {found}")
    if not wrong:
        return []
    return [f"read by content, not by ending: {counted(len(wrong), 'file')}: {listed(wrong, 3)}"]


def unreadable_rows(table: Table, schema: Schema) -> np.ndarray:
    """Return the row numbers (from 0) whose picture cannot be read; none without pictures."""
    column = picture_column(table, schema)
    if column is None or is_arrays(table.arrow.column(column).type):
        return np.empty(0, np.int64)
    from neuroscope.data.images.facts import facts  # noqa: PLC0415 - loads Pillow

    return np.flatnonzero(~facts(table, column).sound)


def feature_hashes(table: Table, schema: Schema) -> np.ndarray:
    """Return one uint64 for each row: equal where all features are, pictures by their pixels."""
    features = [c for c in schema.features if c.kind != "identifier"]
    hashes = columns.row_hashes(table, [c.name for c in features if c.kind != "image"])
    for column in features:
        if column.kind == "image":
            from neuroscope.data.images.duplicates import twins  # noqa: PLC0415 - loads Pillow

            hashes = columns.mixed(hashes ^ twins(table, column.name).view(np.uint64))
    return hashes


def contents(table: Table, column: str) -> np.ndarray:
    """Return (n,) int64 hashes of the files, or of the arrays, of a picture column."""
    if is_arrays(table.arrow.column(column).type):
        from neuroscope.data.images.duplicates import twins  # noqa: PLC0415 - loads Pillow

        return twins(table, column)
    from neuroscope.data.images.facts import facts  # noqa: PLC0415 - loads Pillow

    return facts(table, column).content.astype(np.int64)
