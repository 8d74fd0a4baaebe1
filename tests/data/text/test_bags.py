"""Words and bags of words, held against scikit-learn; odd scripts, hashing, JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from neuroscope.data.text.bag import Bag
from neuroscope.data.text.words import Words, spans, words

TEXTS = [
    "The dog bit the man", "The man bit the dog", "A dog is no man", "no text like this one",
    "", "!!!", "cats and dogs and cats",
]  # fmt: skip


@pytest.mark.parametrize("pairs", [True, False])
def test_a_bag_is_scikit_learns(pairs: bool) -> None:
    theirs = TfidfVectorizer(ngram_range=(1, 2 if pairs else 1), min_df=2, token_pattern=r"\w+")
    expected = theirs.fit_transform(TEXTS).toarray()
    bag = Bag.fit(Words.of(TEXTS), pairs=pairs)
    assert list(bag.terms) == sorted(theirs.vocabulary_)
    rows = bag.transform(Words.of(TEXTS))
    order = [theirs.vocabulary_[term] for term in bag.terms]
    assert np.allclose(rows.dense(), expected[:, order], atol=1e-6)
    assert rows.lengths[4] == rows.lengths[5] == 0


def test_other_texts_are_read_by_the_terms_that_were_learned() -> None:
    bag = Bag.fit(Words.of(TEXTS))
    rows = bag.transform(Words.of(["unknown dog", "the man"]))
    assert {bag.terms[p] for p in rows.row(0)[0]} == {"dog"}
    assert {bag.terms[p] for p in rows.row(1)[0]} == {"the", "man", "the man"}


def test_the_mean_of_terms_sums_to_one() -> None:
    bag = Bag.fit(Words.of(TEXTS), mean=True, fewest=1)
    sums = bag.transform(Words.of(TEXTS)).dense().sum(axis=1)
    assert np.allclose(sums, [1, 1, 1, 1, 0, 0, 1])


def test_many_terms_are_hashed() -> None:
    texts = Words.of([f"w{i} w{i + 1} w{i}" for i in range(200)])
    bag = Bag.fit(texts, most=64)
    assert bag.hashed
    assert bag.terms == ()
    assert bag.transform(texts).shape == (200, 64)
    assert bag.place("w7") == bag.place("w7") < 64
    again = Bag.read(json.loads(json.dumps(bag.to_json())), bag.arrays())
    assert (again.transform(texts).dense() == bag.transform(texts).dense()).all()


def test_blocks_change_nothing(monkeypatch) -> None:
    from neuroscope.data.text import bag as module

    whole = Bag.fit(Words.of(TEXTS))
    rows = whole.transform(Words.of(TEXTS)).dense()
    monkeypatch.setattr(module, "_BLOCK", 2)
    again = Bag.fit(Words.of(TEXTS))
    assert again.terms == whole.terms
    assert np.allclose(again.transform(Words.of(TEXTS)).dense(), rows)


def test_terms_of_one_text_are_dropped_while_there_are_too_many(monkeypatch) -> None:
    from neuroscope.data.text import bag as module

    monkeypatch.setattr(module, "_BLOCK", 10)
    texts = Words.of([f"same a{i} b{i} c{i}" for i in range(100)])
    bag = Bag.fit(texts, most=8)
    assert bag.hashed
    assert bag.transform(texts).shape[1] == 8


@pytest.mark.parametrize("texts", [["", ""], ["...", "?"], []])
def test_texts_without_words_have_a_bag_without_terms(texts) -> None:
    bag = Bag.fit(Words.of(texts))
    assert bag.width == 1
    assert bag.transform(Words.of(["now words"])).lengths.tolist() == [0]


def test_a_vocabulary_of_one() -> None:
    bag = Bag.fit(Words.of(["yes", "yes", "yes"]))
    assert bag.terms == ("yes",)
    assert bag.transform(Words.of(["yes yes", "no"])).dense().tolist() == [[1.0], [0.0]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't STOP", ["don", "t", "stop"]),
        ("cafe\u0301 café", ["café", "café"]),
        ("שָׁלוֹם עולם", None),
        ("مرحبا بالعالم", ["مرحبا", "بالعالم"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("great 👍🎉", ["great", "👍", "🎉"]),
        ("日本語 text", ["日", "本", "語", "text"]),
        ("x" * 65 + " ok", ["ok"]),
        ("", []),
    ],
)
def test_words_of_many_scripts(text: str, expected: list[str] | None) -> None:
    found = words(text)
    assert found == expected if expected is not None else len(found) == 2
    assert [text[a:b] for a, b, _ in spans(text)] or not found
    assert len(spans(text)) == len(found)


def test_places_of_words_are_those_in_the_text() -> None:
    text = "Ünder the Café — 5 👍"
    for first, last, word in spans(text):
        assert text[first:last].lower() == word
