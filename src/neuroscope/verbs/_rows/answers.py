"""What a model says of the rows of a table, and why it says nothing of some."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from neuroscope.data.table import Table


class Answered(NamedTuple):
    """Answers (n, …), what is to be said of them, and why a row has none ("" where it has)."""

    answer: np.ndarray
    notes: tuple[str, ...]
    problems: np.ndarray  # (n,) of texts


Answers = Callable[[Any, Table], Answered]


def answered(model: Any, table: Table) -> Answered:
    """Return the answers to all rows of a table as the model knows them."""
    answer, notes = model.raw(table)
    return Answered(answer, notes, np.full(table.rows, "", dtype=object))
