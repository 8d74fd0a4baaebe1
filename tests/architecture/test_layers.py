"""Arrows point down only, and each heavy package stays behind its fence."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib

import pytest
import source_tree
from packaging.requirements import Requirement
from source_tree import PACKAGE, ROOT, folder, imported, shown

# pyarrow tables are handed in and out at the edge, so the floors above may build and read one.
FENCES = {
    "numba": {"neuron"},
    "torch": {"nets", "train", "explain", "tasks", "verbs"},
    "duckdb": {"data", "runs"},
    "pyarrow": {"data", "runs", "tasks", "verbs"},
    "typer": {"cli"},
    "click": set(),
    "rich": {"cli"},
    "fastapi": {"serve"},
    "nicegui": {"studio"},
    "pandas": set(),
    "polars": set(),
    "matplotlib": set(),
    "torchvision": set(),
}
MODULES = {"pillow": "PIL", "scikit-learn": "sklearn"}


def _lint(config: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()",
         "--no-cache", "--config", config],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT / "src")}, text=True,
        capture_output=True, check=False,
    )  # fmt: skip


def test_arrows_point_down_only() -> None:
    done = _lint(".importlinter")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 kept, 0 broken" in done.stdout


def test_the_contract_can_break(tmp_path) -> None:
    upside_down = (ROOT / ".importlinter").read_text().replace("    base\n", "")
    upside_down = upside_down.replace("    (cli)\n", "    base\n    (cli)\n")
    (tmp_path / "upside_down").write_text(upside_down)
    done = _lint(str(tmp_path / "upside_down"))
    assert done.returncode != 0
    assert "BROKEN" in done.stdout


@pytest.mark.parametrize("package", FENCES)
def test_fence(package: str) -> None:
    crossed = [
        f"{shown(path)}:{line}"
        for path in source_tree.files()
        for name, line in imported(path)
        if name == package and folder(path) not in FENCES[package]
    ]
    assert not crossed, f"{package} belongs in {sorted(FENCES[package]) or 'no folder'}"


def test_dependencies_are_those_that_are_imported() -> None:
    """Each declared dependency is imported by some file, each imported package is declared."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [text for extra in project.get("optional-dependencies", {}).values() for text in extra]
    names = {Requirement(text).name for text in project["dependencies"]}
    declared = {MODULES.get(name, name) for name in names}
    found = {name for path in source_tree.files() for name, _ in imported(path)}
    found -= {*sys.stdlib_module_names, "neuroscope"}
    optional = {MODULES.get(name, name) for name in (Requirement(text).name for text in extras)}
    assert declared - found == set(), "nothing imports these dependencies"
    assert found - declared - optional == set(), "pyproject.toml does not declare these"


def test_siblings_of_the_first_floor_are_all_on_it() -> None:
    """The fences name folders that exist or that the design plans, nothing misspelt."""
    planned = {"nets", "train", "explain", "serve", "studio"}
    known = {path.name for path in PACKAGE.iterdir() if path.is_dir()} | planned
    assert set().union(*FENCES.values()) <= known
