"""What the rung that `train` chooses reaches on real tables, beside scikit-learn's models.

    python benchmarks/chosen_rung.py [--data FOLDER] [--sets digits] [--folds 5] [--seeds 2]

Same five folds for all (shuffled with random_state 0, stratified by class), those of
`tabular_quality.py`. Each run is the whole main job: a column names a fold's held-out rows as the
test rows, `train` climbs on the others, chooses a rung and is scored on these test rows, once. The
peers are fitted on the same training rows, encoded alike, and scored on the same held-out rows:
MLPClassifier((64, 64), early_stopping=True) or MLPRegressor((64, 64)), and HistGradientBoosting.

Scores are ROC AUC (two classes), accuracy (more), R2 (a number): mean over folds and seeds, with
the standard error over folds. "ahead" is ours less the peer's, fold by fold, with its standard
error; "holds" says whether ours is not behind the peer by more than that error.

Real tables are read from FOLDER/<set>/<file>, see TABLES in `tabular_quality.py`; FOLDER is
NEUROSCOPE_TEST_DATA if not given. Without it the sets that come with scikit-learn are run.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from measuring import machine, versions
from tabular_quality import TABLES, Fold, error, folds, multilayer, sklearn_peer, trees

from neuroscope.data.schema import infer_schema
from neuroscope.data.sources import read
from neuroscope.data.table import Table
from neuroscope.verbs._prepare import DataOptions
from neuroscope.verbs.train import TrainOptions, train

BUILT_IN = ("breast-cancer", "digits", "diabetes")
PART = "part of the benchmark"  # the column that names a fold's rows
SCORES = {"binary": "roc_auc", "multiclass": "accuracy", "regression": "r2"}


@dataclass(frozen=True)
class Reached:
    """What one contender reached on one fold."""

    score: float
    seconds: float
    rung: str = ""


def ours(
    fold: Fold, table: Table, target: str, drop: tuple[str, ...], budget: float | None
) -> Reached:
    """Climb on the fold's training rows; its held-out rows are the test."""
    parts = np.full(table.rows, "train")
    parts[fold.held] = "test"
    source = table.arrow.append_column(PART, pa.array(parts))
    with tempfile.TemporaryDirectory() as out:
        began = time.perf_counter()
        result = train(
            source,
            DataOptions(target=target, drop=drop, split=PART),
            TrainOptions(seed=fold.seed, budget=budget, out=out),
        )
        seconds = time.perf_counter() - began
    assert result["rows"]["test"] == len(fold.held)
    return Reached(result["test"][SCORES[result["kind"]]], seconds, result["chosen"])


def peer(build: Callable[[bool, int], object], fold: Fold) -> Reached:
    """Fit a model of scikit-learn on the same rows."""
    outcome = sklearn_peer(build)(fold)
    return Reached(outcome.score, outcome.fit_seconds)


def run_set(name: str, arguments: argparse.Namespace) -> str:
    """Run all contenders on one set; return its row of the table."""
    file, target, drop = TABLES.get(name, (name, None, ()))
    table = read(str(arguments.data / name / file) if name in TABLES else file)
    schema = infer_schema(table, target=target, drop=drop)
    assert schema.target is not None
    found: dict[str, list[list[Reached]]] = {who: [] for who in ("ours", "MLP", "trees")}
    metric = ""
    for seed in range(arguments.seeds):
        for runs in found.values():
            runs.append([])
        for fold in folds(table, schema, seed, arguments.folds):
            metric = fold.metric.title
            mine = ours(fold, table, schema.target.name, drop, arguments.budget)
            found["ours"][-1].append(mine)
            found["MLP"][-1].append(peer(multilayer, fold))
            found["trees"][-1].append(peer(trees, fold))
            print(f"  {name} seed {seed} fold {fold.number}: {mine.rung} {mine.score:.4f}"
                  f" in {mine.seconds:.1f} s", flush=True)  # fmt: skip
    return row(f"{name}, {metric}", found)


def row(title: str, found: dict[str, list[list[Reached]]]) -> str:
    """Return what is printed of one set."""
    scores = {who: by_fold(runs) for who, runs in found.items()}
    mine, runs = scores["ours"], [run for seed in found["ours"] for run in seed]
    rungs = ", ".join(f"{rung} {n}" for rung, n in Counter(r.rung for r in runs).most_common())
    text = f"{title:32}{mine.mean():7.3f} ({error(mine):.3f})"
    for who in ("MLP", "trees"):
        ahead = mine - scores[who]
        holds = "yes" if ahead.mean() >= -error(ahead) else "NO"
        text += f"{scores[who].mean():8.3f}{ahead.mean():+9.4f} ± {error(ahead):.4f}{holds:>7}"
    return f"{text}{statistics.fmean(r.seconds for r in runs):9.1f}  {rungs}"


def by_fold(runs: list[list[Reached]]) -> np.ndarray:
    """Return the mean score of each fold over the seeds."""
    return np.array([[reached.score for reached in seed] for seed in runs]).mean(axis=0)


def main() -> None:
    """Run the sets that were asked for and print the table."""
    parser = argparse.ArgumentParser(description="Quality of the chosen rung, beside scikit-learn")
    given = os.environ.get("NEUROSCOPE_TEST_DATA")
    parser.add_argument("--data", type=Path, default=given and Path(given),
                        help="folder of the real tables")  # fmt: skip
    parser.add_argument("--sets", help="names, with commas; all that can be found if not given")
    parser.add_argument("--folds", type=int, default=5, help="how many of the five folds to run")
    parser.add_argument("--seeds", type=int, default=1, help="runs of each fold")
    parser.add_argument("--budget", type=float, help="seconds of each run; no limit if not given")
    arguments = parser.parse_args()
    if arguments.folds < 2:
        parser.error("--folds is at least 2: the spread is that over folds")
    names = [*TABLES, *BUILT_IN] if arguments.data else list(BUILT_IN)
    names = arguments.sets.split(",") if arguments.sets else names
    if missing := [name for name in names if name in TABLES and not arguments.data]:
        parser.error(f"--data says where {', '.join(missing)} can be found")
    print(f"{machine()}\n{versions()}\n{arguments.folds} folds, {arguments.seeds} seeds")
    warnings.simplefilter("ignore")
    rows = [run_set(name, arguments) for name in names]
    head = f"{'':32}{'chosen':>15}"
    head += "".join(f"{who:>8}{'ahead':>17}{'holds':>7}" for who in ("MLP", "trees"))
    print(f"\n{head}{'s a run':>9}  rungs", *rows, sep="\n")


if __name__ == "__main__":
    main()
