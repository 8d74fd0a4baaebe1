"""Pictures in IDX files, as MNIST and its relatives are published; plain or gzip.

The format (LeCun, 1998): two zero bytes, a type (8 is uint8), the number of axes, each axis as a
big-endian 32-bit integer, then the values.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from neuroscope.base.errors import SourceError
from neuroscope.data.images.column import IMAGE, LABEL, SPLIT, as_arrays
from neuroscope.data.sources import _files
from neuroscope.data.sources._query import queried
from neuroscope.data.table import Origin, Table

KIND = "pictures in IDX files (train-images-idx3-ubyte, also .gz): one file, or their folder"
_NAME = re.compile(r"(?P<part>.*?)[-_.]?images?[-.]idx[34][-.]ubyte(\.gz)?$", re.IGNORECASE)
_PARTS = {"train": "train", "t10k": "test", "test": "test", "valid": "valid", "val": "valid"}
_MOST_VALUES = 1 << 36


def accepts(source: Any) -> bool:
    """Tell whether `source` is an IDX file of images, or a folder that holds some."""
    if not isinstance(source, str) or "\0" in source or "\n" in source:
        return False
    path = Path(source)
    return _NAME.search(path.name) is not None or bool(path.is_dir() and _images_in(path))


def read(source: str, *, sql: str | None = None) -> Table:
    """Read pictures and, from the files beside them, labels; several parts give `split`."""
    path = Path(source)
    files = _images_in(path) if path.is_dir() else _files.expand(source)
    pictures = [_idx(file, (3, 4)) for file in files]
    if len({part.shape[1:] for part in pictures}) > 1:
        raise SourceError("the parts have pictures of different sizes", where=source)
    beside = [_labels_beside(file) for file in files]
    used = [*files, *filter(None, beside)]
    labels = [
        np.full(len(images), None) if file is None else _labels(file, images, image_file)
        for file, images, image_file in zip(beside, pictures, files, strict=True)
    ]
    whole = pictures[0] if len(pictures) == 1 else np.concatenate(pictures)
    columns: dict[str, Any] = {IMAGE: as_arrays(whole)}
    if any(beside):
        columns[LABEL] = pa.array(np.concatenate(labels).tolist(), pa.int64())
    if len(files) > 1:
        parts = np.repeat([_part(file) for file in files], [len(part) for part in pictures])
        columns[SPLIT] = pa.array(parts.tolist()).dictionary_encode()
    notes = tuple(
        f"{image_file.name}: no file of labels beside it"
        for image_file, file in zip(files, beside, strict=True)
        if file is None
    )
    origin = Origin(source, tuple(map(str, used)), notes)
    return queried(Table(pa.table(columns), origin), sql)


def _images_in(folder: Path) -> list[Path]:
    """Return one file a part, the plain one where it lies there packed as well."""
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if _NAME.search(path.name) and path.is_file():
            found.setdefault(path.name.removesuffix(".gz"), path)
    return list(found.values())


def _part(path: Path) -> str:
    match = _NAME.search(path.name)
    part = match["part"].casefold() if match else ""
    if part not in _PARTS:
        raise SourceError(
            f"{part!r} is no part of a split", where=str(path), remedy=f"use {', '.join(_PARTS)}"
        )
    return _PARTS[part]


def _labels_beside(path: Path) -> Path | None:
    name = path.name.removesuffix(".gz")
    label = re.sub("image", "label", name, flags=re.IGNORECASE)
    label = re.sub(r"idx[34]", "idx1", label, flags=re.IGNORECASE)
    there = [path.with_name(label + ending) for ending in ("", ".gz")]
    return next((file for file in there if file.is_file()), None)


def _labels(path: Path, pictures: np.ndarray, image_file: Path) -> np.ndarray:
    labels = _idx(path, (1,))
    if len(labels) != len(pictures):
        raise SourceError(
            f"{len(labels):,} labels for the {len(pictures):,} pictures of {image_file.name}",
            where=str(path),
        )
    return labels


def _idx(path: Path, axes: tuple[int, ...]) -> np.ndarray:
    """Return the uint8 array of one file; SourceError when it is anything else."""
    remedy = "it may be cut short or damaged; copy or download it again"
    try:
        with _files.open_bytes(path) as file:
            start = file.read(4)
            if len(start) < 4 or start[:3] != b"\0\0\x08" or start[3] not in axes:
                what = "it does not start like IDX values of type uint8 and"
                raise SourceError(f"{what} {axes[0]} axes", where=str(path), remedy=remedy)
            shape = struct.unpack(f">{start[3]}I", file.read(4 * start[3]))
            count = int(np.prod(np.array(shape, dtype=object)))
            if not 0 < count < _MOST_VALUES:
                raise SourceError(f"it states the shape {shape}", where=str(path), remedy=remedy)
            data = bytearray()
            while block := file.read(min(1 << 24, count + 1 - len(data))):
                data += block
    except struct.error as error:
        raise SourceError("its header is cut short", where=str(path), remedy=remedy) from error
    except _files.DAMAGED as error:
        raise _files.damaged(path, error) from error
    except OSError as error:
        raise SourceError(f"cannot be opened: {error.strerror}", where=str(path)) from error
    if len(data) != count:
        there = "more" if len(data) > count else f"{len(data):,}"
        raise SourceError(
            f"it states {count:,} values and holds {there}", where=str(path), remedy=remedy
        )
    return np.frombuffer(data, np.uint8).reshape(shape)
