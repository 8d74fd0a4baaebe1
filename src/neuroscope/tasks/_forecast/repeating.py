"""Forecasts without learning: the last readings once more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from neuroscope.base.errors import ModelError
from neuroscope.base.recipe import Recipe
from neuroscope.data.series.windows import Windows
from neuroscope.tasks._forecast.encoder import WindowEncoder
from neuroscope.tasks._forecast.posing import Posed
from neuroscope.tasks._learning import Training


@dataclass(frozen=True)
class Repeating:
    """The last `season` readings again and again, `horizon` steps on."""

    season: int
    horizon: int
    encoder: WindowEncoder | None = None
    recipe: None = None

    @property
    def parameters(self) -> int:
        """Number of learned numbers."""
        return 0

    def predict(self, x: Windows) -> np.ndarray:
        """Return the forecasts (n, horizon) of windows, in the target's unit."""
        again = np.arange(self.horizon) % self.season
        found = [block[:, block.shape[1] - self.season + again] for block in x.blocks()]
        return np.concatenate(found) if found else np.empty((0, self.horizon))

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the learner as JSON; it has no arrays, and a file wants one."""
        return {"season": self.season, "horizon": self.horizon}, {"none": np.zeros(1)}


def fit(training: Training, season: int) -> Repeating:
    """Return the learner that repeats the last `season` readings."""
    setting = Posed.of(training.problem).setting
    long = max(setting.look_back, season)
    encoder, _ = training.encoded(Recipe(look_back=long))
    return Repeating(season, setting.horizon, encoder)


def unpack(record: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Repeating:  # noqa: ARG001
    """Rebuild the learner that `pack` wrote; ModelError for anything else."""
    try:
        return Repeating(int(record["season"]), int(record["horizon"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"the model cannot be read: {error!r}") from error
