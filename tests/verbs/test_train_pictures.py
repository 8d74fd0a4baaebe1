"""The climb on pictures, end to end: folders, arrays, a table of paths; stopped and bad input."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save
from tests.cli.cli_running import environment, run_here
from tests.shapes import shapes, write
from tests.tasks.posing import posed

from neuroscope.base import settings
from neuroscope.base.errors import InputError, Interrupted, ModelError, RecipeError, TargetError
from neuroscope.base.events import (
    CheckpointSaved,
    EpochEnded,
    Event,
    FoldFinished,
    Progress,
    RungFinished,
    WarningRaised,
)
from neuroscope.runs import artefact
from neuroscope.runs.folder import RunFolder
from neuroscope.tasks._pictures import backbones
from neuroscope.tasks._pictures.encoders import FeatureEncoder, Store
from neuroscope.train import loop
from neuroscope.verbs._climb import trials
from neuroscope.verbs._prepare import DataOptions
from neuroscope.verbs.judge import judge
from neuroscope.verbs.load import load
from neuroscope.verbs.look import look
from neuroscope.verbs.predict import predict
from neuroscope.verbs.trace_row import trace_row
from neuroscope.verbs.train import TrainOptions, resume, show_recipe, train

QUICK = TrainOptions(rungs=("majority", "neuron"), epochs=3, budget=None)
ALONE = TrainOptions(rungs=("convolution",), epochs=1, budget=None)
DEEP = TrainOptions(rungs=("majority", "convolution"), epochs=12, budget=None)


def run_of(result: dict) -> RunFolder:
    return RunFolder(Path(result["report"]).parent)


def named(result: dict) -> dict[str, dict]:
    return {rung["name"]: rung for rung in result["rungs"]}


def same_weights(one: dict, other: dict) -> bool:
    ours, theirs = (artefact.load(result["model"]).weights for result in (one, other))
    return ours.keys() == theirs.keys() and all(np.array_equal(ours[n], theirs[n]) for n in ours)


def refused(*arguments: str, capsys) -> str:
    """Run the command line and return the one line it complains with."""
    done = run_here(capsys, "train", *arguments)
    assert done.code == 2, done.err
    return done.complaint


# From every source to a model in use


def test_a_folder_of_pictures_becomes_a_model() -> None:
    root = write("p", *shapes(3, 30))
    seen: list[Event] = []
    result = train("p", DataOptions(target="label"), DEEP, monitor=seen.append)
    assert json.loads(json.dumps(result)) == result
    assert (result["task"], result["target"], result["kind"]) == (
        "image_classes", "label", "multiclass",
    )  # fmt: skip
    assert sum(result["rows"][part] for part in ("train", "valid", "test")) == 90
    assert result["rows"]["folds"] == 5
    rungs = named(result)
    assert list(rungs) == ["majority", "convolution"]
    assert rungs["convolution"]["status"] == "done"
    assert result["chosen"] == "convolution"
    assert result["test"]["accuracy"] > 0.7
    epochs = [e for e in seen if isinstance(e, EpochEnded) and e.rung == "convolution"]
    assert {e.fold for e in epochs} == {-1, 0, 1, 2, 3, 4}
    write("new", *shapes(3, 4, seed=5))
    for place in Path("new").rglob("*.png"):  # without folders: nobody says what they show
        place.rename(Path("new", f"{place.parent.name}-{place.name}"))
    answer = predict(result["model"], "new", keep=("image",))["table"].to_pylist()
    right = [row["prediction"] == row["image"].partition("-")[0] for row in answer]
    assert np.mean(right) > 0.7
    judged = judge(result["model"], str(write("more", *shapes(3, 10, seed=6))))
    figures = {score["name"]: score["value"] for score in judged["scores"]}
    assert figures["accuracy"] > 0.7
    assert root.is_dir()


def test_what_a_finished_run_keeps_and_what_it_does_not() -> None:
    write("p", *shapes(2, 20))
    scratch: list[set[str]] = []
    states: list[int] = []

    def look(event: Event) -> None:
        if isinstance(event, RungFinished):
            places = list(settings.runs_folder().glob("*/scratch/*"))
            scratch.append({place.suffix for place in places})
            states.append(len([place for place in places if place.name.startswith("fit-")]))

    result = train("p", options=DEEP, monitor=look)
    assert scratch[-1] == {".npy", ".safetensors"}  # the decoded pictures, the state of a fit
    assert states[-1] == 1  # that of the last fold; those before it are in the checkpoint
    kept = {path.name for path in run_of(result).path.iterdir()}
    assert {"report.html", "model.neuroscope", "events.jsonl", "result.json", "recipe.json"} <= kept
    assert "scratch" not in kept


def test_arrays_keep_their_own_test_part() -> None:
    (x, y), (x_test, y_test) = shapes(2, 30), shapes(2, 12, seed=1)
    np.savez("shapes.npz", x_train=x, y_train=y, x_test=x_test[..., 0:1], y_test=y_test)
    result = train("shapes.npz", options=QUICK)
    assert result["rows"]["test"] == 24
    assert result["task"] == "image_classes"
    assert result["test"]["accuracy"] > 0.8
    model = load(result["model"])
    assert np.mean(model.predict(x_test) == y_test) == pytest.approx(result["test"]["accuracy"])


def test_a_table_of_paths_and_labels(tmp_path) -> None:
    pictures, names = shapes(2, 20)
    write("stored", pictures, names)
    with Path("list.csv").open("w", newline="") as file:
        rows = [(str(p), p.parent.name) for p in sorted(Path("stored").rglob("*.png"))]
        csv.writer(file).writerows([("path", "label"), *rows])
    result = train("list.csv", options=QUICK)
    assert result["task"] == "image_classes"
    assert result["rows"]["test"] > 0
    by_folder = train("stored", options=QUICK)
    assert named(result)["neuron"]["parameters"] == named(by_folder)["neuron"]["parameters"]
    answer = predict(result["model"], "list.csv")["table"].column("prediction").to_pylist()
    assert np.mean(np.array(answer) == [name for _, name in rows]) > 0.8


def test_the_same_seed_gives_the_same_net_and_another_seed_does_not() -> None:
    write("p", *shapes(2, 15))
    first, again, other = (
        train("p", options=TrainOptions(rungs=("convolution",), epochs=2, budget=None, seed=seed))
        for seed in (1, 1, 2)
    )
    assert same_weights(first, again)
    assert not same_weights(first, other)


def test_a_recipe_of_a_net_replays_its_run() -> None:
    write("p", *shapes(2, 15))
    first = train("p", options=DEEP)
    recipe = str(run_of(first).path / "recipe.json")
    assert first["chosen"] == "convolution"
    second = train("p", options=TrainOptions(recipe=recipe, budget=None))
    assert same_weights(first, second)
    shown = show_recipe("p", DataOptions(), TrainOptions(rungs=("residual",)))
    assert (shown["net"], shown["image_size"]) == ("residual", 16)
    assert set(shown["reasons"]) >= {"image_size", "epochs", "batch_size", "precision", "augment"}


def test_pictures_that_were_learned_from_are_known_again_whatever_they_are_called() -> None:
    pictures, names = shapes(2, 20)
    write("p", pictures, names)
    model = train("p", options=QUICK)["model"]
    write("other", pictures[::-1], names[::-1])  # in another order, under other names
    assert any("trained on" in warning for warning in judge(model, "other")["warnings"])
    write("new", *shapes(2, 20, seed=9))
    assert judge(model, "new")["warnings"] == []


# Backbones


def test_transfer_from_a_folder_is_climbed_judged_and_told_on_the_card(pretrained) -> None:
    write("p", *shapes(2, 20, channels=3))
    folder = str(pretrained("convnext"))
    options = TrainOptions(rungs=("majority", "transfer", "fine_tuning"), epochs=10, budget=None)
    result = train("p", DataOptions(backbone=folder), options)
    assert all(rung["status"] == "done" for rung in result["rungs"])
    assert result["chosen"] != "majority"
    recipe = named(result)["fine_tuning"]["recipe"]
    assert recipe["backbone"] == folder
    card = artefact.load(result["model"]).card
    assert "apache-2.0" in card.licence_notes
    assert "sha256" in card.licence_notes
    model = load(result["model"])
    assert model.predict_proba("p").shape == (40, 2)


def test_a_run_of_ones_own_is_a_backbone() -> None:
    write("p", *shapes(3, 20))
    own = train("p", options=DEEP)
    assert own["chosen"] == "convolution"
    pictures, names = shapes(4, 20, seed=3)
    known = np.isin(names, ["bar", "corner"])
    write("q", pictures[known], names[known])
    options = TrainOptions(rungs=("majority", "transfer"), budget=None)
    places = (str(run_of(own).path), own["model"])
    results = [train("q", DataOptions(backbone=place), options) for place in places]
    assert results[0]["chosen"] == "transfer"
    assert results[0]["test"]["accuracy"] > 0.8
    assert named(results[0])["transfer"]["value"] == named(results[1])["transfer"]["value"]


def test_two_models_of_ones_own_are_two_backbones_and_are_told_on_the_card() -> None:
    write("p", *shapes(3, 20))
    owns = [train("p", options=replace(ALONE, seed=seed)) for seed in (0, 1)]
    problem = posed("p")
    store, rows = Store.of(problem), np.arange(4)
    opened = [backbones.open_backbone(own["model"]) for own in owns]
    encoders = [FeatureEncoder.fit(store, rows, backbone) for backbone in opened]
    assert encoders[0].key != encoders[1].key
    for own, backbone in zip(owns, opened, strict=True):
        card = artefact.load(own["model"]).card
        said = backbones.licence(backbone.origin)
        assert own["model"] in said
        assert card.checksums["weights.safetensors"] in said


def test_a_backbone_that_changes_on_disk_is_opened_again() -> None:
    write("p", *shapes(3, 20))
    place = Path(train("p", options=ALONE)["model"])
    first = backbones.open_backbone(str(place))
    assert backbones.open_backbone(str(place)) is first
    place.write_bytes(Path(train("p", options=replace(ALONE, epochs=2))["model"]).read_bytes())
    again = backbones.open_backbone(str(place))
    assert again.origin.sha256 != first.origin.sha256


def test_the_same_relative_name_elsewhere_is_another_backbone(monkeypatch, pretrained) -> None:
    kept = []
    for kind in ("resnet", "convnext"):
        Path(kind).mkdir()
        Path(kind, "net").symlink_to(pretrained(kind), target_is_directory=True)
        with monkeypatch.context() as there:
            there.chdir(kind)
            kept.append(backbones.open_backbone("net"))
    assert kept[0].record != kept[1].record


def test_a_model_that_is_no_net_is_no_backbone() -> None:
    write("p", *shapes(2, 15))
    own = train("p", options=QUICK)
    with pytest.raises(ModelError, match="no net of pictures") as caught:
        train("p", DataOptions(backbone=own["model"]), TrainOptions(rungs=("transfer",)))
    assert "\n" not in str(caught.value)


def test_rungs_that_lack_a_backbone_are_refused_when_asked_for(capsys, monkeypatch) -> None:
    monkeypatch.setattr(backbones, "_cached", lambda: iter(()))
    write("p", *shapes(2, 15))
    said = refused("p", "--rungs", "neuron,transfer", capsys=capsys)
    assert "--backbone" in said


def test_a_backbone_of_pickled_weights_is_refused(capsys, pretrained) -> None:
    write("p", *shapes(2, 15))
    spoilt = Path(shutil.copytree(pretrained("resnet"), "spoilt"))
    (spoilt / "model.safetensors").rename(spoilt / "pytorch_model.bin")
    said = refused("p", "--rungs", "majority,transfer", "--backbone", "spoilt", capsys=capsys)
    assert "safetensors" in said
    said = refused("p", "--backbone", "./nowhere", capsys=capsys)
    assert "nowhere" in said
    assert not list(settings.runs_folder().glob("*"))  # refused before there is a run


def _without_processor(folder: Path) -> None:
    (folder / "preprocessor_config.json").unlink()


def _another_tensor(folder: Path) -> None:
    place = folder / "model.safetensors"
    place.write_bytes(save(load_tensors(place.read_bytes()) | {"odd.part": np.zeros(3)}))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [(_without_processor, "there is no preprocessor_config.json"), (_another_tensor, "odd.part")],
)
def test_what_is_odd_about_a_backbone_is_told_before_the_climb(spoil, words, pretrained) -> None:
    write("p", *shapes(2, 15, channels=3))
    odd = Path(shutil.copytree(pretrained("resnet"), "odd"))
    spoil(odd)
    told: list[str] = []

    def listen(event: Event) -> None:
        told.append(event.message if isinstance(event, WarningRaised) else event.kind)

    train("p", DataOptions(backbone="odd"), TrainOptions(rungs=("transfer",), epochs=1),
          monitor=listen)  # fmt: skip
    said = next(place for place, text in enumerate(told) if words in text)
    assert said < told.index("RungStarted")


def test_a_backbone_that_lacks_a_tensor_is_refused_before_the_climb(capsys, pretrained) -> None:
    write("p", *shapes(2, 15))
    place = Path(shutil.copytree(pretrained("resnet"), "lacking")) / "model.safetensors"
    tensors = load_tensors(place.read_bytes())
    gone = next(name for name in tensors if name.endswith("convolution.weight"))
    place.write_bytes(save({name: a for name, a in tensors.items() if name != gone}))
    assert "lack" in refused("p", "--backbone", "lacking", capsys=capsys)
    assert not list(settings.runs_folder().glob("*"))


@pytest.mark.parametrize("source", ["p", "breast-cancer"])
def test_a_backbone_that_no_rung_uses_is_refused(source, capsys, pretrained) -> None:
    write("p", *shapes(2, 15))
    place = str(pretrained("resnet"))
    said = refused(source, "--rungs", "neuron", "--backbone", place, capsys=capsys)
    assert "no rung of this climb uses the backbone" in said


# Stopped and killed


def test_a_costly_fold_is_kept_before_the_next_one_begins(monkeypatch) -> None:
    monkeypatch.setattr(trials, "_SAVE_SECONDS", 0.0)
    write("p", *shapes(2, 15))
    kept: dict[int, set[str]] = {}

    def look(event: Event) -> None:
        if isinstance(event, EpochEnded) and event.rung == "convolution" and event.fold >= 0:
            (place,) = settings.runs_folder().glob("*/checkpoint.safetensors")
            with safe_open(place, framework="numpy") as stored:
                kept[event.fold] = {name for name in stored.keys() if "convolution" in name}  # noqa: SIM118

    train("p", options=DEEP, monitor=look)
    assert kept[2] == {"convolution.0.0", "convolution.0.1"}


def test_ctrl_c_in_the_middle_of_a_net_goes_on_to_the_same_weights(monkeypatch) -> None:
    monkeypatch.setattr(loop, "Watch", partial(loop.Watch, checkpoint_seconds=0.0))
    write("p", *shapes(2, 20))
    options = TrainOptions(rungs=("majority", "convolution"), epochs=4, budget=None, name="stopped")
    whole = train("p", options=options)
    seen: list[int] = []

    def stop(event: Event) -> None:
        if isinstance(event, EpochEnded) and event.fold == 2:
            seen.append(event.epoch)
            if event.epoch == 3:
                raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="--resume") as caught:
        train("p", options=options, monitor=stop)
    name = caught.value.remedy.split()[-1]
    (state,) = (settings.runs_folder() / name / "scratch").glob("fit-*.safetensors")
    assert "-2-" in state.name
    resumed_epochs: list[Event] = []
    resumed = resume(name, monitor=resumed_epochs.append)
    told = [(e.fold, e.epoch) for e in resumed_epochs if isinstance(e, EpochEnded)]
    assert told[0] == (2, 3)  # the epochs before it were saved, the folds before it are done
    assert same_weights(whole, resumed)
    assert named(whole)["convolution"]["value"] == named(resumed)["convolution"]["value"]
    assert not (settings.runs_folder() / name / "scratch").exists()


KILLED = """
import sys
from functools import partial
from neuroscope.train import loop
from neuroscope.verbs.train import TrainOptions, train

