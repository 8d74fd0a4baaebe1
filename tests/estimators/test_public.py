"""The public surface: sorted, lazy, complete."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

import neuroscope
from neuroscope.tasks import estimators

NAMES = [
    "AdalineClassifier",
    "DenseClassifier",
    "DenseRegressor",
    "LinearNeuron",
    "LogisticNeuron",
    "PerceptronClassifier",
]


def test_the_public_estimators_are_these() -> None:
    assert estimators.__all__ == dir(estimators) == NAMES == sorted(NAMES)
    assert set(NAMES) <= set(neuroscope.__all__)
    assert neuroscope.__all__ == sorted(neuroscope.__all__) == dir(neuroscope)
    for name in NAMES:
        assert getattr(neuroscope, name) is getattr(estimators, name)
        assert getattr(neuroscope, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Dens"):
        _ = neuroscope.Dens
    with pytest.raises(AttributeError, match="Dens"):
        _ = estimators.Dens


def test_importing_the_package_imports_nothing_heavy() -> None:
    program = "import sys, neuroscope; print({'numpy', 'numba', 'sklearn'} & set(sys.modules))"
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                          check=True, env={"PYTHONPATH": ":".join(sys.path)})  # fmt: skip
    assert done.stdout.strip() == "set()"
    assert time.perf_counter() - began < 5
