"""Classes of sequences: signals with a label, from summaries to what is read step by step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from neuroscope.base.errors import ModelError
from neuroscope.base.recipe import Recipe
from neuroscope.data.schema import Schema
from neuroscope.data.series.encoder import SeriesEncoder
from neuroscope.data.series.summaries import Summaries, SummaryEncoder
from neuroscope.data.table import Table
from neuroscope.runs.artefact import Artefact
from neuroscope.tasks import _model
from neuroscope.tasks._learning import Problem, Training
from neuroscope.tasks._sequences.nets import SequenceLearner
from neuroscope.tasks.rungs.series_classes import RUNGS

__all__ = ["ENCODING", "NAME", "RUNGS", "accepts", "crossed", "load"]

NAME = "series_classes"
SUMMARISED = ("neuron", "dense")  # rungs that read summaries
_MOST_CROSSED = 100_000  # readings of all sequences up to which folds cross


def accepts(schema: Schema) -> bool:
    """Say whether a schema has a feature that holds sequences."""
    return any(column.kind == "series" for column in schema.features)


def crossed(table: Table, schema: Schema) -> bool:
    """Say whether folds may cross: only where there are few readings."""
    import pyarrow.compute as pc  # noqa: PLC0415 - only asked once

    name = next(c.name for c in schema.features if c.kind == "series")
    lengths = pc.call_function("list_value_length", [table.arrow.column(name)])
    return (pc.call_function("sum", [lengths]).as_py() or 0) <= _MOST_CROSSED


@dataclass(frozen=True)
class SequenceEncoding:
    """Summaries for the neuron core, steps for torch nets."""

    def key(self, recipe: Recipe) -> tuple[Any, ...]:
        """Return what the encoder depends on."""
        if _summarised(recipe):
            return "summaries", recipe.numeric_bins
        return "steps", recipe.steps

    def fit(self, training: Training, recipe: Recipe) -> tuple[Any, Any]:
        """Return the encoder fitted on the training rows, and these rows encoded."""
        problem, rows = training.problem, training.rows
        if _summarised(recipe):
            return SummaryEncoder.fit_transform(
                _summaries(problem), rows, numeric_bins=recipe.numeric_bins, y=training.y,
                seed=problem.seed,
            )  # fmt: skip
        encoder = SeriesEncoder.fit(problem.table, problem.schema, rows, recipe.steps)
        return encoder, encoder.transform(problem.table, rows).x


def _summarised(recipe: Recipe) -> bool:
    return recipe.net in SUMMARISED


def _summaries(problem: Problem) -> Summaries:
    """Return the summaries that all rungs of a problem share."""
    if "summaries" not in problem.shared:
        problem.shared["summaries"] = Summaries.of(problem.table, problem.schema)
    return problem.shared["summaries"]


ENCODING = SequenceEncoding()


def load(artefact: Artefact) -> _model.Model:
    """Rebuild a model of sequences; ModelError when a part is missing or damaged."""
    model = _model.load(artefact, RUNGS, _encoder)
    if isinstance(model.learner, SequenceLearner):
        assert model.encoder is None or isinstance(model.encoder, SeriesEncoder)
        return replace(model, learner=replace(model.learner, encoder=model.encoder))
    return model


def _encoder(
    record: Mapping[str, Any], arrays: Mapping[str, np.ndarray]  # noqa: ARG001
) -> SeriesEncoder | SummaryEncoder:  # fmt: skip
    kinds: dict[Any, Any] = {"series": SeriesEncoder, "summaries": SummaryEncoder}
    try:
        return kinds[record.get("kind")].from_json(record)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"the model's encoder cannot be read: {error!r}") from error
