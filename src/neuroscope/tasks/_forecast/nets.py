"""Torch nets that forecast: one net for all series, fed with windows freed of level and spread.

    z = (x - mean x) / std x,  forecast = mean x + std x * net(z)

Mean and standard deviation are the window's own (instance normalisation; Kim et al. 2022), put back
behind the net, so a shift in level or scale does not break it. A window weighs by its variance in
units of its series, which makes the loss the squared error of standardised series.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroscope.base.recipe import Recipe
from neuroscope.data.series.windows import Block, Windows, spread
from neuroscope.tasks import _torch
from neuroscope.tasks._forecast.encoder import WindowEncoder
from neuroscope.tasks._forecast.posing import Posed
from neuroscope.tasks._learning import Training, Watch
from neuroscope.tasks._sequences.remembered import look_inside

if TYPE_CHECKING:
    from torch import nn

IGNORES = ("label_smoothing", "class_weight")  # of a recipe
_VISITS = 250_000  # windows times epochs from which more epochs add little
_MOST_EPOCHS = 60
_WATCHED = 2000  # about so many held-out windows are looked at after each epoch
_LOOKED_AT = 48  # training windows that a net's memory is measured on
_TOKENS = 24  # pieces that a window is cut into, about
_EXTRA = 4  # numbers that a net gives for each step to come, beside the forecast itself
_AT_ONCE = 2048  # windows predicted at a time


@dataclass(frozen=True)
class NetForecaster:
    """A net behind windows; `record` builds the same net without weights."""

    net: nn.Module
    record: Mapping[str, Any]
    encoder: WindowEncoder | None
    recipe: Recipe | None

    @property
    def parameters(self) -> int:
        """Number of weights and biases."""
        return sum(weight.numel() for weight in self.net.parameters())

    def predict(self, x: Windows) -> np.ndarray:
        """Return the forecasts (n, horizon) of windows, in the target's unit."""
        import torch  # noqa: PLC0415 - slow to import

        self.net.eval()
        device, found = next(self.net.parameters()).device, []
        with torch.inference_mode():
            for block in x.known(self.record.get("horizon", self.record["options"]["outputs"])):
                inputs, mean, std = normalised(block)
                for first in range(0, len(mean), _AT_ONCE):
                    rows = slice(first, first + _AT_ONCE)
                    parts = tuple(torch.from_numpy(part[rows]).to(device) for part in inputs)
                    said = self.net(*cut(parts, self.record)).cpu().double().numpy()
                    found.append(mean[rows] + std[rows] * said)
        return np.concatenate(found) if found else np.empty((0, 1))

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the net's record as JSON and its weights as arrays."""
        return {"net": dict(self.record)}, _torch.arrays_of(self.net)


