"""Tokenisers give texts back, number the special tokens alike and are the same each time."""

from __future__ import annotations

import json

import numpy as np
import pytest

from neuroscope.base.errors import ModelError, RecipeError
from neuroscope.data.text.tokeniser import END, KINDS, PAD, SPECIAL, START, UNKNOWN, Tokeniser

TEXTS = [
    "The quick brown fox jumps over the lazy dog.",
    "the lazy dog sleeps; the fox does not (yet).",
    "A dog and a fox: 12 hours, 30 minutes!",
]
ODD = [
    "",
    " ",
    "naïve café — cafe\u0301",  # composed, and a combining accent
    "👩‍👩‍👧 family 🎉🎉",
    "שלום עולם، مرحبا",
    "line\none\ttab  two   spaces ",
    "<pad> and <end> are words here",
    "日本語のテキスト",
    "x" * 1000,
]


def _made(kind: str, **options) -> Tokeniser:
    return Tokeniser.train(kind, [*TEXTS, *ODD], 600, **options)


@pytest.mark.parametrize("kind", KINDS)
def test_special_tokens_have_fixed_numbers(kind: str) -> None:
    tokeniser = _made(kind)
    assert (PAD, UNKNOWN, START, END) == (0, 1, 2, 3)
    assert tokeniser.tokens[:4] == SPECIAL
    assert len(tokeniser) == len(set(tokeniser.tokens)) <= 600


@pytest.mark.parametrize("kind", ["character", "bpe"])
@pytest.mark.parametrize("text", [*TEXTS, *ODD])
def test_characters_and_bytes_come_back_exactly(kind: str, text: str) -> None:
    tokeniser = _made(kind)
    tokens = tokeniser.encode_one(text)
    assert tokens.dtype == np.int32
    assert tokens.ndim == 1
    assert tokeniser.decode(tokens) == text
    assert not set(tokens.tolist()) & {PAD, START, END}


def test_bytes_spell_what_was_never_seen() -> None:
    tokeniser = Tokeniser.train("bpe", ["abc abc abc"], 300)
    text = "ζήτα 🎈 \u200f"
    assert tokeniser.decode(tokeniser.encode_one(text)) == text


@pytest.mark.parametrize("kind", ["word", "wordpiece"])
@pytest.mark.parametrize("text", TEXTS)
def test_words_come_back_with_their_signs(kind: str, text: str) -> None:
    tokeniser = _made(kind)
    assert tokeniser.decode(tokeniser.encode_one(text)) == text


@pytest.mark.parametrize("kind", KINDS)
def test_json_both_ways(kind: str) -> None:
    tokeniser = _made(kind, lowercase=True)
    again = Tokeniser.from_json(json.loads(json.dumps(tokeniser.to_json())))
    assert again.tokens == tokeniser.tokens
    for text, one, two in zip(ODD, tokeniser.encode(ODD), again.encode(ODD), strict=True):
        assert one.tolist() == two.tolist(), text


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_texts_give_the_same_tokens(kind: str) -> None:
    assert _made(kind).to_json() == _made(kind).to_json()


@pytest.mark.parametrize("kind", KINDS)
def test_small_letters(kind: str) -> None:
    tokeniser = _made(kind, lowercase=True)
    one, two = tokeniser.encode(["The DOG", "the dog"])
    assert one.tolist() == two.tolist()


def test_unknown_words_and_characters() -> None:
    words = Tokeniser.train("word", ["one two two"], 6)
    assert words.encode_one("two three one").tolist() == [4, UNKNOWN, 5]
    assert words.decode([4, UNKNOWN, 5]) == "two <unknown> one"
    characters = Tokeniser.train("character", ["abab"])
    assert characters.encode_one("abc").tolist() == [4, 5, UNKNOWN]
    assert characters.decode([START, 4, 5, UNKNOWN, END, PAD]) == "ab\ufffd"


def test_rare_tokens_are_left_out() -> None:
    texts = ["aaa b", "aaa c", "aaa b"]
    assert Tokeniser.train("word", texts, 100, seen=2).tokens[4:] == ("aaa", "b")
    assert Tokeniser.train("character", texts, 6).tokens[4:] == (" ", "a")


@pytest.mark.parametrize("kind", KINDS)
def test_a_long_text_is_cut_as_its_parts_are(kind: str) -> None:
    tokeniser = _made(kind)
    sentence = " ".join(TEXTS) + " "
    long = sentence * 3000  # 0.4 million characters: four pieces
    tokens = tokeniser.encode([long, TEXTS[0]])
    part = tokeniser.encode_one(" " + sentence.strip()).tolist()
    first = tokeniser.encode_one(sentence.strip()).tolist()
    last = tokeniser.encode_one("a ").tolist()[1:]
    assert tokens[0].tolist() == first + part * 2999 + last
    assert tokens[1].tolist() == tokeniser.encode_one(TEXTS[0]).tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_a_long_text_without_spaces(kind: str) -> None:
    tokeniser = _made(kind)
    tokens = tokeniser.encode_one("dog" * 100_000)
    assert len(tokens) > 0
    if kind in ("character", "bpe"):
        assert tokeniser.decode(tokens) == "dog" * 100_000


@pytest.mark.parametrize("kind", KINDS)
def test_no_texts_and_empty_texts(kind: str) -> None:
    tokeniser = Tokeniser.train(kind, ["", ""])
    assert len(tokeniser) == (260 if kind == "bpe" else 4)
    assert tokeniser.encode([]) == []
    assert tokeniser.encode_one("").tolist() == []
    assert tokeniser.decode([]) == ""


@pytest.mark.parametrize("kind", KINDS)
def test_halves_of_characters_do_no_harm(kind: str) -> None:
    tokeniser = Tokeniser.train(kind, ["a \ud800 b"])
    assert len(tokeniser.encode_one("a \ud800 b")) >= 3


def test_bad_calls_say_what_to_do() -> None:
    with pytest.raises(RecipeError, match="unknown tokeniser 'words'; did you mean 'word'"):
        Tokeniser.train("words", TEXTS)
    with pytest.raises(RecipeError, match=r"100 tokens is too small .* give 260 or more"):
        Tokeniser.train("bpe", TEXTS, 100)
    with pytest.raises(ModelError, match="cannot be read; train the model again"):
        Tokeniser.from_json({"kind": "spoken", "tokens": {}})
    with pytest.raises(ModelError, match="is damaged"):
        Tokeniser.from_json({"kind": "word", "tokens": {"version": "1.0"}})
