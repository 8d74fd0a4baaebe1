"""The verbs from Python: what the three faces call."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import neuroscope
from neuroscope.base.errors import InputError, Interrupted, ModelError, SchemaError
from neuroscope.base.events import Event, Progress, RungFinished
from neuroscope.data.sketch import sketch
from neuroscope.data.sources import read
from neuroscope.verbs._command import train_command
from neuroscope.verbs._prepare import DataOptions
from neuroscope.verbs.data import data
from neuroscope.verbs.judge import judge
from neuroscope.verbs.load import load
from neuroscope.verbs.look import look
from neuroscope.verbs.predict import predict
from neuroscope.verbs.runs import runs
from neuroscope.verbs.train import TrainOptions, resume, train

QUICK = TrainOptions(rungs=("majority", "neuron"), epochs=2)


def frame(rows: int = 90, seed: int = 0) -> pd.DataFrame:
    """Return two numbers, a site and a yes or no that follows from the numbers."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 2))
    return pd.DataFrame({
        "x1": x[:, 0], "x2": x[:, 1], "site": random.choice(["a", "b", "c"], rows),
        "y": np.where(x.sum(axis=1) + 0.3 * random.normal(size=rows) > 0, "yes", "no"),
    })  # fmt: skip


@pytest.fixture
def trained() -> dict:
    return train(frame(), DataOptions(target="y"), QUICK)


def test_predictions_of_a_file_are_those_of_the_loaded_model(trained, tmp_path):
    new = frame(50, seed=1).drop(columns="y")
    new.to_csv(tmp_path / "new.csv", index=False)
    model = load(trained["model"])
    found = predict(trained["name"], str(tmp_path / "new.csv"), keep=("site",))
    table = found["table"].to_pandas()
    assert list(table["row"]) == list(range(1, 51))
    assert list(table["site"]) == list(new["site"])
    np.testing.assert_array_equal(table["prediction"], model.predict(new))
    np.testing.assert_allclose(
        table[[f"probability_{label}" for label in model.classes]], model.predict_proba(new)
    )
    yes = table["probability_yes"] >= found["threshold"]
    np.testing.assert_array_equal(table["prediction"] == "yes", yes)


def test_predict_takes_columns_in_any_order_and_counts_unseen_categories(trained):
    new = frame(30, seed=2)
    model = load(trained["model"])
    straight = predict(model, new)
    turned = predict(model, new[["y", "site", "x2", "x1"]].assign(more=1))
    assert straight["table"].equals(turned["table"])
    assert any("more" in note for note in turned["notes"])
    new.loc[:3, "site"] = "elsewhere"
    noted = predict(model, new)["notes"]
    assert any("'site': 4 rows with a category not seen in training" in note for note in noted)


def test_predict_refuses_missing_columns_with_a_near_name(trained):
    with pytest.raises(SchemaError, match=r"missing: 'x2'.*did you mean 'X2'"):
        predict(trained["name"], frame(5).rename(columns={"x2": "X2"}))


def test_predict_refuses_a_clash_of_names_and_no_rows(trained):
    with pytest.raises(SchemaError, match="called 'prediction'"):
        predict(trained["name"], frame(5).assign(prediction=1), keep=("prediction",))
    with pytest.raises(InputError, match="no rows"):
        predict(trained["name"], frame(5).iloc[:0])


def test_judge_on_the_test_rows_gives_the_test_figures(trained):
    table = frame()
    options = DataOptions(target="y")
    from neuroscope.base.events import ignore
    from neuroscope.verbs._prepare import prepare

    rows = prepare(table, options, seed=0, monitor=ignore).split.test
    found = judge(trained["name"], table.iloc[rows])
    scores = {score["name"]: score["value"] for score in found["scores"]}
    for name in ("roc_auc", "accuracy", "log_loss", "brier"):
        assert scores[name] == pytest.approx(trained["test"][name], abs=1e-9)
    assert found["confusion"]["counts"] == trained["confusion"]["counts"]
    assert found["test_when_trained"]["roc_auc"] == trained["test"]["roc_auc"]
    assert found["warnings"] == []


def test_judge_knows_its_own_rows_and_scores_groups(trained):
    found = judge(trained["name"], frame(), group="site", cost="false_negative=4")
    assert len(found["warnings"]) == 1
    sites = {group["group"]: group["rows"] for group in found["groups"]["groups"]}
    assert sites == frame()["site"].value_counts().to_dict()
    scored = np.array([found["cost"]["per_row"], found["cost"]["best_on_these_rows"]["value"]])
    assert np.isfinite(scored).all()


def test_judge_prices_the_decisions_as_they_were_made(trained):
    table = frame(200, seed=5)
    found = judge(trained["name"], table, cost="false_positive=2,false_negative=7")
    (true_no, false_yes), (false_no, true_yes) = found["confusion"]["counts"]
    assert true_no + false_yes + false_no + true_yes == 200
    assert found["cost"]["per_row"] == pytest.approx((2 * false_yes + 7 * false_no) / 200)


