"""What each picture is: its size, its kind, whether it can be read, and a small grey likeness.

Every file is decoded once, at a fraction of its size where its format allows; what was found is
remembered by file, size and time of change, within the process and, when it took longer than a
second, in the cache folder.
"""

from __future__ import annotations

import hashlib
import os
import time
import weakref
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from PIL import Image

from neuroscope.base.events import Monitor, ignore
from neuroscope.base.settings import cache_folder
from neuroscope.data.images.column import IMAGE, is_arrays
from neuroscope.data.images.decode import (
    UnreadableError,
    channels_shown,
    header,
    loaded,
)
from neuroscope.data.images.store import Pictures, Stamp, in_parallel
from neuroscope.data.table import Table

LIKENESS = 16  # pixels along a side of the grey likeness
_WORTH_KEEPING = 1.0  # seconds of looking from which what was found is written down
_MOST_KEPT = 32  # sets of pictures in the cache folder


class Fact(NamedTuple):
    """What is known of one picture; `problem` is "" when it can be read."""

    width: int  # pixels, upright
    height: int
    mode: str  # as Pillow names it: "L", "RGB", "P", "I;16" …
    format: str  # "JPEG", "PNG" …, "array"
    channels: int  # 1 when it shows grey only, else 3
    spread: int  # brightest less darkest pixel of the likeness's source, 0 … 255
    content: int  # 63 bits of a hash of the file's bytes, or of the array's
    likeness: bytes  # (16, 16) uint8 grey
    problem: str = ""


@dataclass(frozen=True)
class Facts:
    """The facts of all rows, as arrays (n,)."""

    width: np.ndarray
    height: np.ndarray
    mode: np.ndarray
    format: np.ndarray
    channels: np.ndarray
    spread: np.ndarray
    content: np.ndarray
    likeness: np.ndarray  # (n, 256) uint8
    problem: np.ndarray

    @property
    def sound(self) -> np.ndarray:
        """Which pictures can be read (n,)."""
        return self.problem == ""


_LABEL = "looking at the pictures"
_arrays: dict[int, dict[str, Facts]] = {}  # by the identity of the Arrow table, then by column
_known: dict[str, dict[tuple[str, Stamp], Fact]] = {}  # by root


def facts(table: Table, column: str = IMAGE, *, monitor: Monitor = ignore) -> Facts:
    """Return what each picture of `column` is; unreadable ones say why under `problem`."""
    if is_arrays(table.arrow.column(column).type):
        return _facts_of_arrays(table, column, monitor)
    rows = range(table.rows)
    with Pictures(table, column) as pictures:
        where = os.path.abspath(pictures.root)  # noqa: PTH100 - the text is a key
        known = _known.setdefault(where, {}) or _kept(where)
        _known[where] = known
        began, fresh, told = time.monotonic(), 0, []
        looked = in_parallel(lambda row: _of_file(pictures, row, known), rows, monitor, _LABEL)
        for block in looked:
            for key, fact in block:
                told.append(fact)
                if key is not None and key not in known and not fact.problem:
                    known[key] = fact
                    fresh += 1
        if fresh and time.monotonic() - began > _WORTH_KEEPING:
            _keep(where, known)
    return _columns(told)


def _facts_of_arrays(table: Table, column: str, monitor: Monitor) -> Facts:
    """Arrays do not change: what was found is kept as long as their table."""
    key = id(table.arrow)
    if key not in _arrays:
        _arrays[key] = {}
        weakref.finalize(table.arrow, _arrays.pop, key, None)
    known = _arrays[key]
    if column not in known:
        pictures = Pictures(table, column)
        rows = range(table.rows)
        found = in_parallel(lambda row: _of_array(pictures, row), rows, monitor, _LABEL)
        known[column] = _columns([fact for block in found for fact in block])
    return known[column]


def check(
    table: Table, column: str = IMAGE, *, monitor: Monitor = ignore
) -> list[tuple[int, str, str]]:
    """Return (row from 0, name, reason) of each picture that cannot be used."""
    problems = facts(table, column, monitor=monitor).problem
    with Pictures(table, column) as pictures:
        bad = np.flatnonzero(problems != "").tolist()
        return [(row, pictures.name(row), str(problems[row])) for row in bad]


def look_at(data: bytes) -> Fact:
    """Return the facts of one file; UnreadableError when it cannot be decoded."""
    image = header(data)
    (width, height), mode, kind = image.size, image.mode, image.format or ""
    image, turn = loaded(image, 4 * LIKENESS)
    size = (height, width) if turn >= 5 else (width, height)
    return _fact(image, size, mode, kind, data)


