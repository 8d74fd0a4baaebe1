"""CSV, TSV and other delimited text, plain or gzip, one file or a glob of them."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuroscope.base.errors import NeuroscopeError, SourceError
from neuroscope.data.sources import _dialect, _files, _prose
from neuroscope.data.sources._names import clean_names
from neuroscope.data.sources._query import queried
from neuroscope.data.sources._settle import settle
from neuroscope.data.sources._sql import connect, first_line, identifier, literal
from neuroscope.data.table import Origin, Table

if TYPE_CHECKING:
    import pyarrow as pa

KIND = "CSV, TSV or other delimited text (.csv .tsv .tab .txt .dat .data, also .gz)"
ENDINGS = (".csv", ".tsv", ".tab", ".txt", ".dat", ".data")
_LONGEST_LINE = 1 << 24  # bytes; a longer one is no table
_TOO_LONG = "Maximum line size"  # in DuckDB's words


@dataclass(frozen=True)
class _Part:
    """One file of the source: `path` as named, `text` as it is read (perhaps transcoded)."""

    path: Path
    text: Path
    dialect: _dialect.Dialect
    names: list[str]

    def relation(self) -> str:
        """Return the SQL that reads this part, every column as text."""
        columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in self.names)
        options = {
            "delim": literal(self.dialect.delimiter),
            "quote": literal(self.dialect.quote),
            "escape": literal(self.dialect.quote),
            "header": "true" if self.dialect.header is not None else "false",
            "skip": str(self.dialect.skip),
            "compression": "'gzip'" if _files.is_gzip(self.text) else "'none'",
            "max_line_size": str(_LONGEST_LINE),
            "columns": f"{{{columns}}}",
        }
        listed = ", ".join(f"{name}={value}" for name, value in options.items())
        return f"read_csv({literal(self.text)}, auto_detect=false, {listed})"


def accepts(source: Any) -> bool:
    """Tell whether `source` is named like a delimited text file or a glob of them."""
    if _files.ending(source) not in ENDINGS or "://" in source or _files.is_pair(source):
        return False
    return not (_prose.named_text(source) and _prose.is_prose(source))


def read(source: str, *, sql: str | None = None) -> Table:
    """Read delimited text; what was sniffed and repaired stands in `origin.notes`."""
    paths = _files.expand(source)
    with tempfile.TemporaryDirectory(prefix="neuroscope-") as folder:
        parts, by_file = [], {}
        for place, path in enumerate(paths):
            part, said = _open(path, Path(folder) / f"{place}.csv")
            _files.same_columns(paths[0], parts[0].names if parts else part.names, path, part.names)
            parts.append(part)
            by_file[path] = said
        arrow, found = _settled(parts, Path(folder))
    if arrow.num_rows == 0:
        raise SourceError("the file has a header and no rows", where=source)
    origin = Origin(source, tuple(map(str, paths)), tuple(dict.fromkeys(_joined(by_file) + found)))
    return queried(Table(arrow, origin), sql)


def _joined(by_file: Mapping[Path, list[str]]) -> list[str]:
    """Return what is noted of all files once, the rest with the file's name."""
    first, *others = by_file.values()
    shared = [note for note in first if all(note in other for other in others)]
    own = [f"{path.name}: {n}" for path, said in by_file.items() for n in said if n not in shared]
    return shared + own


def _open(path: Path, spare: Path) -> tuple[_Part, list[str]]:
    start = _files.head(path)
    _files.refuse_foreign(start, path)
    _files.refuse_json(start, path)
    dialect = _dialect.sniff(start, path)
    if dialect.header is not None:
        names, notes = clean_names(dialect.header, f"{path}, line {dialect.skip + 1}")
    elif dialect.width == 1:
        names, notes = ["text"], []
    else:
        names, notes = [f"column_{i + 1}" for i in range(dialect.width)], []
    part = _Part(path, path, dialect, names)
    if dialect.encoding != "utf-8":
        part = _transcoded(part, spare)
    return part, dialect.notes() + notes


