"""The verb `words`: neighbours, analogies, questions, the map and the files it writes."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from neuroscope.base.errors import InputError, ModelError, SourceError
from neuroscope.data.text.vectors import read
from neuroscope.report.charts.word_map import word_map
from neuroscope.verbs import words as verb
from neuroscope.verbs.train import train
from neuroscope.verbs.words import Asked, words

PERSON, GENDER, ROYAL = np.eye(6)[:3]
SPACE = {
    "man": PERSON - GENDER, "woman": PERSON + GENDER, "king": PERSON - GENDER + ROYAL,
    "queen": PERSON + GENDER + ROYAL, "prince": PERSON - GENDER + 0.8 * ROYAL,
    "apple": np.eye(6)[3], "pear": np.eye(6)[3] + 0.1 * np.eye(6)[4],
}  # fmt: skip
QUESTIONS = """: family
man king woman queen
king man queen woman
man king woman apple
: gram8-plural
apple pear Man nowhere
"""


@pytest.fixture
def vectors_file(tmp_path) -> str:
    path = tmp_path / "v.txt"
    path.write_text("".join(f"{word} {' '.join(map(str, v))}\n" for word, v in SPACE.items()))
    return str(path)


def test_neighbours_and_analogies(vectors_file) -> None:
    found = words(vectors_file, Asked(near=("King", "apple"), analogies=(("man", "king", "woman"),),
                                      count=2))  # fmt: skip
    assert (found["words"], found["width"], found["form"]) == (7, 6, "GloVe text")
    king, apple = found["near"]
    assert king["word"] == "king"
    assert [one["word"] for one in king["nearest"]] == ["prince", "man"]
    assert apple["nearest"][0]["word"] == "pear"
    assert apple["nearest"][0]["cosine"] == pytest.approx(1 / np.sqrt(1.01), rel=1e-5)
    assert found["analogies"][0]["nearest"][0]["word"] == "queen"


def test_questions_are_counted_with_what_is_covered(vectors_file, tmp_path) -> None:
    file = tmp_path / "q.txt"
    file.write_text(QUESTIONS)
    seen = []
    found = words(vectors_file, Asked(questions=str(file)), monitor=seen.append)["questions"]
    family, plural = found["categories"]
    assert (family["questions"], family["covered"], family["right"]) == (3, 3, 2)
    assert family["accuracy"] == pytest.approx(2 / 3)
    assert family["interval"][0] < 2 / 3 < family["interval"][1]
    assert (plural["questions"], plural["covered"], plural["accuracy"]) == (1, 0, None)
    assert [kind["name"] for kind in found["kinds"]] == ["meaning", "grammar"]
    assert found["all"]["covered"] == 3
    assert found["folded"] is True
    assert [e.done for e in seen if e.label == "answering the questions"] == [0, 1, 2]


def test_the_map_holds_what_was_asked_for(vectors_file, tmp_path) -> None:
    file = tmp_path / "map.svg"
    found = words(vectors_file, Asked(near=("king",), map=str(file), count=2))
    assert found["map"]["words"] == ["king", "prince", "man"]
    assert found["map"]["asked"] == [True, False, False]
    root = ET.fromstring(file.read_text())
    drawn = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert set(drawn) >= {"king", "prince", "man"}
    assert words(vectors_file, Asked(map=str(file)))["map"]["words"] == list(SPACE)


def test_a_map_of_frequent_words_passes_over_the_most_frequent(monkeypatch) -> None:
    rng = np.random.default_rng(0)
    many = verb.WordVectors(tuple(f"w{i}" for i in range(300)), rng.normal(size=(300, 4)))
    found = verb.map_of(many)
    assert found["words"] == [f"w{i}" for i in range(100, 180)]
    assert not any(found["asked"])


def test_a_map_escapes_its_words_and_leaves_crowded_ones_to_their_dots() -> None:
    names = ["<script>", *(f"word{i}" for i in range(20))]
    drawing = word_map({"words": names, "places": [[0.0, 0.0], *[[1.0, 1.0]] * 20],
                        "asked": [True] + [False] * 20, "shares": [0.5, 0.25]}, "t")  # fmt: skip
    assert "<script>" not in str(drawing)
    assert "75% of how these 21 words differ is seen here" in str(drawing)
    root = ET.fromstring(str(drawing))
    assert len(list(root.iter("circle"))) == 21
    assert 2 <= len(list(root.iter("text"))) < 20
    assert word_map({"words": [], "places": [], "shares": [0, 0]}, "t") is None


def test_a_word_without_room_beside_its_dot_is_led_away_by_a_line() -> None:
    places = [[0.0, 0.0], [3.0, 2.0], *([1.0 + 0.02 * i, 1.0] for i in range(7))]
    names = [f"neighbour{i}" for i in range(len(places))]
    found = {"words": names, "places": places, "shares": [0.5, 0.25]}
    root = ET.fromstring(str(word_map(found, "t")))
    assert {text.text for text in root.iter("text")} >= set(names)
    assert any(path.get("class") == "lead" for path in root.iter("path"))


@pytest.mark.parametrize("places", [[[0, 0], [2, 1]], [[0, 0], [1, 2]], [[0, 0], [9, 1]]])
def test_a_map_is_as_high_as_its_words_need(places) -> None:
    found = {"words": ["a", "b"], "places": places, "shares": [0.5, 0.25]}
    root = ET.fromstring(str(word_map(found, "t")))
    width, height = map(float, str(root.get("viewBox")).split()[2:])
    dots = [(float(dot.get("cx", 0)), float(dot.get("cy", 0))) for dot in root.iter("circle")]
    (left, low), (right, high) = dots
    full = right - left > 0.75 * width or low - high > 0.75 * height
    assert full
    assert left == pytest.approx(width - right, abs=0.1)  # in the middle
    assert (right - left) * places[1][1] == pytest.approx((low - high) * places[1][0], abs=0.1)


@pytest.mark.parametrize("name", ["o.txt", "o.vec", "o.bin", "o.bin.gz", "o.VEC.gz"])
def test_vectors_are_written_and_read_again(name, vectors_file, tmp_path) -> None:
    path = tmp_path / name
    assert words(vectors_file, Asked(out=str(path)))["out"] == str(path)
    again = read(path)
    assert again.words == tuple(SPACE)
    np.testing.assert_array_equal(again.vectors, read(vectors_file).vectors)


@pytest.mark.parametrize(("asked", "said"), [
    (Asked(near=("kink",)), "did you mean 'king'"),
    (Asked(analogies=(("man", "king", "xxxx"),)), "'xxxx' is not among the 7 words; name another"),
    (Asked(map="m.png"), "'m.png' is no name of a map; end it in .svg"),
    (Asked(out="v.csv"), "'v.csv' names no known format; end it in one of .txt, .vec, .bin"),
    (Asked(count=0), "0 neighbours are none"),
    (Asked(questions="none.txt"), "no such file"),
])  # fmt: skip
def test_what_cannot_be_answered(asked, said, vectors_file) -> None:
    with pytest.raises(InputError, match=said):
        words(vectors_file, asked)


def test_sources_that_are_none(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("NEUROSCOPE_RUNS", str(tmp_path / "runs"))
    with pytest.raises(SourceError, match="no such file"):
        words(str(tmp_path / "none.txt"))
    with pytest.raises(InputError, match="no file of word vectors, and no run of this name"):
        words("nothing")
    with pytest.raises(ModelError, match="not a Neuroscope model"):
        words(str(tmp_path))


def test_a_model_of_another_task_has_no_word_vectors(tmp_path) -> None:
    result = train("iris", options=verb_options(tmp_path))
    with pytest.raises(ModelError, match="this model has no word vectors"):
        words(result["model"])


def verb_options(tmp_path):
    from neuroscope.verbs.train import TrainOptions

    return TrainOptions(out=str(tmp_path / "runs"), rungs=("majority",), epochs=1)
