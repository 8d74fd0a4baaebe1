"""Forecasts: numbers over time, one series or many, each continued by the same model."""

from __future__ import annotations

from neuroscope.data.schema import Schema
from neuroscope.data.table import Table
from neuroscope.runs.artefact import Artefact
from neuroscope.tasks._forecast.model import ForecastModel
from neuroscope.tasks._forecast.model import load as load_model
from neuroscope.tasks._forecast.posing import WindowEncoding
from neuroscope.tasks.rungs.series_forecast import RUNGS

__all__ = ["ENCODING", "GUESS", "NAME", "RUNGS", "accepts", "crossed", "load"]

NAME = "series_forecast"
ENCODING = WindowEncoding()
GUESS = "last"  # the rung that guesses


def accepts(schema: Schema) -> bool:  # noqa: ARG001 - a forecast is asked for, not recognised here
    """Say that no table is taken for a series unasked; see `verbs`."""
    return False


def crossed(table: Table, schema: Schema) -> bool:  # noqa: ARG001 - origins are planned elsewhere
    """Say whether folds may cross; the plan of the origins decides by itself."""
    return True


def load(artefact: Artefact) -> ForecastModel:
    """Rebuild a model from its artefact; ModelError when a part is missing or damaged."""
    return load_model(artefact, RUNGS)