def _fact(
    image: Image.Image, size: tuple[int, int], mode: str, kind: str, data: bytes | memoryview
) -> Fact:
    low, high = _extremes(image)
    grey = image if image.mode == "L" else image.convert("L")
    small = grey.resize((LIKENESS, LIKENESS), Image.Resampling.BILINEAR)
    digest = hashlib.blake2b(data, digest_size=8).digest()
    return Fact(
        *size, mode, kind, channels_shown(image), high - low,
        int.from_bytes(digest, "little") >> 1, small.tobytes(),
    )  # fmt: skip


def _extremes(image: Image.Image) -> tuple[int, int]:
    bands = image.getextrema()
    pairs = [bands] if image.mode == "L" else list(bands)
    return max(pairs, key=lambda pair: pair[1] - pair[0])  # type: ignore[return-value, operator, index]


def _of_array(pictures: Pictures, row: int) -> Fact:
    assert pictures.array is not None
    image, pixels = pictures.image(row), pictures.array[row]
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[pixels.shape[-1]]
    return _fact(image, image.size, mode, "array", np.ascontiguousarray(pixels).data.cast("B"))


def _of_file(
    pictures: Pictures, row: int, known: dict[tuple[str, Stamp], Fact]
) -> tuple[tuple[str, Stamp] | None, Fact]:
    """Return the fact of a row and the key to remember it by; None when it has no file."""
    key = None
    try:
        key = (pictures.name(row), pictures.stamp(row))
        fact = known.get(key)
        return key, fact if fact is not None else look_at(pictures.data(row))
    except UnreadableError as error:
        return key, Fact(0, 0, "", "", 0, 0, 0, bytes(LIKENESS * LIKENESS), str(error))


def _columns(found: list[Fact]) -> Facts:
    likeness = np.frombuffer(b"".join(fact.likeness for fact in found), np.uint8)
    return Facts(
        width=np.array([fact.width for fact in found], np.int32),
        height=np.array([fact.height for fact in found], np.int32),
        mode=np.array([fact.mode for fact in found], np.str_),
        format=np.array([fact.format for fact in found], np.str_),
        channels=np.array([fact.channels for fact in found], np.int8),
        spread=np.array([fact.spread for fact in found], np.int16),
        content=np.array([fact.content for fact in found], np.int64),
        likeness=likeness.reshape(len(found), LIKENESS * LIKENESS),
        problem=np.array([fact.problem for fact in found], np.str_),
    )


def _place(where: str) -> Path:
    name = hashlib.blake2b(where.encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()
    return cache_folder() / "pictures" / f"{name}.arrow"


_SCHEMA = pa.schema(
    [("name", pa.string()), ("size", pa.int64()), ("stamp", pa.int64()), ("width", pa.int32()),
     ("height", pa.int32()), ("mode", pa.string()), ("format", pa.string()),
     ("channels", pa.int8()), ("spread", pa.int16()), ("content", pa.int64()),
     ("likeness", pa.binary(LIKENESS * LIKENESS))]
)  # fmt: skip


def _kept(where: str) -> dict[tuple[str, Stamp], Fact]:
    """Return what an earlier process wrote down; a file that cannot be read counts as none."""
    with suppress(OSError, pa.ArrowException), pa.memory_map(str(_place(where))) as file:
        table = pa.ipc.open_file(file).read_all()
        if table.schema == _SCHEMA:
            columns = [column.to_pylist() for column in table.columns]
            return {
                (name, (size, stamp)): Fact(*rest)
                for name, size, stamp, *rest in zip(*columns, strict=True)
            }
    return {}


def _keep(where: str, known: dict[tuple[str, Stamp], Fact]) -> None:
    """Write down what is known of one set; a full or read-only disk costs time only."""
    place = _place(where)
    draft = place.with_suffix(f".{os.getpid()}")
    rows: Iterator[tuple] = ((key[0], *key[1], *fact[:-1]) for key, fact in known.items())
    columns = [pa.array(values, field.type) for values, field in
               zip(zip(*rows, strict=True), _SCHEMA, strict=True)]  # fmt: skip
    with suppress(OSError, pa.ArrowException):
        place.parent.mkdir(parents=True, exist_ok=True)
        with pa.OSFile(str(draft), "wb") as file, pa.ipc.new_file(file, _SCHEMA) as writer:
            writer.write_table(pa.table(columns, schema=_SCHEMA))
        draft.replace(place)
        older = sorted(place.parent.glob("*.arrow"), key=lambda path: -path.stat().st_mtime)
        for path in older[_MOST_KEPT:]:
            path.unlink()
