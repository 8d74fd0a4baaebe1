"""One linear neuron for each step ahead, on the readings of a window: y = m + W (x - m) + b m.

The level m of each window, its mean, is taken off first and put back behind (instance
normalisation; Kim et al. 2022, "Reversible Instance Normalization"), so that a series that has
moved is forecast from where it is. Where readings keep well above 0 the windows count relative to
their level, and b says how a series grows; elsewhere b is 0. One matrix serves all series, as in
DLinear (Zeng et al. 2023). The penalty pulls it towards the matrix that repeats the last season,
so that what few windows do not say is left as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from neuroscope.base.errors import ModelError
from neuroscope.base.events import EpochEnded
from neuroscope.base.recipe import Recipe
from neuroscope.data.series.windows import Windows
from neuroscope.neuron.units import least_squares
from neuroscope.tasks._forecast.encoder import WindowEncoder
from neuroscope.tasks._forecast.posing import Posed
from neuroscope.tasks._learning import Training, Watch

PENALTIES = (1e-3, 1e-2, 1e-1, 1.0, 10.0)  # of the weights, in units of a reading's variance
_FEW = 300  # windows; below, a strong penalty is the better guess
_MANY = 20_000  # windows, from which the penalty hardly matters
_ABOVE = 0.98  # share of windows whose level is above their spread where readings keep above 0
_SOLVED = "solved at once by least squares, without descent"


@dataclass(frozen=True)
class LinearLearner:
    """Weights (look_back, horizon) and growth (horizon,) of the level, float32."""

    weights: np.ndarray
    growth: np.ndarray
    encoder: WindowEncoder | None
    recipe: Recipe | None

    @property
    def parameters(self) -> int:
        """Number of weights, and of biases where there are some."""
        return self.weights.size + (self.growth.size if self.growth.any() else 0)

    def predict(self, x: Windows) -> np.ndarray:
        """Return the forecasts (n, horizon) of windows, in the target's unit."""
        weights, growth, found = self.weights.astype(np.float64), 1.0 + self.growth, []
        for block in x.blocks():
            level = block.mean(axis=1, keepdims=True)
            found.append(level * growth + (block - level) @ weights)
        return np.concatenate(found) if found else np.empty((0, weights.shape[1]))

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the weights as an array."""
        return {}, {"weights": self.weights, "growth": self.growth}


def recipes(training: Training) -> list[Recipe]:
    """Return one recipe for each penalty, the best guess first."""
    problem, setting = training.problem, Posed.of(training.problem).setting
    start = (
        Recipe(net="linear", seed=problem.seed, loss="mean_squared_error")
        .because(setting.reasons["look_back"], look_back=setting.look_back)
        .because(_SOLVED, epochs=1)
    )
    guess = 1.0 if len(training.rows) < _FEW else 1e-2
    why = "weights that the readings do not ask for stay those that repeat the season"
    if len(training.rows) >= _MANY:
        return [start.because(f"{len(training.rows):,} windows: it hardly matters", l2=guess)]
    nearest = sorted(PENALTIES, key=lambda penalty: abs(np.log10(penalty / guess)))
    return [start.because(why, l2=penalty) for penalty in nearest]


def fit(training: Training, recipe: Recipe, watch: Watch) -> LinearLearner:
    """Solve for the weights that fit the training windows best, all series together.

    A window counts in units of its level, or of its series' standard deviation on the oldest part,
    so that no series drowns the others.
    """
    encoder, x = training.encoded(recipe)
    posed = Posed.of(training.problem)
    kept = posed.learnable(training)
    windows = Windows(x.panel, x.series[kept], x.at[kept], x.look_back)
    inputs, targets = windows.values(), windows.targets(posed.setting.horizon)
    level = inputs.mean(axis=1, keepdims=True)
    relative = _above_zero(inputs, level)
    unit = (
        level if relative else np.where(posed.spread > 0, posed.spread, 1.0)[windows.series, None]
    )
    inputs = (inputs - level) / unit
    targets = (targets - level) / unit
    l2 = recipe.l2 * max(float(inputs.var()), 1e-12)
    season = repeated(x.look_back, posed.setting.horizon, posed.setting.season)
    theta = least_squares(inputs, targets - inputs @ season, l2=l2)
    weights, growth = season + theta[:-1], theta[-1] * relative
    error = float(((targets - inputs @ weights - growth) ** 2).mean() / 2)
    watch.tell(EpochEnded(rung=watch.rung, fold=watch.fold, trial=watch.trial, trials=watch.trials,
                          epoch=1, epochs=1, train_loss=error, valid_loss=None,
                          learning_rate=recipe.learning_rate, seconds=0.0))  # fmt: skip
    return LinearLearner(weights.astype(np.float32), growth.astype(np.float32), encoder, recipe)


def _above_zero(inputs: np.ndarray, level: np.ndarray) -> bool:
    """Say whether a window is well described by its level and shares of it."""
    clear = level[:, 0] > inputs.std(axis=1)
    return bool(inputs.min() >= 0 and level.min() > 0 and clear.mean() >= _ABOVE)


def repeated(look_back: int, horizon: int, season: int) -> np.ndarray:
    """Return the weights (look_back, horizon) that repeat the last season; or the last value."""
    season = min(season, look_back)
    weights = np.zeros((look_back, horizon))
    ahead = np.arange(horizon)
    weights[look_back - season + ahead % season, ahead] = 1.0
    return weights


def unpack(record: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> LinearLearner:  # noqa: ARG001
    """Rebuild the learner that `pack` wrote; ModelError when its weights are missing."""
    weights, growth = arrays.get("weights"), arrays.get("growth")
    if weights is None or growth is None or weights.shape[1:] != growth.shape:
        raise ModelError("the model lacks its weights", remedy="use another copy")
    return LinearLearner(weights, growth, None, None)
