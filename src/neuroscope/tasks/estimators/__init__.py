"""Estimators: neurons and dense networks behind scikit-learn's contract.

They fit, predict, score, clone, pickle, stand in pipelines and grid searches, and learn online with
`partial_fit`. `units` holds the single neurons, `dense` the networks.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neuroscope.tasks.estimators.dense import DenseClassifier, DenseRegressor
    from neuroscope.tasks.estimators.units import (
        AdalineClassifier,
        LinearNeuron,
        LogisticNeuron,
        PerceptronClassifier,
    )

__all__ = [
    "AdalineClassifier",
    "DenseClassifier",
    "DenseRegressor",
    "LinearNeuron",
    "LogisticNeuron",
    "PerceptronClassifier",
]


def __getattr__(name: str) -> Any:
    """Import an estimator when it is first asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    family = "dense" if name.startswith("Dense") else "units"
    return getattr(importlib.import_module(f"{__name__}.{family}"), name)


def __dir__() -> list[str]:
    return __all__
