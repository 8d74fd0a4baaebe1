"""The contact sheet of a prediction: each picture with its class and probability below."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from neuroscope.base.errors import InputError
from neuroscope.data.images.column import is_arrays
from neuroscope.data.table import Table
from neuroscope.runs.disk import beside, storing

_ENDINGS = (".png", ".jpg", ".jpeg")
_MOST = 240  # pictures on a sheet


@dataclass(frozen=True)
class Sheet:
    """Where a contact sheet was written, and what it shows."""

    path: Path
    note: str  # what it leaves out, or ""


def check_sheet(path: str) -> None:
    """Refuse a name that is none of a picture, before anything is predicted."""
    if Path(path).suffix.lower() not in _ENDINGS:
        raise InputError(f"{path!r} names no kind of picture", remedy="end it in .png or .jpg")


def draw_sheet(table: Table, column: str, predicted: Mapping[str, Any], path: str) -> Sheet:
    """Write the first pictures of the table with prediction, probability and name, in one step."""
    from neuroscope.data.images.sheet import contact_sheet  # noqa: PLC0415 - loads Pillow

    rows = list(range(min(table.rows, _MOST)))
    captions = [_caption(predicted, _name(table, column, row), row) for row in rows]
    place = Path(path)
    draft = beside(place).with_suffix(place.suffix)
    with storing(place):
        try:
            contact_sheet(table, rows, captions, draft, column=column)
            draft.replace(place)
        except BaseException:
            with suppress(OSError):
                draft.unlink()
            raise
    part = f"the contact sheet shows the first {_MOST} of {table.rows:,} pictures"
    return Sheet(place, part if table.rows > _MOST else "")


def _caption(predicted: Mapping[str, Any], name: str, row: int) -> str:
    said = _plain(predicted["prediction"][row])
    if said is None:
        return f"no prediction\n{name}"
    sure = _plain(predicted.get(f"probability_{said}", {row: None})[row])
    return f"{said} {100 * sure:.0f} %\n{name}" if sure is not None else f"{said}\n{name}"


def _plain(value: Any) -> Any:
    return value.as_py() if hasattr(value, "as_py") else value


def _name(table: Table, column: str, row: int) -> str:
    values = table.arrow.column(column)
    if is_arrays(values.type):
        return f"row {row + 1}"
    return PurePosixPath(values[row].as_py() or f"row {row + 1}").name
