"""Each command, for real, on small tables."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path

import numpy as np
import pytest
from cli_running import QUICK, points, points_csv, write_csv
from PIL import Image


def test_train_json_holds_what_other_programs_rely_on(neuroscope, points_file):
    done = neuroscope("train", points_file, *QUICK, "--json")
    assert done.code == 0
    result = done.json
    assert result["task"] == "table"
    assert result["target"] == "y"
    assert set(result["rows"]) >= {"train", "valid", "test"}
    assert sum(result["rows"][part] for part in ("train", "valid", "test")) == 80
    assert [rung["name"] for rung in result["rungs"]] == ["majority", "neuron"]
    for rung in result["rungs"]:
        assert set(rung) >= {"name", "metric", "value", "interval", "seconds", "parameters",
                             "status"}  # fmt: skip
        low, high = rung["interval"]
        assert low <= rung["value"] <= high
        assert rung["status"] == "done"
    assert result["chosen"] in ("majority", "neuron")
    assert result["why"].endswith(".")
    assert set(result["test"]["interval"]) <= set(result["test"])
    assert Path(result["model"]).is_file()
    assert Path(result["report"]).read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [w.split(",")[0] for w in result["warnings"]] == ["predicting 'y'"]


def test_train_tells_ladder_verdict_test_and_what_next(neuroscope, points_file):
    out = neuroscope("train", points_file, *QUICK, "--name", "mine").out
    for said in ("predict y", "a single neuron", "Verdict", "Test (", "95 % interval", "report",
                 "neuroscope predict"):  # fmt: skip
        assert said in out, said
    assert "├" in out and "●" in out


def test_train_shows_serious_findings_and_what_it_dropped(neuroscope, tmp_path):
    rows = [[i, a, b, y, "yes it is" if y == "yes" else "no it is not"]
            for i, (a, b, y) in enumerate(points(200))]  # fmt: skip
    file = write_csv(tmp_path / "leak.csv", ["customer_id", "x1", "x2", "y", "after"], rows)
    done = neuroscope("train", file, *QUICK, "--target", "y", "--drop", "x2")
    assert done.code == 0
    assert "'after'" in done.out  # a leak is told, and kept until the user drops it
    assert "dropped 'customer_id'" in done.out
    assert "dropped 'x2': dropped as asked" in done.out
    after = neuroscope("train", file, *QUICK, "--target", "y", "--drop", "after,x2", "--json")
    assert {d["column"] for d in after.json["dropped"]} >= {"after", "x2", "customer_id"}


def test_every_option_of_train_does_something(neuroscope, tmp_path):
    random_groups = [[*row, f"g{i % 16}", i, 1 + i % 3, ("train", "valid", "test", "train")[i % 4]]
                     for i, row in enumerate(points(96))]  # fmt: skip
    file = write_csv(tmp_path / "more.csv", ["x1", "x2", "y", "who", "when", "w", "part"],
                     random_groups)  # fmt: skip
    base = ("train", file, "--json", "--quiet", "--target", "y", *QUICK)

    def trained(*more: str) -> dict:
        done = neuroscope(*base, *more)
        assert done.code == 0, done.err
        return done.json

    assert trained("--group", "who")["split"]["method"] == "grouped"
    assert trained("--time", "when")["split"]["method"] == "time"
    assert trained("--split", "part")["rows"] == {"train": 48, "valid": 24, "test": 24, "folds": 1}
    assert trained("--positive", "no")["positive"] == "no"
    assert trained("--seed", "5")["seed"] == 5
    roles = {c["name"]: c["role"] for c in trained("--weight", "w")["schema"]["columns"]}
    assert roles["w"] == "weight"
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps({"x2": {"role": "ignore"}}))
    roles = {c["name"]: c["role"] for c in trained("--schema", str(schema))["schema"]["columns"]}
    assert roles["x2"] == "ignore"
    assert sum(trained("--sql", "select * from data limit 60")["rows"][part]
               for part in ("train", "valid", "test")) == 60  # fmt: skip
    assert trained("--cost", "false_negative=9")["threshold"]["value"] < 0.5
    elsewhere = tmp_path / "elsewhere"
    kept = trained("--out", str(elsewhere), "--name", "mine")
    assert Path(kept["model"]).parent.parent == elsewhere
    assert kept["name"].endswith("-mine")
    assert trained("--rungs", "majority")["chosen"] == "majority"


def test_recipe_is_shown_with_reasons_edited_and_replayed(neuroscope, points_file, tmp_path):
    shown = neuroscope("train", points_file, "--show-recipe", "--rungs", "neuron", "--epochs", "7")
    recipe = json.loads(shown.out)
    assert recipe["epochs"] == 7
    assert recipe["reasons"]["epochs"] == "as asked"
    assert not (tmp_path / "runs").exists()
    file = tmp_path / "recipe.json"
    file.write_text(json.dumps(recipe | {"epochs": 3, "learning_rate": 0.25}))
    replay = ("train", points_file, "--recipe", file, "--json", "--quiet")
    first, second = (neuroscope(*replay).json for _ in range(2))
    assert [rung["name"] for rung in first["rungs"]] == ["majority", "neuron"]
    neuron = first["rungs"][1]["recipe"]
    assert (neuron["epochs"], neuron["learning_rate"]) == (3, 0.25)
    assert first["test"] == second["test"]


def test_look_reads_and_trains_nothing(neuroscope, points_file, tmp_path):
    done = neuroscope("look", points_file, "--json")
    found = done.json
    assert found["rows"] == 80
    assert [c["name"] for c in found["columns"]] == ["x1", "x2", "y"]
    assert found["target"]["kind"] == "binary"
    assert found["split"]["method"] == "stratified"
    assert any(note.startswith("delimiter") for note in found["origin"]["notes"])
    assert found["blockers"] == []
    assert not (tmp_path / "runs").exists()
    shown = neuroscope("look", points_file, "--drop", "x2").out
    for said in ("80 rows", "Columns", "would be dropped: 'x2'", "--drop x2"):
        assert said in shown


def test_predict_keeps_the_order_and_says_what_it_could_not_use(neuroscope, model, tmp_path):
    header, rows = ["extra", "x2", "key", "x1"], [["e", 0.5, f"k{i}", i - 20] for i in range(40)]
    file = write_csv(tmp_path / "new.csv", header, rows)
    done = neuroscope("predict", model, file, "--keep", "key")
    assert done.code == 0
    table = list(csv.DictReader(io.StringIO(done.out)))
    assert [row["row"] for row in table] == [str(i + 1) for i in range(40)]
    assert [row["key"] for row in table] == [f"k{i}" for i in range(40)]
    yes = [float(row["probability_yes"]) for row in table]
    assert yes == sorted(yes) or yes == sorted(yes, reverse=True)  # one neuron, one feature moves
    for row in table:
        total = float(row["probability_yes"]) + float(row["probability_no"])
        assert math.isclose(total, 1, abs_tol=1e-6)
    assert "extra" in done.err
    quiet = neuroscope("predict", model, file, "--quiet")
    assert quiet.err == "" and "key" not in quiet.out.splitlines()[0]


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_predict_writes_each_format(neuroscope, model, points_file, tmp_path, ending):
    out = tmp_path / f"answers.{ending}"
    done = neuroscope("predict", model, points_file, "-o", out, "--json")
    assert done.json["out"] == str(out)
    assert "predictions" not in done.json
    back = neuroscope("look", out, "--target", "prediction", "--json").json
    assert back["rows"] == 80
    names = [column["name"] for column in back["columns"]]
    assert names == ["row", "prediction", "probability_no", "probability_yes"]


def test_predict_json_without_a_file_holds_the_predictions(neuroscope, model, points_file):
    found = neuroscope("predict", model, points_file, "--json").json
    assert len(found["predictions"]) == 80
    assert set(found["predictions"][0]) == {"row", "prediction", "probability_no",
                                            "probability_yes"}  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("--keep", "kee"), "column to keep 'kee' not found"),
     (("-o", "answers.doc"), "end it in .csv"),
     (("--sql", "select x1 from data"), "columns are missing: 'x2'")],
)  # fmt: skip
def test_predict_refuses(neuroscope, model, points_file, arguments, said):
    done = neuroscope("predict", model, points_file, *arguments)
    assert done.code == 2
    assert said in done.complaint
    assert not Path("answers.doc").exists()


def test_judge_scores_groups_and_cost_and_knows_its_own_rows(neuroscope, model, tmp_path):
    rows = [[*row, "north" if i % 2 else "south"] for i, row in enumerate(points(120, seed=3))]
    rows[4][2] = ""
    file = write_csv(tmp_path / "later.csv", ["x1", "x2", "y", "site"], rows)
    arguments = ("judge", model, file, "--group", "site", "--cost", "false_negative=5")
    found = neuroscope(*arguments, "--json").json
    assert found["rows"] == 119
    assert any("without a target" in note for note in found["notes"])
    assert found["warnings"] == []
    scores = {score["name"]: score for score in found["scores"]}
    low, high = scores["roc_auc"]["interval"]
    assert low <= scores["roc_auc"]["value"] <= high
    assert sum(map(sum, found["confusion"]["counts"])) == 119
    assert {group["group"] for group in found["groups"]["groups"]} == {"north", "south"}
    assert found["cost"]["per_row"] >= found["cost"]["best_on_these_rows"]["expected_cost"]
    shown = neuroscope(*arguments).out
    for said in ("Scores", "Right and wrong", "By site", "Cost"):
        assert said in shown
    assert f"called {found['positive']!r} differs" in " ".join(shown.split())
    own = neuroscope("judge", model, "points.csv", "--json").json
    assert any("made from" in warning for warning in own["warnings"])
    assert "made from" in neuroscope("judge", model, "points.csv").out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("--group", "sit"), "group column 'sit' not found"),
     (("--cost", "wrong"), "not understood"),
     (("--sql", "select x1, x2 from data"), "the target 'y' is not among the columns"),
     (("--sql", "select x1, x2, null as y from data"), "no row has a true value"),
     (("--sql", "select x1, x2, 'maybe' as y from data"), "'maybe' is no class of the model")],
)  # fmt: skip
def test_judge_refuses(neuroscope, model, points_file, arguments, said):
    done = neuroscope("judge", model, points_file, *arguments)
    assert done.code == 2
    assert said in done.complaint


def test_a_number_is_trained_predicted_and_judged(neuroscope, tmp_path):
    rows = [[a, b, round(3 * a - b, 3)] for a, b, _ in points(90)]
    file = write_csv(tmp_path / "amounts.csv", ["x1", "x2", "amount"], rows)
    done = neuroscope("train", file, "--rungs", "majority,neuron", "--epochs", "20")
    assert done.code == 0
    assert "misses by" in done.out
    table = neuroscope("predict", "amounts", file).out.splitlines()
    assert table[0] == "row,prediction"
    found = neuroscope("judge", "amounts", file, "--json").json
    assert found["kind"] == "regression"
    assert "How far off" in neuroscope("judge", "amounts", file).out
    assert "no such target" in neuroscope("judge", "amounts", file, "--cost", "x=1").complaint


def test_runs_are_listed_compared_and_deleted(neuroscope, points_file, tmp_path):
    assert "no runs" in neuroscope("runs").out
    names = [neuroscope("train", points_file, *QUICK, "--seed", seed, "--json").json["name"]
             for seed in "01"]  # fmt: skip
    listed = neuroscope("runs", "--json").json["runs"]
    assert [run["name"] for run in listed] == names
    assert all(run["status"] == "finished" for run in listed)
    assert names[0] in neuroscope("runs").out.replace("\n", "")
    compared = neuroscope("runs", *names, "--json").json["comparison"]
    assert compared["runs"] == names
    assert any(row["label"] == "seed" for row in compared["rows"])
    assert "differ in seed" in neuroscope("runs", *names).out.replace("\n", " ")
    deleted = neuroscope("runs", "--delete", names[0], "--json").json
    assert deleted == {"deleted": names[0]}
    assert [run["name"] for run in neuroscope("runs", "--json").json["runs"]] == names[1:]
    assert neuroscope("runs", "--out", tmp_path / "none", "--json").json["runs"] == []


def test_data_lists_shows_and_writes(neuroscope, tmp_path):
    sets = {one["name"]: one for one in neuroscope("data", "--json").json["sets"]}
    assert {"iris", "wine", "breast-cancer", "digits", "diabetes"} <= set(sets)
    listed = neuroscope("data").out
    assert all(name in listed for name in sets)
    assert "5.1" in neuroscope("data", "iris").out
    assert "digit" in neuroscope("data", "digits").out
    for ending in ("csv", "parquet", "jsonl"):
        out = tmp_path / f"iris.{ending}"
        assert neuroscope("data", "iris", "-o", out).code == 0
        assert neuroscope("look", out, "--json").json["rows"] == sets["iris"]["rows"]


def test_a_run_is_found_by_the_name_it_was_given(neuroscope, points_file, tmp_path):
    first, last = (
        neuroscope("train", points_file, *QUICK, "--name", "mine", "--seed", seed, "--json").json
        for seed in "12"
    )
    del first
    found = neuroscope("predict", "mine", points_file, "--json").json
    assert found["model"] == last["model"]
    copied = points_csv(tmp_path / "mine.csv")
    assert neuroscope("predict", last["model"], copied, "--json").json["rows"] == 80
    folder = Path(last["model"]).parent
    assert neuroscope("predict", folder, copied, "--json").json["model"] == last["model"]


def test_trace_shows_a_step_that_autograd_agrees_with(neuroscope, model, points_file, tmp_path):
    found = neuroscope("trace", model, points_file, "--row", "3", "--json").json
    assert found["agreement"]["agrees"] is True
    assert found["row"] == 3
    assert len(found["layers"]) == 1
    shown = neuroscope("trace", model, points_file, "--row", "3").out
    for said in ("forward", "loss", "backward", "update", "x1"):
        assert said in shown
    page = tmp_path / "step.html"
    assert neuroscope("trace", model, points_file, "-o", page).code == 0
    assert "<svg" in page.read_text(encoding="utf-8")
    assert "rows count from 1 to 80" in neuroscope("trace", model, points_file, "--row",
                                                   "81").complaint  # fmt: skip


def test_look_names_the_files_of_pictures(neuroscope, tmp_path):
    for i in range(4):
        for name in ("cat", "dog"):
            path = tmp_path / "pets" / name / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            noise = np.random.default_rng(i + 10 * (name == "dog"))
            Image.fromarray(noise.integers(0, 255, (9, 9), dtype=np.uint8)).save(path)
    (tmp_path / "pets/cat/broken.jpg").write_bytes(b"")
    (tmp_path / "pets/dog/copy.png").write_bytes((tmp_path / "pets/dog/1.png").read_bytes())
    done = neuroscope("look", "pets")
    assert done.code == 0
    said = " ".join(done.out.split())
    assert "for example dog/copy.png" in said
    assert "cat/broken.jpg is empty (0 bytes)" in said
