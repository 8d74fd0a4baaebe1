"""Files in folders as a table: the picture, its class by its folder, its part of the split."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

import pyarrow as pa

from neuroscope.base.errors import SourceError
from neuroscope.data.images.column import ENDINGS, IMAGE, LABEL, SPLIT
from neuroscope.data.schema import SPLIT_WORDS
from neuroscope.data.table import Origin, SetAside, Table

LAYOUT = "put the pictures into one subfolder a class, such as cats/1.jpg and dogs/2.jpg"
_UNTOLD = frozenset(("thumbs.db", "desktop.ini", "ehthumbs.db", "__macosx"))
_ANNOTATED = frozenset(("masks", "annotations", "jpegimages", "segmentationclass"))


def is_untold(part: str) -> bool:
    """Tell whether a file or folder is the system's own, and not worth a word."""
    hidden = part.startswith(".") and part != ".."
    return hidden or part.casefold() in _UNTOLD


def named_like_picture(name: str) -> bool:
    """Tell by its ending whether a file is meant as a picture."""
    return PurePosixPath(name).suffix.lower() in ENDINGS


def no_picture(name: str) -> str:
    """Return the reason why a file without the first bytes of a picture is set aside."""
    ending = PurePosixPath(name).suffix
    return "is no picture" + (f", though it ends in {ending}" if named_like_picture(name) else "")


def is_annotated(names: Iterable[str]) -> bool:
    """Tell whether pictures lie beside masks or annotations: not one subfolder a class."""
    return any(part.casefold() in _ANNOTATED for name in names for part in name.split("/")[:-1])


def assembled(source: str, names: Sequence[str], set_aside: Sequence[SetAside]) -> Table:
    """Return the table of the pictures `names` (paths with "/", relative to `source`).

    The class of a picture is its first folder; when all first folders are called train, valid
    or test, they are its part and the second folder is its class. A folder around everything is
    looked through. Without any folder there is no column of classes.
    Raises SourceError when there is no picture.
    """
    if not names:
        said = "; ".join(f"{name} {reason}" for name, reason in set_aside[:3])
        raise SourceError(
            "no picture can be read" + (f": {said}" if said else ""), where=source, remedy=LAYOUT
        )
    folders = [name.split("/")[:-1] for name in names]
    notes = []
    if around := _around(folders):
        folders = [parts[len(around) :] for parts in folders]
        notes.append(f"looked into the folder {'/'.join(around)!r}")
    columns: dict[str, pa.Array] = {IMAGE: pa.array(names, pa.string())}
    firsts = {parts[0] for parts in folders if parts}
    in_parts = bool(firsts) and all(folders) and {f.casefold() for f in firsts} <= SPLIT_WORDS
    in_parts = in_parts and (len(firsts) > 1 or any(len(parts) > 1 for parts in folders))
    labels = [parts[in_parts] if len(parts) > in_parts else None for parts in folders]
    if any(labels):
        columns[LABEL] = _coded(labels)
    if in_parts:
        columns[SPLIT] = _coded([parts[0] for parts in folders])
    listed = tuple(sorted(set_aside))
    return Table(pa.table(columns), Origin(source, (source,), tuple(notes), set_aside=listed))


def _around(folders: list[list[str]]) -> list[str]:
    """Return the folders that everything lies in, when the classes or parts are below them."""
    shared = list(os.path.commonprefix(folders))  # noqa: RUF071 - of lists it compares whole parts
    parted = next((i for i, part in enumerate(shared) if part.casefold() in SPLIT_WORDS), None)
    if parted is not None:
        return shared[:parted]
    below = {parts[len(shared)] for parts in folders if len(parts) > len(shared)}
    return shared if len(below) > 1 else []


def _coded(words: list[str | None]) -> pa.DictionaryArray:
    return pa.array(words, pa.string()).dictionary_encode()
