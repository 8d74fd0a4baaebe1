"""What a fitted rung looks at, and the linear neuron beside its closed form."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from test_rungs import fitted, problem

from neuroscope.judge.metrics import METRICS
from neuroscope.tasks._learning import predict
from neuroscope.tasks._rows.closed_form import closed_form
from neuroscope.tasks._rows.explained import explained, importance, weights

PRIMARY = {"regression": "r2", "binary": "roc_auc", "multiclass": "accuracy"}


@pytest.mark.parametrize("kind", PRIMARY)
@pytest.mark.parametrize("name", ["neuron", "dense", "trees"])
def test_the_column_that_decides_comes_first(name, kind) -> None:
    """The target follows from 2a - b; c and color are noise."""
    posed = problem(kind)
    _, learner, _ = fitted(name, posed)
    found = importance(posed, learner, posed.split.test, METRICS[PRIMARY[kind]])
    assert [entry["column"] for entry in found][:2] == ["a", "b"]
    assert {entry["column"] for entry in found} == {"a", "b", "c", "color"}
    low, high = found[0]["interval"]
    assert 0 < low < found[0]["drop"] < high
    assert found[0]["share"] > 0.5
    json.dumps(found, allow_nan=False)


def test_a_loss_is_positive_also_where_less_is_better() -> None:
    posed = problem("regression")
    _, learner, _ = fitted("neuron", posed)
    assert importance(posed, learner, posed.split.test, METRICS["rmse"])[0]["drop"] > 1


def test_guessing_looks_at_nothing() -> None:
    posed = problem("binary")
    _, learner, valid = fitted("majority", posed)
    assert explained(posed, learner, valid, METRICS["roc_auc"]) == {}
    assert importance(posed, learner, valid, METRICS["roc_auc"]) == []


def test_no_time_no_importance() -> None:
    posed = problem("binary")
    _, learner, valid = fitted("neuron", posed)
    assert explained(posed, learner, valid, METRICS["roc_auc"], seconds=0.05) == {}
    assert explained(posed, learner, valid, METRICS["roc_auc"], seconds=5)["importance"]


def test_weights_of_a_linear_neuron_are_the_slope_of_its_answer() -> None:
    """y = 100 + 14 a - 7 b: a standard deviation of each adds about 14 and -7."""
    posed = problem("regression")
    _, learner, valid = fitted("neuron", posed)
    found = weights(posed, learner, valid)
    assert found is not None
    assert found["unit"] == "target"
    first, second = found["features"][:2]
    assert (first["column"], second["column"]) == ("a", "b")
    assert first["effects"][0] == pytest.approx(14, rel=0.2)
    assert second["effects"][0] == pytest.approx(-7, rel=0.3)


def test_weights_speak_of_the_positive_class_and_of_each_of_several() -> None:
    posed = problem("binary")
    _, learner, valid = fitted("neuron", posed)
    found = weights(posed, learner, valid)
    assert found is not None
    assert found["outputs"] == ["yes"]
    assert found["features"][0]["effects"][0] > 0
    halved = weights(posed, learner, valid, temperature=2.0)
    assert halved is not None
    assert halved["features"][0]["effects"][0] == pytest.approx(
        found["features"][0]["effects"][0] / 2
    )
    posed = problem("multiclass")
    _, learner, valid = fitted("neuron", posed)
    found = weights(posed, learner, valid)
    assert found is not None
    assert found["outputs"] == ["0", "1", "2"]
    low, _, high = found["features"][0]["effects"]
    assert low < 0 < high


def test_a_net_with_hidden_layers_and_trees_have_no_weights_to_read() -> None:
    posed = problem("binary")
    for name in ("dense", "trees"):
        _, learner, valid = fitted(name, posed)
        assert weights(posed, learner, valid) is None


def _descent(posed, **changes):
    rung, learner, valid = fitted("neuron", posed)
    if changes:
        train = posed.training(posed.split.folds[0][0])
        from neuroscope.tasks._learning import Watch

        recipe = replace(learner.recipe, **changes)
        learner = rung.fit(train, recipe, Watch("neuron"))
    return learner.recipe, predict(posed, learner, valid)


def test_descent_arrives_where_the_closed_form_does() -> None:
    posed = problem("regression")
    recipe, said = _descent(posed)
    found = closed_form(posed, recipe, said)
    assert found is not None
    assert abs(found["difference"]) < 0.005
    assert found["largest_difference"] < 1.5
    assert found["sentence"].startswith("Descent arrived where the closed form does")
    assert found["rows"] == len(posed.split.folds[0][1])


def test_the_closed_form_is_scikit_learns_ridge() -> None:
    from sklearn.linear_model import Ridge

    posed = problem("regression")
    recipe, said = _descent(posed)
    training = posed.training(posed.split.folds[0][0])
    encoder, x = training.encoded()
    ridge = Ridge(alpha=recipe.l2 * len(x)).fit(x.astype(np.float64), training.y)
    held = encoder.transform(posed.table, posed.split.folds[0][1]).x
    solved = posed.codec.decode(ridge.predict(held.astype(np.float64)))
    found = closed_form(posed, recipe, said)
    assert found is not None
    assert found["largest_difference"] == pytest.approx(np.abs(solved - said).max(), rel=1e-3)


def test_descent_cut_short_is_told() -> None:
    posed = problem("regression")
    recipe, said = _descent(posed, epochs=1, learning_rate=1e-4)
    found = closed_form(posed, recipe, said)
    assert found is not None
    assert found["difference"] < -0.1
    assert "short of the best weights" in found["sentence"]


def test_no_closed_form_where_there_is_none() -> None:
    posed = problem("regression")
    recipe, said = _descent(posed)
    others = {"l1": 0.1}, {"loss": "huber"}, {"hidden": (4,)}
    assert all(closed_form(posed, replace(recipe, **change), said) is None for change in others)
    decays = replace(recipe, optimizer="adamw", weight_decay=0.1)
    assert closed_form(posed, decays, said) is None
    assert closed_form(posed, None, said) is None
    assert closed_form(problem("binary"), recipe, said) is None
