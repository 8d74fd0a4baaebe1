"""scikit-learn's digits as pictures: what the ladder reaches, and in how many seconds.

    python benchmarks/digits_pictures.py [--seeds 3] [--epochs N]

Goal: 99 % on held-out rows by the best rung, in under a minute on 2 cores. Each seed draws its own
test rows. The peer is scikit-learn's SVC with the gamma of its own example (0.001), fitted on the
development rows of the same split and scored on the same test rows.

Measured figures, with machine, versions and spread: docs/log.md, "Pictures".
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import warnings

from measuring import machine, versions

from neuroscope.base.events import ignore
from neuroscope.verbs._prepare import DataOptions, prepare
from neuroscope.verbs.train import TrainOptions, train

RUNGS = ("majority", "neuron", "dense", "convolution", "residual")
GOAL, SECONDS = 0.99, 60.0


def peer(seed: int) -> float:
    """Return the test accuracy of SVC on the split that the ladder makes of this seed."""
    from sklearn.datasets import load_digits
    from sklearn.svm import SVC

    split = prepare("digits-images", DataOptions(), seed=seed, monitor=ignore).split
    x, y = load_digits(return_X_y=True)
    model = SVC(gamma=0.001).fit(x[split.development], y[split.development])
    return float(model.score(x[split.test], y[split.test]))


def main() -> None:
    """Climb once a seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, help="of every rung, to try it")
    arguments = parser.parse_args()
    print(f"{machine()}\n{versions()}\n{arguments.seeds} seeds\n")
    warnings.simplefilter("ignore")
    best, chosen, seconds, peers = [], [], [], []
    for seed in range(arguments.seeds):
        with tempfile.TemporaryDirectory() as folder:
            options = TrainOptions(rungs=RUNGS, budget=SECONDS, seed=seed, out=folder,
                                   epochs=arguments.epochs)  # fmt: skip
            result = train("digits-images", options=options)
        values = {r["name"]: r["value"] for r in result["rungs"] if r["value"] is not None}
        top = max(values, key=lambda name: values[name])
        best.append(values[top])
        chosen.append(result["test"]["accuracy"])
        seconds.append(result["seconds"])
        peers.append(peer(seed))
        rungs = ", ".join(f"{name} {value:.4f}" for name, value in values.items())
        print(f"  seed {seed}: {rungs}; best {top}; chosen {result['chosen']}, test "
              f"{chosen[-1]:.4f}; {seconds[-1]:.1f} s; SVC {peers[-1]:.4f}",
              flush=True)  # fmt: skip
    shown = {"best rung, held-out": best, "chosen, test": chosen, "SVC, test": peers}
    for name, each in (shown | {"seconds": seconds}).items():
        print(f"{name:22}{statistics.fmean(each):9.4f}  ({min(each):.4f} .. {max(each):.4f})")
    met = statistics.fmean(best) >= GOAL and max(seconds) < SECONDS
    print(f"goal {GOAL:g} in {SECONDS:g} s: {'met' if met else 'MISSED'}")


if __name__ == "__main__":
    main()
