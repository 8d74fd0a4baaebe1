"""Pictures through the verbs: what a run shows of them, and what predict and judge make of them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from drawing import SIDE, damage, folder
from PIL import Image

from neuroscope.base.errors import InputError, RecipeError
from neuroscope.report.page import write_report
from neuroscope.report.pictures import transfer
from neuroscope.report.story import Story
from neuroscope.runs.folder import RunFolder
from neuroscope.verbs.judge import judge
from neuroscope.verbs.look import look
from neuroscope.verbs.predict import predict
from neuroscope.verbs.train import TrainOptions, train

RUNGS = ("majority", "neuron", "convolution")


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture(scope="module")
def shapes(place) -> Path:
    return damage(folder(place / "shapes", wrong=3))


@pytest.fixture(scope="module")
def result(place, shapes) -> dict:
    """A run whose convolutional net is clearly the best, on labels of which some are wrong."""
    options = TrainOptions(rungs=RUNGS, epochs=20, out=str(place / "runs"), budget=None)
    found = train(shapes, options=options)
    assert found["chosen"] == "convolution"
    return found


@pytest.fixture(scope="module")
def moved(place, shapes, result) -> dict:
    """A run that transfers from the net of the first."""
    from neuroscope.verbs._prepare import DataOptions

    options = TrainOptions(rungs=("majority", "convolution", "transfer", "fine_tuning"), epochs=2,
                           out=str(place / "runs"), budget=None)  # fmt: skip
    return train(shapes, DataOptions(backbone=result["model"]), options)


def arrays(result: dict) -> dict[str, np.ndarray]:
    return RunFolder(Path(result["report"]).parent).restore("pictures")[1]


def page(result: dict) -> str:
    return Path(result["report"]).read_text(encoding="utf-8")


# ------------------------------------------------------------------------------ what a run shows


def test_the_surest_mistakes_come_with_picture_and_evidence(result) -> None:
    mistakes, kept = result["pictures"]["mistakes"], arrays(result)
    assert mistakes
    sure = [one["probability"] for one in mistakes]
    assert sure == sorted(sure, reverse=True)
    for one in mistakes:
        assert one["truth"] != one["predicted"]
        assert one["name"].startswith(one["truth"])  # the folder is the label
        assert kept[f"picture.{one['row']}"].shape == (SIDE, SIDE, 1)
        heat = kept[f"heat.{one['row']}"]
        assert heat.shape == (SIDE, SIDE)
        assert heat.max() in (0, 255)
    wrong = sum(map(sum, result["confusion"]["counts"])) - sum(
        row[i] for i, row in enumerate(result["confusion"]["counts"])
    )
    assert len(mistakes) == min(wrong, 12)
    assert {m["picture"] for m in result["confusion"]["surest_mistakes"]} <= {
        m["name"] for m in mistakes
    }


def test_each_rung_says_what_the_next_one_mends(result) -> None:
    steps = result["pictures"]["rungs"]
    assert [(step["rung"], step["next"]) for step in steps] == [
        ("majority", "neuron"), ("neuron", "convolution"),
    ]  # fmt: skip
    values = {rung["name"]: rung["value"] for rung in result["rungs"]}
    for step in steps:
        share = 1 - step["wrong"] / step["rows"]
        assert share == pytest.approx(values[step["rung"]])
        after = 1 - (step["wrong"] - step["mended"] + step["spoiled"]) / step["rows"]
        assert after == pytest.approx(values[step["next"]])
        assert len(step["pictures"]) == min(step["mended"], 6)
        assert all(one["predicted"] != one["truth"] for one in step["pictures"])


def test_wrong_labels_are_doubted_as_a_finding_and_as_pictures(result) -> None:
    doubted = {one["name"] for one in result["pictures"]["suspects"]}
    flipped = {f"{kind}/{n:03}.png" for kind in ("disc", "frame", "stripes") for n in range(3)}
    assert len(doubted & flipped) >= 3
    assert len(doubted & flipped) > len(doubted - flipped)
    finding = next(f for f in result["findings"] if f["code"] == "suspect-labels" and f["names"])
    assert set(finding["names"]) <= doubted


def test_filters_maps_and_templates_are_kept_for_drawing(result) -> None:
    block, kept = result["pictures"], arrays(result)
    assert kept["filters"].shape == (block["filters"]["shown"], 3, 3, 1)
    assert [one["name"] for one in block["maps"]["blocks"]] == ["block 1", "block 2"]
    for number, one in enumerate(block["maps"]["blocks"], start=1):
        assert kept[f"maps.{number}"].shape[0] == one["shown"]
        assert kept[f"maps.{number}"].max() == 255
    assert block["maps"]["name"].startswith(block["maps"]["predicted"])
    assert block["templates"] == {"classes": ["disc", "frame", "stripes"], "fitted_again": True}
    assert kept["templates"].shape == (3, SIDE, SIDE, 1)
    assert kept["templates"].std() > 10


def test_the_neuron_shows_its_own_weights_when_it_is_chosen(place, tmp_path) -> None:
    source = tmp_path / "light.npz"
    random = np.random.default_rng(0)
    x = random.integers(0, 100, (80, 6, 6), dtype=np.uint8)
    y = np.repeat([0, 1], 40)
    x[y == 1, :3] += 120  # the upper half is bright
    np.savez(source, x=x, y=y)
    found = train(source, options=TrainOptions(rungs=("majority", "neuron"), out=str(tmp_path)))
    assert found["pictures"]["templates"] == {"classes": ["1"], "fitted_again": False}
    template = arrays(found)["templates"][0, ..., 0].astype(int)
    assert template[:3].mean() > template[3:].mean() + 20
    assert "filters" not in found["pictures"]


def test_transfer_is_compared_with_the_best_net_from_scratch(sick, result, tmp_path) -> None:
    from neuroscope.verbs._prepare import DataOptions

    options = TrainOptions(rungs=("neuron", "convolution", "transfer"), epochs=1, budget=None,
                           out=str(tmp_path))  # fmt: skip
    found = train(sick, DataOptions(backbone=result["model"]), options)
    value = {rung["name"]: rung["value"] for rung in found["rungs"]}
    assert value["neuron"] > value["convolution"]  # the plain one is the better one here
    assert found["pictures"]["transfer"]["scratch"] == "neuron"


def test_a_comparison_with_a_net_that_was_cut_short_says_so(moved) -> None:
    told = Story.read(Path(moved["report"]).parent)
    plain = transfer(told)
    assert plain is not None
    assert len(plain["sentences"]) == 2
    next(rung for rung in told.result["rungs"] if rung["name"] == "convolution")["cut"] = True
    cut = transfer(told)
    assert cut is not None
    assert cut["sentences"][-1].startswith(
        "A convolutional network was cut short by the time budget"
    )


def test_the_worth_of_transfer_is_told_in_numbers_and_words(moved) -> None:
    block = moved["pictures"]["transfer"]
    assert [one["name"] for one in block["rungs"]] == ["convolution", "transfer", "fine_tuning"]
    values = {rung["name"]: rung["value"] for rung in moved["rungs"]}
    for one in block["rungs"][1:]:
        assert one["gain"] == pytest.approx(values[one["name"]] - values["convolution"])
        low, high = one["gain_interval"]
        assert low <= one["gain"] <= high
    assert block["worth"] is True  # the backbone has seen these shapes
    assert block["sentences"][0].startswith("Yes: transfer learning (")
    assert "fine-tuning" in block["sentences"][1]
    assert "Was transfer worth it?" in page(moved)
    assert "transfer" not in moved["pictures"]["mistakes"][0]


def test_a_frozen_backbone_and_its_head_are_looked_into_as_one_net(moved) -> None:
    assert moved["chosen"] in ("transfer", "fine_tuning")
    kept = arrays(moved)
    assert kept["filters"].ndim == 4
    assert any(kept[name].max() == 255 for name in kept if name.startswith("heat."))


def test_the_report_has_each_section_and_stays_light_and_alone(result) -> None:
    said = page(result)
    for id_ in ("surest", "steps", "inside", "suspects"):
        assert f'<section class="card" id="{id_}"' in said
    sources = [part.partition('"')[0] for part in said.split('src="')[1:]]
    assert len(sources) > 20
    assert all(source.startswith("data:image/") for source in sources)
    assert "img-src data:" in said
    assert len(said) < 2_000_000
    assert "test pictures</a> it had never seen" in said
    assert "The filters of the first layer" in said


def test_the_report_does_without_the_arrays(result, tmp_path) -> None:
    folder_ = tmp_path / "run"
    folder_.mkdir()
    there = Path(result["report"]).parent
    for name in ("run.json", "result.json"):
        (folder_ / name).write_bytes((there / name).read_bytes())
    said = write_report(folder_).read_text(encoding="utf-8")
    assert result["pictures"]["mistakes"][0]["name"] in said
    assert "<img" not in said
    assert 'id="inside"' not in said


def test_sentences_speak_of_pictures(result) -> None:
    assert result["noun"] == "picture"
    assert result["metric"]["meaning"].startswith("Of 100 pictures the model names")
    assert not any(" rows" in text for text in (result["why"], *result["sentences"]))
    assert any("held-out pictures" in text for text in result["sentences"])


# ------------------------------------------------------------------------ predict, judge, look


def test_predict_names_each_picture_and_why_one_has_no_answer(result, shapes, tmp_path) -> None:
    out = tmp_path / "answers.csv"
    found = predict(result["model"], str(shapes), out=str(out))
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["picture", "prediction", "probability_disc", "probability_frame",
                             "probability_stripes", "problem"]  # fmt: skip
    assert len(rows) == 122
    good = [row for row in rows if not row["problem"]]
    assert len(good) == 120
    assert sum(row["picture"].startswith(row["prediction"]) for row in good) > 100
    bad = {row["picture"]: row for row in rows if row["problem"]}
    assert set(bad) == {"disc/damaged.png", "notes.txt"}
    assert bad["disc/damaged.png"]["prediction"] == ""
    assert "damaged" in bad["disc/damaged.png"]["problem"]
    assert any("2 files have no prediction" in note for note in found["notes"])


def test_a_contact_sheet_lies_beside_the_answers_or_where_asked(result, shapes, tmp_path) -> None:
    found = predict(result["model"], str(shapes), out=str(tmp_path / "answers.csv"))
    assert Path(found["sheet"]) == tmp_path / "answers-sheet.jpg"
    asked = predict(result["model"], str(shapes), sheet=str(tmp_path / "sheet.png"))
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > 8 * 128
        assert sheet.height > 15 * 128
    assert asked["out"] is None
    assert predict(result["model"], str(shapes))["sheet"] is None
    assert not list(tmp_path.glob(".*"))


def test_a_table_of_paths_keeps_the_place_of_what_cannot_be_read(result, shapes, tmp_path) -> None:
    source = shapes / "list.csv"
    source.write_text("file,day\ndisc/005.png,mon\ndisc/damaged.png,tue\nframe/005.png,wed\n")
    try:
        found = predict(result["model"], str(source), out=str(tmp_path / "a.jsonl"), keep=("day",))
        rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    finally:
        source.unlink()
    assert [row["row"] for row in rows] == [1, 2, 3]
    assert [row["day"] for row in rows] == ["mon", "tue", "wed"]
    assert [row["prediction"] is None for row in rows] == [False, True, False]
    assert rows[1]["probability_disc"] is None
    assert rows[1]["problem"]
    assert found["rows"] == 3


def test_arrays_are_predicted_by_row(result, tmp_path) -> None:
    np.savez(tmp_path / "new.npz", x=np.zeros((3, SIDE, SIDE), np.uint8))
    found = predict(result["model"], str(tmp_path / "new.npz"), out=str(tmp_path / "a.csv"))
    names = ["row", "prediction", "probability_disc", "probability_frame", "probability_stripes"]
    assert found["table"].column_names == names
    assert Path(found["sheet"]).exists()


def test_a_sheet_is_refused_where_there_are_no_pictures(tmp_path, result, shapes) -> None:
    with pytest.raises(InputError, match="names no kind of picture"):
        predict(result["model"], str(shapes), sheet="sheet.gif")
    iris = train("iris", options=TrainOptions(rungs=("majority", "neuron"), epochs=1))
    with pytest.raises(InputError, match="says nothing about rows"):
        predict(iris["model"], "iris", sheet="sheet.png")


def test_judge_speaks_of_pictures_and_takes_labels_from_folders(result, tmp_path) -> None:
    fresh = folder(tmp_path / "fresh", each=10, seed=9)
    found = judge(result["model"], str(fresh))
    assert found["noun"] == "picture"
    scores = {score["name"]: score["value"] for score in found["scores"]}
    assert scores["accuracy"] > 0.8
    assert "Of 100 pictures" in found["metric"]["meaning"]
    assert not found["warnings"]


def test_judge_leaves_out_what_cannot_be_read_and_says_so(result, shapes) -> None:
    source = shapes / "labelled.csv"
    source.write_text(
        "image,label\ndisc/005.png,disc\ndisc/damaged.png,disc\nframe/005.png,frame\n"
    )
    try:
        found = judge(result["model"], str(source))
    finally:
        source.unlink()
    assert found["rows"] == 2
    assert any("cannot be read, left out: 1" in note for note in found["notes"])


def test_look_sums_up_the_pictures(shapes) -> None:
    found = look(str(shapes))
    about = found["pictures"]
    assert about["pictures"] == 120
    assert about["width"] == [SIDE, SIDE, SIDE]
    assert [(one["label"], one["count"]) for one in about["classes"]] == [
        ("disc", 40), ("frame", 40), ("stripes", 40),
    ]  # fmt: skip
    assert {one["name"] for one in about["set_aside"]} == {"disc/damaged.png", "notes.txt"}
    assert found["noun"] == "picture"
    assert "unreadable-pictures" in {finding["code"] for finding in found["findings"]}


# ------------------------------------------------------------------------------ sensitivity


@pytest.fixture(scope="module")
def sick(place) -> Path:
    """Two classes that overlap: brighter pictures are more often sick."""
    random = np.random.default_rng(1)
    y = np.repeat([0, 1], 150)
    x = random.normal(90 + 25 * y[:, None, None], 25, (300, 5, 5))
    x += random.normal(0, 18, (300, 1, 1))
    path = place / "sick.npz"
    np.savez(path, x=x.clip(0, 255).astype(np.uint8), y=y)
    return path


def test_a_wanted_sensitivity_sets_the_threshold_and_is_proved_on_the_test(sick, tmp_path) -> None:
    def trained(wanted: float | None) -> dict:
        options = TrainOptions(rungs=("majority", "neuron"), out=str(tmp_path), sensitivity=wanted)
        return train(sick, options=options)

    plain, careful = trained(None), trained(0.98)
    assert plain["threshold"]["value"] == 0.5
    assert careful["threshold"]["value"] < 0.5
    assert careful["threshold"]["sensitivity"] >= 0.98
    assert "expected_cost" not in careful["threshold"]
    assert "98 % of the held-out pictures" in careful["threshold"]["reason"]
    found = careful["detection"]
    assert found["threshold"] == careful["threshold"]["value"]
    for rate in ("sensitivity", "specificity"):
        one = found[rate]
        assert one["low"] <= one["value"] <= one["high"]
        assert one["value"] == pytest.approx(one["right"] / one["rows"])
    assert found["sensitivity"]["value"] == pytest.approx(careful["test"]["recall"])
    assert found["sensitivity"]["value"] >= plain["detection"]["sensitivity"]["value"]
    assert found["sentence"] in page(careful).replace("&#39;", "'")
    assert careful["reproduce"].endswith("--sensitivity 0.98")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"sensitivity": 1.5}, "sensitivity is 1.5"),
        ({"sensitivity": 0.0}, "sensitivity is 0"),
        ({"sensitivity": 0.9, "cost": "false_negative=5"}, "both a cost and a sensitivity"),
    ],
)
def test_a_sensitivity_that_makes_no_sense_is_refused(sick, asked, words) -> None:
    with pytest.raises(RecipeError, match=words):
        train(sick, options=TrainOptions(rungs=("majority",), **asked))


def test_a_sensitivity_is_refused_for_several_classes(shapes) -> None:
    with pytest.raises(InputError, match="belongs to a yes or no"):
        train(shapes, options=TrainOptions(rungs=("majority",), sensitivity=0.9))


def test_costs_are_weighed_on_pictures(sick, tmp_path) -> None:
    options = TrainOptions(rungs=("majority", "neuron"), out=str(tmp_path))
    found = train(sick, options=options)
    judged = judge(found["model"], str(sick), cost="false_negative=5")
    assert judged["cost"]["best_on_these_rows"]["value"] < 0.5
    assert "cost" not in found


def test_training_by_cost_tells_what_the_test_pictures_cost(sick, tmp_path) -> None:
    options = TrainOptions(rungs=("majority", "neuron"), out=str(tmp_path),
                           cost="false_negative=5")  # fmt: skip
    found = train(sick, options=options)
    (_, alarms), (missed, _) = found["confusion"]["counts"]
    assert found["cost"]["per_row"] == pytest.approx((alarms + 5 * missed) / found["rows"]["test"])
    assert "a picture, instead of" in found["cost"]["sentence"]
    assert found["cost"]["sentence"] in page(found)
    assert "fixed_shape_tensor" not in page(found)  # the column is stored as pixels, in our words
