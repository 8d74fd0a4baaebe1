"""How good one neuron and the dense network are on real tables, beside their peers.

    python benchmarks/tabular_quality.py [--data FOLDER] [--sets wine,iris] [--seeds 2] [--realmlp]

Same five folds for all (shuffled with random_state 0, stratified by class). Ours are fitted as the
ladder fits them: a search inside the training rows of each fold picks a recipe, which is then
fitted on all of them. scikit-learn's peers read the same encoded rows, with default settings;
RealMLP-TD-S (Holzmueller et al. 2024; `pip install pytabkit`) reads the columns themselves.

Scores are ROC AUC (two classes), accuracy (more), R2 (a number): mean over folds and seeds; the
spread is the standard error over folds. Seconds are those of one fit, on one thread for ours, the
search apart; "x ours" is a peer's seconds over the dense network's.

Real tables are read from FOLDER/<set>/<file>, see TABLES; without --data the sets that come with
scikit-learn are run.

Measured on 2026-11-20 (AMD EPYC, 2 cores, busy; Python 3.11.7, numpy 2.4.6, numba 0.68.1,
scikit-learn 1.9.1). Five folds and two seeds; * two folds and one seed. Mean, spread in brackets:

    set                  neuron  dense          linear  MLP     trees           fit s, search s
    telco-churn          0.845   0.851 (0.006)  0.845   0.840   0.835 (0.005)    0.2      3
    adult-income *       0.908   0.927 (0.000)  0.908   0.910   0.930 (0.000)    3.3     16
    california-housing * 0.662   0.833 (0.005)  0.662   0.783   0.828 (0.000)    4.7     11
    german-credit        0.792   0.790 (0.017)  0.789   0.773   0.786 (0.015)    0.1      3
    graduate-admissions  0.812   0.815 (0.015)  0.813   0.806   0.771 (0.021)    0.1      1
    pen-digits *         0.953   0.996 (0.001)  0.950   0.991   0.992 (0.001)    1.2     10
    digits               0.967   0.990 (0.001)  0.969   0.964   0.973 (0.003)    0.4      8
    breast-cancer        0.996   0.995 (0.003)  0.996   0.988   0.994 (0.003)    0.1      2
    diabetes             0.493   0.491 (0.049)  0.492   0.380   0.398 (0.071)    0.0      1
    wine                 0.975   0.966 (0.007)  0.972   0.871   0.972 (0.009)    0.0      0.3
    iris                 0.953   0.947 (0.016)  0.947   0.703   0.947 (0.008)    0.0      0.2

RealMLP-TD-S, first fold only: telco-churn 0.851 in 16.9 s (dense 0.859 in 0.19 s, 91 times faster),
california-housing 0.797 in 173 s (dense 0.840 in 1.4 s, 123 times), german-credit 0.674 in 2.4 s
(dense 0.783 in 0.03 s, 71 times). The pieces of columns with frequent values came after this run.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from measuring import machine, versions

from neuroscope.data import columns
from neuroscope.data.schema import Schema, infer_schema
from neuroscope.data.sources import read
from neuroscope.data.splits import Split
from neuroscope.data.table import Table
from neuroscope.data.task_kind import target_kind
from neuroscope.judge import metrics
from neuroscope.tasks import table as task
from neuroscope.tasks._learning import Problem, Training, Watch, predict
from neuroscope.tasks._rows.posing import pose
from neuroscope.tasks._search import search
from neuroscope.tasks.rungs.table import RUNGS

# Set: file below its folder, target, columns to leave out.
TABLES = {
    "telco-churn": ("telco_churn.csv.gz", "Churn", ()),
    "adult-income": ("adult.csv.gz", "income", ("split",)),
    "california-housing": ("housing.csv.gz", "median_house_value", ()),
    "german-credit": ("german_credit.csv.gz", "class", ()),
    "graduate-admissions": ("admissions.csv", "AdmChance", ()),
    "pen-digits": ("pen_digits.csv.gz", "digit", ("split",)),
}
BUILT_IN = ("digits", "breast-cancer", "diabetes", "wine", "iris")
DENSE = "dense network"


@dataclass(frozen=True)
class Fold:
    """One fold of a set, as every contender gets it."""

    problem: Problem
    train: np.ndarray
    held: np.ndarray
    seed: int
    number: int  # 0 to 4

    @property
    def metric(self) -> metrics.Metric:
        """The metric of the kind of target."""
        names = {"binary": "roc_auc", "multiclass": "accuracy", "regression": "r2"}
        return metrics.find(names[self.problem.kind])

    def score(self, answer: np.ndarray) -> float:
        """Return the score of answers for the held-out rows."""
        return float(self.metric(self.problem.y[self.held], answer))


@dataclass(frozen=True)
class Outcome:
    """What a contender reached on one fold."""

    score: float
    fit_seconds: float
    search_seconds: float = 0.0


def folds(table: Table, schema: Schema, seed: int, wanted: int) -> Iterator[Fold]:
    """Yield the first `wanted` of the five folds."""
    from sklearn.model_selection import KFold, StratifiedKFold

    kind, target = target_kind(table, schema).kind, schema.target
    assert target is not None
    cutter, labels = KFold(5, shuffle=True, random_state=0), None
    if kind != "regression":
        cutter = StratifiedKFold(5, shuffle=True, random_state=0)
        labels = columns.cells(table, target.name, None).categories()[0]
    parts = list(cutter.split(np.zeros(table.rows), labels))
    for number, (train, held) in enumerate(parts[:wanted]):
        split = Split(held, train, ((train, held),), "random", "fixed folds")
        yield Fold(
            pose(task.ENCODING, table, schema, split, kind, seed=seed), train, held, seed, number
        )


def ours(name: str) -> Callable[[Fold], Outcome]:
    """Return a rung of the ladder: search, then one fit on one thread."""
    rung = RUNGS.get(name)

    def run(fold: Fold) -> Outcome:
        training = fold.problem.training(fold.train)
        began = time.perf_counter()
        recipe, _ = search(rung, rung.recipes(training), training, fold.metric, Watch())
        training.encoded(recipe)
        searched = time.perf_counter()
        learner = rung.fit(training, recipe, Watch())
        fitted = time.perf_counter()
        answer = predict(fold.problem, learner, fold.held)
        return Outcome(fold.score(answer), fitted - searched, searched - began)

    return run


def sklearn_peer(build: Callable[[bool, int], object]) -> Callable[[Fold], Outcome]:
    """Return a peer of scikit-learn; `build` gets whether the target is a number, and the seed."""

    def run(fold: Fold) -> Outcome:
        training = fold.problem.training(fold.train)
        encoder, x = training.encoded()
        model = build(fold.problem.kind == "regression", fold.seed)
        return timed(fold, model, x, encoder.transform(fold.problem.table, fold.held).x, training)

    return run


def timed(fold: Fold, model, x, x_held, training: Training) -> Outcome:
    """Fit a model with scikit-learn's contract and score it."""
    number = fold.problem.kind == "regression"
    began = time.perf_counter()
    model.fit(x, training.y)
    seconds = time.perf_counter() - began
    answer = model.predict(x_held) if number else model.predict_proba(x_held)
    return Outcome(fold.score(fold.problem.codec.decode(answer) if number else answer), seconds)


