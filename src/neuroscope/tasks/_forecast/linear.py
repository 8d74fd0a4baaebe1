"""One linear neuron for each step ahead, on the readings of a window: y = m + W (x - m) + b m.

The level m of each window, its mean, is taken off first and put back behind (instance
normalisation; Kim et al. 2022, "Reversible Instance Normalization"), so that a series that has
moved is forecast from where it is. Where readings keep well above 0 the windows count relative to
their level, and b says how a series grows; elsewhere b is 0. One matrix serves all series, as in
DLinear (Zeng et al. 2023). The penalty pulls it towards the matrix that repeats the last season,
so that what few windows do not say is left as it was.

What stands beside the target is read in two ways. Of columns known ahead and of the calendar, f,
the effect is taken off the readings, the rest is forecast, and the effect at the steps to come is
put back, with one weight for each column whatever the step (regression with errors in time; Box and
Jenkins 1970): y = m + (f' - mean f) c s + W (x - m - (f - mean f) c s) + b m, s the scale of the
series, or its level m where shares of that fit better. Columns known up to now are more inputs, p:
+ V (p - mean p) s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from neuroscope.base.errors import ModelError
from neuroscope.base.events import EpochEnded
from neuroscope.base.recipe import Recipe, all_but
from neuroscope.data.series.windows import Block, Windows
from neuroscope.neuron.units import least_squares
from neuroscope.tasks._forecast.encoder import WindowEncoder
from neuroscope.tasks._forecast.posing import Posed
from neuroscope.tasks._learning import Training, Watch

IGNORES = all_but("net", "l2", "look_back", "seed", "device", "reasons")
PENALTIES = (1e-3, 1e-2, 1e-1, 1.0, 10.0)  # of the weights, in units of a reading's variance
_FEW = 300  # windows; below, a strong penalty is the better guess
_MANY = 20_000  # windows, from which the penalty hardly matters
_ABOVE = 0.98  # share of windows whose level is above their spread where readings keep above 0
_SOLVED = "solved at once by least squares, without descent"
ROUNDS = 3  # of effects and weights, each solved with the other held
_LITTLE = 1e-3  # penalty of the effects, in units of their columns' variance
_AT_ONCE = 1 << 22  # numbers that are looked at together
_MOST_PAST = 1500  # weights a step on columns known up to now; of more the newest readings


@dataclass(frozen=True)
class LinearLearner:
    """Weights (look_back, horizon) and growth (horizon,) of the level, float32.

    `effects` (f,) are those of columns known ahead and of the calendar; `past` (steps, columns,
    horizon) the weights on the newest steps of the other columns beside. `relative`: windows count
    relative to their level.
    """

    weights: np.ndarray
    growth: np.ndarray
    effects: np.ndarray
    past: np.ndarray
    relative: bool
    encoder: WindowEncoder | None
    recipe: Recipe | None

    @property
    def parameters(self) -> int:
        """Number of weights, and of biases where there are some."""
        grown = self.growth.size if self.growth.any() else 0
        return self.weights.size + grown + self.effects.size + self.past.size

    def predict(self, x: Windows) -> np.ndarray:
        """Return the forecasts (n, horizon) of windows, in the target's unit."""
        horizon = self.weights.shape[1]
        found = [self.answer(block) for block in x.known(horizon)]
        return np.concatenate(found) if found else np.empty((0, horizon))

    def answer(self, block: Block) -> np.ndarray:
        """Return the forecasts (n, horizon) of what some origins know."""
        weights, values = self.weights.astype(np.float64), block.values
        level = values.mean(axis=1, keepdims=True)
        readings, later = values - level, level * (1.0 + self.growth)
        scale = level if self.relative else block.scale
        if self.effects.size:
            then, coming = _centred(block.then, block.coming)
            readings = readings - scale * (then @ self.effects)
            later = later + scale * (coming @ self.effects)
        if self.past.size:
            steps, columns, horizon = self.past.shape
            seen = _newest(block, steps, columns)
            later = later + scale * (seen @ self.past.reshape(steps * columns, horizon))
        return later + readings @ weights

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the weights as arrays."""
        beside = {name: values for name, values in (("effects", self.effects), ("past", self.past))
                  if values.size}  # fmt: skip
        return {"relative": self.relative}, {
            "weights": self.weights,
            "growth": self.growth,
            **beside,
        }


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
    windows = x.some(posed.learnable(training))
    found, error = solved(windows, posed.spread, posed.setting.horizon, posed.setting.season,
                          recipe.l2)  # fmt: skip
    watch.tell(EpochEnded(rung=watch.rung, fold=watch.fold, trial=watch.trial, trials=watch.trials,
                          epoch=1, epochs=1, train_loss=error, valid_loss=None,
                          learning_rate=recipe.learning_rate, seconds=0.0))  # fmt: skip
    return replace(found, encoder=encoder, recipe=recipe)


def solved(
    windows: Windows,
    spread: np.ndarray,
    horizon: int,
    season: int,
    penalty: float,
) -> tuple[LinearLearner, float]:
    """Return the learner of these windows without its encoder, and half its mean square error.

    `spread` (s,) is the standard deviation of each series. Effects and weights are solved in turn,
    more than once: weights that repeat a season leave its calendar nothing to say. Where windows
    may count relative to their level and columns stand beside, both ways are tried: a promotion may
    sell a share more or so many more.
    """
    block, targets = windows.block(horizon), windows.targets(horizon)
    level = block.values.mean(axis=1, keepdims=True)
    own = np.where(spread > 0, spread, 1.0)[windows.series, None]
    ways = [True, False] if _above_zero(block.values, level) else [False]
    if windows.panel.beside is None:
        ways = ways[:1]
    found = [
        _solved(block, targets, level if relative else own, relative=relative, season=season,
                penalty=penalty, columns=_past(windows)) for relative in ways
    ]  # fmt: skip
    if len(found) == 1:
        return found[0]

    def missed(learner: LinearLearner) -> float:
        return float(np.mean(((learner.answer(block) - targets) / own) ** 2))

    return min(found, key=lambda way: missed(way[0]))


def _past(windows: Windows) -> int:
    """Return how many columns are known up to now."""
    return 0 if windows.panel.beside is None else windows.panel.beside.past


def _solved(
    block: Block,
    targets: np.ndarray,  # (n, h)
    unit: np.ndarray,  # (n, 1) in which a window counts
    *,
    relative: bool,
    season: int,
    penalty: float,
    columns: int,
) -> tuple[LinearLearner, float]:
    """Return the learner of windows that count in a unit, and half its mean square error."""
    level = block.values.mean(axis=1, keepdims=True)
    (look_back, horizon) = block.values.shape[1], targets.shape[1]
    inputs, targets = (block.values - level) / unit, (targets - level) / unit
    scale = 1.0 if relative else block.scale / unit
    then, coming = _centred(block.then, block.coming)
    steps = min(look_back, _MOST_PAST // columns) if columns else 0
    seen = _newest(block, steps, columns) * scale
    start = repeated(look_back, horizon, season)
    weights, growth, past = start, np.zeros(horizon), np.zeros((seen.shape[1], horizon))
    l2 = penalty * max(float(inputs.var()), 1e-12)
    own, later, effects = inputs, targets, np.zeros(then.shape[2])
    for _ in range(ROUNDS if then.shape[2] else 1):
        left = targets - growth - seen @ past
        effects = _effects(inputs, left, then, coming, scale, weights)
        own = inputs - scale * (then @ effects)
        later = targets - scale * (coming @ effects)
        theta = least_squares(np.concatenate([own, seen], axis=1), later - own @ start, l2=l2)
        weights, past = start + theta[: len(start)], theta[len(start) : -1]
        growth = theta[-1] * relative
    left = later - own @ weights - seen @ past - growth
    return LinearLearner(
        weights.astype(np.float32), growth.astype(np.float32), effects.astype(np.float32),
        past.astype(np.float32).reshape(steps, columns, horizon), relative, None, None,
    ), float((left**2).mean() / 2)  # fmt: skip


def _centred(then: np.ndarray, coming: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what is known ahead, in the window and behind it, less its mean over the window."""
    mean = then.mean(axis=1, keepdims=True)
    return then - mean, coming - mean


