"""Trace row: one training step of a trained model on one row of a source, with every number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from neuroscope.base.errors import InputError, NeuroscopeError, did_you_mean
from neuroscope.base.plain import plain
from neuroscope.base.recipe import WHOLE, Recipe
from neuroscope.base.sparse import SparseRows
from neuroscope.base.wording import counted
from neuroscope.data.align import align
from neuroscope.data.columns import cells
from neuroscope.data.sources import read
from neuroscope.data.table import Table
from neuroscope.neuron import heads
from neuroscope.neuron.network import Network
from neuroscope.neuron.trace import trace_step
from neuroscope.runs.disk import json_bytes, write_atomic
from neuroscope.tasks._model import Model
from neuroscope.tasks._net import NetLearner
from neuroscope.verbs.load import load
from neuroscope.verbs.trace import checked


def trace_row(
    model: Any, source: Any, row: int, *, sql: str | None = None, out: str | None = None
) -> dict[str, Any]:
    """Take the step that training would take on data row `row` (from 1); the model is unchanged.

    `out` names a file to write: one HTML page (.html) or the JSON itself (.json).
    Returns the trace as JSON with its agreement with PyTorch's autograd, the row's own values and
    notes on what was read. Of a bag of words the terms of the text are the inputs. Raises
    InputError for a model without a net of the core, or a row without a target.
    """
    if out is not None and Path(out).suffix.lower() not in (".html", ".json"):
        raise InputError(f"{out!r} names no known format", remedy="end it in .html or .json")
    trained = load(model) if isinstance(model, str) or hasattr(model, "__fspath__") else model
    learner = _net_of(trained)
    table = trained.as_rows(read(source, sql=sql))
    try:
        one = _one_row(table, trained.codec.column, row)
        aligned, notes = align(one, trained.schema)
        y = trained.codec.encode(cells(aligned, trained.codec.column))
    except NeuroscopeError as error:
        known = error.where.startswith(table.origin.text)
        raise (error if known else error.at(table.origin.text)) from error
    encoded = trained.encoder.transform(one)
    classes = max(len(trained.classes), 1)
    network, inputs, names, read_of = _inputs(trained, one, learner.network, encoded.x)
    recipe, taken = _stepwise(trained.recipe)
    target = heads.examples(learner.kind, encoded.x, y, classes, recipe).y
    outputs = trained.classes if trained.codec.kind == "multiclass" else (trained.codec.column,)
    trace = trace_step(network, inputs, np.asarray(target[0], np.float64), recipe,
                       input_names=names, output_names=outputs)  # fmt: skip
    found = checked(trace) | {
        "model_path": str(trained.artefact.path),
        "source": table.origin.text,
        "row": row,
        "values": {name: value for name, (value,) in one.arrow.to_pydict().items()},
        "notes": [*notes, *encoded.notes, *read_of, *taken],
        "out": out,
    }
    if out is not None:
        _write(found, Path(out))
    return found


def _net_of(trained: Any) -> NetLearner:
    """Return the learner whose step can be shown; InputError where a model has none."""
    learner = trained.learner
    known = isinstance(trained, Model) and trained.recipe is not None
    if known and isinstance(learner, NetLearner) and trained.encoder is not None:
        return learner
    card = trained.artefact.card
    raise InputError(
        f"the rung {card.learner!r} of {card.task} takes no step that trace could show",
        where=str(trained.artefact.path),
        remedy="trace shows neurons and dense networks of the neuron core, on tables, pictures,"
        " sequences with a class and bags of words; train one, e.g. with --rungs neuron",
    )


def _inputs(
    trained: Model, one: Table, network: Network, x: np.ndarray | SparseRows
) -> tuple[Network, np.ndarray, tuple[str, ...], tuple[str, ...]]:
    """Return the net that reads the row, the row, the names of its numbers, and a note.

    Of a bag of words only the terms that the text holds are read: what is 0 adds nothing, and a
    step on sparse rows leaves its weights alone.
    """
    encoder: Any = trained.encoder
    if not isinstance(x, SparseRows):
        return network, x[0], encoder.names, ()
    places, values = x.row(0)
    if not len(places):
        raise InputError(
            "the text holds no term that the model knows, so that only the bias would answer",
            remedy="trace another row",
        )
    terms = encoder.terms_of(one)
    names = tuple(terms[int(place)] for place in places)
    note = f"the text holds {counted(len(places), 'term')} of {x.width:,} that the model knows;"
    return network.of_inputs(places), values, names, (f"{note} the others are 0 and stay",)


def _stepwise(recipe: Recipe) -> tuple[Recipe, tuple[str, ...]]:
    """Return a recipe whose optimizer takes steps, and what to say where it is not the model's."""
    if recipe.optimizer != WHOLE:
        return recipe, ()
    note = (
        f"trained by {WHOLE}, which weighs all rows before it moves and takes no step on one;"
        f" shown is a plain step at learning_rate {recipe.learning_rate:g}"
    )
    return recipe.because("a step on one row", optimizer="sgd"), (note,)


def _write(found: dict[str, Any], path: Path) -> None:
    if path.suffix.lower() == ".json":
        write_atomic(path, json_bytes(plain(found)))
        return
    from neuroscope.report.trace_page import trace_page  # noqa: PLC0415 - only for a page

    write_atomic(path, trace_page(found).encode())


def _one_row(table: Table, target: str, row: int) -> Table:
    if not 1 <= row <= table.rows:
        raise InputError(f"there is no row {row}", remedy=f"rows count from 1 to {table.rows:,}")
    if target not in table.names:
        hint = did_you_mean(target, table.names)
        raise InputError(
            f"the target {target!r} is not among the columns, so there is no loss to trace",
            remedy=hint or "give a row with its true value",
        )
    return table.take(pa.array([row - 1]))
