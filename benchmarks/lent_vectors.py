"""Word vectors lent to nets of few texts: does it help, and which net, and how few?

    NEUROSCOPE_TEST_DATA=... python benchmarks/lent_vectors.py [--rows 200,800] [--draws 4]

Draw after draw, some AG News articles of the training rows are learned with and without the vectors
of glove-twitter-25d (25 numbers each for 11,925 words), by the same seed, and scored on all 1,520
test articles. Printed: mean accuracy without and with, the mean gain of a draw and its standard
error. The neuron on a bag of words stands beside them: it takes no vectors.

Measured figures, with machine, versions and spread: docs/log.md, "Nets that read words, tuned".
"""

from __future__ import annotations

import argparse
import os
import tempfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
from measuring import machine, versions
from pictures import fit_rung

from neuroscope.base.events import ignore
from neuroscope.data.sources import read
from neuroscope.tasks.rungs.text_classes import RUNGS
from neuroscope.verbs._prepare import DataOptions, prepare

DATA = Path(os.environ.get("NEUROSCOPE_TEST_DATA", "."))


def draw(rows: int, seed: int) -> dict[str, list[str]]:
    """Return so many training articles, drawn at random, and all test articles."""
    table = read(str(DATA / "ag-news" / "ag_news_7600.csv.gz")).arrow
    test = np.array(table["split"].to_pylist()) == "test"
    few = np.random.default_rng(seed).choice(np.flatnonzero(~test), rows, replace=False)
    return table.take(np.concatenate([few, np.flatnonzero(test)])).to_pydict()


def main() -> None:
    """Fit each net on each draw, without and with vectors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", default="200,800", help="articles to learn from")
    parser.add_argument("--draws", type=int, default=4)
    parser.add_argument("--rungs", default="embeddings,lstm,transformer")
    arguments = parser.parse_args()
    print(f"{machine()}\n{versions()}\n{arguments.draws} draws\n")
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(DATA / "glove-twitter-25d" / "glove_twitter_25d_12k.zip") as archive:
            glove = archive.extract(archive.namelist()[0], folder)
        for rows in map(int, arguments.rows.split(",")):
            reached: dict[str, list[tuple[float, float]]] = {}
            for seed in range(arguments.draws):
                data, found = draw(rows, seed), {}
                for vectors in (None, glove):
                    options = DataOptions(target="label", split="split", vectors=vectors)
                    problem = prepare(data, options, seed=seed, monitor=ignore).problem
                    for name in ("neuron", *arguments.rungs.split(",")):
                        if vectors and name == "neuron":
                            continue
                        score = fit_rung(problem, name, rungs=RUNGS).accuracy
                        found.setdefault(name, []).append(score)
                for name, scores in found.items():
                    reached.setdefault(name, []).append((scores[0], scores[-1]))
            print(f"{rows} articles")
            for name, each in reached.items():
                without, lent = np.array(each).T
                gain = lent - without
                error = gain.std(ddof=1) / np.sqrt(len(gain)) if len(gain) > 1 else float("nan")
                ahead = f"ahead in {(gain > 0).sum()} of {len(gain)}"
                print(f"  {name:12}{without.mean():8.3f}{lent.mean():8.3f}"
                      f"{gain.mean():+8.3f} ± {error:.3f}, {ahead}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
