"""Plain-language alerts on the whole course of a fit: which layer, what it means, what to do.

vanishing, exploding   Hochreiter 1991; Bengio et al. 1994; Pascanu et al. 2013
dead                   Lu et al. 2020
steps too large/small  an update of a thousandth of the weights is usual; the bounds stand far off
overfitting            the validation loss turned while the training loss went on falling, and
                       more rows are named wrongly at the end than where it turned; where only the
                       loss rose, the net has grown too sure of what it names as well as before
                       (Guo et al. 2017), which calibration mends
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from statistics import median

from neuroscope.base.events import DeadUnits, EpochEnded, Event, GradientFlow

VANISHED = 1e-4  # share of the largest layer's gradient below which a layer barely learns
EXPLODED = 1e3  # gradient norm far above what scaled data give
DEAD_SHARE = 0.5  # of a layer's units
LARGE_CHANGE = 0.1  # of the weights in one step
SMALL_CHANGE = 1e-5
TURNED = 1.02  # factor on the best validation loss that counts as a turn
LATER = 3  # epochs after the best one before a turn is believed


def course_alerts(
    history: Sequence[Event],
    learning_rate: float,
    *,
    restored: bool = False,
    rows: int = 0,
) -> list[str]:
    """Return one sentence a trouble; `history` holds the events of a fit, first epoch first.

    restored  whether the weights of the best epoch stay, so that what came later does no harm
    rows      watched rows, by which a fall of their accuracy is told from chance
    """
    epochs = [event for event in history if isinstance(event, EpochEnded)]
    flows = [event for event in history if isinstance(event, GradientFlow) and event.norms]
    deaths = [event for event in history if isinstance(event, DeadUnits)]
    return [
        *_exploding(flows),
        *_vanishing(flows),
        *_dead(deaths),
        *([] if restored else _overfitting(epochs, rows)),
        *_rate(epochs, flows, learning_rate),
    ]


def _where(event: GradientFlow, number: int) -> str:
    name = event.layers[number] if event.layers else ""
    return f"layer {number + 1} of {len(event.norms)}" + (f" ({name})" if name else "")


def _since(found: Sequence[int], last: int) -> str:
    """Say in which epochs something was seen."""
    if len(found) > 1 and found[-1] == last and len(found) >= last - found[0]:
        return f"since epoch {found[0]}"
    return f"in epoch {found[0]}" if len(found) == 1 else f"first in epoch {found[0]}"


def _exploding(flows: Sequence[GradientFlow]) -> list[str]:
    said = []
    for number in range(len(flows[0].norms) if flows else 0):
        bad = [f for f in flows if not f.norms[number] <= EXPLODED]
        if bad:
            worst = max(f.norms[number] for f in bad)
            said.append(
                f"the gradient explodes in {_where(flows[0], number)} "
                f"{_since([f.epoch for f in bad], flows[-1].epoch)} (norm {worst:.3g}): its steps "
                "are too large to settle; halve learning_rate or set clip_norm to 1"
            )
    return said


def _vanishing(flows: Sequence[GradientFlow]) -> list[str]:
    """A layer's gradient must be small in most epochs: a single one proves nothing."""
    said = []
    for number in range(len(flows[0].norms) - 1 if flows else 0):
        bad = [f for f in flows if f.norms[number] < VANISHED * max(f.norms) > 0]
        if 2 * len(bad) > len(flows):
            said.append(
                f"the gradient vanishes in {_where(flows[0], number)} "
                f"{_since([f.epoch for f in bad], flows[-1].epoch)} (norm "
                f"{bad[-1].norms[number]:.1e}, the largest layer has {max(bad[-1].norms):.1e}): "
                "this layer barely learns; use relu or gelu, fewer layers, or a net with norms and "
                "shortcuts"
            )
    return said


