"""The shipped examples run as a reader runs them, and show what they promise."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def said_by(name: str) -> str:
    run = subprocess.run(
        [sys.executable, "-W", "error", str(ROOT / "examples" / name)],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_logic_gates() -> None:
    said = said_by("logic_gates.py")
    rows = [line.split() for line in said.splitlines() if re.match(r"[01] [01] ", line)]
    for a, b, conjunction, disjunction, neither, only_first in ([int(v) for v in r] for r in rows):
        assert (conjunction, disjunction) == (a & b, a | b)
        assert (neither, only_first) == (1 - (a | b), a & (1 - b))
    assert len(rows) == 4
    assert "NOT 0 = 1   NOT 1 = 0" in said
    assert "majority of 1, 0, 1: 1" in said
    assert "vetoes: 0" in said


def test_xor_by_stacking() -> None:
    said = said_by("xor_by_stacking.py")
    alone = re.search(r"one perceptron after 1000 epochs: (\d) of 4", said)
    assert alone and int(alone[1]) < 4
    assert re.search(r"stacked perceptrons: +4 of 4 right", said)
    table = [line.split() for line in said.splitlines()[-4:]]
    assert [(a != b, xor) for a, b, _, _, xor in table] == [
        (False, "-1"), (True, "1"), (True, "1"), (False, "-1"),
    ]  # fmt: skip


def test_two_boundaries() -> None:
    said = said_by("two_boundaries.py")
    one, two = (int(share) for share in re.findall(r"(\d+)%", said))
    assert one < 80 < 98 <= two
    picture = [line.replace(" ", "") for line in said.splitlines()[-11:]]
    assert all(re.fullmatch(r"\.*#+\.*", line) for line in picture)  # one band, slanting down
    assert [line.index("#") for line in picture] == sorted(line.index("#") for line in picture)


def test_long_memory() -> None:
    said = said_by("long_memory.py").splitlines()
    assert said[0].split()[-5:] == ["RNN", "RNN", "GRU", "LSTM", "Transformer"]
    careless, rnn, gru, lstm, transformer = (int(number) for number in said[-1].split()[1:])
    assert careless < 20 < gru < lstm < rnn
    assert transformer == 99


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.name)
def test_an_example_is_short_and_says_how_to_run_it(path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 60
    assert f"Run it: python examples/{path.name}" in text
