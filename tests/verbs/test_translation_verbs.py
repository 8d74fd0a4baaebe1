"""Translations from end to end: look, train, judge, predict, the report, and bad input."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.translating import pairs, write_csv

import neuroscope
from neuroscope.base.errors import InputError, NeuroscopeError, SchemaError
from neuroscope.tasks._translation.model import TranslationModel
from neuroscope.verbs._prepare import DataOptions
from neuroscope.verbs._request import TrainOptions
from neuroscope.verbs.judge import judge
from neuroscope.verbs.look import look
from neuroscope.verbs.predict import predict
from neuroscope.verbs.train import train

TASK = DataOptions(task="translation")


@pytest.fixture(scope="module")
def climbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("climb")
    source, target = pairs(150)
    source[4], target[7] = "", "  "
    (folder / "de.txt").write_text("\n".join(source) + "\n", encoding="utf-8")
    (folder / "en.txt").write_text("\n".join(target) + "\n", encoding="utf-8")
    return train(
        f"{folder}/de.txt,{folder}/en.txt",
        None,
        TrainOptions(rungs=("dictionary", "gru"), epochs=1, out=str(folder), budget=None),
    )


def test_two_aligned_files_are_translated_unasked(climbed: dict[str, Any]) -> None:
    assert (climbed["task"], climbed["target"], climbed["noun"]) == ("translation", "en", "pair")
    assert climbed["metric"]["name"] == "reference_bits"
    assert {r["name"]: r["status"] for r in climbed["rungs"]} == {
        "dictionary": "done",
        "gru": "done",
    }
    assert set(climbed["test"]["interval"]) == {"reference_bits", "bleu", "chrf", "exact_match"}
    assert sum(climbed["rows"][part] for part in ("train", "valid", "test")) == 148
    assert "empty_side" in {f["code"] for f in climbed["findings"]}


def test_a_dictionary_is_no_guess_and_may_be_what_to_use(climbed: dict[str, Any]) -> None:
    assert (climbed["chosen"], climbed["verdict"], climbed["usable"]) == ("dictionary", "use", True)
    assert "guessing" not in climbed["why"]
    assert climbed["headline"].endswith("use the word-by-word dictionary.")


def test_the_result_shows_sentences_side_by_side(climbed: dict[str, Any]) -> None:
    block = climbed["translation"]
    assert (block["source"], block["target"], block["beam"]) == ("de", "en", 4)
    assert 0 < len(block["examples"]) <= 10
    for one in block["examples"]:
        source, target = pairs(150)
        assert (one["source"], one["reference"]) == (source[one["row"] - 1], target[one["row"] - 1])
    assert [r["name"] for r in block["rungs"]] == ["dictionary", "gru"]
    worst = [one["chrf"] for one in block["worst"]]
    assert worst == sorted(worst)
    assert "13a" in block["signatures"]["bleu"]


def test_the_report_shows_them_too(climbed: dict[str, Any]) -> None:
    page = Path(climbed["report"]).read_text(encoding="utf-8")
    assert "The translations" in page
    assert climbed["translation"]["examples"][0]["source"] in page
    assert "BLEU" in page
    assert "sacrebleu" in page


def test_the_terminal_tells_scores_and_shows_some(climbed: dict[str, Any]) -> None:
    from rich.console import Console

    from neuroscope.cli.views.look import show as show_look
    from neuroscope.cli.views.result import show

    console = Console(record=True, width=200, file=io.StringIO())
    show(climbed, console)
    show_look(look(climbed["source"]), console)
    said = console.export_text()
    assert "BLEU" in said
    assert "% exact" in said
    assert climbed["translation"]["examples"][0]["source"] in said
    assert "148 pairs: 'de' is read, 'en' is written" in said


def test_a_model_judges_pairs_and_says_when_it_has_learned_from_them(
    climbed: dict[str, Any], tmp_path: Path
) -> None:
    source, target = pairs(30, seed=9)
    target[3] = ""
    found = judge(climbed["model"], write_csv(tmp_path / "new.csv", source, target))
    assert found["rows"] == 29
    assert found["notes"] == ["pairs with an empty side, left out: 1"]
    assert not found["warnings"]
    assert [s["name"] for s in found["scores"]] == ["reference_bits", "bleu", "chrf", "exact_match"]
    again = judge(climbed["model"], climbed["source"])
    assert "flatter" in again["warnings"][0]
    with pytest.raises(InputError, match="groups say nothing"):
        judge(climbed["model"], str(tmp_path / "new.csv"), group="de")
    with pytest.raises(SchemaError, match="target 'en' is not among the columns"):
        (tmp_path / "half.csv").write_text("de,x\nHund,1\n")
        judge(climbed["model"], str(tmp_path / "half.csv"))


def test_a_model_translates_a_column_and_a_file_of_lines(
    climbed: dict[str, Any], tmp_path: Path
) -> None:
    source, target = pairs(5, seed=9)
    found = predict(climbed["model"], write_csv(tmp_path / "new.csv", source, target),
                    out="out.csv", keep=("en",), beam=2)  # fmt: skip
    with Path("out.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [r["de"] for r in rows] == source
    assert list(rows[0]) == ["row", "en", "de", "translation"]
    assert (found["rows"], found["beam"], found["notes"]) == (5, 2, [])
    Path("lines.txt").write_text('Ein "alter" Hund, 3 Mal; ja\n\nEin Baum\n', encoding="utf-8")
    lines = predict(climbed["model"], "lines.txt")["table"]
    assert lines["text"].to_pylist() == ['Ein "alter" Hund, 3 Mal; ja', "", "Ein Baum"]
    assert lines["translation"].to_pylist()[1] == ""
    model = neuroscope.load(climbed["model"])
    texts = ["Ein alter Hund läuft 3 Mal.", ""]
    assert model.predict(texts).tolist() == model.translate(texts)


def test_translations_that_were_cut_are_noted(
    climbed: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def translated(self: object, texts: list[str], *, beam: int) -> tuple[list[str], int]:
        return ["and so on"] * len(texts), 2

    monkeypatch.setattr(TranslationModel, "translated", translated)
    found = predict(climbed["model"], write_csv(tmp_path / "new.csv", *pairs(5, seed=9)))
    assert found["notes"] == [
        "translations that found no end in the room that training pairs need, and were cut: 2"
    ]


def test_what_cannot_be_translated_is_named(climbed: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "two.csv").write_text("a,b\nHund,Katze\nBaum,Haus\n")
    with pytest.raises(SchemaError, match="column 'de', which the model translates, not found"):
        predict(climbed["model"], "two.csv")
    (tmp_path / "one.csv").write_text("satz,n\nEin Hund,1\nEin Baum,2\n")
    assert "'satz' is translated" in predict(climbed["model"], "one.csv")["notes"][0]
    with pytest.raises(InputError, match="beam is 0"):
        predict(climbed["model"], "one.csv", beam=0)
    with pytest.raises(InputError, match="horizon says nothing about translations"):
        predict(climbed["model"], "one.csv", horizon=3)
    with pytest.raises(SchemaError, match="column to keep 'x' not found"):
        predict(climbed["model"], "one.csv", keep=("x",))


def test_a_text_of_a_million_characters_is_cut_and_told(climbed: dict[str, Any]) -> None:
    Path("long.txt").write_text("Ein Hund läuft. " * 60_000 + "\nEin Baum\n", encoding="utf-8")
    found = predict(climbed["model"], "long.txt")
    assert any("10,000 characters" in note for note in found["notes"])
    assert len(found["table"]) == 2


def test_look_tells_of_pairs_and_train_of_columns_by_name(tmp_path: Path) -> None:
    source, target = pairs(80)
    target[3] = source[3]
    found = look(write_csv(tmp_path / "pairs.csv", source, target), TASK)
    assert found["pairs"]["pairs"] == 80
    assert (found["target"]["column"], found["target"]["kind"]) == ("en", "translation")
    assert "identical_sides" in {f["code"] for f in found["findings"]}
    assert found["split"]["rows"]["test"] == 16
    other = look("pairs.csv", DataOptions(task="translation", target="de"))
    assert other["pairs"]["source"] == "en"
    assert "--task translation" in other["next"]


def test_the_set_that_ships_is_translated_unasked() -> None:
    found = look("numbers")
    assert (found["pairs"]["source"], found["pairs"]["target"]) == ("words", "digits")
    assert found["noun"] == "pair"


@pytest.mark.parametrize(("rows", "said"), [
    ([("Hund", "dog")], "at least 20 are needed"),
    ([("Hund", "Hund"), ("Baum", "Baum")] * 15, "the same in all 30 pairs"),
])  # fmt: skip
def test_one_pair_or_untranslated_ones_are_refused(
    rows: list[tuple[str, str]], said: str, tmp_path: Path
) -> None:
    where = write_csv(tmp_path / "pairs.csv", *(list(side) for side in zip(*rows, strict=True)))
    with pytest.raises(InputError, match=said):
        train(where, TASK)
    assert said in look(where, TASK)["blockers"][0]


@pytest.mark.parametrize(("options", "said"), [
    ({"time": "de"}, "--time says nothing about translations"),
    ({"weight": "de"}, "--weight says nothing"),
    ({"target": "english"}, "target column 'english' not found"),
    ({"drop": ("de",)}, "two columns of text"),
])  # fmt: skip
def test_options_that_do_not_fit_are_refused(
    options: dict[str, Any], said: str, tmp_path: Path
) -> None:
    where = write_csv(tmp_path / "pairs.csv", *pairs(40))
    with pytest.raises(NeuroscopeError, match=said):
        look(where, DataOptions(task="translation", **options))


def test_a_split_column_is_followed(tmp_path: Path) -> None:
    source, target = pairs(60)
    parts = ["train"] * 40 + ["valid"] * 10 + ["test"] * 10
    lines = [f'"{a}","{b}",{c}' for a, b, c in zip(source, target, parts, strict=True)]
    (tmp_path / "split.csv").write_text("de,en,split\n" + "\n".join(lines), encoding="utf-8")
    found = look("split.csv", TASK)
    assert found["split"]["rows"] == {"train": 40, "valid": 10, "test": 10}
    assert found["target"]["column"] == "en"


@pytest.mark.slow
def test_numbers_in_words_are_learned_digit_by_digit() -> None:
    """The copy test: at least 99 of 100 numbers it has never seen are right to the last digit."""
    options = TrainOptions(rungs=("dictionary", "gru"), budget=None, epochs=16)
    result = train("numbers", None, options)
    assert result["chosen"] == "gru"
    assert result["test"]["exact_match"] >= 0.99
    model = neuroscope.load(result["model"])
    said = model.predict(["four hundred twelve thousand three hundred seven", "ninety-nine"])
    assert np.array_equal(said, ["412307", "99"])
