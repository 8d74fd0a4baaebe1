"""Find files by name or glob, look at their first bytes, and refuse what is no table."""

from __future__ import annotations

import codecs
import glob
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from neuroscope.base.errors import SchemaError, SourceError, did_you_mean

HEAD_BYTES = 1 << 18
GZIP_MAGIC = b"\x1f\x8b"
DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error)
_TABLES = (".csv", ".tsv", ".tab", ".parquet", ".json", ".jsonl", ".ndjson", ".npz", ".db", ".zip")
FOREIGN = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook (.xlsx)", "save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Office file (.xls)", "save the sheet as CSV"),
    (b"%PDF", "a PDF document", "export the table as CSV"),
    (b"PAR1", "a Parquet file", "rename it to end in .parquet"),
    (b"SQLite format 3\0", "an SQLite database", "rename it to end in .db"),
    (b"\x89PNG", "a picture (PNG)", "give a table"),
    (b"\xff\xd8\xff", "a picture (JPEG)", "give a table"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "unpack it, or use gzip"),
    (b"BZh", "compressed with bzip2", "unpack it, or use gzip"),
    (b"\xfd7zXZ", "compressed with xz", "unpack it, or use gzip"),
)


def ending(source: object) -> str:
    """Return the ending that says the kind, without ".gz": ".csv" for "a.CSV.gz"."""
    if not isinstance(source, str) or "\n" in source:
        return ""
    return Path(source.lower().removesuffix(".gz")).suffix


def is_glob(source: str) -> bool:
    """Tell whether `source` is a pattern and not the name of an existing file."""
    return glob.has_magic(source) and not Path(source).exists()


def is_pair(source: str) -> bool:
    """Tell whether `source` names two text files, with a comma between, whose lines go together.

    At least one of them is there, or both end in .txt; tables, queries and single files are none.
    """
    parts = [part.strip() for part in source.split(",")]
    if len(parts) != 2 or not all(parts) or "\n" in source or "://" in source:
        return False
    if any(ending(part) in _TABLES for part in parts) or Path(source).exists():
        return False
    there = any(Path(part).is_file() for part in parts)
    return there or all(ending(part) == ".txt" for part in parts)


def expand(source: str) -> list[Path]:
    """Return the readable, non-empty files that `source` names, sorted; SourceError if none."""
    if not is_glob(source):
        return [_checked(Path(source))]
    paths = sorted(Path(name) for name in glob.glob(source, recursive=True))  # noqa: PTH207
    if not paths:
        raise SourceError("no file matches this pattern", where=source)
    return [_checked(path) for path in paths]


def _checked(path: Path) -> Path:
    if path.is_dir():
        raise SourceError("is a folder, not a file", where=str(path), remedy="name its files")
    try:
        with path.open("rb") as file:
            first = file.read(1)
    except FileNotFoundError as error:
        raise SourceError("no such file", where=str(path), remedy=_nearest(path)) from error
    except PermissionError as error:
        remedy = "ask for the right to read it"
        raise SourceError("this file may not be read by you", where=str(path), remedy=remedy) from (
            error
        )
    except OSError as error:
        raise SourceError(f"cannot be opened: {error.strerror}", where=str(path)) from error
    if not first:
        raise SourceError("the file is empty", where=str(path))
    return path


def _nearest(path: Path) -> str:
    if not path.parent.is_dir():
        return f"there is no folder {str(path.parent)!r}"
    names = {entry.name: str(path.parent / entry.name) for entry in path.parent.iterdir()}
    hint = did_you_mean(path.name, sorted(names))
    return hint or "check the name"


def is_gzip(path: Path) -> bool:
    """Tell by its first bytes whether a file is compressed with gzip."""
    with path.open("rb") as file:
        return file.read(2) == GZIP_MAGIC


def open_bytes(path: Path) -> gzip.GzipFile | BinaryIO:
    """Open a file for reading its bytes, unpacked when it is gzip."""
    return gzip.open(path, "rb") if is_gzip(path) else path.open("rb")


def head(path: Path) -> bytes:
    """Return the first bytes of the (unpacked) file; a damaged gzip is a SourceError."""
    try:
        with open_bytes(path) as file:
            return file.read(HEAD_BYTES)
    except DAMAGED as error:
        raise damaged(path, error) from error


def damaged(path: Path, error: Exception) -> SourceError:
    """Build the error for a gzip file that ends early or was altered."""
    what = "cut short" if isinstance(error, EOFError) else f"damaged ({error})"
    return SourceError(
        f"the gzip file is {what}", where=str(path), remedy="copy or download it again"
    )


def chunks(path: Path) -> Iterator[bytes]:
    """Yield the unpacked bytes of a file in bounded pieces."""
    try:
        with open_bytes(path) as file:
            while block := file.read(1 << 20):
                yield block
    except DAMAGED as error:
        raise damaged(path, error) from error


def refuse_other_encoding(path: Path) -> None:
    """Raise SourceError where the (unpacked) file is no UTF-8, with the first byte that is none."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    done = lines = 0
    for block in chunks(path):
        try:
            decoder.decode(block)
        except UnicodeDecodeError as error:
            at = done + len(block) - len(error.object) + error.start
            line = lines + error.object.count(b"\n", 0, error.start) + 1
            byte = error.object[error.start]
            was = "utf-16" if at == 0 and byte in (0xFE, 0xFF) else "latin1"
            raise SourceError(
                f"not UTF-8: byte {byte:#04x} at offset {at:,}, line {line:,}", where=str(path),
                remedy=f"save the file as UTF-8, e.g. with: iconv -f {was} -t utf-8",
            ) from error  # fmt: skip
        done, lines = done + len(block), lines + block.count(b"\n")


def refuse_foreign(start: bytes, path: Path) -> None:
    """Raise SourceError when a text file is another thing renamed: Excel, HTML, a picture."""
    for magic, what, remedy in FOREIGN:
        if start.startswith(magic):
            raise SourceError(f"this is {what}, not a text table", where=str(path), remedy=remedy)
    opening = start[:512].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if opening.startswith((b"<!doctype html", b"<html")):
        raise SourceError(
            "this is a web page (HTML), not a text table",
            where=str(path),
            remedy="the download probably failed or needs a login; fetch the file again",
        )
    if opening.startswith(b"<?xml"):
        raise SourceError("this is XML, not a text table", where=str(path), remedy="export as CSV")


def refuse_json(start: bytes, path: Path) -> None:
    """Raise SourceError when a delimited file holds JSON objects."""
    if start.lstrip().startswith((b'{"', b"[{")):
        remedy = "rename it to end in .jsonl or .json"
        raise SourceError("this is JSON, not a delimited table", where=str(path), remedy=remedy)


def same_columns(first: Path, names: list[str], path: Path, other: list[str]) -> None:
    """Raise SchemaError unless two files of one glob have the same columns, in any order."""
    given, wanted = set(other), set(names)
    lacking = [name for name in names if name not in given]
    extra = [name for name in other if name not in wanted]
    if lacking or extra:
        parts = [f"lacks {', '.join(lacking)}"] if lacking else []
        parts += [f"has {', '.join(extra)} as well"] if extra else []
        raise SchemaError(
            f"its columns differ from those of {first}: it {' and '.join(parts)}",
            where=str(path),
            remedy="read files with the same columns together",
        )