def _dead(deaths: Sequence[DeadUnits]) -> list[str]:
    if not deaths:
        return []
    last = deaths[-1]
    said = []
    for name, dead, units in zip(last.layers, last.dead, last.units, strict=True):
        if dead > DEAD_SHARE * units:
            epochs = [d.epoch for d in deaths if _share(d, name) > DEAD_SHARE]
            said.append(
                f"{dead} of {units} units of layer {name} are dead {_since(epochs, last.epoch)}: "
                "they stay at zero for every row and no longer learn; halve learning_rate, or use "
                "leaky_relu or gelu"
            )
    return said


def _share(event: DeadUnits, name: str) -> float:
    if name not in event.layers:
        return 0.0
    at = event.layers.index(name)
    return event.dead[at] / max(event.units[at], 1)


def _overfitting(epochs: Sequence[EpochEnded], rows: int) -> list[str]:
    watched = [(e.valid_loss, e) for e in epochs if e.valid_loss is not None]
    if len(watched) <= LATER:
        return []
    best, turn = min(watched, key=lambda entry: entry[0])
    now, last = watched[-1]
    later, risen = last.epoch - turn.epoch >= LATER, now >= best + (TURNED - 1) * abs(best)
    if not (later and risen and last.train_loss < turn.train_loss):
        return []
    named = ""
    if turn.valid_accuracy is not None and last.valid_accuracy is not None:
        if turn.valid_accuracy - last.valid_accuracy <= _chance(turn.valid_accuracy, rows):
            return []
        named = f", and {last.valid_accuracy:.3g} of them are named rightly in place of "
        named += f"{turn.valid_accuracy:.3g},"
    return [
        f"overfitting since epoch {turn.epoch}: the loss on rows it does not learn from rose from "
        f"{best:.3g} to {now:.3g}{named} while the training loss fell on to {last.train_loss:.3g}; "
        "use more rows, augmentation, dropout or weight_decay, or set patience to stop there"
    ]


def _chance(share: float, rows: int) -> float:
    """Return the standard error of a share of so many rows."""
    return math.sqrt(share * (1 - share) / rows) if rows else 0.0


def _rate(
    epochs: Sequence[EpochEnded], flows: Sequence[GradientFlow], learning_rate: float
) -> list[str]:
    """Judge the size of the steps, seen as if each were taken at the full rate.

    The first epoch proves nothing: weights that start at 0 double with each of its steps.
    """
    full = {e.epoch: learning_rate / e.learning_rate for e in epochs if e.learning_rate > 0}
    changes = {
        layer: median(values[1:])
        for layer, values in _by_layer(flows, full).items()
        if len(values) > 1 and all(map(math.isfinite, values))
    }
    losses = [e.train_loss for e in epochs]
    if not changes or not losses:
        return []
    layer, largest = max(changes.items(), key=lambda entry: entry[1])
    rises = sum(later > 1.1 * earlier for earlier, later in itertools.pairwise(losses))
    if largest > LARGE_CHANGE or 3 * rises > max(len(losses) - 1, 2):
        seen = f"a step changes the weights of {layer} by {100 * largest:.2g} %"
        rose = f", and the training loss rose in {rises} of {len(losses)} epochs" if rises else ""
        return [f"learning_rate {learning_rate:g} is too high: {seen}{rose}; divide it by 3"]
    layer, largest = max(changes.items(), key=lambda entry: entry[1])
    if largest < SMALL_CHANGE and losses[-1] > 0.95 * losses[0]:
        return [
            f"learning_rate {learning_rate:g} is too low: a step changes the weights of {layer}, "
            f"which move most, by {100 * largest:.1e} %, and the loss fell from {losses[0]:.3g} to "
            f"{losses[-1]:.3g} only; multiply it by 10"
        ]
    return []


def _by_layer(flows: Sequence[GradientFlow], full: dict[int, float]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for flow in flows:
        for layer, change in zip(flow.layers, flow.updates, strict=False):
            if flow.epoch in full:
                found.setdefault(layer, []).append(change * full[flow.epoch])
    return found
