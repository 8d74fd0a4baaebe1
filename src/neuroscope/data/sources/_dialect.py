"""How a delimited text file is written, told from its first bytes."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from neuroscope.base.errors import SourceError

DELIMITERS = (",", ";", "\t", "|")
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "blank"}
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_LINES = 200  # lines looked at


@dataclass(frozen=True)
class Dialect:
    """What must be known to read a delimited file; `header` is None where there is none."""

    encoding: str
    delimiter: str
    quote: str
    skip: int  # lines before the header
    header: tuple[str, ...] | None
    width: int  # columns

    def notes(self) -> list[str]:
        """Return what was sniffed, for people to check."""
        header = "no header" if self.header is None else f"header in line {self.skip + 1}"
        delimiter = _NAMES.get(self.delimiter, self.delimiter)
        return [
            f"encoding {self.encoding}",
            f"delimiter {delimiter}",
            f"quote {self.quote}",
            header,
        ]


def sniff(start: bytes, path: Path) -> Dialect:
    """Tell the dialect from the first bytes of a file; binary data are a SourceError."""
    encoding = find_encoding(start, path)
    text = start.decode(encoding, errors="ignore")
    lines = text.splitlines(keepends=True)
    skip = next((i for i, line in enumerate(lines) if not _is_preamble(line)), len(lines))
    forced = next((line[4:5] for line in lines[:skip] if line.lower().startswith("sep=")), "")
    lines = lines[skip : skip + _LINES]
    quote = "'" if '"' not in text and _single_quoted(lines) else '"'
    suffix = Path(path.name.lower().removesuffix(".gz")).suffix
    delimiter = forced or _find_delimiter(lines, quote, suffix)
    rows = _rows(lines, delimiter, quote)
    if not rows:
        raise SourceError("the file holds blank lines only", where=str(path))
    alone = len(rows[0]) == 1 and suffix == ".txt"
    header = None if alone or not _is_header(rows) else tuple(rows[0])
    return Dialect(encoding, delimiter, quote, skip, header, len(rows[0]))


def _is_preamble(line: str) -> bool:
    return not line.strip() or line.startswith("#") or line.lower().startswith("sep=")


def find_encoding(start: bytes, path: Path) -> str:
    """Return the encoding of a text from its first bytes; binary data are a SourceError."""
    for bom, name in _BOMS:
        if start.startswith(bom):
            return name
    if b"\0" in start:
        return _utf16_without_bom(start, path)
    control = sum(start.count(code) for code in range(32) if code not in (9, 10, 12, 13, 27))
    if control > 0.005 * len(start):
        raise _binary(path)
    try:
        start.decode("utf-8")
        return "utf-8"
    except UnicodeDecodeError as error:
        if error.start >= len(start) - 4 and len(start) > 4:  # a character cut by the head
            return "utf-8"
    return legacy_encoding(start)


def legacy_encoding(start: bytes) -> str:
    """Return cp1252, or latin-1 where a byte has no meaning in cp1252."""
    try:
        start.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "cp1252"


def _utf16_without_bom(start: bytes, path: Path) -> str:
    for name, place in (("utf-16-le", 1), ("utf-16-be", 0)):
        zeros = start[place::2].count(0)
        if zeros > 0.4 * len(start) / 2 and start[1 - place :: 2].count(0) == 0:
            return name
    line = start[: start.index(b"\0")].count(b"\n") + 1
    raise SourceError(
        f"line {line} holds a NUL byte: this is binary or damaged, not text",
        where=str(path),
        remedy="export the table again as CSV in UTF-8",
    )


def _binary(path: Path) -> SourceError:
    remedy = "give a CSV, Parquet or JSON-lines file"
    return SourceError("this is binary data, not a text table", where=str(path), remedy=remedy)


def _single_quoted(lines: list[str]) -> bool:
    ends = [line.strip() for line in lines if line.strip()]
    wrapped = sum(len(line) > 1 and line[0] == line[-1] == "'" for line in ends)
    return wrapped > len(ends) / 2


def _rows(lines: list[str], delimiter: str, quote: str) -> list[list[str]]:
    reader = csv.reader(
        io.StringIO("".join(lines), newline=""), delimiter=delimiter, quotechar=quote
    )
    rows = []
    try:
        for row in reader:
            rows.append(row)
    except csv.Error:  # a field beyond the limit of the csv module; DuckDB decides later
        pass
    return [row for row in rows if any(cell.strip() for cell in row)]


def _find_delimiter(lines: list[str], quote: str, suffix: str) -> str:
    """Return the delimiter that splits most rows into as many cells as the first row."""
    best, best_score = "", (0.0, 0)
    blank = (" ",) if suffix in (".dat", ".data") else ()
    for delimiter in (*DELIMITERS, *blank):
        if delimiter == " " and best:
            continue
        rows = _rows(lines, delimiter, quote)
        width = len(rows[0]) if rows else 0
        if width < 2:
            continue
        agreeing = Counter(len(row) for row in rows)[width] / len(rows)
        if (agreeing, width) > best_score:
            best, best_score = delimiter, (agreeing, width)
    sure = best_score[0] >= 0.5 and (suffix != ".txt" or best_score[0] > 0.9)
    if best and (sure or suffix != ".txt"):
        return best
    return "\t" if suffix == ".txt" else ","


def _is_header(rows: list[list[str]]) -> bool:
    """A first row is data when half of its cells are numbers other than years."""
    cells = [cell.strip() for cell in rows[0]]
    numbers = [float(cell) for cell in cells if _is_number(cell)]
    years = all(1800 <= number <= 2200 and number.is_integer() for number in numbers)
    if years and len(set(numbers)) == len(numbers) and len(numbers) < len(cells):
        return True
    return 2 * len(numbers) < len(cells)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return cell[:1] in "+-.0123456789"
