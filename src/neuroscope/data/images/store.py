"""Where the pictures of a column are fetched from: a folder, a zip archive, or arrays."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PIL import Image

from neuroscope.base.errors import SourceError
from neuroscope.base.events import Monitor, Progress
from neuroscope.base.settings import cores
from neuroscope.data.images.column import IMAGE, is_arrays, root_of
from neuroscope.data.images.decode import UnreadableError, decode, quiet_pillow
from neuroscope.data.table import Table

MOST_BYTES = 1 << 28  # of one file, unpacked; a quarter of a GiB
BLOCK = 256  # pictures worked on between two reports of progress

_Result = TypeVar("_Result")
Stamp = tuple[int, int]  # changes when the content of a file does


class Folder:
    """The files of a folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def stamp(self, name: str) -> Stamp:
        """Return size and time of change; UnreadableError for what is no file."""
        with _told():
            found = (self._root / name).stat()
        if not stat.S_ISREG(found.st_mode):
            raise UnreadableError(
                "is no file" if stat.S_ISDIR(found.st_mode) else "is no regular file"
            )
        _bounded(found.st_size)
        return found.st_size, found.st_mtime_ns

    def read(self, name: str) -> bytes:
        """Return the bytes of a regular file within bounds, else UnreadableError."""
        self.stamp(name)
        with _told():
            return (self._root / name).read_bytes()


class Archive:
    """The entries of a zip archive, unpacked one by one in memory."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def stamp(self, name: str) -> Stamp:
        """Return the unpacked size and the checksum; UnreadableError for what is no file."""
        try:
            entry = self._archive.getinfo(name)
        except KeyError as error:
            raise UnreadableError("is not in the archive") from error
        if entry.flag_bits & 1:
            raise UnreadableError("is encrypted")
        _bounded(entry.file_size)
        return entry.file_size, entry.CRC

    def read(self, name: str) -> bytes:
        """Return the unpacked bytes, never more than the archive's directory says."""
        size, _ = self.stamp(name)
        try:
            with self._archive.open(name) as file:
                data = file.read(size + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
            raise UnreadableError(f"cannot be unpacked ({error})") from error
        if len(data) != size:
            raise UnreadableError("does not unpack to the size that the archive states")
        return data


Store = Folder | Archive


def _bounded(size: int) -> None:
    if size == 0:
        raise UnreadableError("is empty (0 bytes)")
    if size > MOST_BYTES:
        raise UnreadableError(f"is refused: {size:,} bytes, more than {MOST_BYTES:,}")


@contextmanager
def _told() -> Iterator[None]:
    """Turn what the system says of a file into words."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UnreadableError("is not there") from error
    except PermissionError as error:
        raise UnreadableError("may not be read by you") from error
    except (OSError, ValueError) as error:
        raise UnreadableError(f"cannot be opened ({error})") from error


@contextmanager
def opened(root: Path) -> Iterator[Store]:
    """Open the folder or the zip archive `root`; SourceError for a damaged archive."""
    if root.suffix.lower() != ".zip" or root.is_dir():
        yield Folder(root)
        return
    with open_zip(root) as archive:
        yield Archive(archive)


def open_zip(path: Path) -> zipfile.ZipFile:
    """Open a zip archive; a damaged or missing one is a SourceError."""
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        remedy = "it may be cut short or damaged; copy or download it again"
        raise SourceError(
            f"cannot be read as a zip archive: {error}", where=str(path), remedy=remedy
        ) from error


class Pictures:
    """The pictures of one column by row number, from wherever they lie.

    Use it as a context; `image` may be called from several threads.
    """

    def __init__(self, table: Table, column: str = IMAGE) -> None:
        values = table.arrow.column(column)
        self.array = _array(values) if is_arrays(values.type) else None  # (n, h, w, c) uint8
        self.names: list[str | None] = [] if self.array is not None else values.to_pylist()
        self.rows = table.rows
        self.root = root_of(table.origin)
        self._open: Any = None
        self._store: Store | None = None

    def __enter__(self) -> Pictures:
        if self.array is None:
            self._open = opened(self.root)
            self._store = self._open.__enter__()
        return self

    def __exit__(self, *raised: Any) -> None:
        if self._open is not None:
            self._open.__exit__(*raised)
            self._open = self._store = None

    def name(self, row: int) -> str:
        """Return what a person calls the picture of a row (from 0): its file, or its row."""
        return (self.names[row] if self.array is None else None) or f"row {row + 1}"

    def stamp(self, row: int) -> Stamp:
        """Return what changes when the picture's file does; UnreadableError for no file."""
        return self._files().stamp(self._named(row))

    def data(self, row: int) -> bytes:
        """Return the bytes of the picture's file; UnreadableError when they cannot be had."""
        return self._files().read(self._named(row))

    def image(self, row: int, near: int | None = None, mode: str | None = None) -> Image.Image:
        """Return a picture in mode "L" or "RGB", as `decode`, or raise UnreadableError."""
        if self.array is None:
            return decode(self.data(row), near, mode)
        pixels = self.array[row]
        if pixels.shape[-1] == 4:
            white = Image.new("RGBA", (pixels.shape[1], pixels.shape[0]), "white")
            return Image.alpha_composite(white, Image.fromarray(pixels)).convert("RGB")
        return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)

    def _files(self) -> Store:
        assert self._store is not None, "use Pictures as a context"
        return self._store

    def _named(self, row: int) -> str:
        name = self.names[row]
        if not name:
            raise UnreadableError("has no picture: the cell is empty")
        return name


def _array(values: Any) -> np.ndarray:
    whole = values.chunk(0) if values.num_chunks == 1 else values.combine_chunks()
    array = whole.to_numpy_ndarray()
    return array[..., None] if array.ndim == 3 else array


def in_parallel(
    work: Callable[[int], _Result], rows: Sequence[int], monitor: Monitor, label: str
) -> Iterator[list[_Result]]:
    """Yield `work` of each row in order, a block of rows at a time, several threads at once."""
    with quiet_pillow(), ThreadPoolExecutor(cores()) as pool:
        for start in range(0, len(rows), BLOCK):
            yield list(pool.map(work, rows[start : start + BLOCK]))
            done = min(start + BLOCK, len(rows))
            monitor(Progress(label=label, done=done, total=len(rows)))
