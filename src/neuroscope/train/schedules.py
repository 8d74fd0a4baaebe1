"""How the learning rate goes over a fit, as a share of the recipe's learning_rate.

The same curves as in the neuron core: constant; step, a tenth after half and a hundredth after
three quarters; cosine, half a wave down to 0 (Loshchilov and Hutter 2017); one_cycle, up from 1/25
for 30 % of the steps, then down to 0 (Smith and Topin 2018); log_cosine, four waves that grow
longer (Holzmueller et al. 2024). warmup multiplies any of them by a line that rises to 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from neuroscope.base.recipe import Recipe


def _one_cycle(done: float) -> float:
    if done < 0.3:
        return 0.04 + 0.96 * 0.5 * (1.0 - math.cos(math.pi * done / 0.3))
    return 0.5 * (1.0 + math.cos(math.pi * (done - 0.3) / 0.7))


_CURVES: dict[str, Callable[[float], float]] = {
    "constant": lambda _: 1.0,
    "step": lambda done: 1.0 if done < 0.5 else (0.1 if done < 0.75 else 0.01),
    "cosine": lambda done: 0.5 * (1.0 + math.cos(math.pi * done)),
    "one_cycle": _one_cycle,
    "log_cosine": lambda done: 0.5 * (1.0 - math.cos(2 * math.pi * math.log2(1 + 15 * done))),
}


def rate_factor(
    recipe: Recipe,
    done: float,  # share of the fit that lies behind, in [0, 1)
    share: float,  # of the fit that one step is
) -> float:
    """Return the factor on the learning rate of the step that begins at `done`."""
    factor = _CURVES[recipe.schedule](done)
    if done < recipe.warmup:
        factor *= min((done + share) / max(recipe.warmup, share), 1.0)
    return factor
