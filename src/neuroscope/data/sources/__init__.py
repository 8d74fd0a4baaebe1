"""Where tables come from: each file of this folder reads one kind of source.

A module of the catalogue has `KIND` (one line for people), `accepts(source) -> bool` and
`read(source, *, sql) -> Table`. No two modules accept the same source.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from neuroscope.base.catalogue import Catalogue
from neuroscope.base.errors import SourceError, did_you_mean
from neuroscope.base.events import Monitor, ignore
from neuroscope.data.images.rows import sound
from neuroscope.data.table import Table

CATALOGUE = Catalogue(__name__, "source")


def read(source: Any, *, sql: str | None = None, monitor: Monitor = ignore) -> Table:
    """Read any source as a table.

    `source` is a file name, a glob, the URL of a database, a SQL query, the name of a built-in
    data set, or a pandas, polars, Arrow or NumPy object. `sql` is a query over the tables of a
    database, or over the rows of any other source under the name `data`. Where rows hold
    pictures each is looked at, `monitor` sees how far, and those that cannot be read are listed
    in `origin.set_aside`.
    Raises SourceError or SchemaError with the file and, where there is one, the line.
    """
    source = str(source) if isinstance(source, Path) else source
    for module in CATALOGUE:
        if module.accepts(source):
            return sound(module.read(source, sql=sql), monitor)
    raise _unknown(source)


def _unknown(source: Any) -> SourceError:
    kinds = "known: " + "; ".join(module.KIND for module in CATALOGUE)
    if not isinstance(source, str):
        return SourceError(f"cannot read an object of type {type(source).__name__}", remedy=kinds)
    path = Path(source)
    if path.is_dir():
        remedy = f"name its files, e.g. '{source}/*.csv', or put pictures into it"
        return SourceError("is a folder without pictures", where=source, remedy=remedy)
    if path.exists():
        ending = path.suffix or "a name without an ending"
        return SourceError(f"{ending} is not a known kind of file", where=source, remedy=kinds)
    from neuroscope.data.sources import builtin  # noqa: PLC0415 - only needed for the suggestion

    near = [set_.name for set_ in builtin.describe()]
    if path.parent.is_dir():
        near += [str(path.parent / entry.name) for entry in sorted(path.parent.iterdir())]
    remedy = did_you_mean(str(path), near) or "`neuroscope data` lists the built-in data sets"
    return SourceError("no such file, and no data set of that name", where=source, remedy=remedy)
