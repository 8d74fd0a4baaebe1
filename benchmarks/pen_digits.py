"""Digits as strokes of eight points: the whole ladder on the published split.

    NEUROSCOPE_TEST_DATA=... python benchmarks/pen_digits.py [--minutes 10] [--seeds 1] [--peer]

7,494 strokes of 30 writers to learn from, 3,498 of 14 others to judge by, named by the file's own
column; x1, y1 ... x8, y8 are gathered into two channels. Goal: an accuracy of at least 0.978 with
the best rung, the one that does best on the held-out strokes: where the ladder chose a plainer one
as good within noise, that rung is climbed again alone, to open its test. The peer is the nearest
neighbour (published: 0.977).

Measured figures, with machine, versions and spread: docs/log.md, "Classes of sequences".
"""

from __future__ import annotations

import argparse
import os
import tempfile
import warnings
from pathlib import Path

import numpy as np
from measuring import machine, versions

from neuroscope.data.sources import read
from neuroscope.verbs._prepare import DataOptions
from neuroscope.verbs.train import TrainOptions, train

GOAL = 0.978
OPTIONS = DataOptions(target="digit", split="split", task="series_classes")


def climb(source: str, minutes: float, seed: int, rungs: tuple[str, ...] = ()) -> None:
    """Run the ladder once and print each rung; then the best one alone, where it is another."""
    with tempfile.TemporaryDirectory() as place:
        options = TrainOptions(rungs=rungs, budget=60 * minutes, seed=seed, out=place)
        result = train(source, OPTIONS, options)
    for rung in result["rungs"]:
        print(f"    {rung['name']:12}{rung['value'] or float('nan'):8.4f}{rung['seconds']:8.0f} s"
              f"{rung['parameters']:>12,}  {rung['status']}")  # fmt: skip
    reached, (low, high) = result["test"]["accuracy"], result["test"]["interval"]["accuracy"]
    print(f"  {minutes:g} min, seed {seed}: {result['chosen']}, test {reached:.4f} "
          f"({low:.4f} .. {high:.4f}) in {result['seconds']:.0f} s, "
          f"goal {GOAL:g} {'met' if reached >= GOAL else 'MISSED'}", flush=True)  # fmt: skip
    values = {r["name"]: r["value"] for r in result["rungs"] if r["value"] is not None}
    best = max(values, key=lambda name: values[name])
    if best != result["chosen"]:
        climb(source, minutes, seed, ("majority", best))


def peer(source: str) -> None:
    """Answer each test stroke as its nearest neighbour."""
    from sklearn.neighbors import KNeighborsClassifier

    columns = read(source).arrow.to_pydict()
    test = np.array(columns.pop("split")) == "test"
    y = np.array(columns.pop("digit"))
    x = np.stack([np.array(values, float) for values in columns.values()], axis=1)
    model = KNeighborsClassifier(1).fit(x[~test], y[~test])
    print(f"  nearest neighbour: test {model.score(x[test], y[test]):.4f}")


def main() -> None:
    """Run the seeds that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--peer", action="store_true", help="also the nearest neighbour")
    arguments = parser.parse_args()
    print(f"{machine()}\n{versions()}\n{arguments.seeds} runs\n")
    warnings.simplefilter("ignore")
    source = str(Path(os.environ["NEUROSCOPE_TEST_DATA"], "pen-digits", "pen_digits.csv.gz"))
    for seed in range(arguments.seeds):
        climb(source, arguments.minutes, seed)
    if arguments.peer:
        peer(source)


if __name__ == "__main__":
    main()