def test_judge_widens_its_intervals_where_rows_belong_together():
    copies = pd.concat([frame(90).assign(person=range(90))] * 4, ignore_index=True)
    grouped = train(copies, DataOptions(target="y", group="person"), QUICK)
    plain = train(copies, DataOptions(target="y", drop=("person",)), QUICK)
    new = pd.concat([frame(60, seed=3).assign(person=range(60))] * 4, ignore_index=True)
    widths = []
    for result in (grouped, plain):
        found = judge(result["model"], new)["scores"]
        low, high = next(score["interval"] for score in found if score["name"] == "roc_auc")
        widths.append(high - low)
    assert widths[0] > 1.5 * widths[1]


def test_judge_says_when_the_weights_are_not_there():
    weighed = frame(90).assign(w=np.linspace(0.5, 1.5, 90))
    model = train(weighed, DataOptions(target="y", weight="w"), QUICK)["model"]
    assert not any("weight" in note for note in judge(model, weighed)["notes"])
    notes = judge(model, frame(60, seed=3))["notes"]
    assert any("no weight column 'w'" in note for note in notes)


def test_look_tells_what_stands_in_the_way_and_raises_for_a_wrong_call():
    short = look(frame(6), DataOptions(target="y"))
    assert short["split"] is None
    assert "at least 20" in short["blockers"][0]
    fine = look(frame(), DataOptions(target="y", drop=("x1",)))
    assert fine["blockers"] == []
    assert {"column": "x1", "reason": "dropped as asked"} in fine["dropped"]
    assert fine["next"] == "neuroscope train DATA --target y --drop x1"
    with pytest.raises(SchemaError, match="did you mean 'y'"):
        look(frame(), DataOptions(target="Y "))


def test_look_and_train_see_the_same(trained):
    looked = look(frame(), DataOptions(target="y"))
    assert looked["findings"] == trained["findings"]
    assert looked["split"]["rows"] | {"folds": looked["split"]["folds"]} == trained["rows"]


def test_a_monitor_hears_of_each_step():
    heard: list[Event] = []
    look("iris", monitor=heard.append)
    assert [e.done for e in heard if isinstance(e, Progress)] == [0, 1, 2]


def test_load_finds_a_model_by_file_folder_run_and_name(trained):
    path = Path(trained["model"])
    for place in (path, path.parent, path.parent.name, "table"):
        assert load(place).artefact.path.resolve() == path.resolve()
    for place in ("nothing", "nothing.neuroscope", Path("far") / "nothing"):
        with pytest.raises(InputError, match=r"no such model|no run"):
            load(place)


def test_load_is_at_hand_in_the_package(trained):
    assert neuroscope.load(trained["model"]).classes == ("no", "yes")
    assert "load" in neuroscope.__all__
    with pytest.raises(AttributeError, match="unload"):
        neuroscope.unload  # noqa: B018


def test_load_says_when_the_run_has_no_model(trained):
    Path(trained["model"]).unlink()
    with pytest.raises(ModelError, match="--resume"):
        load(trained["name"])


def test_load_refuses_parts_that_do_not_fit_together(trained, tmp_path):
    from neuroscope.runs import artefact

    stored = artefact.load(trained["model"])
    parts = dict(stored.parts) | {"encoder": {"codes": 7}}
    artefact.save(tmp_path / "odd.neuroscope", stored.card, stored.weights, parts)
    with pytest.raises(ModelError, match=r"odd\.neuroscope"):
        load(tmp_path / "odd.neuroscope")
    parts = dict(stored.parts) | {"learner": {"kind": "binary", "widths": [3, 1]}}
    artefact.save(tmp_path / "odd.neuroscope", stored.card, stored.weights, parts)
    with pytest.raises(ModelError, match=r"odd\.neuroscope"):
        load(tmp_path / "odd.neuroscope")


def test_runs_from_python(trained, tmp_path):
    assert [run["name"] for run in runs()["runs"]] == [trained["name"]]
    comparison = runs([trained["name"], "table"])["comparison"]
    assert comparison["runs"] == [trained["name"]] * 2
    with pytest.raises(InputError, match=r"nothing was deleted|no run"):
        runs(delete=str(tmp_path))
    assert runs(delete=trained["name"]) == {"deleted": trained["name"]}
    assert runs()["runs"] == []


def test_data_sets_load_as_described(tmp_path):
    for one in data()["sets"]:
        shown = data(one["name"], out=str(tmp_path / "set.parquet"))
        assert len(shown["names"]) == one["columns"]
        assert one["target"] in shown["names"]
        assert len(pd.read_parquet(tmp_path / "set.parquet")) == one["rows"]


