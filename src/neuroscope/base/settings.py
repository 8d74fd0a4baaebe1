"""Where Neuroscope keeps things; each place can be moved by an environment variable."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """Return the folder of things that can be made again (NEUROSCOPE_CACHE)."""
    moved = os.environ.get("NEUROSCOPE_CACHE")
    return Path(moved) if moved else Path(platformdirs.user_cache_dir("neuroscope"))


def runs_folder() -> Path:
    """Return the folder that holds the run folders (NEUROSCOPE_RUNS, else ./runs)."""
    return Path(os.environ.get("NEUROSCOPE_RUNS") or "runs")


def cores() -> int:
    """Return how many threads may work at once: the processors this process may use, 8 at most."""
    usable = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    return min(len(usable) if usable else os.cpu_count() or 1, 8)
