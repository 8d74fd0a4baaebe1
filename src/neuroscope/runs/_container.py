"""The two shapes of an artefact, a folder and a zip, as name -> bytes; neither is ever extracted.

A file from outside is hostile until shown otherwise: names are plain file names, links and special
files are refused, and what would unpack to far more than it is on disk is not unpacked.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from neuroscope.base.errors import InputError, ModelError
from neuroscope.runs.disk import beside, storing, sync_folder, write_atomic

MAX_BYTES = 16 * 2**30  # of one artefact, unpacked
MAX_RATIO = 200  # unpacked to packed; weights do not shrink, JSON about twentyfold
_RATIO_FLOOR = 2**20  # bytes below which any ratio is harmless
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9]+)+")
_ENCRYPTED_OR_PATCHED = 0x61
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, RuntimeError, OverflowError,
)  # fmt: skip
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same content gives the same zip, whenever it is written

Read = Callable[[str], bytes]  # file name -> content; a missing file is a ModelError


def is_plain(name: str) -> bool:
    """Say whether `name` is a file name and nothing else: no folder, drive, dots or blanks."""
    return len(name) <= 255 and _PLAIN_NAME.fullmatch(name) is not None


class MissingPart(ModelError):  # noqa: N818 - reads as what is wrong
    """A part that the card lists is not there."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the part {name!r} is missing", remedy="copy the whole model again")


# ------------------------------------------------------------------------------ writing


def write_zip(path: Path, files: Mapping[str, bytes]) -> None:
    """Write the files as one zip, in one step."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, date_time=_EPOCH)
            entry.external_attr = 0o644 << 16
            is_text = name.endswith(".json")
            entry.compress_type = zipfile.ZIP_DEFLATED if is_text else zipfile.ZIP_STORED
            archive.writestr(entry, data)
    write_atomic(path, buffer.getvalue())


def write_folder(path: Path, files: Mapping[str, bytes]) -> None:
    """Write the files as a folder: drafted beside it, then put in its place by renaming."""
    draft = beside(path)
    with storing(path):
        _refuse_foreign(path)
        try:
            draft.mkdir()
            for name, data in files.items():
                write_atomic(draft / name, data)
            _swap(draft, path)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def _swap(draft: Path, path: Path) -> None:
    """Put `draft` in the place of `path`, whose previous content is then deleted."""
    previous = beside(path)
    if path.exists():
        path.rename(previous)
    try:
        draft.rename(path)
    except OSError:
        previous.rename(path)
        raise
    sync_folder(path.parent)
    shutil.rmtree(previous, ignore_errors=True)


def _refuse_foreign(path: Path) -> None:
    """Refuse to replace a folder that holds anything but a model's files."""
    entries = [entry.name for entry in path.iterdir()] if path.exists() else []
    foreign = [name for name in entries if not name.endswith((".json", ".safetensors"))]
    if foreign or (entries and "card.json" not in entries):
        raise InputError(
            f"this folder holds other things than a model ({(foreign or entries)[0]!r})",
            where=str(path),
            remedy="name a new folder, or a file ending in .neuroscope",
        )


# ------------------------------------------------------------------------------ reading


@contextmanager
def reader(path: Path) -> Iterator[Read]:
    """Open the artefact at `path` and yield how to read one of its files by name."""
    if path.is_dir():
        yield _folder_reader(path)
        return
    try:
        with path.open("rb") as file:
            if file.read(4) != b"PK\x03\x04":
                raise ModelError("not a Neuroscope model")
            with zipfile.ZipFile(file) as archive:
                yield _zip_reader(archive, os.fstat(file.fileno()).st_size)
    except _DAMAGE as error:
        raise ModelError(
            "the file is cut or damaged", remedy="copy or download it again"
        ) from error


def _folder_reader(folder: Path) -> Read:
    budget = [MAX_BYTES]

    def read(name: str) -> bytes:
        path = folder / name
        try:
            found = path.lstat()
        except FileNotFoundError:
            raise MissingPart(name) from None
        if not stat.S_ISREG(found.st_mode):
            raise ModelError(f"{name!r} is a link or no plain file; refused")
        budget[0] -= found.st_size
        if budget[0] < 0:
            raise ModelError(f"more than {MAX_BYTES:,} bytes; refused")
        return path.read_bytes()

    return read


def _zip_reader(archive: zipfile.ZipFile, size: int) -> Read:
    entries = archive.infolist()
    _refuse_hostile(entries, size)
    by_name = {entry.filename: entry for entry in entries}

    def read(name: str) -> bytes:
        if name not in by_name:
            raise MissingPart(name)
        return archive.read(by_name[name])  # stops at the size that was checked; verifies the CRC

    return read


def _refuse_hostile(entries: list[zipfile.ZipInfo], size: int) -> None:
    """Refuse what no artefact of ours holds; `size` is that of the zip on disk, in bytes."""
    seen: set[str] = set()
    for entry in entries:
        name = entry.filename
        if not is_plain(name):
            raise ModelError(f"holds a file with the unsafe name {name!r}; refused")
        if name in seen:
            raise ModelError(f"holds {name!r} twice; refused")
        seen.add(name)
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise ModelError(f"{name!r} is a link; refused")
        if entry.flag_bits & _ENCRYPTED_OR_PATCHED or entry.compress_type not in (
            0,
            zipfile.ZIP_DEFLATED,
        ):
            raise ModelError(f"{name!r} is encrypted or packed in an unknown way; refused")
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > MAX_BYTES or (unpacked > _RATIO_FLOOR and unpacked > MAX_RATIO * size):
        raise ModelError(f"{size:,} bytes that unpack to {unpacked:,}; refused as a zip bomb")
