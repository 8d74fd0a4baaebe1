"""From which probability on the model says yes: by cost, by a wanted sensitivity, or from half."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroscope.judge.metrics import scores
from neuroscope.judge.threshold import Cost, best_threshold, threshold_for_sensitivity

_AT_HALF = "the class that is more likely; give --cost to weigh the two errors"


def decision(
    y: np.ndarray,  # (n,) 0 or 1
    p: np.ndarray,  # (n, 2) calibrated probabilities of rows held out
    weights: np.ndarray | None,
    cost: Cost | None,
) -> dict[str, Any]:
    """Return the threshold: the cheapest where costs were given, else one half."""
    found = best_threshold(y, p[:, 1], cost or Cost(), weights=weights).to_json()
    if cost is not None:
        return found | {"reason": f"cheapest on the held-out rows for {cost}"}
    known = scores("binary", y, p, weights=weights)
    return found | {
        "value": 0.5,
        "expected_cost": found["cost_at_half"],
        "reason": _AT_HALF,
        "sentence": None,
        "sensitivity": known["recall"],
        "specificity": known["specificity"],
        "precision": known["precision"],
        "selected": float(np.average(p[:, 1] >= 0.5, weights=weights)),
    }


def decision_for(
    sensitivity: float, y: np.ndarray, p: np.ndarray, weights: np.ndarray | None, positive: str
) -> dict[str, Any]:
    """Return the highest threshold that finds the wanted share; nothing is said of costs."""
    found = threshold_for_sensitivity(y, p[:, 1], sensitivity, None, weights).to_json()
    return {name: value for name, value in found.items() if "cost" not in name} | {
        "wanted_sensitivity": sensitivity,
        "reason": f"the highest that finds {100 * sensitivity:g} % of the held-out rows that are "
        f"{positive!r}",
        "sentence": f"Say yes from a probability of {found['value']:.3f} on: that finds "
        f"{100 * found['sensitivity']:.0f} % of the held-out rows that are {positive!r}, with "
        f"false alarms on {100 * (1 - found['specificity']):.0f} % of the others.",
    }
