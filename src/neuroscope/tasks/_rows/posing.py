"""From a table and a plan of its rows to a problem: target and weights read and checked."""

from __future__ import annotations

import numpy as np

from neuroscope.base.errors import SchemaError, TargetError
from neuroscope.data.columns import cells
from neuroscope.data.schema import Schema
from neuroscope.data.splits import Split, TaskKind
from neuroscope.data.table import Table
from neuroscope.data.target import TargetCodec
from neuroscope.tasks._learning import Encoding, Problem

_HEAVIEST = 1e100  # sums and squares of larger weights may leave float64: as good as infinite


def pose(
    encoding: Encoding, table: Table, schema: Schema, split: Split, kind: TaskKind, *,
    seed: int, positive: str | None = None,
) -> Problem:  # fmt: skip
    """Read target and weights of all rows that have a target; what a rung learns follows from it.

    Mean and scale of a number are learned from the development rows only.
    """
    if schema.target is None:
        raise SchemaError("the schema has no target", remedy="name one with --target")
    name = schema.target.name
    used = np.sort(np.concatenate([split.development, split.test]))
    fitted_on = split.development if kind == "regression" else used
    codec = TargetCodec.fit(cells(table, name, fitted_on), kind, positive=positive)
    if kind == "regression":
        y = np.full(table.rows, np.nan)
        y[used] = cells(table, name, used).numbers()
    else:
        y = np.full(table.rows, -1, np.int64)
        y[used] = codec.encode(cells(table, name, used))
    weights = _weights(table, schema, used)
    if weights is not None and kind != "regression" and len(np.unique(y[weights > 0])) < 2:
        raise TargetError(
            "all rows with a weight above 0 are of one class", where=f"column {name!r}",
            remedy="mend the weights, or leave the column out of --weight",
        )  # fmt: skip
    return Problem(table, schema, kind, codec, split, seed, encoding, y, weights)


def _weights(table: Table, schema: Schema, used: np.ndarray) -> np.ndarray | None:
    column = schema.by_role("weight")
    if column is None:
        return None
    weights = np.zeros(table.rows)
    weights[used] = row_weights(table, column.name, used)
    if not weights[used].any():
        raise SchemaError("all weights are 0", where=f"column {column.name!r}")
    return weights


def row_weights(table: Table, name: str, rows: np.ndarray) -> np.ndarray:
    """Return the weights (n,) of some rows of a table, 0 or more.

    One that is missing, infinite, below 0 or beyond 1e100 is a SchemaError that names its row.
    """
    weights = cells(table, name, rows).numbers()
    bad = np.flatnonzero(~((weights >= 0) & (weights <= _HEAVIEST)))  # so NaN is bad, too
    if len(bad):
        raise SchemaError(
            f"the weight {weights[bad[0]]} is missing, infinite (above {_HEAVIEST:g}) or below 0",
            where=f"column {name!r}, row {rows[bad[0]] + 1}",
            remedy="mend the weights, or leave the column out of --weight",
        )
    return weights
