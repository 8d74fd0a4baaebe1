"""Near repeats and languages of texts."""

from __future__ import annotations

import numpy as np
import pytest

from neuroscope.data.text.alike import twins
from neuroscope.data.text.languages import UNTOLD, language
from neuroscope.data.text.words import Words


def test_near_repeats_are_found_and_others_are_not() -> None:
    random = np.random.default_rng(0)
    vocabulary = [f"w{i}" for i in range(500)]
    texts = [" ".join(random.choice(vocabulary, 40)) for _ in range(200)]
    edited = [" ".join([*text.split()[:38], "other", "end"]) for text in texts[:50]]
    found = twins(Words.of([*texts, *edited, texts[60].upper() + "!"]))
    assert (found[:200] == -1).all()
    assert (found[200:250] == np.arange(50)).mean() > 0.95
    assert found[250] == 60


def test_short_and_empty_texts_are_no_repeats() -> None:
    assert twins(Words.of(["a b c", "a b c", "", ""])).tolist() == [-1, -1, -1, -1]
    assert twins(Words.of([])).tolist() == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The cat sat on the mat and it was not for you", "English"),
        ("Das ist nicht der Hund, den ich auf dem Feld sah", "German"),
        ("Le chat est dans la maison avec les enfants du roi", "French"),
        ("Η γλώσσα αυτή είναι ελληνική", "Greek"),
        ("これは日本語の文章です", "Japanese"),
        ("这是一个中文句子没有空格", "Chinese"),
        ("привет мир как дела сегодня", "in Cyrillic letters"),
        ("ok", UNTOLD),
        ("", UNTOLD),
        ("zxq vbn mlk poi uyt rew qas", UNTOLD),
    ],
)
def test_languages(text: str, expected: str) -> None:
    assert language(text) == expected
