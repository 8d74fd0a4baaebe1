"""Plain-language alerts on gradient flow: which layer, what it means, what to do about it.

A gradient that shrinks from layer to layer on its way back leaves the first layers where they were
(vanishing: Hochreiter 1991, Bengio et al. 1994); one that grows makes the steps jump (exploding:
Pascanu et al. 2013).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

VANISHED = 1e-4  # share of the largest layer's gradient below which a layer barely learns
DEAD = 1e-12  # a gradient norm that is zero for every purpose
EXPLODED = 1e3  # mean gradient norm of an epoch, far above what scaled data give


def gradient_alerts(
    course: Sequence[Sequence[float]],  # of each epoch: mean gradient norm of each layer's weights
    activation: str,  # of the hidden layers
) -> list[str]:
    """Return one sentence a layer in trouble; an empty list when all layers learn.

    A gradient explodes if it does in any epoch, since one jump is enough to undo the others; it
    vanishes if it does in most epochs, since a net that has learned all there is has small ones.
    """
    layers = len(course[0]) if course else 0
    return [
        alert
        for layer in range(layers)
        if (alert := _exploding(course, layer) or _vanishing(course, layer, activation))
    ]


def _exploding(course: Sequence[Sequence[float]], layer: int) -> str | None:
    norms = [norms[layer] for norms in course]
    loud = [epoch for epoch, norm in enumerate(norms) if not norm <= EXPLODED]
    if not loud:
        return None
    when = f"{len(loud)} of {len(course)} epochs, first in epoch {loud[0] + 1}"
    return (
        f"the gradient explodes in layer {layer + 1} of {len(course[0])} (norm "
        f"{norms[loud[0]]:.3g}; in {when}): its steps are too large to settle; halve "
        "learning_rate or set clip_norm to 1"
    )


def _vanishing(course: Sequence[Sequence[float]], layer: int, activation: str) -> str | None:
    largest = [max((norm for norm in norms if math.isfinite(norm)), default=0) for norms in course]
    quiet = [
        epoch
        for epoch, norms in enumerate(course)
        if largest[epoch] > DEAD and norms[layer] < VANISHED * largest[epoch]
    ]
    last = layer == len(course[0]) - 1
    if last or 2 * len(quiet) <= len(course):
        return None
    cure = (
        f"use relu or gelu instead of {activation}"
        if activation in ("sigmoid", "tanh")
        else "use fewer layers or init='he'"
    )
    latest = quiet[-1]
    return (
        f"the gradient vanishes in layer {layer + 1} of {len(course[0])} (norm "
        f"{course[latest][layer]:.1e}, the largest layer has {largest[latest]:.1e}; in "
        f"{len(quiet)} of {len(course)} epochs): this layer barely learns; {cure}"
    )