def _settled(parts: list[_Part], folder: Path) -> tuple[pa.Table, list[str]]:
    """Type all parts together; a part that fails is mended once (encoding, line ends)."""
    import duckdb  # noqa: PLC0415

    with connect() as connection:
        try:
            return settle(connection, _union(parts))
        except duckdb.Error as error:
            if _TOO_LONG in str(error):  # scanning for the cause would unpack a gzip bomb
                raise _unreadable(parts, error) from error
            mended, notes = [], []
            for place, part in enumerate(parts):
                again, said = _mended(part, folder / f"again-{place}.csv")
                mended.append(again)
                notes += said
            if not notes:
                raise _unreadable(parts, error) from error
        except NeuroscopeError as error:
            raise error.at(", ".join(str(part.path) for part in parts[:3])) from None
        try:
            arrow, found = settle(connection, _union(mended))
        except duckdb.Error as error:
            raise _unreadable(parts, error) from error
        return arrow, notes + found


def _union(parts: list[_Part]) -> str:
    if len(parts) == 1:
        return parts[0].relation()
    listed = ", ".join(identifier(name) for name in parts[0].names)
    return "(" + " UNION ALL ".join(f"SELECT {listed} FROM {p.relation()}" for p in parts) + ")"


def _mended(part: _Part, spare: Path) -> tuple[_Part, list[str]]:
    """Find what the head did not show; raise the error that names the line."""
    encoding = part.dialect.encoding
    sound, line_ends = _scan_text(part)
    notes = []
    if not sound:
        encoding = _dialect.legacy_encoding(b"".join(_high_bytes(part.path)))
        notes.append(f"{part.path.name} is not UTF-8 throughout; read as {encoding}")
        part = replace(part, dialect=replace(part.dialect, encoding=encoding))
    ragged = _find_ragged(part)
    if ragged is not None:
        raise ragged
    if line_ends > 1:
        notes.append(f"{part.path.name} mixes kinds of line ends")
    return (_transcoded(part, spare) if notes else part), notes


def _scan_text(part: _Part) -> tuple[bool, int]:
    """Return whether the file decodes, and how many kinds of line ends it has."""
    try:
        with _lines(part, newline=None) as file:
            while file.read(1 << 20):
                pass
            ends = file.newlines
    except UnicodeDecodeError:
        return False, 1
    except _files.DAMAGED as error:
        raise _files.damaged(part.path, error) from error
    return True, len(ends) if isinstance(ends, tuple) else 1


def _high_bytes(path: Path) -> Iterator[bytes]:
    for block in _files.chunks(path):
        yield bytes(sorted({byte for byte in block if byte > 127}))


def _lines(part: _Part, newline: str | None) -> io.TextIOWrapper:
    file = _files.open_bytes(part.path)
    return io.TextIOWrapper(file, encoding=part.dialect.encoding, newline=newline)  # type: ignore[arg-type]


def _transcoded(part: _Part, spare: Path) -> _Part:
    """Write the part as UTF-8 with plain line ends into `spare`, in bounded memory."""
    try:
        with _lines(part, newline=None) as file, spare.open("w", encoding="utf-8") as out:
            while block := file.read(1 << 20):
                out.write(block)
    except UnicodeDecodeError as error:
        raise SourceError(
            f"byte {error.start} of a block does not belong to the encoding {error.encoding}",
            where=str(part.path),
            remedy="save the file as UTF-8",
        ) from error
    except _files.DAMAGED as error:
        raise _files.damaged(part.path, error) from error
    return replace(part, text=spare)


def _find_ragged(part: _Part) -> SourceError | None:
    """Return the error for the first row whose number of cells is not that of the header."""
    limit = csv.field_size_limit(_LONGEST_LINE)
    line, last = 1, 0
    try:
        with _lines(part, newline="") as file:
            rows = csv.reader(file, delimiter=part.dialect.delimiter, quotechar=part.dialect.quote)
            for row in rows:
                line, last = last + 1, rows.line_num
                if line > part.dialect.skip and row and len(row) != len(part.names):
                    return SourceError(
                        f"expected {len(part.names)} columns, received {len(row)}",
                        where=f"{part.path}, line {line}",
                        remedy="mend this line (a stray delimiter or a missing quote?)",
                    )
    except csv.Error as error:
        return SourceError(f"{error}", where=f"{part.path}, line {last + 1}")
    finally:
        csv.field_size_limit(limit)
    return None


def _unreadable(parts: list[_Part], error: Exception) -> SourceError:
    text = first_line(error)
    for reason in ("unterminated quote", _TOO_LONG):
        if reason.lower() in str(error).lower():
            text = f"{text.split(' Original Line')[0]}: {reason}"
    return SourceError(
        f"cannot be read as delimited text: {text[:200]}",
        where=", ".join(str(part.path) for part in parts[:3]),
        remedy="save the table again as CSV in UTF-8",
    )
