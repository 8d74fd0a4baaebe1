"""Tables: one row a case, one column a feature; classes or a number to predict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any

import numpy as np

from neuroscope.base.errors import ModelError, SchemaError
from neuroscope.base.recipe import Recipe
from neuroscope.data.align import align
from neuroscope.data.columns import cells
from neuroscope.data.encoders import Encoder
from neuroscope.data.schema import Schema
from neuroscope.data.splits import Split, TaskKind
from neuroscope.data.table import Table
from neuroscope.data.target import TargetCodec
from neuroscope.judge.calibration import apply_temperature
from neuroscope.runs.artefact import Artefact
from neuroscope.tasks._learning import Learner, Problem
from neuroscope.tasks.rungs import catalogue

NAME = "table"


def accepts(schema: Schema) -> bool:
    """Say whether a schema has a feature that a table model can read."""
    unread = ("text", "identifier", "constant", "image")
    return any(column.kind not in unread for column in schema.features)


def rungs(names: Sequence[str] | None = None) -> list[ModuleType]:
    """Return the rungs by name, or all of them, in the order of the climb."""
    modules = [catalogue.get(name) for name in (names or catalogue.names())]
    return sorted(modules, key=lambda module: module.ORDER)


def rung_name(rung: ModuleType) -> str:
    """Return the short name of a rung: its file's."""
    return rung.__name__.rpartition(".")[2]


def pose(
    table: Table, schema: Schema, split: Split, kind: TaskKind, seed: int, positive: str | None
) -> Problem:
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
    return Problem(table, schema, kind, codec, split, seed, y, _weights(table, schema, used))


def _weights(table: Table, schema: Schema, used: np.ndarray) -> np.ndarray | None:
    column = schema.by_role("weight")
    if column is None:
        return None
    weights = np.zeros(table.rows)
    weights[used] = cells(table, column.name, used).numbers()
    bad = np.flatnonzero(~np.isfinite(weights) | (weights < 0))
    if len(bad):
        raise SchemaError(
            f"the weight {weights[bad[0]]} is missing, infinite or below 0",
            where=f"column {column.name!r}, row {bad[0] + 1}",
            remedy="mend the weights, or leave the column out of --weight",
        )
    if not weights[used].any():
        raise SchemaError("all weights are 0", where=f"column {column.name!r}")
    return weights


@dataclass(frozen=True)
class TableModel:
    """A trained model of a table: give it rows as a file, a data frame or an Arrow table."""

    artefact: Artefact
    schema: Schema
    codec: TargetCodec
    learner: Learner
    encoder: Encoder | None
    temperature: float
    threshold: float

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The classes in the order of the probabilities' columns; empty for a number."""
        return self.codec.classes

    @cached_property
    def recipe(self) -> Recipe | None:
        """The recipe the model was trained by, or None where its rung has none."""
        part = self.artefact.parts.get("recipe")
        return Recipe.from_json(part) if part else None

    def encode(self, source: Any) -> tuple[np.ndarray, tuple[str, ...]]:
        """Return the encoded rows (n, d) and notes on what was ignored, missing or unseen."""
        table, notes = align(_table(source), self.schema)
        if self.encoder is None:
            return np.empty((table.rows, 0), np.float32), tuple(notes)
        encoded = self.encoder.transform(table)
        return encoded.x, (*notes, *encoded.notes)

    def raw(self, source: Any) -> tuple[np.ndarray, tuple[str, ...]]:
        """Return probabilities (n, k), or numbers (n,) in the target's unit, and the notes."""
        x, notes = self.encode(source)
        answer = self.learner.predict(x)
        if self.codec.kind == "regression":
            return self.codec.decode(answer), notes
        return apply_temperature(answer, self.temperature), notes

    def predict_proba(self, source: Any) -> np.ndarray:
        """Return the probability of each class (n, k); a SchemaError for a number."""
        if self.codec.kind == "regression":
            raise SchemaError(
                f"{self.codec.column!r} is a number and has no probabilities", remedy="use predict"
            )
        return self.raw(source)[0]

    def predict(self, source: Any) -> np.ndarray:
        """Return the predicted classes or numbers (n,), in the target's own values."""
        return self.decide(self.raw(source)[0])

    def decide(self, answer: np.ndarray) -> np.ndarray:
        """Turn probabilities into classes (binary: by the model's threshold); numbers stay."""
        if self.codec.kind == "regression":
            return answer
        if self.codec.kind == "binary":
            return self.codec.decode((answer[:, 1] >= self.threshold).astype(np.int64))
        return self.codec.decode(answer.argmax(axis=1))


def _table(source: Any) -> Table:
    from neuroscope.data.sources import read  # noqa: PLC0415 - only when rows are read

    return source if isinstance(source, Table) else read(source)


def pack(
    problem: Problem, learner: Learner, *, temperature: float, threshold: float
) -> tuple[dict[str, np.ndarray], dict[str, Mapping[str, Any]]]:
    """Return the weights and the JSON parts of a model artefact."""
    record, arrays = learner.pack()
    parts: dict[str, Mapping[str, Any]] = {
        "learner": record,
        "target": problem.codec.to_json(),
        "decision": {"temperature": temperature, "threshold": threshold},
    }
    if learner.encoder is not None:
        parts["encoder"] = learner.encoder.to_json()
    if learner.recipe is not None:
        parts["recipe"] = learner.recipe.to_json()
    return arrays, parts


def load(artefact: Artefact) -> TableModel:
    """Rebuild a model from its artefact; ModelError when a part is missing or does not fit."""
    parts = artefact.parts
    for name in ("learner", "target", "decision"):
        if name not in parts:
            raise ModelError(f"the model lacks {name}.json", remedy="use another copy")
    if artefact.card.learner not in catalogue.names():
        raise ModelError(
            f"this version knows no rung {artefact.card.learner!r}",
            remedy="upgrade with: pip install -U neuroscope",
        )
    learner = catalogue.get(artefact.card.learner).unpack(parts["learner"], artefact.weights)
    encoder = Encoder.from_json(parts["encoder"]) if "encoder" in parts else None
    decision = parts["decision"]
    return TableModel(
        artefact,
        Schema.from_json(artefact.card.schema),
        TargetCodec.from_json(parts["target"]),
        learner,
        encoder,
        float(decision.get("temperature", 1.0)),
        float(decision.get("threshold", 0.5)),
    )
