"""After a climb on rows: what the model keeps of them, what it is for, what it looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from neuroscope.base.events import Progress
from neuroscope.base.nouns import noun_of
from neuroscope.data.sketch import SEEN_ROWS, sketch
from neuroscope.tasks._learning import Learner

if TYPE_CHECKING:
    from neuroscope.verbs._climb.conclude import Conclusion


def parts(end: Conclusion) -> dict[str, Any]:
    """Return the sketch of the rows that were learned from, by which `judge` knows them again."""
    problem = end.problem
    return {SEEN_ROWS: sketch(problem.table, problem.schema, problem.split.development)}


def purpose(end: Conclusion) -> str:
    """Return what the model is for."""
    target, origin = end.problem.codec.column, end.problem.table.origin.text
    return f"predict {target!r} for {noun_of(end.climb.task.NAME)}s like those of {origin}"


def again(end: Conclusion, model: Any, rows: np.ndarray) -> np.ndarray:
    """Return what a model that was kept and loaded answers to some rows."""
    return model.raw(end.problem.table.take(pa.array(rows)))[0]


def insight(end: Conclusion, learner: Learner) -> dict[str, Any]:
    """Return the learning curve of the chosen rung, and what the model looks at."""
    from neuroscope.verbs._climb import insight as inside  # noqa: PLC0415 - only after a climb
    from neuroscope.verbs._climb.curve import learning_curve  # noqa: PLC0415

    end.climb.monitor(Progress(label="drawing the learning curve", done=0, total=1))
    curve = learning_curve(end)
    return {"learning_curve": curve, **inside.insight(end.climb, learner, end.temperature)}
