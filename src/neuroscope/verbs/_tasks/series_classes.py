"""Sequences: arrays read as such, rows gathered into them, and answers over their time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuroscope.data.sources import arrays
from neuroscope.data.table import Table
from neuroscope.tasks._learning import Learner
from neuroscope.verbs._prepare import DataOptions
from neuroscope.verbs._rows.prepare import in_sequences
from neuroscope.verbs._tasks._hooks import Hooks

if TYPE_CHECKING:
    from neuroscope.verbs._climb.conclude import Conclusion, Outcome


def _arranged(table: Table, source: Any, options: DataOptions) -> Table:
    """Gather the rows; arrays that passed for pictures are read again as what they are said to be.

    Without --series every row is a reading of one and the same sequence.
    """
    if arrays.accepts(source):
        table = arrays.read(source, sql=options.sql, pictures=False)
    return in_sequences(table, options)


def _views(end: Conclusion, learner: Learner, tested: Outcome) -> dict[str, Any]:
    from neuroscope.verbs._series.views import time_views  # noqa: PLC0415 - only after a climb

    return time_views(end.climb, learner, tested.rows, end.calibrated)


HOOKS = Hooks(arranged=_arranged, views=_views)