def _newest(block: Block, steps: int, columns: int) -> np.ndarray:
    """Return the last columns seen at the newest steps (n, steps * columns)."""
    seen = block.seen[:, block.seen.shape[1] - steps :, block.seen.shape[2] - columns :]
    return seen.astype(np.float64).reshape(len(seen), steps * columns)


def _effects(
    inputs: np.ndarray,  # (n, t) readings
    targets: np.ndarray,  # (n, h)
    then: np.ndarray,  # (n, t, f)
    coming: np.ndarray,  # (n, h, f)
    scale: np.ndarray | float,  # (n, 1)
    weights: np.ndarray,  # (t, h)
) -> np.ndarray:
    """Return the effect (f,) of each column that explains best what the weights leave."""
    if not then.shape[2]:
        return np.zeros(0)
    left, count = (targets - inputs @ weights) / scale, then.shape[2]
    square, product = np.zeros((count, count)), np.zeros(count)
    share = np.broadcast_to(np.square(scale), (len(then), 1)).astype(np.float32)[:, :, None]
    weights, size = weights.astype(np.float32), max(_AT_ONCE // then[0].size, 1)
    for first in range(0, len(then), size):
        part = slice(first, first + size)
        flat = then[part].transpose(0, 2, 1).reshape(-1, len(weights))
        past = (flat @ weights).reshape(-1, count, weights.shape[1]).transpose(0, 2, 1)
        said = coming[part] - past
        weighed = (said * share[part]).reshape(-1, count)
        square += weighed.T @ said.reshape(-1, count)
        product += weighed.T @ left[part].reshape(-1)
    usual = np.trace(square) / count
    return np.linalg.lstsq(square + _LITTLE * max(usual, 1e-12) * np.eye(count), product,
                           rcond=None)[0]  # fmt: skip


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


def unpack(record: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> LinearLearner:
    """Rebuild the learner that `pack` wrote; ModelError when its weights are missing."""
    weights, growth = arrays.get("weights"), arrays.get("growth")
    if weights is None or growth is None or weights.shape[1:] != growth.shape:
        raise ModelError("the model lacks its weights", remedy="use another copy")
    nothing = np.zeros((0, 0, weights.shape[1]), np.float32)
    effects, past = arrays.get("effects", np.zeros(0, np.float32)), arrays.get("past", nothing)
    return LinearLearner(weights, growth, effects, past, bool(record.get("relative")), None, None)
