"""Word vectors that the nets of classes of texts begin with: set, learned on, refused, replayed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.tasks.text_making import texts_of

from neuroscope.base.errors import InputError, RecipeError, SourceError
from neuroscope.base.events import ignore
from neuroscope.base.recipe import Recipe
from neuroscope.data.text.vectors import WordVectors
from neuroscope.data.text.words import Words
from neuroscope.tasks._texts import vectors as _vectors
from neuroscope.verbs._prepare import DataOptions, prepare
from neuroscope.verbs._request import Request, TrainOptions
from neuroscope.verbs.predict import predict
from neuroscope.verbs.train import resume, train

WIDTH = 6


@pytest.fixture
def source(tmp_path: Path) -> str:
    pq.write_table(texts_of(each=12).arrow, tmp_path / "texts.parquet")
    return str(tmp_path / "texts.parquet")


@pytest.fixture
def glove(tmp_path: Path) -> str:
    """A file with vectors for half of the words."""
    words = Words.of(texts_of(each=12).arrow.column("text").to_pylist()).vocabulary
    numbers = np.random.default_rng(0).normal(size=(len(words), WIDTH)).round(3)
    lines = [f"{word} {' '.join(map(str, row))}" for word, row in zip(words, numbers, strict=True)]
    path = tmp_path / "glove.txt"
    path.write_text("\n".join(lines[::2]) + "\n", encoding="utf-8")
    return str(path)


def training_of(source: str, glove: str):
    return prepare(source, DataOptions(vectors=glove), seed=0, monitor=ignore).problem.folds[0]


def test_each_net_begins_where_the_vectors_are(source: str, glove: str) -> None:
    from neuroscope.tasks._torch import built
    from neuroscope.tasks.rungs.text_classes import embeddings, lstm, transformer

    training = training_of(source, glove)
    for rung in (lstm, transformer):
        recipe = rung.recipes(training)[0]
        assert recipe.vectors == glove
        assert "6 numbers" in recipe.reasons["vectors"]
        net = built(rung._record(training, recipe))
        begin = _vectors.start_net(training, recipe)
        assert begin is not None
        begin(net)
        weight = net.get_submodule("reader").get_parameter("weight").detach().numpy()
        found, tokens = _vectors.opened(training.problem, glove), training.encoded(recipe)[0]
        known = [w for w in tokens.tokeniser.tokens if w in found.index]
        assert known
        for word in known:
            at = tokens.tokeniser.tokens.index(word)
            np.testing.assert_allclose(weight[at], found.vectors[found.index[word]])
    recipe = embeddings.recipes(training)[0]
    assert (recipe.vectors, recipe.hidden) == (glove, (WIDTH,))
    assert _vectors.start_layer(training, recipe) is not None
    assert _vectors.start_layer(training, replace(recipe, vectors="")) is None
    with pytest.raises(RecipeError, match=r"hidden is \[9\], the vectors have 6 numbers"):
        _vectors.start_layer(training, replace(recipe, hidden=(9,)))


def test_a_pair_of_words_begins_between_the_two() -> None:
    found = WordVectors(("new", "york"), np.array([[1, 0], [3, 4]], np.float32))
    matrix = _vectors.term_vectors(found, ("new", "new york", "york"), 0)
    np.testing.assert_allclose(matrix, [[1, 0], [2, 2], [3, 4]])


def test_a_climb_with_vectors_says_so_and_its_recipe_replays_it(
    source: str, glove: str, tmp_path: Path
) -> None:
    options = TrainOptions(rungs=("embeddings", "lstm"), out=str(tmp_path), epochs=1)
    run = train(source, DataOptions(vectors=glove), options)
    assert [rung["status"] for rung in run["rungs"]] == ["done", "done"]
    assert any("different words of the texts" in told for told in run["warnings"])
    answer = predict(run["model"], source)
    assert len(answer["table"]) == 36
    recipe = Path(run["model"]).parent / "recipe.json"
    assert json.loads(recipe.read_text())["vectors"] == glove
    again = train(source, None, TrainOptions(recipe=str(recipe), out=str(tmp_path)))
    mine, other = (
        next(r["value"] for r in one["rungs"] if r["name"] == run["chosen"]) for one in (run, again)
    )
    assert mine == other


def test_vectors_that_cannot_be_used_are_refused_before_there_is_a_run(
    source: str, glove: str, tmp_path: Path
) -> None:
    out = tmp_path / "runs"

    def climb(vectors: str, *rungs: str) -> None:
        options = TrainOptions(rungs=rungs, out=str(out), epochs=1)
        train(source, DataOptions(vectors=vectors), options)

    with pytest.raises(InputError, match="no rung of this climb begins with word vectors"):
        climb(glove, "majority", "neuron")
    foreign = tmp_path / "foreign.txt"
    foreign.write_text("zzz 1 2 3\nyyy 1 2 3\n")
    with pytest.raises(InputError, match=r"none of the .* words of the texts has a vector"):
        climb(str(foreign), "lstm")
    ragged = tmp_path / "ragged.txt"
    ragged.write_text("goal 1 2 3\nteam 1 2\n")
    with pytest.raises(SourceError, match="line 2"):
        climb(str(ragged), "embeddings")
    with pytest.raises(SourceError, match="no such file"):
        climb(str(tmp_path / "nowhere.txt"), "embeddings")
    with pytest.raises(InputError, match="no rung of this climb begins with word vectors"):
        train("iris", DataOptions(vectors=glove), TrainOptions(out=str(out)))
    assert not out.exists()


def test_a_recipe_of_another_rung_may_not_ask_for_vectors(source: str, glove: str) -> None:
    training = training_of(source, glove)
    from neuroscope.tasks.rungs.text_classes import neuron
    from neuroscope.verbs._request import check_given

    given = replace(neuron.recipes(training)[0], vectors=glove)
    with pytest.raises(RecipeError, match="vectors"):
        check_given(given, neuron.recipes(training), neuron, "recipe.json")
    with pytest.raises(RecipeError, match="vectors is 3"):
        Recipe(vectors=3)  # type: ignore[arg-type]


def test_a_run_does_not_go_on_with_other_vectors(source: str, glove: str, tmp_path: Path) -> None:
    from neuroscope.runs.folder import RunFolder

    data = DataOptions(vectors=glove)
    asked = Request.of(source, data, TrainOptions(rungs=("lstm",), epochs=1))
    folder = RunFolder.create(tmp_path / "runs", "half")
    asked.write(folder, prepare(source, data, seed=0, monitor=ignore))
    Path(glove).write_text("goal 1 2 3\n")
    with pytest.raises(InputError, match=r"glove\.txt is not what it was"):
        resume(str(folder.path), out=str(tmp_path / "runs"))
