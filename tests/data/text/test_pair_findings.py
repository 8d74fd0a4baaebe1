"""What is found to be wrong with sentence pairs."""

from __future__ import annotations

import numpy as np
import pytest

from neuroscope.data.text.pairs import pair_findings

WORDS = ("der", "Hund", "läuft", "schnell", "über", "die", "grüne", "Wiese", "und", "bellt", "laut")


def _sound(n: int = 200) -> tuple[list[str], list[str]]:
    random = np.random.default_rng(1)
    source = [" ".join(random.choice(WORDS, random.integers(3, 15))) + f" {i}" for i in range(n)]
    return source, [text.upper() for text in source]


def _codes(source: list[str], target: list[str]) -> dict[str, tuple]:
    found = pair_findings(source, target, ("de", "en"))
    return {f.code: (f.severity, f.count, f.rows) for f in found}


def test_sound_pairs_have_no_findings() -> None:
    assert _codes(*_sound()) == {}


def test_empty_sides_are_counted_and_named() -> None:
    source, target = _sound()
    source[3] = target[7] = ""
    assert _codes(source, target)["empty_side"] == ("notice", 2, (4, 8))


@pytest.mark.parametrize(("count", "severity"), [(5, "notice"), (100, "serious")])
def test_identical_sides_are_serious_when_they_are_many(count: int, severity: str) -> None:
    source, target = _sound()
    target[:count] = source[:count]
    assert _codes(source, target)["identical_sides"][:2] == (severity, count)


def test_sides_of_very_different_length_are_doubted_the_worst_first() -> None:
    source, target = _sound()
    target[20], target[50] = "NO", target[50] * 6
    severity, count, rows = _codes(source, target)["length_ratio"]
    assert (severity, count) == ("notice", 2)
    assert set(rows) == {21, 51}


@pytest.mark.parametrize("shift", [1, -1, 3])
def test_a_lost_line_is_found(shift: int) -> None:
    source, target = _sound()
    target = target[-shift:] + target[:-shift]
    found = next(f for f in pair_findings(source, target, ("de", "en")) if f.code == "shifted")
    assert found.severity == "serious"
    assert f"{abs(shift)} row{'s' * (abs(shift) > 1)} further" in found.what
    assert ("down" if shift > 0 else "up") in found.what


def test_repeated_pairs_and_several_translations_are_told_in_passing() -> None:
    source, target = _sound()
    source[10], target[10] = source[11], target[11]
    source[20] = source[21]
    found = _codes(source, target)
    assert found["duplicate_pairs"] == ("info", 1, (12,))
    assert found["several_translations"][:2] == ("info", 1)


def test_one_very_long_text_is_told() -> None:
    source, target = _sound()
    source[0] = "x" * 10_000
    assert _codes(source, target)["long_texts"] == ("notice", 1, (1,))


def test_nothing_at_all_and_a_single_pair_raise_nothing() -> None:
    assert pair_findings([], [], ("de", "en")) == []
    assert pair_findings(["ja"], ["yes"], ("de", "en")) == []
    assert [f.code for f in pair_findings([""], [""], ("a", "b"))] == ["empty_side"]
