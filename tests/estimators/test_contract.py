"""scikit-learn's own checks: every one that is generated is executed, and none may fail."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

# One process for all: the check of array namespaces runs only where SciPy was told at its import.
PROGRAM = """
import json, sys, warnings
import neuroscope
from sklearn.utils.estimator_checks import check_estimator
warnings.simplefilter("ignore")
found = {}
for call in sys.argv[1:]:
    estimator = eval("neuroscope." + call)
    results = check_estimator(estimator, on_fail=None, on_skip=None)
    found[call] = [(r["check_name"], r["status"], str(r["exception"])) for r in results]
print(json.dumps(found))
"""
CHECKS = {
    "AdalineClassifier()": 63,
    "DenseClassifier()": 68,
    "DenseClassifier(precision='float64', optimizer='nesterov', early_stopping=True)": 68,
    "DenseRegressor()": 60,
    "DenseRegressor(loss='huber', early_stopping=True)": 60,
    "LinearNeuron()": 59,
    "LinearNeuron(solver='closed_form')": 59,
    "LogisticNeuron()": 63,
    "LogisticNeuron(optimizer='adam', batch_size=16, learning_rate=0.02)": 63,
    "PerceptronClassifier()": 63,
}


@pytest.fixture(scope="module")
def results() -> dict[str, list[tuple[str, str, str]]]:
    environment = os.environ | {"SCIPY_ARRAY_API": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *CHECKS],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(("call", "number"), CHECKS.items())
def test_all_generated_checks_pass(results, call: str, number: int) -> None:
    failed = [result for result in results[call] if result[1] != "passed"]
    assert failed == []
    assert len(results[call]) == number
