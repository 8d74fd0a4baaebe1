"""The ground floor: errors read as one line, recipes and events survive JSON, seeds repeat."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuroscope.base import events, randomness
from neuroscope.base.catalogue import Catalogue
from neuroscope.base.errors import (
    InputError,
    Interrupted,
    NeuroscopeError,
    RecipeError,
    SourceError,
    did_you_mean,
)
from neuroscope.base.recipe import DEEP_ONLY, HIDDEN_ACTIVATIONS, OPTIMIZERS, Recipe


def test_an_error_reads_as_one_line_with_place_and_remedy() -> None:
    error = SourceError("3 columns,\nnot 4", where="row 7", remedy="mend the row").at("a.csv")
    assert str(error) == "a.csv: row 7: 3 columns, not 4; mend the row"


def test_exit_codes_follow_the_tree() -> None:
    assert (SourceError("x").exit_code, NeuroscopeError("x").exit_code) == (2, 1)
    assert Interrupted("x").exit_code == 130


def test_near_names_are_suggested_and_far_names_are_not() -> None:
    assert did_you_mean("churn?", ["Churn", "tenure"]) == "did you mean 'Churn'?"
    assert did_you_mean("zzz", ["Churn", "tenure"]) == ""


@given(
    hidden=st.lists(st.integers(1, 512), max_size=4),
    activation=st.sampled_from(HIDDEN_ACTIVATIONS),
    optimizer=st.sampled_from(OPTIMIZERS),
    learning_rate=st.floats(1e-6, 10, allow_nan=False),
)
def test_a_recipe_survives_json(hidden, activation, optimizer, learning_rate) -> None:
    recipe = Recipe(
        hidden=tuple(hidden),
        activation=activation,
        optimizer=optimizer,
        learning_rate=learning_rate,
    ).because("200 rows", batch_size=16)
    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe
    assert recipe.reasons == {"batch_size": "200 rows"}


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"learning_rat": 1}, "did you mean 'learning_rate'?"),
        ({"activation": "rellu"}, "did you mean 'relu'?"),
        ({"dropout": 1.0}, "from 0 to below 1"),
        ({"learning_rate": float("nan")}, "above 0"),
        ({"batch_size": 0}, "at least 1"),
        ({"hidden": [0]}, "at least 1 unit"),
        ({"class_weight": "even"}, "balanced"),
        ({"epochs": "many"}, "at least 1"),
        ({"accumulate": 0}, "at least 1"),
        ({"accumulate": 1.5}, "without a fraction"),
        ({"mixup": -1}, "0 or more"),
        ({"average": 1.0}, "from 0 to below 1"),
        ({"layer_decay": 0}, "above 0 and up to 1"),
        ({"augment": ["flipp"]}, "did you mean 'flip'?"),
        ({"backbone": 3}, "a name or a folder"),
        ({"precision": "bfloat"}, "did you mean 'bfloat16'?"),
    ],
)
def test_a_wrong_recipe_says_what_to_do(record, said) -> None:
    with pytest.raises(RecipeError) as caught:
        Recipe.from_json(record)
    assert said in str(caught.value)


def test_a_recipe_holds_finite_numbers_and_counts_in_whole_ones() -> None:
    for name in ("learning_rate", "l2", "clip_norm", "epsilon", "huber_delta", "epochs"):
        with pytest.raises(RecipeError, match=f"{name} is inf"):
            Recipe(**{name: math.inf})
    recipe = Recipe(epochs=5.0, batch_size=32.0, patience=2.0, seed=3.0, numeric_bins=4.0)
    assert recipe == Recipe(epochs=5, batch_size=32, patience=2, seed=3, numeric_bins=4)
    assert all(type(getattr(recipe, name)) is int for name in ("epochs", "batch_size", "seed"))
    for name in ("seed", "numeric_bins", "batch_size"):
        with pytest.raises(RecipeError, match="without a fraction"):
            Recipe(**{name: 1.5})


def test_a_recipe_of_the_torch_half_survives_json_and_an_old_one_loads() -> None:
    recipe = Recipe(augment=("flip", "shift"), mixup=0.2, average=0.99, precision="bfloat16")
    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe
    old = {name: v for name, v in Recipe().to_json().items() if name not in DEEP_ONLY}
    assert Recipe.from_json(old) == Recipe()


@pytest.mark.parametrize(
    "set_choice",
    [{"accumulate": 2}, {"mixup": 0.1}, {"cutmix": 1.0}, {"average": 0.9}, {"layer_decay": 0.5},
     {"augment": ("flip",)}, {"image_size": 32}, {"width": 8}, {"backbone": "x"}, {"unfreeze": 1},
     {"precision": "bfloat16"}],
)  # fmt: skip
def test_what_only_torch_nets_follow_is_refused_by_name(set_choice) -> None:
    with pytest.raises(RecipeError, match=f"{next(iter(set_choice))} is .* the neuron core does"):
        Recipe(**set_choice).refuse_deep("the neuron core")
    Recipe(precision="float64", hidden=(4,), l2=0.1).refuse_deep("the neuron core")


def test_a_recipe_file_that_is_not_json_names_the_file(tmp_path) -> None:
    path = tmp_path / "recipe.json"
    path.write_text("{")
    with pytest.raises(RecipeError, match=r"recipe\.json: not a JSON file"):
        Recipe.read(path)


def test_events_survive_json_and_unknown_kinds_are_passed_over() -> None:
    event = events.RungFinished(
        rung="neuron", metric="roc_auc", value=0.8, interval=(0.7, 0.9), seconds=1.0,
        parameters=3, status="done",
    )  # fmt: skip
    assert events.from_json(json.loads(json.dumps(events.to_json(event)))) == event
    assert events.from_json({"kind": "FromTheFuture"}) is None
    endless = events.GradientFlow(rung="dense", fold=0, epoch=1, norms=(1.0, float("inf")))
    assert events.to_json(endless)["norms"] == [1.0, None]


def test_generators_repeat_and_differ_by_name() -> None:
    draw = [randomness.generator(3, *names).random(4) for names in (["a"], ["a"], ["b"], ["a", 1])]
    assert np.array_equal(draw[0], draw[1])
    assert not np.array_equal(draw[0], draw[2])
    assert not np.array_equal(draw[0], draw[3])


def test_a_catalogue_lists_without_importing_and_suggests() -> None:
    catalogue = Catalogue("neuroscope.base", "room")
    assert "errors" in catalogue.names()
    assert catalogue.get("errors").InputError is InputError
    with pytest.raises(InputError, match="did you mean 'errors'"):
        catalogue.get("error")


@pytest.mark.parametrize(
    ("message", "rung", "cut"),
    [
        ("epochs: 40 planned, cut to the time budget", "dense", True),
        ("epochs: 40 planned, stopped by the time budget", "dense", True),
        ("the gradient vanishes", "dense", False),
        ("the time budget is used", "", False),
    ],
)
def test_a_warning_says_whether_the_budget_cut_a_rung_short(message, rung, cut) -> None:
    assert events.WarningRaised(message=message, rung=rung).cut_short is cut
