"""Is `--budget` kept? Whole runs on drawn tables of growing size, seconds used over seconds given.

Goal: at most 1.1. The table is drawn outside the clock; reading, audit, climb, test and report are
inside it.

Measured: docs/log.md, "Budget".
"""

from __future__ import annotations

import argparse
import tempfile

import numpy as np
import pyarrow as pa
from measuring import machine, versions

from neuroscope.verbs.train import TrainOptions, train

CASES = ((20_000, 12, 10.0), (100_000, 20, 20.0), (1_000_000, 12, 60.0))  # rows, columns, seconds


def table(rows: int, columns: int) -> pa.Table:
    """Draw a table whose border is bent, so that every rung has work to do."""
    x = np.random.default_rng(0).standard_normal((rows, columns)).astype(np.float32)
    y = (x[:, 0] * x[:, 1] + x[:, 2] > 0).astype(int)
    return pa.table({f"x{i}": x[:, i] for i in range(columns)} | {"y": y})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=len(CASES), help="how many of the cases")
    print(f"{machine()}\n{versions()}\n")
    for rows, columns, budget in CASES[: parser.parse_args().cases]:
        with tempfile.TemporaryDirectory() as folder:
            options = TrainOptions(budget=budget, out=folder)
            result = train(table(rows, columns), options=options)
        used, rungs = result["seconds"], [rung["status"] for rung in result["rungs"]]
        word = "kept" if used <= 1.1 * budget else "OVER"
        print(f"{rows:>9,} rows, {budget:g} s: {used:.1f} s, {used / budget:.2f}, {word}; {rungs}")
