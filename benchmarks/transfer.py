"""Was transfer worth it? From scratch, frozen and fine-tuned on the same photos, with seconds.

    NEUROSCOPE_TEST_DATA=... python benchmarks/transfer.py [--rungs residual,transfer,fine_tuning]

1,430 photos of clothes in 10 classes with their own train, validation and test parts, and
MobileNetV2 with ImageNet's weights. Each rung is fitted on the development rows (train and
validation) and scored on the 245 test photos. The peer is scikit-learn's LogisticRegression on the
same frozen features. Features are computed once and timed apart. Goal: the transfer rung reaches
0.88 within 3 minutes on 2 cores, features included.

Measured figures, with machine, versions and spread: docs/log.md, "Pictures".
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from dataclasses import replace

from measuring import machine, versions
from pictures import data_folder, fit_rung, weights_folder

from neuroscope.base.events import ignore
from neuroscope.base.recipe import Recipe
from neuroscope.verbs._prepare import DataOptions, prepare

GOAL, SECONDS = 0.88, 180.0
RUNGS = "neuron,convolution,residual,transfer,fine_tuning"


def peer(problem, backbone: str) -> tuple[float, float]:
    """Return accuracy and seconds of a logistic regression on the features of the head."""
    from sklearn.linear_model import LogisticRegression

    training = problem.training(problem.split.development)
    encoder, x = training.encoded(Recipe(net="transfer", backbone=backbone))
    began = time.perf_counter()
    model = LogisticRegression(max_iter=2000).fit(x, training.y)
    seconds = time.perf_counter() - began
    test = problem.split.test
    return float(model.score(encoder.transform(problem.table, test).x, problem.y[test])), seconds


def main() -> None:
    """Fit each rung once a seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rungs", default=RUNGS, help="names, with commas")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--epochs", type=int, help="of every rung, to try it")
    arguments = parser.parse_args()
    print(f"{machine()}\n{versions()}\n{arguments.seeds} seeds\n")
    warnings.simplefilter("ignore")
    source = str(data_folder() / "clothing-photos" / "clothing_160.zip")
    backbone = str(weights_folder() / "mobilenet-v2-1.0-imagenet-224")
    prepared = prepare(source, DataOptions(backbone=backbone), seed=0, monitor=ignore)
    problem = prepared.problem
    began = time.perf_counter()
    problem.training(problem.split.development).encoded(Recipe(net="transfer", backbone=backbone))
    features = time.perf_counter() - began
    print(f"  decoding and frozen features of {problem.table.rows:,} photos: {features:.0f} s")
    for name in arguments.rungs.split(","):
        found = [fit_rung(replace(problem, seed=seed), name, epochs=arguments.epochs)
                 for seed in range(arguments.seeds)]  # fmt: skip
        reached = [one.accuracy for one in found]
        seconds = statistics.median(one.seconds for one in found)
        word = ""
        if name == "transfer":
            met = statistics.fmean(reached) >= GOAL and features + seconds <= SECONDS
            word = f"goal {GOAL:g} in {SECONDS:g} s {'met' if met else 'MISSED'}"
        print(f"  {name:14}{statistics.fmean(reached):8.4f} ({min(reached):.4f} .. "
              f"{max(reached):.4f}){seconds:8.0f} s{found[0].parameters:>12,}  {word}",
              flush=True)  # fmt: skip
    reached, seconds = peer(problem, backbone)
    print(f"  {'LogisticRegression on the same features':40}{reached:.4f}{seconds:8.0f} s")


if __name__ == "__main__":
    main()
