"""ETTh1: seven hourly series of a power transformer, 96 hours ahead from 336 hours.

The published protocol (Zhou et al. 2021, Informer): 12 months train, 4 validate, 4 test; every
window of every series; mean squared error of values that are standardised with the training
months. Published: DLinear 0.375 (Zeng et al. 2023), PatchTST 0.370 (Nie et al. 2023), the last
value 1.295.
Goals: at most 0.385 with the linear neuron and 0.380 with the best rung, each within 10 minutes on
2 cores. The linear neuron is scored twice: fitted on the training months alone, as the papers do,
and as `train` leaves it, fitted on the validation months as well.

Run with NEUROSCOPE_TEST_DATA naming the folder that holds etth1/ETTh1.csv.gz. `--all` climbs all
rungs, else the nets are left out.
Measured figures, with machine, versions and spread: docs/log.md, "Forecasts".
"""

from __future__ import annotations

import gzip
import os
import sys
import tempfile
import time
from pathlib import Path

from neuroscope.base.events import ignore
from neuroscope.judge.metrics import METRICS
from neuroscope.tasks._learning import Watch, predict
from neuroscope.tasks.rungs.series_forecast import RUNGS
from neuroscope.verbs._prepare import DataOptions, prepare
from neuroscope.verbs.train import TrainOptions, train

HOURS = 24 * 30
PARTS = (("train", 12 * HOURS), ("valid", 16 * HOURS), ("test", 20 * HOURS))
PLAIN = ("last", "seasonal", "linear")
GOALS = {"linear": 0.385, "best": 0.380}


def with_parts(source: Path, folder: Path) -> Path:
    """Write the table with a column "part" that names the published split."""
    head, *rows = gzip.decompress(source.read_bytes()).decode().splitlines()
    lines = [f"{head},part"]
    for number, row in enumerate(rows):
        part = next((name for name, end in PARTS if number < end), "")
        lines.append(f"{row},{part}")
    place = folder / "etth1.csv"
    place.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return place


def of_training_months(source: Path, data: DataOptions) -> tuple[float, float]:
    """Return the test error of the linear neuron fitted on the training months, and seconds."""
    began = time.perf_counter()
    problem = prepare(source, data, seed=0, monitor=ignore).problem
    rung, part = RUNGS.get("linear"), problem.folds[0]
    learner = rung.fit(part, rung.recipes(part)[0], Watch())
    test = problem.split.test
    said = predict(problem, learner, test)
    error = METRICS["standardised_mse"](problem.y[test], said)
    return error, time.perf_counter() - began


def main() -> None:
    """Climb, and print the test error of the linear neuron and of the chosen rung."""
    folder = Path(os.environ["NEUROSCOPE_TEST_DATA"])
    with tempfile.TemporaryDirectory() as made:
        source = with_parts(folder / "etth1" / "ETTh1.csv.gz", Path(made))
        data = DataOptions(time="date", target="HUFL,HULL,MUFL,MULL,LUFL,LULL,OT", horizon=96,
                           split="part")  # fmt: skip
        error, seconds = of_training_months(source, data)
        print(f"linear, 12 months: MSE {error:.4f} (goal {GOALS['linear']}), {seconds:.1f} s")
        rungs = () if "--all" in sys.argv else PLAIN
        began = time.perf_counter()
        result = train(source, data, TrainOptions(rungs=rungs, budget=None, out=made))
        seconds = time.perf_counter() - began
    for rung in result["rungs"]:
        validation = rung["scores"]["standardised_mse"]
        print(f"{rung['name']:12} MSE of the validation months {validation:.4f}, "
              f"{rung['seconds']:.0f} s")  # fmt: skip
    error = result["test"]["standardised_mse"]
    low, high = result["test"]["interval"]["standardised_mse"]
    print(f"chosen {result['chosen']}: test MSE {error:.4f} ({low:.3f} .. {high:.3f}; "
          f"goal {GOALS['best']}) on {result['rows']['test']:,} windows")  # fmt: skip
    print(f"the whole climb {seconds:.0f} s")
    for level in result["forecast"]["intervals"]["levels"]:
        print(f"interval of {level['level']:.0%}: {level['coverage']:.1%} of the test readings")


if __name__ == "__main__":
    main()
