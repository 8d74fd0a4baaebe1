"""Tables: one row a case, one column a feature; classes or a number to predict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from neuroscope.base.recipe import Recipe
from neuroscope.data.encoders import Encoder
from neuroscope.data.schema import Schema
from neuroscope.data.table import Table
from neuroscope.runs.artefact import Artefact
from neuroscope.tasks import _model
from neuroscope.tasks._learning import Training
from neuroscope.tasks.rungs.table import RUNGS

__all__ = ["ENCODING", "NAME", "RUNGS", "accepts", "crossed", "load"]

NAME = "table"


def accepts(schema: Schema) -> bool:
    """Say whether a schema has a feature that a table model can read."""
    unread = ("text", "identifier", "constant", "image", "series")
    return any(column.kind not in unread for column in schema.features)


def crossed(table: Table, schema: Schema) -> bool:  # noqa: ARG001 - other tasks look
    """Say whether folds may cross: nets of tables are quick to fit."""
    return True


@dataclass(frozen=True)
class TableEncoding:
    """Numbers scaled, categories as codes; numbers cut into `numeric_bins` pieces when asked."""

    def key(self, recipe: Recipe) -> tuple[Any, ...]:
        """Return what the encoder depends on."""
        return (recipe.numeric_bins,)

    def fit(self, training: Training, recipe: Recipe) -> tuple[Encoder, np.ndarray]:
        """Return the encoder fitted on the training rows and these rows (n, d) float32."""
        problem = training.problem
        encoder, encoded = Encoder.fit_transform(
            problem.table, problem.schema, training.rows, numeric_bins=recipe.numeric_bins,
            y=training.y, seed=problem.seed,
        )  # fmt: skip
        return encoder, encoded.x


ENCODING = TableEncoding()


def load(artefact: Artefact) -> _model.Model:
    """Rebuild a table model from its artefact; ModelError when a part is missing or damaged."""
    return _model.load(artefact, RUNGS, _encoder)


def _encoder(record: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Encoder:  # noqa: ARG001
    return Encoder.from_json(record)
