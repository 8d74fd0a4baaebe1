"""Folders of texts: one file a text, one subfolder a class."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from neuroscope.base.errors import SourceError
from neuroscope.base.wording import counted
from neuroscope.data.images.column import IMAGE
from neuroscope.data.sources import _dialect, _files, _pictures, builtin, idx, image_folder
from neuroscope.data.sources._query import queried
from neuroscope.data.table import SetAside, Table

KIND = "a folder of texts (.txt, also .gz), one subfolder a class"
TEXT, FILE = "text", "file"
_LAYOUT = "put the texts into one subfolder a class, such as praise/1.txt and complaints/2.txt"


def accepts(source: Any) -> bool:
    """Tell whether `source` is a folder with a .txt file in it and no picture."""
    if not isinstance(source, str) or "\0" in source or not Path(source).is_dir():
        return False
    if builtin.accepts(source) or idx.accepts(source):
        return False
    names = list(_names(source))
    if any(map(_pictures.named_like_picture, names)) or not any(map(_is_text, names)):
        return False
    return not image_folder.accepts(source)


def read(source: str, *, sql: str | None = None) -> Table:
    """Read each .txt file as a row: `text`, `file`, `label` (its folder), perhaps `split`.

    Files are UTF-8, or UTF-16 with a mark; another encoding is guessed, and a note names the file
    and the byte. Files of other kinds and binary ones are set aside.
    """
    names, texts, aside, strange = [], [], list[SetAside](), list[str]()
    for name in sorted(_names(source)):
        if not _is_text(name):
            aside.append(SetAside(name, "is no .txt file"))
            continue
        try:
            text, note = _decoded(Path(source, name), name)
        except SourceError as error:
            aside.append(SetAside(name, error.what))
            continue
        names.append(name)
        texts.append(text)
        strange += [note] if note else []
    if not names:
        said = "; ".join(f"{one.name} {one.reason}" for one in aside[:3])
        raise SourceError(f"no text can be read: {said}", where=source, remedy=_LAYOUT)
    listed = _pictures.assembled(source, names, aside)
    arrow = listed.arrow.set_column(
        listed.names.index(IMAGE), TEXT, pa.array(texts, pa.large_string())
    ).append_column(FILE, pa.array(names, pa.string()))
    notes = (*listed.origin.notes, *_told(strange), *_left(aside))
    origin = type(listed.origin)(source, (source,), notes, set_aside=listed.origin.set_aside)
    return queried(Table(arrow, origin), sql)


def _is_text(name: str) -> bool:
    return name.lower().removesuffix(".gz").endswith(".txt")


def _names(source: str) -> Iterator[str]:
    """Yield the files below a folder as paths with "/"; links out of it are not followed."""
    root = Path(source).resolve()
    for folder, folders, files in os.walk(source):
        folders[:] = sorted(
            name for name in folders
            if not _pictures.is_untold(name) and not Path(folder, name).is_symlink()
        )  # fmt: skip
        for name in files:
            path = Path(folder, name)
            inside = not path.is_symlink() or path.resolve().is_relative_to(root)
            if inside and path.is_file() and not _pictures.is_untold(name):
                yield path.relative_to(source).as_posix()


def _decoded(path: Path, name: str) -> tuple[str, str]:
    """Return the text of a file, and a note where it is not UTF-8; SourceError for a binary one."""
    try:
        with _files.open_bytes(path) as file:
            raw = file.read()
    except PermissionError as error:
        raise SourceError("may not be read by you") from error
    except _files.DAMAGED as error:
        raise SourceError("is a damaged gzip file") from error
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16", "replace"), ""
    if b"\0" in raw[:4096]:
        raise SourceError("is no text: it holds bytes of 0")
    try:
        return raw.decode("utf-8-sig"), ""
    except UnicodeDecodeError as error:
        encoding = _dialect.legacy_encoding(bytes(sorted({byte for byte in raw if byte > 127})))
        where = f"{name}, byte {error.start:,} (0x{raw[error.start]:02x})"
        return raw.decode(encoding, "replace"), f"{where} is not UTF-8: read as {encoding}"


def _told(strange: list[str]) -> list[str]:
    if len(strange) <= 1:
        return strange
    return [f"{strange[0]}; so are {counted(len(strange) - 1, 'other file')}"]


def _left(aside: list[SetAside]) -> list[str]:
    if not aside:
        return []
    first = aside[0]
    return [f"{counted(len(aside), 'file')} not read: {first.name} {first.reason}"
            + (", ..." if len(aside) > 1 else "")]  # fmt: skip
