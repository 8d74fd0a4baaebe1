"""Judge and predict, where a row is a picture: files that cannot be read keep their place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from neuroscope.base.events import Monitor, Progress
from neuroscope.data.images.column import owns_pictures
from neuroscope.data.table import Table
from neuroscope.data.writing import assembled
from neuroscope.verbs._pictures.rows import answers, model_pictures, names_of, outside, renamed
from neuroscope.verbs._pictures.sheet import check_sheet, draw_sheet
from neuroscope.verbs._rows.judge import judged
from neuroscope.verbs._rows.predict import Predicted, predicted, saved, told

if TYPE_CHECKING:
    from neuroscope.verbs.judge import JudgeOptions
    from neuroscope.verbs.predict import PredictOptions


def judge(model: Any, table: Table, options: JudgeOptions, monitor: Monitor) -> dict[str, Any]:
    """Score a model on the pictures of a table that can be read and whose target is known."""
    return judged(model, model.as_rows(renamed(table, model)), options, monitor, answers)


def predict(model: Any, table: Table, options: PredictOptions, monitor: Monitor) -> dict[str, Any]:
    """Answer for every picture; a contact sheet goes where it is wanted, or beside the answers."""
    options.only("keep", "sheet", about="pictures")
    if options.sheet is not None:
        check_sheet(options.sheet)
    found = predicted(model, model.as_rows(renamed(table, model)), options, answers)
    column = model_pictures(model)
    whole = _assembled(found, column)
    written, drawn = saved(whole, options), None
    if column is not None and (options.sheet is not None or options.out is not None):
        place = options.sheet or str(Path(str(options.out)).with_suffix("")) + "-sheet.jpg"
        drawn = draw_sheet(found.table, column, found.said, place)
    monitor(Progress(label="predicting", done=2, total=2))
    notes = (*_unread(found), *([drawn.note] if drawn and drawn.note else []))
    return told(model, found, whole, written, notes=notes, sheet=drawn.path if drawn else None)


def _assembled(found: Predicted, column: str | None) -> pa.Table:
    """Return the answer as a table; pictures come with their path, their problem, and the files
    of the source that could not be read at all.
    """
    names = names_of(found.table, column) if column is not None else None
    if names is None:
        return assembled(found.rows | found.kept | found.said)
    own = outside(found.table)
    first = {"picture": names} | ({} if owns_pictures(found.table.origin) else found.rows)
    last = {"problem": found.answered.problems.tolist()}
    whole = assembled(first | found.kept | found.said | last)
    if not own:
        return whole
    more = pa.table({"picture": [one.name for one in own], "problem": [one.reason for one in own]})
    return pa.concat_tables([whole, more], promote_options="default")


def _unread(found: Predicted) -> list[str]:
    """Say how many pictures have no prediction; which ones stands in the table."""
    count = int((found.answered.problems != "").sum()) + len(outside(found.table))
    if not count:
        return []
    which = "1 file has no prediction: it" if count == 1 else f"{count:,} files have no prediction:"
    many = "" if count == 1 else " they"
    return [f"{which}{many} cannot be read as a picture; why stands in the column problem"]
