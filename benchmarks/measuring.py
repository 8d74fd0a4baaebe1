"""Time several ways to do one job in one process, by turns, and print the ratios.

    python benchmarks/dense_small.py [--runs 5]

Contenders take turns, run after run, so that a busy moment of the machine meets them all. Each
gives back what it reached (a loss, an accuracy), so that a fast wrong answer is seen. The peers
come with `pip install -c constraints.txt . jax keras river skorch`; an absent one is skipped with
a word.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

Reached = float | Callable[[], float]  # a call is made when the clock has stopped
Work = Callable[[], Reached]  # does the job once
PACKAGES = (
    "neuroscope",
    "numpy",
    "numba",
    "scikit-learn",
    "torch",
    "jax",
    "keras",
    "skorch",
    "river",
)
UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}


@dataclass(frozen=True)
class Contender:
    """A way to do the job: `prepare` imports, builds and warms up, and returns the work itself."""

    prepare: Callable[[], Work]
    amount: int = 1  # epochs, rows, updates ... that one call of the work does
    goal: float | None = None  # ours is to be at least this many times as fast


def compare(
    claim: str, contenders: Mapping[str, Contender], *, unit: str, reached: str, runs: int = 5
) -> dict[str, float]:
    """Print median, spread and ratio of each contender; the first is ours. Returns the medians."""
    parser = argparse.ArgumentParser(description=claim)
    parser.add_argument("--runs", type=int, default=runs, help="timed runs of each contender")
    runs = parser.parse_args().runs
    print(f"{claim}\n{machine()}\n{versions()}\n{runs} runs each, by turns\n")
    ours = next(iter(contenders))
    works = {name: work for name, one in contenders.items() if (work := _prepared(name, one))}
    if ours not in works:
        parser.exit(1, "without ours there is nothing to compare\n")
    times: dict[str, list[float]] = {name: [] for name in works}
    last: dict[str, float] = {}
    for _ in range(runs):
        for name, work in works.items():
            began = time.perf_counter()
            reached_now = work()
            seconds = time.perf_counter() - began
            last[name] = reached_now() if callable(reached_now) else reached_now
            times[name].append(seconds / contenders[name].amount / UNITS[unit])
    medians = {name: statistics.median(each) for name, each in times.items()}
    print(f"{'':34}{'median ' + unit:>12}{'spread':>20}{'x ours':>9}{'goal':>10}  {reached}")
    for name, median in medians.items():
        ratio, goal = median / medians[ours], contenders[name].goal
        verdict = "" if goal is None else f"{goal:g} met" if ratio >= goal else f"{goal:g} MISSED"
        spread = f"{min(times[name]):.3g} .. {max(times[name]):.3g}"
        print(f"{name:34}{median:>12.3g}{spread:>20}{ratio:>9.2f}{verdict:>10}  {last[name]:.4f}")
    return medians


def _prepared(name: str, contender: Contender) -> Work | None:
    try:
        return contender.prepare()
    except ImportError as error:
        print(f"skipped: {name} ({error})")
        return None


def machine() -> str:
    """Return processor, cores and system in one line."""
    model = platform.processor() or platform.machine()
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        names = [line for line in listing.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{model}, {cores} cores, {platform.system()}, Python {platform.python_version()}"


def versions() -> str:
    """Return the versions of the packages that take part."""
    found = []
    for package in PACKAGES:
        try:
            found.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return ", ".join(found)
