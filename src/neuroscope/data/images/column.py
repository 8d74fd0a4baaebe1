"""Which column holds pictures, and where the files lie that it names.

A picture column is either words, each the path of a file relative to the source's folder (or the
name of an entry of the source's zip archive), or arrays: Arrow's fixed_shape_tensor of uint8 with
the shape (height, width) or (height, width, channels).
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from neuroscope.data import _kinds
from neuroscope.data.table import Origin, Table

if TYPE_CHECKING:
    from neuroscope.data.schema import Schema

ENDINGS = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff")
)
HEAD_BYTES = 16
_LOOKED_AT = 20  # different words that are looked up as files
_MAGIC = (
    b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a",
    b"II*\0", b"MM\0*", b"II+\0", b"MM\0+",
)  # fmt: skip


def is_arrays(kind: pa.DataType) -> bool:
    """Tell whether an Arrow type holds pictures as arrays."""
    return (
        isinstance(kind, pa.FixedShapeTensorType)
        and kind.value_type == pa.uint8()
        and len(kind.shape) in (2, 3)
    )


def as_arrays(pictures: np.ndarray) -> pa.ExtensionArray:
    """Return uint8 pictures (n, h, w) or (n, h, w, c) as a column, without a copy."""
    return pa.FixedShapeTensorArray.from_numpy_ndarray(np.ascontiguousarray(pictures))


def root_of(origin: Origin) -> Path:
    """Return the folder, or the zip archive, that the paths of a picture column start from."""
    if not origin.files:
        return Path()
    first = Path(origin.files[0])
    whole = first.is_dir() or first.suffix.lower() == ".zip"
    return first if whole else first.parent


def owns_pictures(origin: Origin) -> bool:
    """Tell whether the pictures are the source itself, and not named by the rows of a table."""
    return bool(origin.files) and root_of(origin) == Path(origin.files[0])


def looks_like_picture(start: bytes) -> bool:
    """Tell by its first 16 bytes whether a file is a picture of a kind that is read."""
    webp = start[:4] == b"RIFF" and start[8:12] == b"WEBP"
    bitmap = start[:2] == b"BM" and start[6:10] == b"\0\0\0\0"
    return webp or bitmap or start.startswith(_MAGIC)


def starts_like_picture(path: Path) -> bool:
    """Tell whether a regular, readable file lies at `path` and starts like a picture."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116 - opening a pipe would wait
            return False
        with path.open("rb") as file:
            return looks_like_picture(file.read(HEAD_BYTES))
    except (OSError, ValueError):
        return False


def picture_reason(table: Table, name: str) -> str:
    """Return why the column `name` holds pictures, in plain words, or "" when it does not.

    Words are pictures when one of up to 20 of them is the path of a picture file that is there.
    """
    column = table.arrow.column(name)
    if is_arrays(column.type):
        shape = " x ".join(map(str, column.type.shape))
        return f"pictures of {shape} pixels"
    if not _kinds.is_words(column.type):
        return ""
    root, archive = root_of(table.origin), table.origin.files[:1]
    if archive and owns_pictures(table.origin):
        return "pictures, one file each" if name == IMAGE else ""
    words = [word for word in _spread(column) if _could_be_path(word)]
    found = [word for word in words if starts_like_picture(root / word)]
    return f"paths of pictures, such as {found[0]!r}" if found else ""


IMAGE, LABEL, SPLIT = "image", "label", "split"  # columns of sources that hold nothing but pictures


def named_like_pictures(column: pa.ChunkedArray) -> bool:
    """Tell whether most words end like the names of picture files."""
    words = _spread(column)
    return 2 * sum(Path(word).suffix.lower() in ENDINGS for word in words) > max(len(words), 1)


def _spread(column: pa.ChunkedArray) -> list[str]:
    """Return up to 20 words from all over the column."""
    places = np.unique(np.linspace(0, max(len(column) - 1, 0), _LOOKED_AT).astype(np.int64))
    if not len(column):
        return []
    values = column.take(pa.array(places)).to_pylist()
    return [value for value in dict.fromkeys(values) if value]


def _could_be_path(word: str) -> bool:
    return len(word) < 4096 and "\n" not in word and "\0" not in word and "://" not in word


def picture_column(table: Table, schema: Schema | None = None) -> str | None:
    """Return the name of the column that holds pictures, or None.

    With a `schema` it is its first feature of kind "image", else the first column found to be.
    """
    if schema is not None:
        return next((c.name for c in schema.features if c.kind == "image"), None)
    return next((name for name in table.names if picture_reason(table, name)), None)
