"""A trained model of any task: what is kept of it, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from neuroscope.base.catalogue import Catalogue
from neuroscope.base.errors import ModelError, SchemaError
from neuroscope.base.recipe import Recipe
from neuroscope.data._kinds import is_series
from neuroscope.data.align import align
from neuroscope.data.schema import Schema
from neuroscope.data.series.gather import Plan, gather
from neuroscope.data.table import Table
from neuroscope.data.target import TargetCodec
from neuroscope.judge.calibration import apply_temperature
from neuroscope.runs.artefact import Artefact
from neuroscope.tasks._learning import Encoder, Learner, Problem

GATHERING = "gathering"  # what the plan of sequences is called among the parts of a model
ReadEncoder = Callable[[Mapping[str, Any], Mapping[str, np.ndarray]], Encoder]


@dataclass(frozen=True)
class Model:
    """A trained model: give it rows as a file, a folder, a data frame or an Arrow table."""

    artefact: Artefact
    schema: Schema
    codec: TargetCodec
    learner: Learner
    encoder: Encoder | None
    temperature: float
    threshold: float
    block: int | None = None  # rows that are encoded and answered at a time; None is all

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The classes in the order of the probabilities' columns; empty for a number."""
        return self.codec.classes

    @cached_property
    def recipe(self) -> Recipe | None:
        """The recipe the model was trained by, or None where its rung has none."""
        return recipe_of(self.artefact)

    def encode(self, source: Any) -> tuple[np.ndarray, tuple[str, ...]]:
        """Return the encoded rows (n, d) and notes on what was ignored, missing or unseen."""
        table, notes = align(self.as_rows(_table(source)), self.schema)
        x, more = self._encoded(table)
        return x, (*notes, *more)

    def _encoded(
        self, table: Table, rows: np.ndarray | None = None
    ) -> tuple[np.ndarray, tuple[str, ...]]:
        if self.encoder is None:
            count = table.rows if rows is None else len(rows)
            return np.empty((count, 0), np.float32), ()
        encoded = self.encoder.transform(table, rows)
        return encoded.x, tuple(encoded.notes)

    def _blocks(self, count: int) -> list[np.ndarray | None]:
        """Return the row numbers of each block; None for all rows at once."""
        if self.block is None or count <= self.block:
            return [None]
        return [np.arange(first, min(first + self.block, count))
                for first in range(0, count, self.block)]  # fmt: skip

    def as_rows(self, table: Table) -> Table:
        """Return a table whose rows are the model's: gathered into sequences as in training."""
        part = self.artefact.parts.get(GATHERING)
        if part is None or table.origin.gathered is not None:
            return table
        how = Plan.from_json(part)
        return table if set(how.channels) <= _sequences_of(table) else gather(table, how)

    def raw(self, source: Any) -> tuple[np.ndarray, tuple[str, ...]]:
        """Return probabilities (n, k), or numbers (n,) in the target's unit, and the notes."""
        table, aligned = align(self.as_rows(_table(source)), self.schema)
        answers, noted = [], dict.fromkeys(aligned)
        for rows in self._blocks(table.rows):
            x, notes = self._encoded(table, rows)
            answers.append(self.learner.predict(x))
            noted |= dict.fromkeys(notes)
        answer, notes = np.concatenate(answers), tuple(noted)
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


def _sequences_of(table: Table) -> set[str]:
    return {name for name in table.names if is_series(table.arrow.column(name).type)}


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
        arrays = arrays | getattr(learner.encoder, "arrays", dict)()
    if problem.table.origin.gathered is not None:
        parts[GATHERING] = problem.table.origin.gathered
    if learner.recipe is not None:
        parts["recipe"] = learner.recipe.to_json()
    return arrays, parts


def recipe_of(artefact: Artefact) -> Recipe | None:
    """Return the recipe that a model was trained by, or None where its rung has none."""
    part = artefact.parts.get("recipe")
    return Recipe.from_json(part) if part else None


def opened(artefact: Artefact, rungs: Catalogue, *needed: str) -> tuple[Schema, TargetCodec, Any]:
    """Return what every model holds: its schema, its target and the learner of its rung.

    ModelError when one of these or of the `needed` parts is missing, or the rung is unknown.
    """
    parts = artefact.parts
    for name in ("learner", "target", *needed):
        if name not in parts:
            raise ModelError(f"the model lacks {name}.json", remedy="use another copy")
    if artefact.card.learner not in rungs.names():
        raise ModelError(
            f"this version knows no rung {artefact.card.learner!r}",
            remedy="upgrade with: pip install -U neuroscope",
        )
    learner = rungs.get(artefact.card.learner).unpack(parts["learner"], artefact.weights)
    return Schema.from_json(artefact.card.schema), TargetCodec.from_json(parts["target"]), learner


def load(artefact: Artefact, rungs: Catalogue, read_encoder: ReadEncoder) -> Model:
    """Rebuild a model from its artefact; ModelError when a part is missing or does not fit."""
    schema, codec, learner = opened(artefact, rungs, "decision")
    parts = artefact.parts
    encoder = read_encoder(parts["encoder"], artefact.weights) if "encoder" in parts else None
    decision = parts["decision"]
    return Model(
        artefact,
        schema,
        codec,
        learner,
        encoder,
        float(decision.get("temperature", 1.0)),
        float(decision.get("threshold", 0.5)),
    )
