"""Going on with a run that was stopped: as it began, with what is left of its budget."""

from __future__ import annotations

import json
import threading
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from neuroscope.base import events, settings
from neuroscope.base.errors import InputError, Interrupted, ModelError
from neuroscope.base.recipe import Recipe
from neuroscope.judge.metrics import METRICS
from neuroscope.runs import artefact
from neuroscope.runs.folder import RunFolder
from neuroscope.verbs._climb import trials
from neuroscope.verbs._climb.rung_run import RungRun
from neuroscope.verbs._prepare import DataOptions
from neuroscope.verbs.load import load
from neuroscope.verbs.train import TrainOptions, resume, show_recipe, train


def test_an_interrupted_run_goes_on_to_the_same_weights() -> None:
    options = TrainOptions(rungs=("majority", "neuron", "dense"), epochs=6, name="stopped")
    whole = train("wine", options=TrainOptions(rungs=options.rungs, epochs=6))

    def stop_in_dense(event: events.Event) -> None:
        if isinstance(event, events.FoldFinished) and event.rung == "dense":
            raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="--resume") as caught:
        train("wine", options=options, monitor=stop_in_dense)
    name = caught.value.remedy.split()[-1]
    told = events.WarningRaised(rung="neuron", message="told before the stop")
    folder = RunFolder.open(name, settings.runs_folder())
    folder.monitor(told)
    folder.close()
    resumed = resume("stopped")  # the name that was given finds the run, as elsewhere
    assert told.text in resumed["warnings"]
    assert resumed["chosen"] == whole["chosen"]
    ours, theirs = (artefact.load(r["model"]).weights for r in (resumed, whole))
    assert all(np.array_equal(ours[key], theirs[key]) for key in theirs)
    assert [r["value"] for r in resumed["rungs"]] == [r["value"] for r in whole["rungs"]]


def test_a_run_from_memory_needs_its_data_again_to_resume() -> None:
    table = pa.table({"x": np.arange(40.0), "y": [0, 1] * 20})
    result = train(table, options=TrainOptions(rungs=("majority",)))
    with pytest.raises(InputError, match="from memory"):
        resume(result["name"])


@pytest.mark.parametrize("lost", ["result.json", "model.neuroscope"])
def test_a_finished_run_makes_again_what_it_lost_and_is_not_resumed_else(lost: str) -> None:
    options = TrainOptions(rungs=("majority", "neuron"), epochs=2)
    whole = train("wine", options=options)
    weights = artefact.load(whole["model"]).weights
    folder = RunFolder.open(whole["name"], settings.runs_folder())
    with pytest.raises(InputError, match="is finished"):
        resume(folder.name)
    (folder.path / lost).unlink()
    if lost == "model.neuroscope":
        with pytest.raises(ModelError, match=r"its model\.neuroscope is missing") as caught:
            load(folder.path)
        assert caught.value.remedy.startswith("make it again, from the same data")
    again = resume(folder.name)
    assert (again["chosen"], again["test"]) == (whole["chosen"], whole["test"])
    theirs = artefact.load(again["model"]).weights
    assert all(np.array_equal(weights[key], theirs[key]) for key in theirs)
    assert folder.lost == ()


def interrupted(*, options: TrainOptions, data: DataOptions | None = None) -> str:
    """Return the name of a run that was stopped after its neuron."""

    def stop(event: events.Event) -> None:
        if isinstance(event, events.RungFinished) and event.rung == "neuron":
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        train("wine", data, options, monitor=stop)
    return caught.value.remedy.split()[-1]


def test_a_run_is_not_resumed_with_another_recipe(tmp_path) -> None:
    path = tmp_path / "recipe.json"
    shown = show_recipe("wine", DataOptions(), TrainOptions(rungs=("neuron",), epochs=3))
    path.write_text(json.dumps(shown))
    name = interrupted(options=TrainOptions(recipe=str(path)))
    for edited in (json.dumps(shown | {"epochs": 4}), None):
        path.write_text(edited) if edited else path.unlink()
        with pytest.raises(InputError, match=r"recipe\.json is not what it was when the run began"):
            resume(name)
    path.write_text(json.dumps(shown))
    assert resume(name)["recipe"]["epochs"] == 3


def test_a_run_is_not_resumed_with_another_schema(tmp_path) -> None:
    path = tmp_path / "schema.json"
    path.write_text(json.dumps({"ash": {"role": "ignore"}}))
    options = TrainOptions(rungs=("majority", "neuron"), epochs=2)
    name = interrupted(options=options, data=DataOptions(schema=str(path)))
    path.write_text(json.dumps({"hue": {"role": "ignore"}}))
    with pytest.raises(InputError, match=r"schema\.json is not what it was when the run began"):
        resume(name)
    path.write_text(json.dumps({"ash": {"role": "ignore"}}))
    roles = {c["name"]: c["role"] for c in resume(name)["schema"]["columns"]}
    assert roles["ash"] == "ignore"


@pytest.mark.parametrize(("spent", "left"), [(40.0, "54 s"), (5000.0, "9 s")])
def test_a_resumed_run_has_what_is_left_of_its_budget_and_a_tenth_at_least(spent, left) -> None:
    name = interrupted(options=TrainOptions(rungs=("majority", "neuron"), epochs=2, budget=100.0))
    folder = RunFolder.open(name, settings.runs_folder())
    state, arrays = folder.restore()
    assert 0 < state["spent"] < 60
    folder.checkpoint(state | {"spent": spent}, arrays)
    result = resume(name)
    (said,) = [warning for warning in result["warnings"] if "time budget" in warning]
    assert f"goes on with {left} of its time budget: {spent:,.0f} s were used" in said
    assert spent < result["seconds"] < spent + 60
    assert [rung["status"] for rung in result["rungs"]] == ["done", "done"]


def test_without_a_limit_nothing_is_said_of_the_budget() -> None:
    name = interrupted(options=TrainOptions(rungs=("majority", "neuron"), epochs=2, budget=None))
    assert not [warning for warning in resume(name)["warnings"] if "budget" in warning]


@pytest.mark.parametrize(("tried", "given"), [({}, 0.0), ({(0, 0): np.zeros(3)}, 4.0)])
def test_folds_that_were_left_have_the_time_of_the_others(monkeypatch, tried, given) -> None:
    seconds: list[float] = []

    def fit(training, recipe, watch) -> SimpleNamespace:
        seconds.append(watch.seconds)
        return SimpleNamespace(parameters=1)

    monkeypatch.setattr(trials, "score", lambda *_: 0.5)
    rung = SimpleNamespace(fit=fit, SHARE=1.0, PARALLEL=False, YARDSTICK=False,
                           REFITTED=True)  # fmt: skip
    problem = SimpleNamespace(split=SimpleNamespace(method="random"))
    part = SimpleNamespace(problem=problem, predict_held=lambda learner: np.zeros(3))
    run = RungRun("dense", fold_seconds=4.0, tried=tried)
    trials.Trials(rung, run, [part, part], METRICS["roc_auc"], 1e-9, events.ignore,
                   threading.Event(), lambda: None).fit([Recipe()])  # fmt: skip
    assert set(seconds) == {given}
    assert set(run.folds) == {0, 1}
