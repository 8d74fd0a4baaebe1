"""A zip archive of pictures, read without unpacking it to disk."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path
from typing import Any

from neuroscope.base.errors import SourceError
from neuroscope.data.images.column import HEAD_BYTES, looks_like_picture
from neuroscope.data.sources import _pictures
from neuroscope.data.sources._query import queried
from neuroscope.data.table import SetAside, Table

KIND = "a zip archive of pictures (.zip), one folder a class"
MOST_BYTES = 1 << 28  # of one entry, unpacked; `images.store` refuses larger files as well
MOST_EXPANSION = 200  # times its packed size that a large entry may unpack to
_LARGE = 1 << 25  # bytes below which a well-packed entry does no harm


def accepts(source: Any) -> bool:
    """Tell whether `source` is a zip archive with an entry that is named like a picture.

    An archive that cannot be opened is accepted, for `read` to say what is wrong with it.
    """
    if not isinstance(source, str) or not source.lower().endswith(".zip"):
        return False
    if not Path(source).is_file():
        return False
    try:
        with zipfile.ZipFile(source) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return True
    pictures = any(map(_pictures.named_like_picture, names))
    return pictures and not _pictures.is_annotated(names)


def read(source: str, *, sql: str | None = None) -> Table:
    """List the pictures as rows: `image` (the entry's name), `label`, perhaps `split`.

    Nothing is unpacked to disk. Names that lead out of the archive and entries that are no
    pictures are set aside with the reason; a zip bomb is a SourceError that names the entry.
    """
    from neuroscope.data.images.store import open_zip  # noqa: PLC0415 - loads Pillow

    set_aside: list[SetAside] = []
    names: list[str] = []
    with open_zip(Path(source)) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        _refuse_bomb(entries, source)
        last = {entry.filename: entry for entry in entries}
        for entry in entries:
            if any(_pictures.is_untold(part) for part in entry.filename.split("/")):
                continue
            reason = "" if last[entry.filename] is entry else "stands twice in the archive"
            reason = reason or _why_not(archive, entry)
            if reason:
                set_aside.append(SetAside(entry.filename, reason))
            else:
                names.append(entry.filename)
    return queried(_pictures.assembled(source, sorted(names), set_aside), sql)


def _refuse_bomb(entries: list[zipfile.ZipInfo], source: str) -> None:
    """Raise SourceError for an entry, or a whole, that would unpack to an absurd size."""
    for entry in entries:
        packed = max(entry.compress_size, 1)
        absurd = entry.file_size > _LARGE and entry.file_size > MOST_EXPANSION * packed
        if absurd or entry.file_size > MOST_BYTES:
            raise _bomb(source, f"{entry.filename!r} would unpack", packed, entry.file_size)
    packed = Path(source).stat().st_size
    whole = sum(entry.file_size for entry in entries)
    if whole > _LARGE and whole > MOST_EXPANSION * packed:
        raise _bomb(source, "its entries would unpack", packed, whole)


def _bomb(source: str, what: str, packed: int, whole: int) -> SourceError:
    return SourceError(
        f"this is a zip bomb: {what} from {packed:,} to {whole:,} bytes",
        where=source,
        remedy="remove the entry, or unpack the archive by hand and give the folder",
    )


def _why_not(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> str:
    """Return why an entry is not listed as a picture, or ""."""
    name = entry.filename
    refused = (
        (_leads_out(name), "is refused: its name leads out of the archive"),
        (stat.S_ISLNK(entry.external_attr >> 16), "is a link, which is not followed"),
        (entry.flag_bits & 1, "is encrypted"),
        (entry.file_size == 0, "is empty (0 bytes)"),
    )
    for holds, reason in refused:
        if holds:
            return reason
    try:
        with archive.open(entry) as file:
            picture = looks_like_picture(file.read(HEAD_BYTES))
    except Exception as error:  # zipfile raises nearly anything on damaged entries
        return f"cannot be unpacked ({error})"
    return "" if picture else _pictures.no_picture(name)


def _leads_out(name: str) -> bool:
    return name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/")
