"""Word vectors from a text to the report: the ladder, what it keeps, and what is asked of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.tasks.following import followed

from neuroscope.base.errors import InputError, SchemaError
from neuroscope.base.events import ignore
from neuroscope.base.recipe import Recipe
from neuroscope.data.sources import read
from neuroscope.tasks._learning import Watch
from neuroscope.tasks._words.posing import Posed
from neuroscope.tasks.rungs.word_vectors import RUNGS
from neuroscope.verbs._prepare import DataOptions, prepare
from neuroscope.verbs.judge import judge
from neuroscope.verbs.load import load
from neuroscope.verbs.look import look
from neuroscope.verbs.predict import predict
from neuroscope.verbs.train import TrainOptions, train
from neuroscope.verbs.words import Asked, words

WORLDS = (("bread", "milk", "eggs", "flour", "sugar"), ("wheel", "engine", "brake", "tyre", "road"))
ASKED = DataOptions(task="word_vectors")


def text(sentences: int = 2500, seed: int = 0) -> list[str]:
    """Sentences of one of two worlds, between words that stand everywhere."""
    rng = np.random.default_rng(seed)
    lines = []
    for world in rng.integers(0, 2, sentences):
        named = " ".join(rng.choice(WORLDS[world], 6))
        lines.append(f"The {named} and more.")
    return lines


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    place = tmp_path_factory.mktemp("words")
    file = place / "list.csv"
    file.write_text("note,text\n" + "\n".join(f'{i},"{line}"' for i, line in enumerate(text())))
    options = TrainOptions(out=str(place / "runs"), epochs=5)
    return train(str(file), DataOptions(task="word_vectors", target="text"), options)


def test_the_ladder_climbs_on_passages(result) -> None:
    assert result["task"] == "word_vectors"
    assert result["metric"]["name"] == "neighbour_ranking"
    rungs = {rung["name"]: rung for rung in result["rungs"]}
    assert list(rungs) == ["frequency", "counts", "skipgram"]
    assert all(rung["status"] == "done" for rung in rungs.values())
    assert rungs["counts"]["value"] > rungs["frequency"]["value"] + 0.1
    assert rungs["skipgram"]["value"] > rungs["frequency"]["value"] + 0.1
    low, high = result["test"]["interval"]["neighbour_ranking"]
    assert low < result["test"]["neighbour_ranking"] < high
    assert {d["column"] for d in result["dropped"]} == {"note"}


def test_words_of_one_world_lie_together_and_the_report_shows_them(result) -> None:
    found = words(result["model"], Asked(near=("bread",), count=4))
    assert {one["word"] for one in found["near"][0]["nearest"]} == set(WORLDS[0]) - {"bread"}
    assert found["form"].startswith("trained: ")
    space = result["word_space"]
    assert space["words"] == 13
    assert space["map"]["words"]
    page = Path(result["report"]).read_text(encoding="utf-8")
    assert "What lies near what" in page
    assert "A map of words" in page
    assert json.dumps(result)


def test_a_model_is_judged_on_another_text(result, tmp_path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("text\n" + "\n".join(f'"{line}"' for line in text(400, seed=9)))
    found = judge(result["model"], str(other))
    trained = result["test"]["neighbour_ranking"]
    assert found["scores"][0]["value"] == pytest.approx(trained, abs=0.06)
    assert "100% of the" in found["notes"][0]
    with pytest.raises(InputError, match="word vectors predict nothing"):
        predict(result["model"], str(other))


def test_the_same_seed_gives_the_same_model(result, tmp_path) -> None:
    source = result["source"]
    options = TrainOptions(out=str(tmp_path), epochs=5)
    again = train(source, DataOptions(task="word_vectors", target="text"), options)
    one, two = (load(r["model"]).learner for r in (result, again))
    np.testing.assert_array_equal(one.vectors, two.vectors)


def corpus(tmp_path, lines) -> str:
    file = tmp_path / "corpus.txt"
    file.write_text("\n".join(lines), encoding="utf-8")
    return str(file)


def test_a_text_file_is_looked_at(tmp_path) -> None:
    found = look(corpus(tmp_path, text(300)), ASKED)
    assert found["blockers"] == []
    assert found["split"]["rows"]["train"] > found["split"]["rows"]["test"] > 0
    assert "words of 13 different ones" in found["target"]["reason"]


@pytest.mark.parametrize(("lines", "said"), [
    (["one two three"] * 5, "1 sentence with 3 words, without 4 repeated, are too few"),
    ([f"one two {i}" for i in range(5)], "5 sentences with 15 words are too few"),
    (["word " * n for n in range(1, 301)], "a vocabulary of 1"),
    ([f"a{i} b{i}" for i in range(300)], "a vocabulary of 0"),
])  # fmt: skip
def test_texts_that_teach_nothing(lines, said, tmp_path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("text,n\n" + "\n".join(f"{line},{i}" for i, line in enumerate(lines)))
    with pytest.raises(InputError, match=said):
        train(str(file), ASKED, TrainOptions(out=str(tmp_path / "runs")))


def test_a_text_of_one_line_without_stops_is_a_corpus(tmp_path) -> None:
    flat = " ".join(line.rstrip(".") for line in text(1500)).lower()  # 13,500 words
    found = look(corpus(tmp_path, [flat]), ASKED)
    assert found["blockers"] == []
    assert sum(found["split"]["rows"].values()) >= 20


@pytest.mark.parametrize(("name", "noun"), [("list.csv", "texts"), ("list.txt", "lines")])
def test_repeats_neither_train_nor_judge(name, noun, tmp_path) -> None:
    once = list(dict.fromkeys(text(300)))
    file = tmp_path / name
    head = ["text"] if noun == "texts" else []
    file.write_text("\n".join([*head, *once * 3]))
    problem = prepare(read(str(file)), ASKED, seed=0, monitor=ignore)
    posed = Posed.of(problem.problem)
    assert len(posed.corpus.tokens) == 9 * len(once)
    (finding,) = problem.findings
    assert finding.count == 2 * len(once)
    assert f"{2 * len(once)} {noun} left out" in finding.what
    assert look(str(file), ASKED)["findings"] == [finding.to_json()]
    file.write_text("\n".join([*head, *once]))
    assert look(str(file), ASKED)["findings"] == []


def test_options_that_say_nothing_about_words(tmp_path) -> None:
    file = corpus(tmp_path, text(50))
    with pytest.raises(InputError, match="--time says nothing about word vectors"):
        train(file, DataOptions(task="word_vectors", time="x"), TrainOptions(out=str(tmp_path)))
    with pytest.raises(SchemaError, match="no column of text called 'x'"):
        look(file, DataOptions(task="word_vectors", target="x"))
    with pytest.raises(SchemaError, match="there is no column of text"):
        look("iris", DataOptions(task="word_vectors", drop=("species",)))


@pytest.mark.parametrize(("name", "own"), [
    ("counts", {"width", "window", "subsample"}),
    ("skipgram", {"width", "window", "negatives", "subsample", "epochs", "learning_rate", "seed"}),
])  # fmt: skip
def test_each_choice_of_a_recipe_is_followed_or_refused(name: str, own: set[str], tmp_path) -> None:
    source = read(corpus(tmp_path, text(300)))
    problem = prepare(source, ASKED, seed=0, monitor=ignore).problem
    rung, training = RUNGS.get(name), problem.folds[0]
    recipe = replace(rung.recipes(training)[0], width=6, subsample=1e-3)

    def said(changed: Recipe) -> np.ndarray:
        return rung.fit(training, changed, Watch(name)).vectors

    solved = ("seed",) if name == "counts" else ()  # a small one comes out the same by any seed
    assert followed(rung, recipe, said, given=solved) == own
