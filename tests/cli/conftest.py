"""Fixtures of the command-line tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cli_running import QUICK, Done, points_csv, run_here


@pytest.fixture
def neuroscope(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Run the command line in this process: neuroscope("train", "iris")."""

    def run(*arguments: str | Path) -> Done:
        return run_here(capsys, *map(str, arguments))

    return run


@pytest.fixture
def points_file(tmp_path: Path) -> Path:
    """A small table with two numbers and a yes or no."""
    return points_csv(tmp_path / "points.csv")


@pytest.fixture
def model(neuroscope: Callable[..., Done], points_file: Path) -> str:
    """The name of a finished run on `points_file`."""
    done = neuroscope("train", points_file, *QUICK, "--quiet", "--json")
    assert done.code == 0, done.err
    return done.json["name"]
