"""`trace`: one training step on one row with every number, checked on the spot against PyTorch."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from neuroscope.neuron.trace import Trace

TOLERANCE = 1e-10  # of float64 arithmetic in another order


@dataclass(frozen=True)
class Agreement:
    """How far a trace and PyTorch's autograd are apart, both in float64.

    A difference is relative to the largest number of its table (all dloss/dw of a layer, all z of
    a layer, ...); `where` names the table with the largest one. It is infinite where a number is
    not finite.
    """

    largest_relative_difference: float
    where: str
    numbers_compared: int
    agrees: bool  # every z and a within TOLERANCE, the rest within `tolerance`
    tolerance: float  # TOLERANCE, or what rounding leaves where the output is all but right
    torch_version: str

    def to_json(self) -> dict[str, Any]:
        """Return the agreement as a JSON object; an infinite difference becomes null."""
        largest = self.largest_relative_difference
        shown = largest if math.isfinite(largest) else None
        return asdict(self) | {"largest_relative_difference": shown}


def checked(trace: Trace) -> dict[str, Any]:
    """Return the trace as JSON with its agreement with autograd under "agreement"."""
    return trace.to_json() | {"agreement": check_against_autograd(trace).to_json()}


def check_against_autograd(trace: Trace) -> Agreement:
    """Take the same step in PyTorch from the trace's inputs, weights and target, and compare.

    Sums, activations, loss, all gradients by autograd, the new weights of the plain rule and those
    of the optimizer by torch.optim.
    """
    import torch  # noqa: PLC0415 - two seconds that only a trace needs

    from neuroscope.verbs._autograd import pairs  # noqa: PLC0415

    worst, where, compared, agrees = 0.0, "", 0, True
    rounding = _rounding(trace)
    for name, ours, theirs in pairs(trace):
        difference = _relative(np.asarray(ours, np.float64), theirs.detach().numpy())
        compared += int(np.size(ours))
        if difference > worst or not where:
            worst, where = difference, name
        allowed = TOLERANCE if name.startswith(("z,", "a,")) else max(TOLERANCE, rounding)
        agrees = agrees and difference <= allowed
    version = str(torch.__version__)
    return Agreement(worst, where, compared, agrees, max(TOLERANCE, rounding), version)


def _rounding(trace: Trace) -> float:
    """Return the share of the error at the output that is rounding.

    Where an answer is right to many digits, output minus target keeps few of them, and everything
    computed from it on the way back inherits that.
    """
    size = max(1.0, float(np.abs(trace.target).max()), float(np.abs(trace.output).max()))
    error = float(np.abs(trace.layers[-1].dloss_dz).max())
    return min(64 * float(np.finfo(np.float64).eps) * size / max(error, 1e-30), 1.0)


def _relative(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the largest difference as a share of the largest number of the table."""
    largest = float(np.abs(ours - theirs).max())
    if largest == 0:
        return 0.0
    share = largest / max(float(np.abs(theirs).max()), float(np.abs(ours).max()))
    return share if math.isfinite(share) else math.inf
