"""`import neuroscope` and `neuroscope --help` are quick, because the heavy packages come later."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from source_tree import ROOT

HEAVY = ["torch", "numba", "pandas", "polars", "sklearn", "scipy", "pyarrow", "duckdb", "jinja2"]
HELP = "from neuroscope.cli import main; main(['--help'])"


def _run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("code", ["import neuroscope", HELP])
def test_heavy_packages_stay_out(code: str) -> None:
    found = _run(f"{code}\nimport sys; print([name for name in {HEAVY} if name in sys.modules])")
    assert found == "[]"


def test_import_takes_less_than_a_third_of_a_second() -> None:
    code = "import time; t = time.perf_counter(); import neuroscope; print(time.perf_counter() - t)"
    assert min(float(_run(code)) for _ in range(3)) < 0.3


def test_public_surface_is_sorted_and_there() -> None:
    code = (
        "import neuroscope as n; assert n.__all__ == sorted(n.__all__), n.__all__\n"
        "assert set(dir(n)) >= set(n.__all__); print([getattr(n, name) for name in n.__all__])"
    )
    assert "class" in _run(code)


@pytest.mark.parametrize(("chosen", "spins"), [({}, "1000"), ({"OMP_WAIT_POLICY": "ACTIVE"}, None)])
def test_waiting_threads_sleep_soon_unless_somebody_chose(chosen, spins, monkeypatch) -> None:
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    assert _run("import os, neuroscope; print(os.environ.get('GOMP_SPINCOUNT'))") == str(spins)
