"""A self-made backbone: learn eight classes of Fashion-MNIST, transfer to the other two.

    NEUROSCOPE_TEST_DATA=... python benchmarks/own_backbone.py [--draws 10] [--others 2,4]

The residual rung is trained on the eight classes once (--minutes). Then, draw after draw, 20
pictures of each of the other two classes are learned from scratch and with that backbone, and
scored on all 2,000 test pictures of the two. Goal: transfer is clearly ahead of the best rung from
scratch: by more than two standard errors of the paired difference over draws. The default pair,
pullover and coat, is among the hardest to tell apart.

Measured figures, with machine, versions and spread: docs/log.md, "Pictures".
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from typing import Any

import numpy as np
from measuring import machine, versions
from pictures import fashion_mnist, fit_rung

from neuroscope.base.events import ignore
from neuroscope.verbs._prepare import DataOptions, prepare
from neuroscope.verbs.train import TrainOptions, train

SCRATCH, OWN = ("neuron", "dense", "convolution", "residual"), ("transfer", "fine_tuning")


def source(parts: dict[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, Any]:
    """Return pictures and labels as a source whose column says which part a row is."""
    return {
        "image": np.concatenate([x for x, _ in parts.values()]),
        "label": [f"class {y}" for _, ys in parts.values() for y in ys],
        "split": [part for part, (x, _) in parts.items() for _ in range(len(x))],
    }


def backbone(data: dict[str, np.ndarray], others: list[int], minutes: float, rows: int | None,
             folder: str) -> str:  # fmt: skip
    """Train the residual rung on the classes that are not `others`; returns its model."""
    known = np.flatnonzero(~np.isin(data["y_train"], others))[:rows]
    seen = np.flatnonzero(~np.isin(data["y_test"], others))[:rows]
    parts = {"train": (data["x_train"][known], data["y_train"][known]),
             "test": (data["x_test"][seen], data["y_test"][seen])}  # fmt: skip
    options = TrainOptions(rungs=("residual",), budget=60 * minutes, out=folder)
    result = train(source(parts), DataOptions(target="label"), options)
    print(f"  backbone: {result['rows']['train']:,} pictures of {10 - len(others)} classes, test "
          f"{result['test']['accuracy']:.4f}, {result['seconds']:.0f} s", flush=True)  # fmt: skip
    return result["model"]


def draw(data: dict[str, np.ndarray], others: list[int], each: int, seed: int) -> dict[str, Any]:
    """Return a few pictures of the other classes to learn from, and all their test pictures."""
    rng = np.random.default_rng(seed)
    few = np.concatenate([
        rng.choice(np.flatnonzero(data["y_train"] == one), each, replace=False) for one in others
    ])  # fmt: skip
    test = np.isin(data["y_test"], others)
    return source({"train": (data["x_train"][few], data["y_train"][few]),
                   "test": (data["x_test"][test], data["y_test"][test])})  # fmt: skip


def main() -> None:
    """Train the backbone, then take the draws."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--each", type=int, default=20, help="pictures a class to learn from")
    parser.add_argument("--others", default="2,4", help="the two classes that are kept apart")
    parser.add_argument("--minutes", type=float, default=5.0, help="for the backbone")
    parser.add_argument("--rows", type=int, help="pictures for the backbone, to try it")
    parser.add_argument("--epochs", type=int, help="of every rung, to try it")
    arguments = parser.parse_args()
    print(f"{machine()}\n{versions()}\n{arguments.draws} draws of {arguments.each} a class\n")
    warnings.simplefilter("ignore")
    data, others = fashion_mnist(), [int(one) for one in arguments.others.split(",")]
    reached: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        model = backbone(data, others, arguments.minutes, arguments.rows, folder)
        for seed in range(arguments.draws):
            rows = draw(data, others, arguments.each, seed)
            options = DataOptions(target="label", backbone=model)
            problem = prepare(rows, options, seed=seed, monitor=ignore).problem
            for name in (*SCRATCH, *OWN):
                found = fit_rung(problem, name, epochs=arguments.epochs)
                reached.setdefault(name, []).append(found.accuracy)
    for name, each in reached.items():
        spread = f"({min(each):.4f} .. {max(each):.4f})"
        print(f"  {name:14}{np.mean(each):8.4f} {spread}, deviation {np.std(each):.4f}")
    scratch, own = (max(names, key=lambda n: np.mean(reached[n])) for names in (SCRATCH, OWN))
    ahead = np.array(reached[own]) - np.array(reached[scratch])
    error = ahead.std(ddof=1) / np.sqrt(len(ahead)) if len(ahead) > 1 else float("nan")
    word = "met" if ahead.mean() > 2 * error else "MISSED"
    print(f"{own} ahead of {scratch} by {ahead.mean():+.4f} ± {error:.4f} (standard error), in "
          f"{(ahead > 0).sum()} of {len(ahead)} draws: goal {word}")  # fmt: skip


if __name__ == "__main__":
    main()
