"""What holds for every test: nothing is written outside the temporary folders."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest


def _compiled_code() -> Path:
    """Return a folder for compiled code that all workers and later sessions share.

    Numba unpickles what it finds there, so a folder that somebody else made is not used.
    """
    owner = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir()) / f"neuroscope-tests-{owner}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder if folder.stat().st_uid == owner else Path(tempfile.mkdtemp())


os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # as the package does, before torch is there
os.environ.setdefault("NEUROSCOPE_CACHE", str(_compiled_code()))  # read at the core's import


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


@pytest.fixture
def shared_weights() -> Path:
    """Return the folder of pretrained nets (NEUROSCOPE_TEST_WEIGHTS), or skip the test.

    Without the setting it is the folder `weights` beside the real data sets.
    """
    data = os.environ.get("NEUROSCOPE_TEST_DATA")
    beside = str(Path(data).parent / "weights") if data else ""
    folder = os.environ.get("NEUROSCOPE_TEST_WEIGHTS") or beside
    if not folder or not Path(folder).is_dir():
        pytest.skip("set NEUROSCOPE_TEST_WEIGHTS to the folder of pretrained nets")
    return Path(folder)


@pytest.fixture(scope="session")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that gives the folder of a tiny pretrained classifier of a class."""
    pytest.importorskip("transformers")
    from tests.nets.tiny_backbones import write

    root = tmp_path_factory.mktemp("pretrained")

    def folder(kind: str) -> Path:
        place = root / kind
        return place if place.is_dir() else write(kind, place)

    return folder
