"""What holds for every test: nothing is written outside the test's own folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each test in a folder of its own, with its own runs folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NEUROSCOPE_RUNS", str(tmp_path / "runs"))


@pytest.fixture
def shared_data() -> Path:
    """Return the folder of real data sets (NEUROSCOPE_TEST_DATA), or skip the test."""
    folder = os.environ.get("NEUROSCOPE_TEST_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("set NEUROSCOPE_TEST_DATA to the folder of real data sets")
    return Path(folder)