def linear(number: bool, seed: int):
    """Build the linear peer."""
    from sklearn.linear_model import LogisticRegression, Ridge

    return Ridge() if number else LogisticRegression(max_iter=1000, random_state=seed)


def multilayer(number: bool, seed: int):
    """Build scikit-learn's dense network; early stopping for classes, as is usual there."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    build = MLPRegressor if number else MLPClassifier
    return build(hidden_layer_sizes=(64, 64), early_stopping=not number, random_state=seed)


def trees(number: bool, seed: int):
    """Build scikit-learn's gradient-boosted trees."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    build = HistGradientBoostingRegressor if number else HistGradientBoostingClassifier
    return build(random_state=seed)


def realmlp(fold: Fold) -> Outcome:
    """Run RealMLP-TD-S on the columns as they are."""
    from pytabkit import RealMLP_TD_S_Classifier, RealMLP_TD_S_Regressor

    number = fold.problem.kind == "regression"
    build = RealMLP_TD_S_Regressor if number else RealMLP_TD_S_Classifier
    model = build(device="cpu", random_state=fold.seed, n_threads=1)
    frame = fold.problem.table.arrow.to_pandas()
    used = fold.problem.training(fold.train).encoded()[0].columns
    frame = frame[list(used)]
    for column in fold.problem.schema.features:
        if column.name in frame and column.kind != "numeric":
            frame[column.name] = frame[column.name].astype(str).astype("category")
    numbers = [c.name for c in fold.problem.schema.features if c.kind == "numeric"]
    for name in numbers:
        frame[name] = frame[name].fillna(frame[name].iloc[fold.train].median())
    x, x_held = frame.iloc[fold.train], frame.iloc[fold.held]
    return timed(fold, model, x, x_held, fold.problem.training(fold.train))


