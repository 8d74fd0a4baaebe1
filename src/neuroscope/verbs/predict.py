"""Predict: a trained model's answers for new rows, in their order."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from neuroscope.base.errors import InputError
from neuroscope.base.events import Monitor, Progress, ignore
from neuroscope.data.writing import check_ending
from neuroscope.verbs._tasks import hooks_of
from neuroscope.verbs.load import load


@dataclass(frozen=True, kw_only=True)
class PredictOptions:
    """What is asked of the answers; each task reads some of it and refuses the rest."""

    out: str | None = None  # file of the answers
    keep: tuple[str, ...] = ()
    sheet: str | None = None
    horizon: int | None = None
    beam: int | None = None  # how many beginnings of a translation are followed

    def only(self, *read: str, about: str) -> None:
        """Refuse what was given and is not among the options that say something `about` a task."""
        for option in fields(self):
            value = getattr(self, option.name)
            if option.name not in ("out", *read) and value != option.default:
                raise InputError(f"--{option.name} says nothing about {about}",
                                 remedy="leave it out")  # fmt: skip


def predict(  # noqa: PLR0913 - each is an option of one kind of model
    model: Any,
    source: Any,
    *,
    out: str | None = None,
    sheet: str | None = None,
    keep: tuple[str, ...] = (),
    sql: str | None = None,
    horizon: int | None = None,
    beam: int | None = None,
    monitor: Monitor = ignore,
) -> dict[str, Any]:
    """Predict every row of `source`; the rows stay in their order, none is left out.

    `model` is what `load` takes, or a loaded model. `keep` names columns of the source that are
    carried along, as is what names a sequence. The result has "table" (Arrow): the row number from
    1, the kept columns,
    "prediction" and for classes the probability of each. It is written to `out`
    (.csv, .parquet, .jsonl) when that is given. "notes" says what was ignored or unseen.

    A model of series continues each of them by `horizon` steps, see `_forecasts.predict`.
    A model of sentence pairs translates by a beam of `beam` beginnings; 1 is greedy, and fastest.
    Pictures in files come with the "picture" (its path) first, and a last column "problem": why
    one has no prediction. A contact sheet of them goes to `sheet` (.png, .jpg), or beside `out`.
    Raises SchemaError for missing columns, ModelError for an unusable model.
    """
    options = PredictOptions(out=out, sheet=sheet, keep=keep, horizon=horizon, beam=beam)
    if out is not None:
        check_ending(out)
    trained = load(model) if isinstance(model, str) or hasattr(model, "__fspath__") else model
    monitor(Progress(label="reading the data", done=0, total=2))
    hooks = hooks_of(trained.artefact.card.task)
    table = hooks.read(source, sql, monitor)
    monitor(Progress(label="predicting", done=1, total=2))
    return hooks.predict(trained, table, options, monitor)
