"""All pictures of a column as one array: decoded in parallel, resized, kept for the next time."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from neuroscope.base.errors import SourceError, StorageError
from neuroscope.base.events import Monitor, ignore
from neuroscope.data.images.column import IMAGE
from neuroscope.data.images.decode import Crop, UnreadableError, fit
from neuroscope.data.images.facts import Facts
from neuroscope.data.images.store import Pictures, in_parallel
from neuroscope.data.table import Table

_LABEL = "decoding the pictures"
_WAY = "1"  # changes when the same picture would be decoded to other pixels


class Size(NamedTuple):
    """A size that pictures are brought to, and why."""

    pixels: int  # along a side
    reason: str


class Pixels:
    """The pictures of one column of a table, as arrays of one size."""

    def __init__(self, table: Table, column: str = IMAGE, *, monitor: Monitor = ignore) -> None:
        self._table, self._column, self._monitor = table, column, monitor

    def at(
        self,
        size: int,
        channels: int,
        *,
        rows: np.ndarray | None = None,
        crop: Crop = "squash",
        cache: Path | None = None,
    ) -> np.ndarray:
        """Return (n, size, size, channels) uint8 of `rows` (numbers from 0; all if None).

        `channels` is 1 (grey) or 3 (red, green, blue). `crop` "squash" changes the proportions,
        "centre" takes the largest square in the middle. With a `cache` folder the array is a file
        there, mapped and not read: memory stays bounded, and the next time nothing is decoded.
        Arrays that have this size already are returned as they are, without a copy.
        Raises SourceError for a picture that cannot be decoded (see `check`), StorageError for a
        cache that cannot be written.
        """
        if channels not in (1, 3) or size < 1:
            raise ValueError(f"{size} pixels of {channels} channels: give 1 or 3 channels")
        with Pictures(self._table, self._column) as pictures:
            chosen = np.arange(pictures.rows) if rows is None else np.asarray(rows, np.int64)
            shape = (size, size, channels)
            if pictures.array is not None and pictures.array.shape[1:] == shape:
                return pictures.array if rows is None else pictures.array[chosen]
            blocks = self._blocks(pictures, chosen, shape, crop)
            whole = (len(chosen), *shape)
            if cache is None:
                return _in_memory(blocks, whole)
            place = Path(cache) / f"pixels-{_key(pictures, chosen, shape, crop)}.npy"
            if not place.exists():
                _write(place, blocks, whole)
            return _mapped(place, whole)

    def _blocks(
        self, pictures: Pictures, rows: np.ndarray, shape: tuple[int, int, int], crop: Crop
    ) -> Iterator[np.ndarray]:
        """Yield (b, size, size, channels) block after block."""
        size, _, channels = shape

        def one(row: int) -> np.ndarray:
            try:
                near = 2 * size  # room for the antialiasing after JPEG's own reduction
                image = pictures.image(row, near, "L" if channels == 1 else None)
            except UnreadableError as error:
                raise SourceError(
                    f"the picture {error}",
                    where=f"{self._table.origin.text}, {pictures.name(row)}",
                    remedy="mend or remove the file",
                ) from error
            return fit(image, size, channels, crop)

        for block in in_parallel(one, rows.tolist(), self._monitor, _LABEL):
            yield np.stack(block)


def _in_memory(blocks: Iterator[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    whole, start = np.empty(shape, np.uint8), 0
    for block in blocks:
        whole[start : start + len(block)] = block
        start += len(block)
    return whole


def _key(pictures: Pictures, rows: np.ndarray, shape: tuple[int, int, int], crop: Crop) -> str:
    """Return a hash over the files, their sizes and times of change, and what is asked for."""
    whole = hashlib.blake2b(f"{_WAY}\0{shape}\0{crop}\0".encode(), digest_size=16)
    if pictures.array is not None:
        whole.update(np.ascontiguousarray(pictures.array[rows]).data)
        return whole.hexdigest()
    whole.update(os.fsencode(os.path.abspath(pictures.root)))  # noqa: PTH100 - the text is a key
    for row in rows.tolist():
        with suppress(UnreadableError):  # told when it is decoded
            stamp = pictures.stamp(row)
            whole.update(f"\0{pictures.name(row)}\0{stamp}".encode("utf-8", "surrogateescape"))
    return whole.hexdigest()


def _write(place: Path, blocks: Iterator[np.ndarray], shape: tuple[int, ...]) -> None:
    """Write the array beside `place` and move it there when it is whole."""
    draft = place.with_suffix(f".part{os.getpid()}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file:
            _write_header(file, shape)
            for block in blocks:
                file.write(block.data)
        draft.replace(place)
    except OSError as error:
        remedy = "free some space, or choose another folder"
        raise StorageError(
            f"the decoded pictures cannot be kept: {error.strerror}",
            where=str(place.parent),
            remedy=remedy,
        ) from error
    finally:
        with suppress(OSError):
            draft.unlink()


def _write_header(file: BinaryIO, shape: tuple[int, ...]) -> None:
    about = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, about)


def _mapped(place: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Map the file copy-on-write: it may be written to like any array and stays as it is."""
    if 0 in shape:
        return np.empty(shape, np.uint8)
    return np.load(place, mmap_mode="c", allow_pickle=False)


def channels_of(known: Facts) -> int:
    """Return 1 when all readable pictures are grey, else 3."""
    return 3 if (known.channels[known.sound] == 3).any() else 1


def suggest_size(known: Facts, *, most: int = 96) -> Size:
    """Return a size (pixels along a side) that keeps what the pictures show, at most `most`.

    Half of the pictures have their shorter side at or above it; nothing is gained by enlarging.
    """
    shorter = np.minimum(known.width, known.height)[known.sound]
    if not len(shorter):
        return Size(most, "no picture can be read")
    longer = np.maximum(known.width, known.height)[known.sound]
    if longer.max() <= most and longer.max() == shorter.min():
        return Size(int(longer.max()), f"all pictures are {longer.max()} pixels wide and high")
    middle = int(np.median(shorter))
    if middle <= most:
        return Size(max(middle, 1), f"half of the pictures have a shorter side of {middle} or more")
    return Size(most, f"the pictures are larger ({middle} pixels, the median); {most} is quick")
