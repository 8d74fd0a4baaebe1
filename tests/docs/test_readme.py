"""The README runs as it stands: commands, Python, links; the manual misses no command."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/manual.md", "docs/architecture.md"]
SET_UP = (
    "pip install -c constraints.txt .          && neuroscope train breast-cancer\n"
    "pip install -c constraints.txt '.[test]'  && pytest\n"
)
NEW_ROWS = 60


def blocks(page: str, language: str) -> list[str]:
    """Return the code blocks of a page."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that runs lines in bash, where `neuroscope` is this source tree's."""
    command = tmp_path / "bin" / "neuroscope"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m neuroscope "$@"\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    monkeypatch.delenv("NEUROSCOPE_RUNS")

    def run(line: str) -> str:
        done = subprocess.run(["bash", "-c", line], text=True, capture_output=True, check=False,
                              stdin=subprocess.DEVNULL)  # fmt: skip
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done.stdout

    return run


def test_the_first_screen_has_the_two_commands() -> None:
    assert blocks("README.md", "sh")[0] == SET_UP
    first_screen = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:30]
    assert SET_UP.splitlines()[0] in first_screen
    assert any("docs/pictures/ladder.svg" in line for line in first_screen)


@pytest.mark.slow
def test_commands_run(shell, tmp_path: Path) -> None:
    lines = [line for block in blocks("README.md", "sh")[1:] for line in block.splitlines() if line]
    assert len(lines) >= 10
    said = {}
    for line in lines:
        said[line.split("#")[0].strip()] = shell(line)
        tumours = tmp_path / "tumours.csv"
        if tumours.exists() and not (tmp_path / "new-tumours.csv").exists():
            head, *rows = tumours.read_text().splitlines(keepends=True)
            (tmp_path / "new-tumours.csv").write_text(head + "".join(rows[:NEW_ROWS]))
    assert "Verdict" in said["neuroscope train spirals --rungs neuron,dense --budget 20s"]
    assert len((tmp_path / "predictions.csv").read_text().splitlines()) == NEW_ROWS + 1
    assert '"reasons"' in said["neuroscope train tumours.csv --target diagnosis --show-recipe"]
    assert (
        "convolution"
        in said["neuroscope train digits-images --rungs neuron,convolution --epochs 5 --budget 1m"]
    )
    trained = [line for line in said if " train " in line and "--show-recipe" not in line]
    assert len(list((tmp_path / "runs").glob("*/report.html"))) == len(trained) > 5


def test_python_examples_give_what_they_say() -> None:
    sources = blocks("README.md", "python")
    assert sources
    runner = doctest.DocTestRunner()
    for source in sources:
        runner.run(doctest.DocTestParser().get_doctest(source, {}, "README", "README.md", 0))
    assert runner.summarize(verbose=False).failed == 0
    assert runner.summarize(verbose=False).attempted > 5


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    places = re.findall(r"\]\(([^)]+)\)", text)
    broken = [p for p in places if "://" not in p and not (ROOT / page).parent.joinpath(p).exists()]
    assert not broken


@pytest.mark.parametrize("page", PAGES)
def test_files_that_are_named_exist(page: str) -> None:
    """A path in backticks that begins with a folder of the repository is there."""
    text = (ROOT / page).read_text(encoding="utf-8")
    named = re.findall(r"`((?:src|tests|docs|benchmarks|\.ci)/[^`\s<>]+)`", text)
    assert [path for path in named if not (ROOT / path).exists() and path != "docs/log.md"] == []


def test_manual_has_a_section_on_every_command() -> None:
    """The commands are those of the command line's folder; the options named there exist."""
    place = ROOT / "src" / "neuroscope" / "cli"
    commands = {path.stem for path in place.glob("[a-z]*.py")}
    text = (ROOT / "docs" / "manual.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## ([a-z]+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    assert commands <= sections.keys()
    for command in commands:
        assert f"`neuroscope {command}" in sections[command]
        source = (place / f"{command}.py").read_text() + (place / "_options.py").read_text()
        for option in re.findall(r"--([a-z-]+)", sections[command]):
            name = {"json": "Json"}.get(option, option.replace("-", "_"))
            assert re.search(rf"\b{name}\b|--{option}", source), f"{command} --{option}"
