"""Trace row: one training step of a trained model on one row of a source, with every number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from neuroscope.base.errors import InputError, NeuroscopeError, did_you_mean
from neuroscope.base.plain import plain
from neuroscope.data.align import align
from neuroscope.data.columns import cells
from neuroscope.data.sources import read
from neuroscope.data.table import Table
from neuroscope.neuron import heads
from neuroscope.neuron.trace import trace_step
from neuroscope.runs.disk import json_bytes, write_atomic
from neuroscope.tasks._net import NetLearner
from neuroscope.verbs.load import load
from neuroscope.verbs.trace import checked


def trace_row(
    model: Any, source: Any, row: int, *, sql: str | None = None, out: str | None = None
) -> dict[str, Any]:
    """Take the step that training would take on data row `row` (from 1); the model is unchanged.

    `out` names a file to write: one HTML page (.html) or the JSON itself (.json).
    Returns the trace as JSON with its agreement with PyTorch's autograd, the row's own values and
    the encoder's notes. Raises InputError for a model that is no net, or a row without a target.
    """
    if out is not None and Path(out).suffix.lower() not in (".html", ".json"):
        raise InputError(f"{out!r} names no known format", remedy="end it in .html or .json")
    trained = load(model) if isinstance(model, str) or hasattr(model, "__fspath__") else model
    learner = trained.learner
    if not isinstance(learner, NetLearner) or trained.recipe is None or trained.encoder is None:
        raise InputError(
            f"{trained.artefact.card.learner!r} is no net, so there is no step to trace",
            where=str(trained.artefact.path),
            remedy="train a neuron or a dense network, e.g. with --rungs neuron",
        )
    table = read(source, sql=sql)
    try:
        one = _one_row(table, trained.codec.column, row)
        aligned, notes = align(one, trained.schema)
        y = trained.codec.encode(cells(aligned, trained.codec.column))
    except NeuroscopeError as error:
        known = error.where.startswith(table.origin.text)
        raise (error if known else error.at(table.origin.text)) from error
    encoded = trained.encoder.transform(one)
    classes = max(len(trained.classes), 1)
    target = heads.examples(learner.kind, encoded.x, y, classes, trained.recipe).y
    names = trained.classes if trained.codec.kind == "multiclass" else (trained.codec.column,)
    trace = trace_step(
        learner.network, encoded.x[0], np.asarray(target[0], np.float64), trained.recipe,
        input_names=trained.encoder.names, output_names=names,
    )  # fmt: skip
    found = checked(trace) | {
        "model_path": str(trained.artefact.path),
        "source": table.origin.text,
        "row": row,
        "values": {name: value for name, (value,) in one.arrow.to_pydict().items()},
        "notes": [*notes, *encoded.notes],
        "out": out,
    }
    if out is not None:
        _write(found, Path(out))
    return found


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