def test_the_command_that_repeats_a_run_repeats_it(trained, tmp_path, capsys):
    import json
    import shlex

    from neuroscope.cli import main

    frame().to_csv(tmp_path / "my table.csv", index=False)
    options = DataOptions(target="y", drop=("site",))
    quick = TrainOptions(rungs=("majority", "neuron"), epochs=2, seed=3, budget=None)
    first = train(str(tmp_path / "my table.csv"), options, quick)
    words = shlex.split(first["reproduce"])
    assert words[:2] == ["neuroscope", "train"]
    capsys.readouterr()
    assert main([*words[1:], "--json", "--quiet"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["test"] == first["test"]
    assert again["seed"] == 3


def test_a_comma_in_a_column_is_written_so_that_it_is_read_again():
    from neuroscope.cli._options import names

    command = train_command("d.csv", DataOptions(drop=("a,b", "c")))
    assert names(command.split("--drop ")[1].strip("'")) == ("a,b", "c")


def test_a_run_on_data_from_memory_is_resumed_with_the_same_data_and_no_other(trained):
    def stop(event: Event) -> None:
        if isinstance(event, RungFinished) and event.rung == "neuron":
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        train(frame(), DataOptions(target="y"), QUICK, monitor=stop)
    name = caught.value.remedy.split()[-1]
    with pytest.raises(InputError, match="from memory"):
        resume(name)
    other = frame()
    other.loc[7, "x1"] += 1
    for changed in (other, frame().iloc[:-1]):
        with pytest.raises(InputError, match="not what it was when the run began"):
            resume(name, source=changed)
    checkpoint = Path(trained["model"]).parents[1] / name / "checkpoint.safetensors"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-9])
    again = resume(name, source=frame())
    assert again["test"] == trained["test"]
    assert any("checkpoint is damaged" in warning for warning in again["warnings"])


def test_a_finished_run_is_not_resumed_since_its_test_rows_are_opened(trained):
    with pytest.raises(InputError, match="is finished"):
        resume(trained["name"], source=frame())


def _with_memory(result: dict, table, kept: int):
    """Return the model that remembers the first rows of the table, and does not know its file."""
    model = load(result["model"])
    parts = {n: part for n, part in model.artefact.parts.items() if n != "seen_rows"}
    if kept:
        parts["seen_rows"] = sketch(read(table), model.schema, np.arange(kept))
    card = dataclasses.replace(model.artefact.card, data_fingerprint="")
    changed = dataclasses.replace(model.artefact, card=card, parts=parts)
    return dataclasses.replace(model, artefact=changed)


def test_judge_says_how_many_rows_were_training_rows() -> None:
    result = train("diabetes", options=TrainOptions(rungs=("majority", "neuron"), epochs=5))
    whole = read("diabetes").arrow
    model = _with_memory(result, whole, 400)
    half = judge(model, whole.slice(350, 92))
    assert half["seen_in_training"] == {"rows": 50, "share": 50 / 92, "exact": True}
    assert half["warnings"][0].startswith("50 of the 92 rows are rows that the model was trained")
    new = judge(model, whole.slice(400, 42))
    assert new["warnings"] == []
    assert new["seen_in_training"]["rows"] == 0


def test_a_model_that_does_not_know_its_rows_says_so() -> None:
    result = train("diabetes", options=TrainOptions(rungs=("majority", "neuron"), epochs=5))
    model = _with_memory(result, "diabetes", 0)
    assert judge(model, "diabetes")["seen_in_training"] is None


def weighted(rows: int, seed: int) -> pd.DataFrame:
    return frame(rows, seed).assign(w=np.arange(rows) % 2)


@pytest.fixture
def weighing() -> dict:
    return train(weighted(90, 0), DataOptions(target="y", weight="w"), QUICK)


def test_rows_of_weight_0_are_in_no_part_of_a_judgement(weighing):
    found = judge(weighing["model"], weighted(80, 1))
    assert sum(part["rows"] for part in found["calibration"]["bins"]) == 40
    kept = weighted(80, 1).query("w > 0")
    alone = judge(weighing["model"], kept)
    assert found["calibration"] == alone["calibration"]
    assert found["scores"][0]["value"] == pytest.approx(alone["scores"][0]["value"])


def test_weights_that_cannot_be_are_named_and_weights_of_0_count_alike(weighing):
    new = weighted(40, 1)
    for wrong in (np.nan, -1.0, np.inf, 1e200):
        broken = new.assign(w=np.where(np.arange(40) == 6, wrong, 1.0))
        with pytest.raises(SchemaError, match=r"column 'w', row 7: the weight"):
            judge(weighing["model"], broken)
    found = judge(weighing["model"], new.assign(w=0))
    plain = judge(weighing["model"], new.assign(w=1))
    assert "all weights in column 'w' are 0: all rows count alike" in found["notes"]
    assert found["scores"] == plain["scores"]
