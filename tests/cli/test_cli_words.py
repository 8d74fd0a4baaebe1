"""`neuroscope words` on the terminal and as JSON."""

from __future__ import annotations

import json

import pytest

LINES = "man 1 -1 0\nwoman 1 1 0\nking 1 -1 1\nqueen 1 1 1\nqueen 1 2 3\n"


@pytest.fixture
def vectors_file(tmp_path) -> str:
    (tmp_path / "v.txt").write_text(LINES)
    return str(tmp_path / "v.txt")


def test_neighbours_analogies_and_questions_are_shown(neuroscope, vectors_file, tmp_path):
    (tmp_path / "q.txt").write_text(": family\nman king woman queen\nman king Oslo queen\n")
    done = neuroscope("words", vectors_file, "--near", "king,queen", "--analogy", "man,king,woman",
                      "--questions", tmp_path / "q.txt", "--map", tmp_path / "m.svg", "-n", "2",
                      "-o", tmp_path / "v.bin")  # fmt: skip
    assert done.code == 0, done.err
    for said in ("4 words, 3 numbers each (GloVe text)", "near king", "near queen",
                 "man is to king as woman is to", "family", "100.0 %", "1 of 2",
                 "small letters", "map written to", "word vectors written to"):  # fmt: skip
        assert said in " ".join(done.out.split()), said
    assert "1 words occur again, as 'queen' at 4 and 5" in " ".join(done.err.split())
    assert (tmp_path / "m.svg").read_text().startswith("<svg")


def test_json_is_one_object(neuroscope, vectors_file):
    done = neuroscope("words", vectors_file, "--analogy", "man,king,woman", "--json")
    assert done.json["analogies"][0]["nearest"][0]["word"] == "queen"
    assert json.dumps(done.json)


def test_without_a_question_it_says_what_is_there_and_what_to_ask(neuroscope, vectors_file):
    done = neuroscope("words", vectors_file)
    assert "the first: man, woman, king, queen" in done.out
    assert "--near queen" in done.out


@pytest.mark.parametrize(("arguments", "said"), [
    (("--near", "kin"), "the word 'kin' is not among the 4 words; did you mean 'king'?"),
    (("--analogy", "a,b"), "'a,b' is not three words"),
    (("--map", "x.png"), "end it in .svg"),
])  # fmt: skip
def test_what_is_wrong_is_one_line(arguments, said, neuroscope, vectors_file):
    done = neuroscope("words", vectors_file, *arguments)
    assert done.code == 2
    assert said in done.complaint
