"""How one rung did: its trials fold by fold, kept in the checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neuroscope.base.errors import ModelError
from neuroscope.base.recipe import Recipe
from neuroscope.judge.intervals import Interval

FINAL_FITS = 1.25  # how many fits of a fold the final fit on all rows is worth
FORMAT = 3  # of the checkpoint; raised when an older one cannot be taken up any more

_LEFT_OUT = ("tried", "folds", "interval", "recipe", "learner")


@dataclass
class RungRun:
    """How one rung did; kept in the checkpoint, so that a resumed run need not fit it again."""

    name: str
    recipe: Recipe | None = None
    trials: list[dict[str, Any]] = field(default_factory=list)
    trial: int = 0  # the recipe that all folds together picked
    seconds: float = 0.0
    parameters: int = 0
    status: str = ""  # "done", or why not; "" while it runs
    searched: bool = False  # on inner splits, where one held-out part judges
    fold_seconds: float = 0.0  # of the slowest fit of a fold
    tried: dict[tuple[int, int], np.ndarray] = field(default_factory=dict)  # (trial, fold) -> held
    folds: dict[int, np.ndarray] = field(default_factory=dict)  # what the fold's own pick predicts
    interval: Interval | None = None
    learner: Any = None  # of the only fold, where it is not fitted again

    def to_json(self) -> dict[str, Any]:
        """Return all but the predictions."""
        record = {name: value for name, value in vars(self).items() if name not in _LEFT_OUT}
        return record | {"recipe": self.recipe.to_json() if self.recipe else None}

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the predictions of every trial and of the picks, by name."""
        tried = {f"{self.name}.{trial}.{fold}": p for (trial, fold), p in dict(self.tried).items()}
        return tried | {f"{self.name}.{fold}": p for fold, p in dict(self.folds).items()}


def to_state(
    runs: Mapping[str, RungRun], spent: float
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the state of a climb, `spent` seconds after it began, as JSON and arrays."""
    arrays = {name: p for run in runs.values() for name, p in run.arrays().items()}
    rungs = {name: run.to_json() for name, run in runs.items()}
    return {"format": FORMAT, "spent": spent, "rungs": rungs}, arrays or {"none": np.zeros(0)}


def from_state(
    state: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> tuple[dict[str, RungRun], float]:
    """Rebuild what `to_state` wrote; ModelError for a checkpoint of another format."""
    if state.get("format") != FORMAT:
        raise ModelError("the checkpoint is of another version")
    runs = {}
    for name, record in state["rungs"].items():
        recipe = Recipe.from_json(record["recipe"]) if record["recipe"] else None
        run = runs[name] = RungRun(**(record | {"recipe": recipe}))
        for key, values in arrays.items():
            owner, *numbers = key.split(".")
            if owner == name and len(numbers) == 2:
                run.tried[int(numbers[0]), int(numbers[1])] = values
            elif owner == name:
                run.folds[int(numbers[0])] = values
    return runs, float(state["spent"])