loop.Watch = partial(loop.Watch, checkpoint_seconds=0.0)

def tell(event):
    print(event.kind, getattr(event, "path", ""), flush=True)

options = TrainOptions(rungs=("majority", "convolution"), epochs=6, budget=None, name="killed")
train(sys.argv[1], options=options, monitor=tell)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_killed_process_goes_on_to_the_same_weights(monkeypatch) -> None:
    write("p", *shapes(2, 20))
    options = TrainOptions(rungs=("majority", "convolution"), epochs=6, budget=None, name="killed")
    with subprocess.Popen([sys.executable, "-c", KILLED, "p"], env=environment(), text=True,
                          stdout=subprocess.PIPE) as process:  # fmt: skip
        assert process.stdout is not None
        saved = 0
        for line in process.stdout:
            saved += line.startswith("CheckpointSaved") and "fit-" in line
            if saved == 3:
                process.send_signal(signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL
    (run,) = settings.runs_folder().glob("*-killed")
    assert list((run / "scratch").glob("fit-convolution-*.safetensors"))
    assert not (run / "result.json").exists()
    monkeypatch.setattr(loop, "Watch", partial(loop.Watch, checkpoint_seconds=0.0))
    seen: list[Event] = []
    resumed = resume(run.name, monitor=seen.append)
    first = next(event for event in seen if isinstance(event, EpochEnded))
    assert first.epoch > 1
    assert same_weights(resumed, train("p", options=options))


def test_checkpoints_of_a_fit_are_told_to_those_who_watch(monkeypatch) -> None:
    monkeypatch.setattr(loop, "Watch", partial(loop.Watch, checkpoint_seconds=0.0))
    write("p", *shapes(2, 15))
    seen: list[Event] = []
    train("p", options=DEEP, monitor=seen.append)
    places = {Path(e.path).name for e in seen if isinstance(e, CheckpointSaved)}
    assert "checkpoint.safetensors" in places
    assert any(name.startswith("fit-convolution") for name in places)
    assert sum(isinstance(e, FoldFinished) for e in seen) == 10


# Bad input


def test_one_class_is_refused(capsys) -> None:
    write("p", *shapes(1, 30))
    said = refused("p", capsys=capsys)
    assert "bar" in said or "one class" in said or "constant" in said


def test_a_class_of_one_picture_is_told_and_the_others_are_learned() -> None:
    write("p", *shapes(3, 20))
    for place in sorted(Path("p/stripe").iterdir())[1:]:
        place.unlink()
    result = train("p", options=QUICK)
    told = json.dumps([result["warnings"], result["findings"]])
    assert "stripe" in told
    assert result["chosen"] == "neuron"


def test_an_unreadable_picture_is_listed_and_left_out() -> None:
    write("p", *shapes(2, 20))
    Path("p/bar/0000.png").write_bytes(b"")
    whole = Path("p/bar/0002.png").read_bytes()
    Path("p/bar/0002.png").write_bytes(whole[: len(whole) // 2])
    Path("p/square/notes.txt").write_text("not a picture")
    seen: list[Event] = []
    result = train("p", options=QUICK, monitor=seen.append)
    assert sum(result["rows"][part] for part in ("train", "valid", "test")) == 38
    told = json.dumps([result["origin"], result["findings"], result["warnings"]])
    for name in ("bar/0000.png", "bar/0002.png", "square/notes.txt"):
        assert name in told


def test_a_picture_that_breaks_while_training_is_named() -> None:
    write("p", *shapes(2, 20))

    def spoil(event: Event) -> None:
        if event.kind == "RungStarted":
            Path("p/bar/0000.png").write_bytes(b"")

    with pytest.raises(InputError, match=r"bar/0000.png") as caught:
        train("p", options=TrainOptions(rungs=("convolution",), epochs=1), monitor=spoil)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("each", [1, 4])
def test_ten_thousand_classes_are_refused_in_one_line(each: int) -> None:
    rng = np.random.default_rng(0)
    labels = [f"class {i}" for i in range(10_000)] * each
    pictures = rng.integers(0, 256, (len(labels), 4, 4), dtype=np.uint8)
    with pytest.raises(TargetError, match="10,000 different words") as caught:
        train({"image": pictures, "label": labels}, options=QUICK)
    assert "\n" not in str(caught.value)
    assert ("at most 1,000 classes" in str(caught.value)) is (each > 1)


def test_many_classes_are_learned() -> None:
    labels = np.repeat(np.arange(200), 5)
    pictures = np.random.default_rng(0).integers(0, 256, (200, 6, 6), dtype=np.uint8)[labels]
    source = {"image": pictures, "label": [f"class {i}" for i in labels]}
    options = TrainOptions(rungs=("majority", "neuron", "convolution"), epochs=1, budget=30.0)
    result = train(source, options=options)
    assert all(rung["status"] == "done" for rung in result["rungs"])
    assert load(result["model"]).classes == tuple(sorted(set(source["label"])))


def test_a_rung_of_tables_is_none_of_pictures(capsys) -> None:
    write("p", *shapes(2, 15))
    with pytest.raises((RecipeError, InputError)) as caught:
        train("p", options=TrainOptions(rungs=("trees",)))
    assert "trees" in str(caught.value)


@pytest.mark.parametrize(
    ("rung", "said"), [("neuron", "pixel 1,1"), ("dense", "pixel 1,1"), ("transfer", "feature 1")]
)
def test_a_step_on_a_picture_can_be_traced(rung, said, pretrained) -> None:
    write("p", *shapes(3, 15, size=10))
    backbone = str(pretrained("resnet")) if rung == "transfer" else None
    options = TrainOptions(rungs=(rung,), epochs=1, budget=None)
    model = train("p", DataOptions(backbone=backbone), options)["model"]
    assert said in json.dumps(trace_row(model, "p", row=3))


def test_looking_at_the_files_shows_how_far_it_is() -> None:
    write("p", *shapes(2, 15))
    model = train("p", options=QUICK)["model"]
    for verb in (
        look,
        partial(judge, model),
        partial(predict, model),
        partial(train, options=QUICK),
    ):
        seen: list[Event] = []
        verb("p", monitor=seen.append)
        looked = [e for e in seen if isinstance(e, Progress) and "looking at" in e.label]
        assert looked
        assert all((e.done, e.total) == (30, 30) for e in looked)
        assert seen.index(looked[0]) == 1  # right after the first word, that the data are read


def test_what_is_told_of_pictures_calls_them_so() -> None:
    pictures, names = shapes(2, 15)
    pictures[1::2][:5] = pictures[1]  # copies, which are kept in one part
    write("p", pictures, names)
    told: list[str] = []

    def listen(event: Event) -> None:
        told.extend([event.message] if isinstance(event, WarningRaised) else [])

    train("p", options=QUICK, monitor=listen)
    assert any("pictures with identical features" in text for text in told)
    found = look("p")
    said = [*told, found["target"]["reason"], found["split"]["reason"], *found["split"]["notes"]]
    said += [f[part] for f in found["findings"] for part in ("what", "meaning", "remedy")]
    assert not [text for text in said if re.search(r"\brows?\b", text)]
