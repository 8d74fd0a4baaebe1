"""The plain blocks of `neuron/matmul.py` beside BLAS with all its threads.

Batches of 32 and 128 rows times square layers, the product of the forward pass, compiled. Prints
nanoseconds per thousand multiplications of both; ours runs on one core.

Measured figures, with machine, versions and spread: docs/log.md, "Speed of the core".
"""

from __future__ import annotations

import argparse
import statistics
import time

import numba
import numpy as np
from measuring import machine, versions

from neuroscope.neuron import matmul

WIDTHS = (16, 32, 64, 96, 128, 192, 256, 384, 512, 768)


@numba.njit
def blas(left, right, out):
    """out = left @ right by BLAS, called from compiled code."""
    np.dot(left, right, out)


def seconds(product, left: np.ndarray, right: np.ndarray, out: np.ndarray, runs: int) -> float:
    """Return the median seconds of one product, of `runs` timings of about 10 ms."""
    repeat = max(1, int(4e8 / (left.size * right.shape[1]) / 10))
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        for _ in range(repeat):
            product(left, right, out)
        times.append((time.perf_counter() - began) / repeat)
    return statistics.median(times)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    print(f"{machine()}\n{versions()}\n")
    print(f"{'rows':>5}{'width':>7}{'multiplications':>17}{'blocks':>9}{'BLAS':>9}  faster")
    rng = np.random.default_rng(0)
    for rows in (32, 128):
        for width in WIDTHS:
            left, right = (rng.normal(size=(n, width)).astype(np.float32) for n in (rows, width))
            out, count = np.empty((rows, width), np.float32), rows * width * width
            for product in (matmul.matmul, blas):
                product(left, right, out)
            ours, theirs = (
                seconds(product, left, right, out, runs) / count * 1e12
                for product in (matmul.matmul, blas)
            )
            word = "BLAS" if theirs < ours else "blocks"
            print(f"{rows:>5}{width:>7}{count:>17,}{ours:>9.1f}{theirs:>9.1f}  {word}")
