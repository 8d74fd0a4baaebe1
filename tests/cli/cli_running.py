"""Running the command line as a user does, and small tables to run it on."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import neuroscope
from neuroscope.cli import main

QUICK = ("--rungs", "majority,neuron", "--epochs", "2")
COMMAND = (sys.executable, "-m", "neuroscope")


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object on stdout."""
        lines = self.out.splitlines()
        assert len(lines) == 1, lines
        return json.loads(lines[0])

    @property
    def complaint(self) -> str:
        """The one line of an error; a traceback fails the test."""
        assert "Traceback" not in self.err + self.out
        lines = [line for line in self.err.splitlines() if line.startswith("neuroscope: ")]
        assert len(lines) == 1, self.err
        return lines[0].removeprefix("neuroscope: ")


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a child process that imports this source tree."""
    source = str(Path(neuroscope.__file__).parents[1])
    return {**os.environ, "PYTHONPATH": source, "COLUMNS": "80", **more}


def run_process(arguments: Sequence[str], **options: Any) -> Done:
    """Run the command in a process of its own."""
    env = environment(**options.pop("env", {}))
    done = subprocess.run([*COMMAND, *arguments], env=env, capture_output=True, text=True,
                          encoding="utf-8", check=False, **options)  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr)


def run_here(capsys: Any, *arguments: str) -> Done:
    """Run the command in this process."""
    capsys.readouterr()
    code = main(arguments)
    said = capsys.readouterr()
    return Done(code, said.out, said.err)


def write_csv(path: Path, header: Iterable[str], rows: Iterable[Iterable[Any]]) -> Path:
    """Write a CSV file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def points(rows: int = 80, seed: int = 0) -> list[list[Any]]:
    """Return (x1, x2, y) with y "yes" where x1 + x2 > 0, one row in ten the other way round."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 2)).round(3)
    flip = random.random(rows) < 0.1
    label = (x.sum(axis=1) > 0) ^ flip
    return [[a, b, "yes" if c else "no"] for (a, b), c in zip(x.tolist(), label, strict=True)]


def points_csv(path: Path, rows: int = 80, seed: int = 0) -> Path:
    """Write `points` as a CSV file."""
    return write_csv(path, ["x1", "x2", "y"], points(rows, seed))
