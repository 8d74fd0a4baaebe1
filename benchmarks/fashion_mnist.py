"""The whole ladder on Fashion-MNIST: test accuracy within 5 and within 15 minutes.

    NEUROSCOPE_TEST_DATA=... python benchmarks/fashion_mnist.py [--minutes 5,15] [--rows N] [--peer]

Goals on 2 cores: at least 92.0 % within 5 minutes, 93.0 % within 15. The 10,000 published test
pictures are the test rows; what judges the rungs is held out of the 60,000 others. One run each, by
`verbs.train` as a user starts it; the interval is the bootstrap's over test rows, seeds may be
added with --seeds. The peer is scikit-learn's MLPClassifier with early stopping on the same rows.

Measured figures, with machine, versions and spread: docs/log.md, "Pictures".
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from measuring import machine, versions
from pictures import fashion_mnist

from neuroscope.verbs.train import TrainOptions, train

GOALS = {5.0: 0.92, 15.0: 0.93}


def climb(source: str, minutes: float, seed: int) -> None:
    """Run the ladder once and print each rung."""
    with tempfile.TemporaryDirectory() as folder:
        options = TrainOptions(budget=60 * minutes, seed=seed, out=folder)
        result = train(source, options=options)
    for rung in result["rungs"]:
        value = "" if rung["value"] is None else f"{rung['value']:.4f}"
        print(f"    {rung['name']:12}{value:>8}{rung['seconds']:8.0f} s"
              f"{rung['parameters']:>12,}  {rung['status']}")  # fmt: skip
    reached, (low, high) = result["test"]["accuracy"], result["test"]["interval"]["accuracy"]
    goal = GOALS.get(minutes)
    verdict = "" if goal is None else f", goal {goal:g} {'met' if reached >= goal else 'MISSED'}"
    print(f"  {minutes:g} min, seed {seed}: {result['chosen']}, test {reached:.4f} "
          f"({low:.4f} .. {high:.4f}) in {result['seconds']:.0f} s{verdict}",
          flush=True)  # fmt: skip


def peer(data: dict[str, np.ndarray]) -> None:
    """Fit scikit-learn's dense network on the same training pictures."""
    from sklearn.neural_network import MLPClassifier

    x, x_test = (data[name].reshape(len(data[name]), -1) / 255.0 for name in ("x_train", "x_test"))
    began = time.perf_counter()
    model = MLPClassifier((256, 128), early_stopping=True, random_state=0)
    model.fit(x.astype(np.float32), data["y_train"])
    seconds = time.perf_counter() - began
    print(f"  MLPClassifier: test {model.score(x_test, data['y_test']):.4f} in {seconds:.0f} s")


def main() -> None:
    """Run the budgets that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", default="5,15", help="budgets, with commas")
    parser.add_argument("--rows", type=int, help="pictures to train on and to test on, to try it")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--peer", action="store_true", help="also fit MLPClassifier")
    arguments = parser.parse_args()
    print(f"{machine()}\n{versions()}\n{arguments.seeds} runs of each budget\n")
    warnings.simplefilter("ignore")
    data = {name: array[: arguments.rows] for name, array in fashion_mnist().items()}
    with tempfile.TemporaryDirectory() as folder:
        source = str(Path(folder, "fashion.npz"))
        np.savez(source, **data)
        for minutes in map(float, arguments.minutes.split(",")):
            for seed in range(arguments.seeds):
                climb(source, minutes, seed)
    if arguments.peer:
        peer(data)


if __name__ == "__main__":
    main()
