"""Texts from source to writing: look, train, generate, judge, and what is refused."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.tasks.following import followed

from neuroscope.base.errors import InputError, RecipeError, SchemaError, SourceError
from neuroscope.base.events import Event, SampleProduced, ignore
from neuroscope.base.recipe import Recipe
from neuroscope.data.sources import read
from neuroscope.tasks._learning import Watch
from neuroscope.tasks.rungs.text_making import RUNGS
from neuroscope.verbs._prepare import DataOptions, prepare
from neuroscope.verbs._request import TrainOptions
from neuroscope.verbs.generate import GenerateOptions, generate
from neuroscope.verbs.judge import judge
from neuroscope.verbs.load import load
from neuroscope.verbs.look import look
from neuroscope.verbs.predict import predict
from neuroscope.verbs.train import train

WORDS = ("the", "cat", "sat", "on", "a", "mat", "and", "dog", "ran", "to", "her", "house")
COUNTED = ("frequencies", "neuron", "ngrams")


def _prose(words: int = 900, seed: int = 0) -> str:
    rng = np.random.default_rng(seed)
    chosen = rng.choice(WORDS, words).tolist()
    for at in range(9, words, 10):
        chosen[at] += ".\n"
    return " ".join(chosen)


def _names(count: int = 150) -> list[str]:
    rng = np.random.default_rng(1)
    parts = ("an", "na", "ma", "ri", "el", "sa", "lo", "ta")
    return ["".join(rng.choice(parts, rng.integers(2, 5))) for _ in range(count)]


@pytest.fixture
def prose() -> str:
    Path("prose.txt").write_text(_prose(), encoding="utf-8")
    return "prose.txt"


def _train(source: Any, *rungs: str, told: list[Event] | None = None, **data: Any) -> dict:
    options = TrainOptions(rungs=rungs or COUNTED, epochs=2, name="texts")
    return train(
        source, DataOptions(**data), options, monitor=(told if told is not None else []).append
    )


def test_a_text_file_is_one_text_and_a_list_is_documents() -> None:
    Path("a.txt").write_bytes(b"One, two.\r\n\r\nThree four five six.\r\n")
    assert read("a.txt").arrow.to_pydict() == {"text": ["One, two.\n\nThree four five six.\n"]}
    Path("names.txt.gz").write_bytes(gzip.compress("\n".join(_names()).encode()))
    table = read("names.txt.gz")
    assert table.arrow.column("text").to_pylist() == _names()
    assert "each a document" in table.origin.notes[0]
    Path("b.txt").write_text("x,y\n1,2\n3,4\n")
    assert read("b.txt").names == ["x", "y"]
    Path("marked.txt").write_bytes("wide\n\nwords".encode("utf-16"))
    assert read("marked.txt").arrow.to_pydict() == {"text": ["wide\n\nwords"]}


def test_a_wrong_encoding_names_the_file_and_the_byte() -> None:
    Path("latin.txt").write_bytes(b"caf\xe9 au lait\n\nand so on\n")
    with pytest.raises(SourceError, match=r"latin\.txt: byte 3 \(0xe9\) is no UTF-8 .*iconv"):
        read("latin.txt")
    Path("zero.txt").write_bytes(b"text\n\n\0more")
    with pytest.raises(SourceError, match="character 6 is a zero"):
        read("zero.txt")


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "empty"), (" \n \n", "blank"), ("Too short.\n\nBy far.", "too few"),
     ("\n\n".join(["aaaa"] * 500).replace("\n", "a"), "one and the same character")],
)  # fmt: skip
def test_texts_that_cannot_be_learned(text: str, words: str) -> None:
    Path("odd.txt").write_text(text)
    with pytest.raises(InputError, match=words) as caught:
        _train("odd.txt")
    assert "odd.txt" in str(caught.value)


def test_look_tells_of_the_text(prose: str) -> None:
    found = look(prose)
    about = found["text"]
    assert about["characters"] == len(_prose())
    assert about["documents"] == 1
    assert about["frequent"][0]["character"] == " "
    assert found["split"]["method"] == "time"
    assert not found["blockers"]
    Path("short.txt").write_text("Not much.\n\nHere.")
    assert "too few" in look("short.txt")["blockers"][0]


def test_the_counted_ladder_of_a_text_climbs_and_writes(prose: str) -> None:
    result = _train(prose)
    values = {rung["name"]: rung["value"] for rung in result["rungs"]}
    assert result["task"] == "text_making"
    assert values["ngrams"] < values["frequencies"]
    assert result["metric"]["name"] == "bits_per_character"
    assert result["chosen"] == "ngrams"
    assert "words" not in result["warnings"]
    writing = result["writing"]
    assert 0 <= writing["copies"]["share"] <= 1
    report = Path(result["report"]).read_text(encoding="utf-8")
    assert "What it writes" in report
    assert "Is it new?" in report
    json.dumps(result)
    written = generate(result["model"], GenerateOptions(prompt="the c", count=2, length=30, seed=4))
    again = generate(result["model"], GenerateOptions(prompt="the c", count=2, length=30, seed=4))
    assert written["texts"] == again["texts"]
    assert all(text.startswith("the c") and len(text) == 35 for text in written["texts"])
    scores = judge(result["model"], prose)
    assert scores["scores"][0]["value"] < values["ngrams"]  # it has read most of it


def test_a_model_of_one_text_says_how_it_reads_documents(prose: str) -> None:
    model = _train(prose, "frequencies", "ngrams")["model"]
    Path("lines.csv").write_text("text\n" + _prose(400).replace(".\n", "\n"), encoding="utf-8")
    judged = judge(model, "lines.csv")
    assert judged["scores"][0]["value"] < judge(model, prose)["scores"][0]["value"] + 1
    (note,) = [note for note in judged["notes"] if "one text" in note]
    assert "40 documents are read each from its beginning" in note


def test_a_transformer_learns_shows_samples_and_comes_back(prose: str) -> None:
    told: list[Event] = []
    result = _train(prose, "frequencies", "transformer", told=told)
    samples = [event for event in told if isinstance(event, SampleProduced)]
    assert {event.epoch for event in samples} == {1, 2}
    assert all(event.text for event in samples)
    assert [rung["status"] for rung in result["rungs"]] == ["done", "done"]
    assert "How the writing came about" in Path(result["report"]).read_text(encoding="utf-8")


def test_names_are_documents_that_end_and_are_checked_for_copies() -> None:
    Path("names.txt").write_text("\n".join(_names()))
    result = _train("names.txt", "frequencies", "ngrams", "lstm")
    assert result["split"]["method"] == "random"
    assert result["writing"]["copies"]["texts"] == 200
    assert "stand word for word" in result["writing"]["copies"]["sentence"]
    found = generate(result["model"], GenerateOptions(count=8, length=40, out="made"))
    assert len(found["files"]) == 8
    assert Path("made/text-1.txt").read_text() == found["texts"][0]
    assert all("\n" not in text for text in found["texts"])
    assert min(map(len, found["texts"])) < 40


def test_a_column_of_texts_with_the_task() -> None:
    rows = "\n".join(f'{n},"{name}"' for n, name in enumerate(_names()))
    Path("t.csv").write_text(f"id,name\n{rows}\n")
    result = _train("t.csv", "frequencies", "ngrams", task="text_making")
    assert result["target"] == "name"
    assert {entry["column"] for entry in result["dropped"]} == {"id"}
    with pytest.raises(SchemaError, match="holds no texts"):
        _train("t.csv", task="text_making", target="id")
    with pytest.raises(SchemaError, match="not found"):
        _train("t.csv", task="text_making", target="nmae")
    with pytest.raises(InputError, match="--group says nothing"):
        _train("t.csv", task="text_making", group="id")


def test_unknown_characters_of_a_prompt_are_told_and_passed_over(prose: str) -> None:
    result = _train(prose)
    found = generate(result["model"], GenerateOptions(prompt="the \u00e9\U0001f600cat", length=5))
    assert re.search(r"never had 'é' '😀'.*passes over", found["notes"][0])
    assert found["texts"][0].startswith("the \u00e9\U0001f600cat")
    plain = generate(result["model"], GenerateOptions(prompt="the cat", length=5))
    assert not plain["notes"]
    assert plain["texts"][0][7:] == found["texts"][0][9:]
    only = generate(result["model"], GenerateOptions(prompt="\u00e9", length=5))
    assert len(only["texts"][0]) == 6


def test_unknown_characters_are_told_before_anything_is_written(prose: str) -> None:
    heard: list[str] = []
    model = _train(prose)["model"]
    generate(model, GenerateOptions(prompt="\u00e9", length=5),
             tell=lambda row, part: heard.append("text"),
             monitor=lambda event: heard.append(event.message))  # fmt: skip
    assert "never had" in heard[0]
    assert set(heard[1:]) == {"text"}


def test_writing_options_out_of_range(prose: str) -> None:
    model = _train(prose)["model"]
    for wrong in (GenerateOptions(count=0), GenerateOptions(length=0),
                  GenerateOptions(temperature=-1.0), GenerateOptions(top_p=0.0)):  # fmt: skip
        with pytest.raises(InputError):
            generate(model, wrong)
    with pytest.raises(InputError, match="neuroscope generate"):
        predict(model, prose)
    there = load(model)
    assert there.generate("the", count=2, length=3) != there.generate(
        "the", count=2, length=3, seed=1
    )


def test_a_model_that_answers_does_not_write() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=80)
    rows = "\n".join(f"{value:.3f},{'yes' if value > 0 else 'no'}" for value in x)
    Path("t.csv").write_text(f"x,y\n{rows}\n")
    model = train("t.csv", None, TrainOptions(rungs=("majority",)))["model"]
    with pytest.raises(InputError, match="does not write"):
        generate(model)


@pytest.mark.parametrize(
    "script", ["\U0001f600\U0001f44d\U0001f3fd", "שלום עולם ", "e\u0301a\u0308o "]
)
def test_any_script_is_learned_and_written(script: str) -> None:
    rng = np.random.default_rng(0)
    text = "".join(rng.choice(list(script), 1500))
    Path("script.txt").write_text(text, encoding="utf-8")
    result = _train("script.txt", "frequencies", "ngrams")
    found = generate(result["model"], GenerateOptions(prompt=script, length=20))["texts"][0]
    assert found.startswith(script)
    assert set(found) <= set(script)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lstm", "transformer"])
def test_each_choice_of_a_recipe_is_followed_or_refused(name: str) -> None:
    Path("short.txt").write_text(_prose(300), encoding="utf-8")
    problem = prepare(read("short.txt"), DataOptions(), seed=0, monitor=ignore).problem
    rung, training = RUNGS.get(name), problem.folds[0]
    own = rung.recipes(training)[0]
    recipe = replace(own, epochs=2, batch_size=8, width=16, steps=16)
    x = training.encoded(recipe)[1]

    def said(changed: Recipe) -> np.ndarray:
        return rung.fit(training, changed, Watch()).predict(x)

    found = followed(rung, recipe, said)
    assert not found & {"hidden", "look_back", "mixup", "vectors", "class_weight", "patience"}
    assert found >= {"width", "steps", "dropout", "label_smoothing", "average", "seed"}


def test_the_neuron_follows_each_choice_or_refuses_it() -> None:
    """With hidden layers it would write by the first of them alone."""
    Path("short.txt").write_text(_prose(300), encoding="utf-8")
    problem = prepare(read("short.txt"), DataOptions(), seed=0, monitor=ignore).problem
    rung, training = RUNGS.get("neuron"), problem.folds[0]
    recipe = replace(rung.recipes(training)[0], epochs=5, optimizer="adamw")
    x = training.encoded(recipe)[1]

    def said(changed: Recipe) -> np.ndarray:
        return rung.fit(training, changed, Watch()).predict(x)

    found = followed(rung, recipe, said, given=("seed",))  # weights begin at 0, all rows at once
    assert not found & set(rung.IGNORES)
    assert found >= {"optimizer", "learning_rate", "l2", "batch_size", "clip_norm", "init"}
    with pytest.raises(RecipeError, match=r"hidden is \(32,\), which one neuron"):
        said(replace(recipe, hidden=(32,)))
