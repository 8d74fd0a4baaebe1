"""Neuroscope: deep learning you can see through, on your own data."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

from neuroscope.base import collector
from neuroscope.base.version import __version__

# OpenMP threads that spin for long while they wait make a step on a busy machine up to twenty times
# as long; threads that sleep at once make the small steps of an LSTM seven times as long on a quiet
# one. They spin shortly, then sleep. It is read when torch is loaded; who has chosen keeps that.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")

if TYPE_CHECKING:
    from neuroscope.tasks.estimators import (
        AdalineClassifier,
        DenseClassifier,
        DenseRegressor,
        LinearNeuron,
        LogisticNeuron,
        PerceptronClassifier,
    )
    from neuroscope.verbs.load import load

__all__ = [
    "AdalineClassifier",
    "DenseClassifier",
    "DenseRegressor",
    "LinearNeuron",
    "LogisticNeuron",
    "PerceptronClassifier",
    "__version__",
    "load",
]

_ESTIMATORS = "neuroscope.tasks.estimators"
_HOMES = {name: _ESTIMATORS for name in __all__ if not name.startswith("_")} | {
    "load": "neuroscope.verbs.load"
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that `import neuroscope` is quick."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with collector.at_rest():
        return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
