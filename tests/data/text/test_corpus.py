"""A corpus by number: sentences, passages, pairs and questions, against a count by hand."""

from __future__ import annotations

import tracemalloc
from collections import Counter

import numpy as np

from neuroscope.data.text.corpus import (
    Asking,
    neighbours_of,
    pair_counts,
    read_corpus,
    without_repeats,
)

TEXT = "The cat sat. The DOG ran!\nIt's hot… l’été\n\n123 cats"


def test_words_sentences_and_passages() -> None:
    corpus = read_corpus([TEXT, "", "the end"], 3)
    sentences = [[corpus.words[t] for t in corpus.tokens[a:b]]
                 for a, b in zip(corpus.starts[:-1], corpus.starts[1:], strict=True)]  # fmt: skip
    assert sentences == [["the", "cat", "sat"], ["the", "dog", "ran"], ["it's", "hot"], ["l’été"],
                         ["123", "cats"], ["the", "end"]]  # fmt: skip
    assert corpus.bounds[0] == 0
    assert corpus.bounds[-1] == 6
    assert corpus.passages == 3
    part = corpus.some(np.array([2, 0]))
    assert part.passages == 2
    middle = corpus.some(np.array([1]))
    assert len(part.tokens) + len(middle.tokens) == sum(len(s) for s in sentences)
    known = corpus.known(("the", "cats"))
    assert known.counts().tolist() == [3, 1]
    assert known.passages == 3


def test_a_text_of_one_line_without_stops_is_cut() -> None:
    corpus = read_corpus([" ".join(f"w{i}" for i in range(1_234))], 3)
    assert np.diff(corpus.starts).tolist() == [500, 500, 234]
    assert corpus.passages == 3
    assert corpus.tokens.tolist() == list(range(1_234))


def test_pairs_are_counted_as_by_hand() -> None:
    corpus = read_corpus(["a b c a\nb c"], 1)
    expected: Counter = Counter()
    for sentence in (["a", "b", "c", "a"], ["b", "c"]):
        for i, word in enumerate(sentence):
            for j, other in enumerate(sentence):
                if 0 < abs(i - j) <= 2:
                    expected[word, other] += (2 - abs(i - j) + 1) / 2
    a, b, count = pair_counts(corpus, 2)
    found = {(corpus.words[x], corpus.words[y]): n for x, y, n in zip(a, b, count, strict=True)}
    assert found == dict(expected)


def test_questions_are_pairs_that_stand_together_and_not_too_many() -> None:
    lines = [f"w{i} v{i} u{i}" for i in range(40)] * 3
    corpus = read_corpus(["\n".join(lines)], 12)
    counts, keep = corpus.counts(), np.ones(len(corpus.words))
    asking, whole = Asking(window=2, noise=4, most=7), np.arange(12)
    asked = neighbours_of(corpus, counts, keep, asking, passages=whole, seed=0)
    assert asked.noise.shape == (len(asked.row), 4)
    assert np.bincount(asked.row).max() == 7
    for word, other in zip(asked.word, asked.neighbour, strict=True):
        assert corpus.words[word][1:] == corpus.words[other][1:]
    np.testing.assert_array_equal(asked.asked()[:, 0], np.bincount(asked.row, minlength=12) * 4)
    some = asked.some(np.array([3, 1]))
    assert some.rows == 2
    np.testing.assert_array_equal(some.word[some.row == 0], asked.word[asked.row == 3])
    again = neighbours_of(corpus, counts, keep, asking, passages=whole, seed=0)
    np.testing.assert_array_equal(asked.noise, again.noise)
    none = neighbours_of(corpus, counts, 0 * keep, asking, passages=whole, seed=0)
    assert len(none.row) == 0
    judged = neighbours_of(corpus, counts, keep, asking, passages=np.array([9, 2]), seed=0)
    assert np.bincount(judged.row, minlength=12).tolist() == [7 * (i in (2, 9)) for i in whole]


def test_questions_of_a_long_text_take_the_memory_of_one_passage() -> None:
    rng = np.random.default_rng(0)
    words = [f"w{i}" for i in range(1_000)]
    corpus = read_corpus(["\n".join(" ".join(rng.choice(words, 20)) for _ in range(10_000))], 200)
    counts, keep = corpus.counts(), np.ones(len(corpus.words))
    tracemalloc.start()
    neighbours_of(corpus, counts, keep, Asking(5, 5, 30), passages=np.arange(200), seed=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4e6  # 1.7 million pairs of all passages would take 14e6 as int32


def test_texts_with_the_same_words_stand_once() -> None:
    assert without_repeats(["a b", "c", "A  b\n", " ", " ", "c d"]) == (
        ["a b", "c", " ", " ", "c d"],
        1,
    )
    text = "To be, or not to be\nYes.\nthat is the question\nto be, or  not to be\nYes."
    kept = "To be, or not to be\nYes.\nthat is the question\nYes."  # short lines stay
    assert without_repeats([text]) == ([kept], 1)
    assert without_repeats([text, text]) == ([text], 1)
    assert without_repeats([]) == ([], 0)
