"""Texts through the verbs: look, train, predict; folders of texts; other columns stand aside."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.tasks.text_making import texts_of

from neuroscope.base.errors import InputError, SchemaError, SourceError, TargetError
from neuroscope.data.sources import read
from neuroscope.verbs._prepare import DataOptions
from neuroscope.verbs._request import TrainOptions
from neuroscope.verbs.load import load
from neuroscope.verbs.look import look
from neuroscope.verbs.predict import predict
from neuroscope.verbs.trace_row import trace_row
from neuroscope.verbs.train import train

QUICK = TrainOptions(rungs=("majority", "neuron"))


def written(folder: Path, table: pa.Table) -> str:
    pq.write_table(table, folder / "texts.parquet")
    return str(folder / "texts.parquet")


def as_folder(root: Path, texts: pa.Table) -> Path:
    for place, row in enumerate(texts.to_pylist()):
        path = root / row["topic"] / f"{place}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(row["text"], encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> dict:
    folder = tmp_path_factory.mktemp("texts")
    source = written(folder, texts_of(each=30).arrow)
    return train(source, options=TrainOptions(rungs=("majority", "neuron"), out=str(folder)))


def test_texts_are_known_without_being_told(run: dict) -> None:
    assert run["task"] == "text_classes"
    assert run["noun"] == "text"
    assert run["chosen"] == "neuron"
    assert run["test"]["accuracy"] > 0.8


def test_a_step_on_a_text_is_traced_by_its_terms(run: dict) -> None:
    model = load(run["model"])
    table = pa.table({"text": ["the goal, a GOAL for the team"], "topic": ["sport"]})
    found = trace_row(model, table, 1)
    x, _ = model.encode(table)
    terms, layer = found["input_names"], found["layers"][0]
    assert len(terms) == len(x.values) < x.width
    assert [model.encoder.bag.place(term) for term in terms] == x.places.tolist()
    assert layer["inputs"] == pytest.approx(x.values.tolist())
    assert found["output"] == pytest.approx(model.learner.predict(x)[0].tolist(), rel=1e-5)
    assert found["agreement"]["agrees"]
    held, taken = found["notes"]
    assert f"{len(terms)} terms of {x.width:,} that the model knows" in held
    assert "lbfgs" in taken
    with pytest.raises(InputError, match="no term that the model knows"):
        trace_row(model, pa.table({"text": ["zzz"], "topic": ["sport"]}), 1)


@pytest.mark.parametrize(("rung", "inputs"), [("embeddings", 1), ("lstm", 0), ("majority", 0)])
def test_of_nets_of_words_the_embeddings_are_traced(rung: str, inputs: int, tmp_path: Path) -> None:
    source = written(tmp_path, texts_of(each=20).arrow)
    options = TrainOptions(rungs=(rung,), epochs=1, out=str(tmp_path))
    model = train(source, options=options)["model"]
    if inputs:
        assert len(trace_row(model, source, 1)["layers"]) > 1
        return
    with pytest.raises(InputError, match=f"the rung '{rung}' of text_classes takes no step"):
        trace_row(model, source, 1)


def test_many_empty_texts_are_told_and_are_no_copies() -> None:
    rows = texts_of(each=40).arrow.to_pylist()
    some = [row | {"text": " " if place % 3 == 0 else row["text"] + f" no{place}"}
            for place, row in enumerate(rows)]  # fmt: skip
    result = train(pa.Table.from_pylist(some), options=TrainOptions(rungs=("majority",)))
    assert not [said for said in result["warnings"] if "twin" in said or "identical" in said]
    (told,) = [said for said in result["warnings"] if "without a word" in said]
    assert told.startswith("40 texts without a word, 33 %")


@pytest.mark.parametrize(
    ("target", "remedy"),
    [("label", "a column of words, or leave --task out"), (None, "name the label with --target")],
)
def test_numbers_are_no_texts_and_the_remedy_fits_what_was_named(target, remedy) -> None:
    table = pa.table({"value": list(range(40)), "label": ["a", "b"] * 20})
    with pytest.raises(SchemaError, match="no column holds texts") as caught:
        look(table, DataOptions(target=target, task="text_classes"))
    assert remedy in caught.value.remedy


def test_a_column_of_words_that_was_asked_to_be_none_is_told_how_to_be_one(tmp_path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text('{"word": {"role": "ignore", "kind": "categorical"}}', encoding="utf-8")
    table = pa.table({"word": ["red", "green"] * 20, "label": ["a", "b"] * 20})
    with pytest.raises(SchemaError, match="no column holds texts") as caught:
        look(table, DataOptions(target="label", task="text_classes", schema=str(schema)))
    assert "to read 'word' as texts" in caught.value.remedy


@pytest.mark.parametrize("rung", ["embeddings", "lstm", "transformer"])
def test_nets_of_words_climb_from_the_front_door(rung: str, tmp_path: Path) -> None:
    source = written(tmp_path, texts_of(each=20).arrow)
    options = TrainOptions(rungs=("majority", rung), epochs=1, out=str(tmp_path))
    found = {one["name"]: one["status"] for one in train(source, options=options)["rungs"]}
    assert found == {"majority": "done", rung: "done"}


def test_the_run_shows_the_words_that_decided(run: dict) -> None:
    block = run["texts"]
    assert {one["class"] for one in block["weights"]} == {"money", "science", "sport"}
    for example in block["examples"]:
        assert example["marks"][0]["rung"] == "neuron"
        assert any(piece["effect"] > 0 for piece in example["marks"][0]["pieces"])
    page = Path(run["report"]).read_text(encoding="utf-8")
    assert "The words that decided" in page
    assert "The words that count" in page
    assert '<mark class="for' in page


def test_nets_that_read_word_by_word_are_trained_and_reported(tmp_path: Path) -> None:
    nets = ("lstm", "transformer")
    source = written(tmp_path, texts_of(each=10).arrow)
    run = train(source, options=TrainOptions(rungs=nets, out=str(tmp_path), epochs=1))
    assert [(rung["name"], rung["status"]) for rung in run["rungs"]] == [(n, "done") for n in nets]
    assert "memory" not in run
    assert Path(run["report"]).is_file()


def test_new_texts_are_answered_empty_ones_too(run: dict, tmp_path: Path) -> None:
    table = pa.table({"text": ["the goal of the team and the coach", "", None, "<b>&amp;</b> 👍"]})
    answer = predict(run["model"], written(tmp_path, table))
    assert answer["table"].column("prediction").to_pylist()[0] == "sport"
    assert len(answer["table"]) == 4
    assert "2 texts are empty: the answer is what is usual without one" in answer["notes"]


def test_other_columns_stand_aside_and_it_is_said(tmp_path: Path) -> None:
    table = texts_of(each=10).arrow
    table = table.append_column("stars", pa.array(np.arange(len(table)) % 5 + 0.5))
    found = look(written(tmp_path, table), DataOptions(target="topic"))
    assert found["noun"] == "text"
    assert {"column": "stars", "reason": "the texts are read, and no other column; --task table "
            "reads these"} in found["dropped"]  # fmt: skip
    more = table.append_column("price", pa.array(np.linspace(0, 1, len(table))))
    source = written(tmp_path, more)
    assert look(source, DataOptions(target="topic"))["noun"] == "row"
    asked = look(source, DataOptions(target="topic", task="text_classes"))
    assert {one["column"] for one in asked["dropped"]} == {"stars", "price"}


def test_look_tells_what_texts_are_like(tmp_path: Path) -> None:
    table = texts_of(each=20).arrow
    own = table.to_pylist()
    twin = own[0]["text"].split()
    own += [{"text": " ".join([*twin, "indeed"]), "topic": own[0]["topic"]},
            {"text": "", "topic": own[1]["topic"]}]  # fmt: skip
    found = look(written(tmp_path, pa.Table.from_pylist(own)))
    codes = {finding["code"]: finding for finding in found["findings"]}
    assert codes["near-duplicate-texts"]["rows"] == [61]
    assert codes["empty-texts"]["rows"] == [62]
    assert found["texts"]["words"][:2] == [0, 12]
    assert found["texts"]["languages"]


def test_a_folder_of_texts(tmp_path: Path) -> None:
    root = as_folder(tmp_path / "mail", texts_of(each=3).arrow)
    with gzip.open(root / "sport" / "packed.txt.gz", "wt", encoding="utf-8") as file:
        file.write("a packed goal")
    (root / "sport" / "strange.txt").write_bytes(b"caf\xe9 goal")
    (root / "sport" / "binary.txt").write_bytes(b"\0\1\2")
    (root / "sport" / "marked.txt").write_bytes("ünder".encode("utf-16"))
    (root / "money" / "notes.pdf").write_bytes(b"%PDF")
    table = read(str(root))
    assert table.names == ["text", "label", "file"]
    by_file = dict(zip(table.arrow.column("file").to_pylist(),
                       table.arrow.column("text").to_pylist(), strict=True))  # fmt: skip
    assert by_file["sport/packed.txt.gz"] == "a packed goal"
    assert by_file["sport/strange.txt"] == "café goal"
    assert by_file["sport/marked.txt"] == "ünder"
    assert table.rows == 12
    said = " ".join(table.origin.notes)
    assert "sport/strange.txt, byte 3 (0xe9) is not UTF-8: read as" in said
    assert "2 files not read: money/notes.pdf is no .txt file, ..." in said
    assert {one.name for one in table.origin.set_aside} == {"money/notes.pdf", "sport/binary.txt"}


def test_a_folder_with_parts(tmp_path: Path) -> None:
    texts = texts_of(each=4).arrow
    for part in ("train", "test"):
        as_folder(tmp_path / "set" / part, texts)
    table = read(str(tmp_path / "set"))
    assert set(table.arrow.column("split").to_pylist()) == {"train", "test"}
    assert set(table.arrow.column("label").to_pylist()) == {"money", "science", "sport"}


def test_a_folder_without_a_readable_text(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.txt").write_bytes(b"\0\0")
    with pytest.raises(SourceError, match=r"no text can be read: a/1.txt is no text"):
        read(str(tmp_path))


def test_one_class_is_refused(tmp_path: Path) -> None:
    root = as_folder(tmp_path / "one", texts_of(1, each=30).arrow)
    with pytest.raises(TargetError, match="one class, nothing to tell apart"):
        train(str(root), options=TrainOptions(out=str(tmp_path)))


def test_a_column_of_numbers_is_refused_as_text(tmp_path: Path) -> None:
    table = pa.table({"x": np.arange(40.0) ** 2, "label": ["a", "b"] * 20})
    with pytest.raises(SchemaError, match="no column holds texts"):
        train(written(tmp_path, table), DataOptions(task="text_classes"))


def test_a_line_of_a_hundred_megabytes_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write("text,label\nshort text,a\n")
        for _ in range(100):
            file.write("word " * 200_000)
        file.write(",b\n")
    with pytest.raises(InputError, match="Maximum line size") as told:
        read(str(path))
    assert "long.csv" in str(told.value)
    assert len(str(told.value)) < 500


def test_a_long_text_in_a_folder_is_read_to_its_limit(tmp_path: Path) -> None:
    root = as_folder(tmp_path / "mail", texts_of(2, each=15).arrow)
    (root / "sport" / "long.txt").write_text("goal " * 100_000, encoding="utf-8")
    codes = {finding["code"]: finding for finding in look(str(root))["findings"]}
    assert codes["long-texts"]["count"] == 1


def test_the_target_is_not_the_text(tmp_path: Path) -> None:
    table = texts_of(each=10).arrow.rename_columns(["review", "mood"]).select(["mood", "review"])
    assert look(written(tmp_path, table))["target"]["column"] == "mood"


def test_the_built_in_messages() -> None:
    found = look("messages")
    assert found["target"]["column"] == "topic"
    assert found["texts"]["languages"]["English"] > 0.9
