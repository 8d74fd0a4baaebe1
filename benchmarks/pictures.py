"""What the benchmarks on pictures share: where real pictures lie, and one rung fitted and scored.

Real data lie in the folder that NEUROSCOPE_TEST_DATA names, pretrained nets in that of
NEUROSCOPE_TEST_WEIGHTS (else in `weights` beside the data).
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neuroscope.base.recipe import Recipe
from neuroscope.judge import metrics
from neuroscope.tasks import image_classes
from neuroscope.tasks._learning import Problem, Training, Watch, predict
from neuroscope.tasks._search import search


@dataclass(frozen=True)
class Outcome:
    """What one rung reached on the test rows."""

    accuracy: float
    seconds: float  # search and fit, what is computed once for all rungs apart
    parameters: int
    recipe: Recipe | None


def data_folder() -> Path:
    """Return the folder of real data sets, or leave with a word."""
    return _folder("NEUROSCOPE_TEST_DATA", os.environ.get("NEUROSCOPE_TEST_DATA", ""))


def weights_folder() -> Path:
    """Return the folder of pretrained nets, or leave with a word."""
    beside = str(Path(os.environ.get("NEUROSCOPE_TEST_DATA", "")).parent / "weights")
    return _folder("NEUROSCOPE_TEST_WEIGHTS", os.environ.get("NEUROSCOPE_TEST_WEIGHTS", beside))


def _folder(setting: str, place: str) -> Path:
    if not place or not Path(place).is_dir():
        sys.exit(f"set {setting} to the folder where they lie")
    return Path(place)


def fashion_mnist() -> dict[str, np.ndarray]:
    """Return x_train (n, 28, 28), y_train, x_test, y_test."""
    with np.load(data_folder() / "fashion-mnist" / "fashion_mnist.npz") as stored:
        return {name: stored[name] for name in stored.files}


def fit_rung(
    problem: Problem, name: str, *, epochs: int | None = None, rungs=image_classes.RUNGS
) -> Outcome:  # fmt: skip
    """Fit a rung on all development rows, as the climb does in the end, and score the test rows."""
    rung = rungs.get(name)
    training = problem.training(problem.split.development)
    began = time.perf_counter()
    recipe = _recipe(rung.recipes(training), training, rung)
    if recipe is not None and epochs is not None:
        recipe = recipe.because("as asked", epochs=epochs)
    learner = rung.fit(training, recipe, Watch(name, alone=True))
    seconds = time.perf_counter() - began
    return Outcome(accuracy(problem, learner), seconds, learner.parameters, learner.recipe)


def _recipe(candidates: Sequence[Recipe], training: Training, rung) -> Recipe | None:
    if len(candidates) < 2:
        return candidates[0] if candidates else None
    return search(rung, candidates, training, metrics.find("accuracy"), Watch())[0]


def accuracy(problem: Problem, learner) -> float:
    """Return the share of test rows that a learner names rightly."""
    rows = problem.split.test
    return float(np.mean(predict(problem, learner, rows).argmax(axis=1) == problem.y[rows]))
