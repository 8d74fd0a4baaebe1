"""Death in hospital from the first 48 hours of intensive care: the whole ladder within 10 minutes.

    NEUROSCOPE_TEST_DATA=... python benchmarks/icu_vitals.py [--minutes 10] [--seeds 1]

3,996 stays of PhysioNet's challenge of 2012, set A: 1.75 million readings of 40 vital signs at
irregular times, joined with the outcomes by a query as a user would write it. Goal on 2 cores: an
area under the ROC curve of at least 0.83 on held-out stays with the best rung; the single neuron's
stands beside it (published for this challenge with GRU-D: about 0.85). -1 of a descriptor means
unknown and is read as missing. The test rows are a fifth of the stays, opened once; `rungs` shows
each rung on the stays held out of training.

Measured figures, with machine, versions and spread: docs/log.md, "Classes of sequences".
"""

from __future__ import annotations

import argparse
import os
import tempfile
import warnings
from pathlib import Path

from measuring import machine, versions

from neuroscope.verbs._prepare import DataOptions
from neuroscope.verbs.train import TrainOptions, train

GOAL = 0.83
QUERY = """SELECT v.record_id, v.minute, v.parameter, nullif(v.value, -1) AS value,
o."In-hospital_death" AS died FROM '{folder}/icu_set_a_long.parquet' v
JOIN '{folder}/icu_set_a_outcomes.csv' o ON o.RecordID = v.record_id"""
OPTIONS = DataOptions(target="died", series="record_id", time="minute")


def climb(minutes: float, seed: int) -> None:
    """Run the ladder once and print each rung."""
    folder = Path(os.environ["NEUROSCOPE_TEST_DATA"], "icu-vitals")
    with tempfile.TemporaryDirectory() as place:
        options = TrainOptions(budget=60 * minutes, seed=seed, out=place)
        result = train(QUERY.format(folder=folder), OPTIONS, options)
    for rung in result["rungs"]:
        low, high = rung["interval"] or (float("nan"), float("nan"))
        print(f"    {rung['name']:12}{rung['value'] or float('nan'):8.4f} ({low:.3f} .. {high:.3f})"
              f"{rung['seconds']:8.0f} s{rung['parameters']:>12,}  {rung['status']}")  # fmt: skip
    reached, (low, high) = result["test"]["roc_auc"], result["test"]["interval"]["roc_auc"]
    print(f"  {minutes:g} min, seed {seed}: {result['chosen']}, test {reached:.4f} "
          f"({low:.3f} .. {high:.3f}) in {result['seconds']:.0f} s, "
          f"goal {GOAL:g} {'met' if reached >= GOAL else 'MISSED'}", flush=True)  # fmt: skip


def main() -> None:
    """Run the seeds that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seeds", type=int, default=1)
    arguments = parser.parse_args()
    print(f"{machine()}\n{versions()}\n{arguments.seeds} runs\n")
    warnings.simplefilter("ignore")
    for seed in range(arguments.seeds):
        climb(arguments.minutes, seed)


if __name__ == "__main__":
    main()
