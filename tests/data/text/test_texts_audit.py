"""Near repeats and languages of texts."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from neuroscope.data.audit.finding import Subject
from neuroscope.data.schema import Schema
from neuroscope.data.splits import Split
from neuroscope.data.table import Origin, Table
from neuroscope.data.text import audit
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


def test_all_copies_of_a_text_are_found_and_leave_room_for_others() -> None:
    text = "this very text was handed in again and again"
    edited = f"{text}, {text} by many and then by others once more, {text} too"
    found = twins(Words.of(["another one of six words", *[text] * 1_000, edited, edited + " then"]))
    assert found.tolist() == [-1, -1, *[1] * 999, -1, 1_001]


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


@pytest.mark.parametrize(("tested", "expected"), [
    ([0], [1]),  # the text that trains comes later
    ([1, 2], [2, 3]),  # copies of one that trains
    ([0, 1], [1, 2]),  # the first of them is a test text, too
    ([3, 4], []),
    ([0, 1, 2, 3, 4], []),
])  # fmt: skip
def test_texts_of_the_test_that_have_their_like_in_training_are_counted_once(
    tested: list[int], expected: list[int]
) -> None:
    rest = np.setdiff1d(np.arange(5), tested)
    split = Split(np.array(tested), rest, ((rest, rest),), "random", "")
    table = Table(pa.table({"text": ["x"] * 5}), Origin("texts"))
    subject = Subject(table, Schema(()), split, "binary", 0)
    texts = ["a b c d e f g", "a b c d e f h", "a b c d e f i", "other words", "and others"]
    found = audit._alike(subject, np.arange(5), np.array([-1, 0, 0, -1, -1]), texts)
    across = [one for one in found if one.code == "near-duplicates-across-split"]
    assert [list(one.rows) for one in across] == ([expected] if expected else [])
    assert all(one.count == len(expected) for one in across)
