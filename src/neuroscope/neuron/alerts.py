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
    norms: Sequence[float],  # mean gradient norm of each layer's weights, first layer first
    activation: str,  # of the hidden layers
) -> list[str]:
    """Return one sentence a trouble; an empty list when all layers learn."""
    alerts = []
    largest = max((value for value in norms if math.isfinite(value)), default=0.0)
    for number, value in enumerate(norms, start=1):
        if not math.isfinite(value) or value > EXPLODED:
            alerts.append(
                f"the gradient explodes in layer {number} of {len(norms)} (norm {value:.3g}): its "
                "steps are too large to settle; halve learning_rate or set clip_norm to 1"
            )
        elif number < len(norms) and largest > DEAD and value < VANISHED * largest:
            cure = (
                "use relu or gelu instead of " + activation
                if activation in ("sigmoid", "tanh")
                else "use fewer layers or init='he'"
            )
            alerts.append(
                f"the gradient vanishes in layer {number} of {len(norms)} (norm {value:.1e}, the "
                f"largest layer has {largest:.1e}): this layer barely learns; {cure}"
            )
    return alerts