def contenders(with_realmlp: bool) -> dict[str, Callable[[Fold], Outcome]]:
    """Return who takes part, ours first."""
    found = {
        "one neuron": ours("neuron"),
        DENSE: ours("dense"),
        "LogisticRegression / Ridge": sklearn_peer(linear),
        "MLPClassifier / MLPRegressor": sklearn_peer(multilayer),
        "HistGradientBoosting": sklearn_peer(trees),
    }
    return found | ({"RealMLP-TD-S": realmlp} if with_realmlp else {})


def run_set(name: str, data: Path | None, arguments: argparse.Namespace) -> None:
    """Run all contenders on one set and print their rows."""
    file, target, drop = TABLES.get(name, (name, None, ()))
    table = read(str(data / name / file) if name in TABLES and data else file)
    schema = infer_schema(table, target=target, drop=drop)
    found: dict[str, list[list[Outcome]]] = {}  # contender: a list of folds for each seed
    metric = ""
    for seed in range(arguments.seeds):
        for fold in folds(table, schema, seed, arguments.folds):
            metric = fold.metric.title
            for who, run in contenders(arguments.realmlp).items():
                slow = who.startswith("RealMLP")
                seeds = found.setdefault(who, [])
                if slow and (seed or fold.number >= arguments.realmlp_folds):
                    continue
                if len(seeds) <= seed:
                    seeds.append([])
                seeds[seed].append(run(fold))
    print_set(f"{name}, {table.rows:,} rows, {metric}", found)


def print_set(title: str, found: dict[str, list[list[Outcome]]]) -> None:
    """Print one row for each contender."""
    print(f"\n{title}")
    head = ("mean", "spread", "seeds", "dense ahead by", "fit s", "search s", "x ours")
    print("  {:30}{:>8}{:>9}{:>9}{:>19}{:>9}{:>10}{:>8}".format("", *head))
    dense = by_fold(found[DENSE])
    own_seconds = seconds_of(found[DENSE])
    for who, seeds in found.items():
        scores = by_fold(seeds)
        among_seeds = statistics.pstdev([statistics.fmean(o.score for o in s) for s in seeds])
        ahead = dense[: len(scores)] - scores
        paired = f"{ahead.mean():+.4f} ± {error(ahead):.4f}" if who != DENSE else ""
        seconds = seconds_of(seeds)
        searched = statistics.fmean(o.search_seconds for s in seeds for o in s)
        reached = f"{scores.mean():8.4f}{error(scores):9.4f}{among_seeds:9.4f}{paired:>19}"
        took = f"{seconds:9.2f}{searched:10.2f}{seconds / own_seconds:8.1f}"
        print(f"  {who:30}{reached}{took}", flush=True)


def by_fold(seeds: list[list[Outcome]]) -> np.ndarray:
    """Return the mean score of each fold over the seeds that ran it."""
    return np.array([[outcome.score for outcome in folds_] for folds_ in seeds]).mean(axis=0)


def error(values: np.ndarray) -> float:
    """Return the standard error of a mean over folds."""
    return float(values.std(ddof=1) / math.sqrt(len(values))) if len(values) > 1 else math.nan


def seconds_of(seeds: list[list[Outcome]]) -> float:
    """Return the median seconds of a fit."""
    return statistics.median(outcome.fit_seconds for folds_ in seeds for outcome in folds_)


def main() -> None:
    """Run the sets that were asked for."""
    parser = argparse.ArgumentParser(description="Quality on tables, ours beside the peers")
    parser.add_argument("--data", type=Path, help="folder of the real tables")
    parser.add_argument("--sets", help="names, with commas; all that can be found if not given")
    parser.add_argument("--folds", type=int, default=5, help="how many of the five folds to run")
    parser.add_argument("--seeds", type=int, default=1, help="runs of each fold")
    parser.add_argument("--realmlp", action="store_true", help="also run RealMLP-TD-S (slow)")
    parser.add_argument("--realmlp-folds", type=int, default=2, help="folds of it, one seed")
    arguments = parser.parse_args()
    names = [*TABLES, *BUILT_IN] if arguments.data else list(BUILT_IN)
    names = arguments.sets.split(",") if arguments.sets else names
    print(f"{machine()}\n{versions()}\n{arguments.folds} folds, {arguments.seeds} seeds")
    warnings.simplefilter("ignore")
    RUNGS.get("dense")
    from neuroscope.tasks._net import warm_up

    warm_up()
    for name in names:
        run_set(name, arguments.data, arguments)


if __name__ == "__main__":
    main()
