"""Every rung on texts learns, is kept and comes back the same; empty and odd texts are answered."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from tests.tasks.following import followed
from tests.tasks.text_making import posed, texts_of

from neuroscope.base.errors import ModelError, SchemaError
from neuroscope.base.recipe import Recipe
from neuroscope.data.schema import infer_schema
from neuroscope.data.table import Origin, Table
from neuroscope.data.text.column import as_texts, mainly_texts, text_columns, texts
from neuroscope.data.text.tokeniser import UNKNOWN
from neuroscope.data.text.words import spaced
from neuroscope.tasks import _model, text_classes
from neuroscope.tasks._learning import Watch, predict
from neuroscope.tasks._texts.encoders import Store, TokenEncoder, read_encoder
from neuroscope.tasks._texts.explained import class_weights, marked

RUNGS = [name for name in text_classes.RUNGS.names() if name not in ("transfer", "fine_tuning")]
QUICK = {"lstm": {"epochs": 8, "width": 16, "patience": 0},
         "transformer": {"epochs": 10, "width": 16, "patience": 0},
         "embeddings": {"epochs": 20}}  # fmt: skip
LEAST = {"majority": 0, "lstm": 0.6, "transformer": 0.45}  # of 24 texts, after 96
ODD = [
    "",
    " ",
    "?!",
    "👍🏽 🎉",
    "שלום עולם",
    "cafe\u0301 naïve",
    "goal " * 3000,
    "unseen words only",
]


def fitted(name: str, problem, training=None):
    rung = text_classes.RUNGS.get(name)
    training = training or problem.folds[0]
    found = rung.recipes(training)
    recipe = replace(found[0], **QUICK.get(name, {})) if found else None
    return rung, rung.fit(training, recipe, Watch(name))


@pytest.fixture(scope="module")
def problem():
    return posed(texts_of())


@pytest.mark.parametrize("name", RUNGS)
def test_a_rung_learns_and_comes_back_the_same(name: str, problem) -> None:
    rung, learner = fitted(name, problem)
    held = problem.folds[0].held
    p = predict(problem, learner, held)
    assert p.shape == (len(held), 3)
    assert np.allclose(p.sum(axis=1), 1)
    right = (p.argmax(axis=1) == problem.y[held]).mean()
    assert right > LEAST.get(name, 0.9)
    arrays, parts = _model.pack(problem, learner, temperature=1.0, threshold=0.5)
    again = rung.unpack(parts["learner"], arrays)
    if learner.encoder is None:
        return
    encoder = read_encoder(parts["encoder"], arrays)
    again = replace(again, encoder=encoder)
    table = Table(problem.table.arrow.slice(0, 20), Origin("again"))
    assert np.allclose(again.predict(encoder.transform(table).x),
                       predict(problem, learner, np.arange(20)), atol=1e-5)  # fmt: skip


@pytest.mark.parametrize("name", [name for name in RUNGS if name != "majority"])
def test_odd_texts_are_answered_and_noted(name: str, problem) -> None:
    _, learner = fitted(name, problem)
    table = Table(pa.table({"text": [*ODD, None]}), Origin("odd"))
    encoded = learner.encoder.transform(table)
    p = learner.predict(encoded.x)
    assert np.isfinite(p).all()
    assert np.allclose(p[0], p[-1])
    assert encoded.notes[0] == "3 texts are empty: the answer is what is usual without one"


def test_one_very_long_text_is_cut_and_it_is_said() -> None:
    whole = "goal match " * 50_000
    found, notes = texts(Table(pa.table({"text": ["short", whole]}), Origin("long")), ["text"])
    assert len(found[1]) == 200_000
    assert notes == ["1 text (row 2 first) longer than 200,000 characters: the rest of each is "
                     "not read"]  # fmt: skip


@pytest.mark.parametrize("classes", [2, 3])
def test_the_neurons_weights_are_words_and_add_up(classes: int) -> None:
    problem = posed(texts_of(classes))
    _, learner = fitted("neuron", problem)
    shown = class_weights(learner, problem.codec.classes)
    tops = {one["class"]: {term["term"] for term in one["terms"][:6]} for one in shown}
    assert tops["sport"] & {"goal", "match", "team", "coach", "win"}
    text = "The team won the match; the bank did not."
    pieces = marked(learner, text, problem.codec.classes.index("sport"))
    assert "".join(piece["text"] for piece in pieces) == text
    effects = {piece["text"]: piece["effect"] for piece in pieces}
    assert effects["match"] > 0 > effects["bank"]
    z = learner.network.propagate(learner.encoder.encode([text]))[0][0]
    bias = learner.network.layer(0)[1]
    z = np.append(-z, z) if classes == 2 else z - z.mean()
    bias = np.append(-bias, bias) if classes == 2 else bias - bias.mean()
    place = problem.codec.classes.index("sport")
    assert sum(effects.values()) == pytest.approx(float(z[place] - bias[place]), abs=0.2)


def test_deep_nets_are_marked_by_what_is_left_out(problem) -> None:
    _, learner = fitted("embeddings", problem)
    pieces = marked(learner, "the goal was oil", problem.codec.classes.index("sport"))
    effects = {piece["text"]: piece["effect"] for piece in pieces}
    assert effects["goal"] > 0 > effects["oil"]
    assert marked(learner, "", 0) == []


def test_scripts_without_blanks_are_read_sign_by_sign() -> None:
    own = ["我爱北京", "北京爱我", "北京 is 爱", "爱我 is 我"]
    table = pa.table({"text": own * 3, "topic": ["a", "b", "a", "b"] * 3})
    store = Store(Table(table, Origin("texts")), ("text",))
    encoder = TokenEncoder.fit(store, np.arange(12))
    assert set("我爱北京") <= set(encoder.tokeniser.tokens)
    read = encoder.encode(["京我爱", "is"])
    assert read.lengths.tolist() == [3, 1]
    assert UNKNOWN not in read.x
    assert spaced("no blanks") == "no blanks"
    assert spaced("ส้ม é").split() == ["ส้", "ม", "é"]  # a mark stays with its sign


def test_a_vocabulary_of_one() -> None:
    labels = ["a", "b"] * 20
    table = Table(pa.table({"text": ["same same same same word"] * 40, "label": labels}),
                  Origin("one"))  # fmt: skip
    schema = infer_schema(table, overrides={"text": {"kind": "text", "role": "feature"}})
    problem = posed(table, overrides={"text": {"kind": "text", "role": "feature"}})
    assert text_columns(schema) == ("text",)
    for name in ("neuron", "embeddings", "lstm"):
        _, learner = fitted(name, problem)
        p = predict(problem, learner, problem.folds[0].held)
        assert np.allclose(p, p[0])


def test_texts_are_the_main_thing_where_they_are_as_many_as_other_columns() -> None:
    table = texts_of()
    arrow = table.arrow.append_column("stars", pa.array(range(len(table.arrow)), pa.float64()))
    one = infer_schema(Table(arrow, Origin("x")), target="topic")
    assert mainly_texts(one)
    two = arrow.append_column("price", pa.array(np.linspace(0, 1, len(arrow))))
    assert not mainly_texts(infer_schema(Table(two, Origin("x")), target="topic"))


def test_short_texts_are_read_where_the_task_asks() -> None:
    names = [f"name{i}" for i in range(40)]
    table = Table(pa.table({"name": names, "label": ["a", "b"] * 20}), Origin("names"))
    schema = infer_schema(table)
    assert text_columns(schema) == ()
    assert text_columns(as_texts(table, schema)) == ("name",)


def test_a_column_of_numbers_is_no_text() -> None:
    table = Table(
        pa.table({"x": np.arange(40.0) ** 2, "label": ["a", "b"] * 20}), Origin("numbers")
    )
    with pytest.raises(SchemaError, match=r"no column holds texts; columns: 'x' \(numeric\)"):
        as_texts(table, infer_schema(table))
    with pytest.raises(SchemaError, match="column 'x' cannot be text: it is numeric"):
        infer_schema(table, overrides={"x": {"kind": "text"}})
    learned = texts_of()
    problem = posed(learned)
    _, learner = fitted("neuron", problem)
    with pytest.raises(SchemaError, match="column 'text' holds double where the model reads texts"):
        learner.encoder.transform(Table(pa.table({"text": [1.5]}), Origin("x")))


def test_a_damaged_encoder_is_refused() -> None:
    for record in ({"kind": "bag", "columns": []}, {"kind": "spoken", "columns": []}, {}):
        with pytest.raises(ModelError):
            read_encoder(record, {})


@pytest.mark.parametrize("name", ["lstm", "transformer"])
def test_each_choice_of_a_recipe_is_followed_or_refused(name: str) -> None:
    problem = posed(Table(texts_of(each=20).arrow.slice(0, 45), Origin("texts")))
    rung, training = text_classes.RUNGS.get(name), problem.folds[0]
    recipe = replace(rung.recipes(training)[0], epochs=2, patience=0, width=8)
    x = training.encoded(recipe)[1]

    def said(changed: Recipe) -> np.ndarray:
        return rung.fit(training, changed, Watch(name)).predict(x)

    found = followed(rung, recipe, said, given=("vectors",))
    assert not found & {"hidden", "activation", "init", "mixup", "augment", "backbone", "window"}
    assert found >= {"word_dropout", "width", "steps", "label_smoothing", "dropout", "seed"}
