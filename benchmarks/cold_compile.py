"""What compiling costs: seconds at the first use on a machine, and in every process after it.

A fresh Python with an empty cache folder does what the core is used for: each kind of single
neuron, and dense networks for two classes, several classes and a number, trained and asked. Its
seconds, less those of the same process with the cache filled, are the compilation. Then, in fresh
processes with the cache filled, from the call of a fit to the end of its first step.
Goals: at most 6 s of compilation in all, at most 0.4 s to the first step.

Measured figures, with machine, versions and spread: docs/log.md, "Speed of the core".
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

from measuring import machine, versions

ALL = """
import numpy as np
from neuroscope.base.recipe import Recipe
from neuroscope.neuron import heads
from neuroscope.neuron.descent import descend
from neuroscope.neuron.step import shuffle
from neuroscope.neuron.units import RULES, learn_row, learn_rows, mean_cost, weighted_sums
x = np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32)
y = np.arange(64) % 2
order, state, met = np.arange(64), np.zeros(1, np.uint64), np.zeros(64, np.float32)
ones, theta = np.ones(64, np.float32), np.zeros(5, np.float32)
for rule in range(len(RULES)):
    shuffle(order, state)
    learn_rows(rule, theta, x, y.astype(np.float32), ones, order, 0.01, 0.0, met)
    learn_row(rule, theta, x, 0, 1.0, 0.01, 0.0)
    mean_cost(rule, met, ones, ones)
weighted_sums(theta, x, met)
for kind, classes in (("binary", 2), ("multiclass", 3), ("regression", 1)):
    recipe = Recipe(hidden=(8,), epochs=2, patience=1)
    network = heads.build(kind, 4, classes, recipe)
    rows = heads.examples(kind, x, y, classes, recipe)
    list(descend(network, rows, recipe, valid=rows))
    network.predict(x)
"""
FIRST_STEP = """
import time
import numpy as np
from neuroscope.base.recipe import Recipe
from neuroscope.neuron import heads
from neuroscope.neuron.descent import descend
x = np.random.default_rng(0).normal(size=(32, 4)).astype(np.float32)
y = np.arange(32) % 2
began = time.perf_counter()
recipe = Recipe(hidden=(8,), epochs=1)
network = heads.build("binary", 4, 2, recipe)
list(descend(network, heads.examples("binary", x, y, 2, recipe), recipe))
print(time.perf_counter() - began)
"""


def run(script: str, folder: str) -> tuple[float, str]:
    """Run a script in a Python of its own; returns its seconds and what it printed."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", script], env=os.environ | {"NEUROSCOPE_CACHE": folder}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    return time.perf_counter() - began, done.stdout


def verdict(name: str, seconds: list[float], limit: float) -> None:
    """Print the median, the spread and whether the limit is kept."""
    median = statistics.median(seconds)
    word = "within" if median <= limit else "ABOVE"
    spread = f"{min(seconds):.2f} .. {max(seconds):.2f}"
    print(f"{name:44}{median:7.2f} s  ({spread}), {word} the limit of {limit:g} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    print(f"{machine()}\n{versions()}\n{runs} runs each\n")
    compiling, stepping = [], []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            cold, _ = run(ALL, folder)
            cached, _ = run(ALL, folder)
            compiling.append(cold - cached)
            stepping.append(float(run(FIRST_STEP, folder)[1]))
    verdict("compilation, once a machine", compiling, 6.0)
    verdict("cached, from the fit to its first step", stepping, 0.4)