def unpack(record: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> NetForecaster:
    """Rebuild the learner that `pack` wrote; ModelError when its parts do not fit together."""
    return _torch.rebuilt(record, arrays, lambda net: NetForecaster(net, record["net"], None, None))


def normalised(block: Block) -> tuple[tuple[np.ndarray, ...], np.ndarray, np.ndarray]:
    """Return what nets read, float32, and the level and spread of the windows, each (n, 1).

    It is the windows without both (n, t), or with the columns beside (n, t, 1 + c), and where there
    are some the columns known ahead (n, h, f).
    """
    mean, std = block.values.mean(axis=1, keepdims=True), spread(block.values)[:, None]
    z = ((block.values - mean) / std).astype(np.float32)
    if block.seen.shape[2]:
        z = np.concatenate([z[:, :, None], block.seen.astype(np.float32)], axis=2)
    if not block.coming.shape[2]:
        return (z,), mean, std
    return (z, block.coming.astype(np.float32)), mean, std


def cut(inputs: tuple[Any, ...], record: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return windows as the net of `record` reads them: flat, or (n, pieces, piece)."""
    options, (windows, *coming) = record["options"], inputs
    shape = (options["steps"],) if "steps" in options else ()
    return (windows.reshape(len(windows), *shape, options["channels"]), *coming)


def record_of(training: Training, family: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return the record of a net whose `options` hold channels and outputs for the target alone.

    Columns beside the target are more channels; where some are known ahead the net gives, of each
    step to come, some numbers more, from which, with these columns, its forecast is made.
    """
    panel, horizon = Posed.of(training.problem).panel, options["outputs"]
    if panel.beside is None:
        return {"family": family, "options": options}
    options = options | {
        "channels": options["channels"] * (1 + panel.beside.ahead + panel.beside.past)
    }
    if not panel.beside.future:
        return {"family": family, "options": options}
    ahead = {"columns": panel.beside.future, "extra": _EXTRA, "seed": options["seed"]}
    options = options | {"outputs": horizon * (1 + _EXTRA)}
    return {"family": family, "options": options, "ahead": ahead, "horizon": horizon}


def recipe_of(training: Training, net: str, learning_rate: float, **changes: Any) -> Recipe:
    """Return the recipe of a net for these windows; `changes` are its own choices."""
    setting, rows = Posed.of(training.problem).setting, len(training.rows)
    batch = min(max(2 ** round(math.log2(max(rows / 64, 1))), 16), 256)
    epochs = round(min(max(_VISITS / rows, 4), _MOST_EPOCHS))
    return (
        Recipe(net=net, seed=training.problem.seed, loss="mean_squared_error")
        .because(setting.reasons["look_back"], look_back=setting.look_back)
        .because(f"{rows:,} windows", batch_size=batch, epochs=epochs)
        .because("small steps, large ones, small ones", schedule="one_cycle")
        .because("good for nets of this kind", learning_rate=learning_rate, optimizer="adamw")
        .because("weights shrink a little each step", weight_decay=0.01)
        .because("one wild window must not tear the weights away", clip_norm=1.0)
        .because("the newest windows say when more epochs only memorise", patience=8)
        .because("our choice for windows", **changes)
    )


def piece(look_back: int, season: int) -> int:
    """Return how many readings make a step of a net over time: they divide the window.

    Few long steps are quicker to read one after the other, and each says more (Lin et al. 2023,
    "SegRNN").
    """
    most = max(look_back // _TOKENS, 1)
    fits = [size for size in range(1, most + 1) if look_back % size == 0]
    return season if season <= most and look_back % season == 0 else fits[-1]


def over_time(training: Training, recipe: Recipe, family: str, **options: Any) -> dict[str, Any]:
    """Return the record of a net over time for these windows, cut into pieces."""
    setting = Posed.of(training.problem).setting
    look_back = recipe.look_back or setting.look_back
    size = piece(look_back, setting.season)
    shape = {"channels": size, "steps": look_back // size, "outputs": setting.horizon}
    return record_of(training, family, shape | {"seed": recipe.seed} | options)


def fit(training: Training, recipe: Recipe, watch: Watch, record: dict[str, Any]) -> NetForecaster:
    """Train a net by its recipe on the older training windows; the newest ones say when to stop."""
    encoder, x = training.encoded(recipe)
    posed = Posed.of(training.problem)
    net = _torch.built(record)
    kept = posed.learnable(training)
    older, newest = _divided(posed, training.rows[kept]) if recipe.patience else (kept, None)
    data = _data(posed, x.some(kept[older] if newest is not None else kept), record)
    valid = None if newest is None else _data(posed, x.some(kept[newest]), record)
    if valid is None:
        recipe = replace(recipe, patience=0)
    seen = _torch.watching(training, watch)
    followed = _torch.trained(net, record, data, recipe, seen, valid=valid)
    net = net.float().eval()
    _look_inside(training, watch, net, record, x.some(kept[-_LOOKED_AT:]))
    return NetForecaster(net, record, encoder, followed)


def _look_inside(
    training: Training, watch: Watch, net: nn.Module, record: Mapping[str, Any], x: Windows
) -> None:
    """Keep for the report how far back a net over time remembers, on the newest windows."""
    if "steps" not in record["options"]:
        return
    setting = Posed.of(training.problem).setting
    inputs, _, _ = normalised(x.block(setting.horizon))
    windows, *_ = cut(inputs, record)
    look_inside(training, watch, net, record, windows,
                step=x.look_back / record["options"]["steps"])  # fmt: skip


def _divided(posed: Posed, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the older and the newest rows (positions), a horizon apart; None where too few."""
    when = posed.plan.origins.when[rows]
    first = np.quantile(when, 0.85)
    newest = np.flatnonzero(when >= first)
    older = np.flatnonzero(when + posed.setting.horizon <= first)
    if len(older) < 4 * len(newest) or len(older) < 50:
        return np.arange(len(rows)), None
    return older, newest[:: max(len(newest) // _WATCHED, 1)]


def _data(posed: Posed, x: Windows, record: Mapping[str, Any]) -> Any:
    """Return windows with their targets and weights as the loop takes them."""
    from neuroscope.train.data import Data  # noqa: PLC0415 - imports torch

    inputs, mean, std = normalised(x.block(posed.setting.horizon))
    targets = ((x.targets(posed.setting.horizon) - mean) / std).astype(np.float32)
    unit = np.where(posed.spread > 0, posed.spread, 1.0)[x.series]
    weights = np.minimum((std[:, 0] / unit) ** 2, 25.0).astype(np.float32)
    flat = std[:, 0] <= 1e-6 * np.maximum(np.abs(mean[:, 0]), 1e-6)
    targets[flat] = 0.0  # a window without spread says nothing of what comes
    return Data(inputs, np.clip(targets, -50, 50), np.maximum(weights, 1e-6),
                prepare=lambda given, _: cut(given, record))  # fmt: skip
