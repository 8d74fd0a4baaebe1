"""Folders of pictures: one subfolder a class, or just pictures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from neuroscope.base.errors import SourceError
from neuroscope.data.images.column import starts_like_picture
from neuroscope.data.sources import _pictures, builtin, idx
from neuroscope.data.sources._query import queried
from neuroscope.data.table import SetAside, Table

KIND = "a folder of pictures (JPEG, PNG, WebP, BMP, GIF, TIFF), one subfolder a class"


def accepts(source: Any) -> bool:
    """Tell whether `source` is a folder with a picture in it, by its name or its first bytes."""
    if not isinstance(source, str) or "\0" in source or not Path(source).is_dir():
        return False
    if builtin.accepts(source) or idx.accepts(source):
        return False
    names = list(_files(source, []))
    if _pictures.is_annotated(names):
        return False
    return any(map(_pictures.named_like_picture, names)) or any(
        starts_like_picture(Path(source, name)) for name in names
    )


def read(source: str, *, sql: str | None = None) -> Table:
    """List the pictures as rows: `image` (path in the folder), `label`, perhaps `split`.

    A file that does not start like a picture is set aside with the reason, as is a link that
    leads out of the folder; nothing else is read here (`images.sound` looks at each picture).
    """
    set_aside: list[SetAside] = []
    names = []
    for name in sorted(_files(source, set_aside)):
        if starts_like_picture(Path(source, name)):
            names.append(name)
        else:
            set_aside.append(SetAside(name, _why_not(Path(source, name))))
    return queried(_pictures.assembled(source, names, set_aside), sql)


def _files(source: str, set_aside: list[SetAside]) -> Iterator[str]:
    """Yield the files below a folder as paths with "/"; what cannot be followed is set aside."""
    root = Path(source).resolve()

    def refused(error: OSError) -> None:
        if Path(error.filename) == Path(source):
            raise SourceError(f"cannot be opened: {error.strerror}", where=source) from error
        set_aside.append(SetAside(_shown(error.filename, source), "may not be opened by you"))

    for folder, folders, files in os.walk(source, onerror=refused):
        kept = []
        for name in sorted(folders):
            if _pictures.is_untold(name):
                continue
            if Path(folder, name).is_symlink():
                path = _shown(Path(folder, name), source)
                set_aside.append(SetAside(path, "is a link to a folder, which is not followed"))
            else:
                kept.append(name)
        folders[:] = kept
        for name in files:
            path = Path(folder, name)
            if _pictures.is_untold(name):
                continue
            if path.is_symlink() and not path.resolve().is_relative_to(root):
                set_aside.append(SetAside(_shown(path, source), "is a link out of the folder"))
            else:
                yield _shown(path, source)


def _shown(path: str | Path, source: str) -> str:
    return Path(path).relative_to(source).as_posix()


def _why_not(path: Path) -> str:
    """Return why a file is no picture, as far as its name, size and rights tell."""
    try:
        if not path.is_file():
            return "is no regular file"
        if path.stat().st_size == 0:
            return "is empty (0 bytes)"
        with path.open("rb"):
            pass
    except PermissionError:
        return "may not be read by you"
    except OSError as error:
        return f"cannot be opened ({error.strerror})"
    return _pictures.no_picture(path.name)
