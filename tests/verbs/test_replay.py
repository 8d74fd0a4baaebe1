"""A recipe replays its run; one that cannot be followed leaves no trace."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from neuroscope.base import settings
from neuroscope.base.errors import InputError, RecipeError
from neuroscope.runs import artefact
from neuroscope.verbs._prepare import DataOptions
from neuroscope.verbs.train import TrainOptions, show_recipe, train


def recipe_of(result: dict) -> str:
    return str(Path(result["report"]).with_name("recipe.json"))


def same_weights(first: dict, second: dict) -> bool:
    ours, theirs = (artefact.load(result["model"]).weights for result in (first, second))
    return all(np.array_equal(ours[name], theirs[name]) for name in ours)


@pytest.fixture(scope="module")
def first(tmp_path_factory) -> dict:
    runs = str(tmp_path_factory.mktemp("first"))
    options = TrainOptions(rungs=("majority", "neuron"), epochs=7, seed=5, out=runs)
    return train("wine", options=options)


def test_a_recipe_alone_replays_a_run_exactly(first) -> None:
    again = train("wine", options=TrainOptions(recipe=recipe_of(first)))
    assert [rung["name"] for rung in again["rungs"]] == ["majority", "neuron"]
    assert (again["seed"], again["test"]) == (5, first["test"])
    assert [r["value"] for r in again["rungs"]] == [r["value"] for r in first["rungs"]]
    assert same_weights(first, again)
    assert "--seed 5" in again["reproduce"]


def test_a_seed_beside_a_recipe_is_the_seed_of_split_and_weights(first) -> None:
    other = train("wine", options=TrainOptions(recipe=recipe_of(first), seed=6))
    assert other["seed"] == other["recipe"]["seed"] == 6
    assert other["recipe"]["reasons"]["seed"] == "as asked"
    assert not same_weights(first, other)
    again = train("wine", options=TrainOptions(recipe=recipe_of(other)))
    assert same_weights(other, again)


def test_the_recipe_that_is_shown_is_the_one_given(first) -> None:
    shown = show_recipe("wine", DataOptions(), TrainOptions(recipe=recipe_of(first), epochs=3))
    assert (shown["net"], shown["seed"], shown["epochs"]) == ("neuron", 5, 3)
    assert shown["learning_rate"] == first["recipe"]["learning_rate"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"device": "cuda"}, "runs on the processor"),
        ({"loss": "cross_entropy"}, "change it to binary_cross_entropy"),
        ({"net": "trees"}, "follows no recipe"),
        ({"net": "conv"}, "unknown rung 'conv'"),
    ],
)
def test_a_recipe_that_cannot_be_followed_is_refused_before_there_is_a_run(
    tmp_path, changes, said
) -> None:
    options = TrainOptions(rungs=("neuron",), epochs=3)
    shown = show_recipe("breast-cancer", DataOptions(), options)
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(shown | changes))
    with pytest.raises(InputError, match=said):
        train("breast-cancer", options=TrainOptions(recipe=str(path)))
    assert not settings.runs_folder().exists()


def test_a_recipe_for_a_rung_that_is_not_climbed_is_refused(tmp_path) -> None:
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps({"net": "dense"}))
    with pytest.raises(RecipeError, match="add dense to --rungs"):
        train("iris", options=TrainOptions(rungs=("neuron",), recipe=str(path)))


def wild(tmp_path: Path, learning_rate: float) -> TrainOptions:
    """Return options with a recipe whose steps are too large."""
    shown = show_recipe("diabetes", DataOptions(), TrainOptions(rungs=("neuron",), epochs=3))
    shown |= {"optimizer": "sgd", "learning_rate": learning_rate, "schedule": "constant",
              "batch_size": 4}  # fmt: skip
    path = tmp_path / "wild.json"
    path.write_text(json.dumps(shown))
    return TrainOptions(recipe=str(path))


def test_the_learning_rate_is_halved_when_the_loss_diverges(tmp_path) -> None:
    result = train("diabetes", options=wild(tmp_path, 30.0))
    warning = "begun again with learning rate 15, half of what it was"
    assert any(warning in said for said in result["warnings"])
    assert result["rungs"][1]["status"] == "done"


def test_a_rung_that_diverges_at_every_learning_rate_fails_and_the_run_does_not(tmp_path) -> None:
    result = train("diabetes", options=wild(tmp_path, 1e20))
    assert result["rungs"][1]["status"].startswith("failed: the loss stopped being finite")
    assert result["rungs"][1]["value"] is None
    assert (result["chosen"], result["usable"]) == ("majority", False)
