"""The default recipes are valid at any size, say why, and learn real tables well."""

from __future__ import annotations

import itertools

import pytest

from neuroscope.base.recipe import Recipe
from neuroscope.data.schema import infer_schema
from neuroscope.data.sources import read
from neuroscope.data.splits import plan_split
from neuroscope.data.task_kind import target_kind
from neuroscope.judge import metrics
from neuroscope.tasks import table as task
from neuroscope.tasks._learning import Watch, predict
from neuroscope.tasks._rows.defaults import dense_recipes, neuron_recipes
from neuroscope.tasks._rows.posing import pose
from neuroscope.tasks.rungs.table import RUNGS

ROWS = (10, 300, 5_634, 39_000, 1_000_000)
FEATURES = (1, 40, 900, 5_000)
KINDS = {"binary": 2, "multiclass": 30, "regression": 1}
SIZES = list(itertools.product(KINDS, ROWS, FEATURES))


def choices(recipe: Recipe) -> dict:
    return recipe.to_json() | {"reasons": None}


@pytest.mark.parametrize("make", [neuron_recipes, dense_recipes])
def test_every_choice_that_differs_from_the_plain_recipe_has_a_reason(make):
    plain = choices(Recipe(net="dense"))
    for kind, rows, features in SIZES:
        for recipe in make(kind, rows, features, KINDS[kind], 7):
            changed = {n for n, value in choices(recipe).items() if value != plain[n]}
            assert changed - {"net", "seed", "reasons"} <= set(recipe.reasons)
            assert all(recipe.reasons.values())


@pytest.mark.parametrize("make", [neuron_recipes, dense_recipes])
def test_lists_are_short_distinct_seeded_and_end_at_rate_0(make):
    for kind, rows, features in SIZES:
        found = make(kind, rows, features, KINDS[kind], 7)
        assert 2 <= len(found) <= 5
        assert len({repr(choices(recipe)) for recipe in found}) == len(found)
        for recipe in found:
            assert recipe.seed == 7
            assert recipe.schedule in ("cosine", "log_cosine")
            assert recipe.patience == 0
            assert Recipe.from_json(recipe.to_json()) == recipe


def test_the_loss_follows_the_kind():
    wanted = {"binary": "binary_cross_entropy", "multiclass": "cross_entropy",
              "regression": "mean_squared_error"}  # fmt: skip
    for kind, make in itertools.product(KINDS, (neuron_recipes, dense_recipes)):
        assert {r.loss for r in make(kind, 500, 10, KINDS[kind], 0)} == {wanted[kind]}


def test_the_neuron_is_one_layer_without_pieces_penalised_like_the_usual_regression():
    first, *others = neuron_recipes("binary", 500, 10, 2, 0)
    assert first.hidden == () and first.numeric_bins == 0
    assert first.l2 == pytest.approx(1 / 500)
    assert [r.l2 for r in others] == pytest.approx([10 / 500, 0.1 / 500])
    assert neuron_recipes("binary", 50, 100, 2, 0)[0].l2 == pytest.approx(10 / 50)


def test_work_and_memory_stay_bounded():
    for kind, rows, features in SIZES:
        for recipe in dense_recipes(kind, rows, features, KINDS[kind], 0):
            columns = features * max(recipe.numeric_bins, 1)
            assert columns <= max(8192, features)
            assert rows * columns <= max(4e8, rows * features)
            weights = (features + recipe.hidden[0]) * recipe.hidden[0]
            assert rows * recipe.epochs * weights < 2.5e11 or recipe.epochs == 4


def test_more_features_than_rows_are_held_tight():
    wide = dense_recipes("binary", 400, 5_000, 2, 0)
    assert {r.hidden for r in wide} == {(16, 16)}
    assert min(r.weight_decay for r in wide) > 1
    assert all(r.numeric_bins == 0 for r in wide)


def test_many_rows_begin_with_pieces_and_few_without():
    assert dense_recipes("regression", 400, 10, 1, 0)[0].numeric_bins == 0
    assert dense_recipes("regression", 40_000, 10, 1, 0)[0].numeric_bins > 0
    assert dense_recipes("regression", 1_000_000, 40, 1, 0)[0].epochs < 10


@pytest.mark.parametrize(
    ("name", "rung", "floor"),
    [
        ("breast-cancer", "neuron", 0.98),
        ("breast-cancer", "dense", 0.98),
        ("digits", "neuron", 0.93),
        ("digits", "dense", 0.96),
        ("diabetes", "neuron", 0.40),
        ("diabetes", "dense", 0.38),
        ("iris", "dense", 0.90),
    ],
)
def test_the_best_of_the_recipes_learns_real_tables(name, rung, floor):
    table = read(name)
    schema = infer_schema(table)
    kind = target_kind(table, schema).kind
    split = plan_split(table, schema, seed=0, task_kind=kind)
    problem = pose(task.ENCODING, table, schema, split, kind, seed=0)
    training = problem.training(split.development)
    module = RUNGS.get(rung)
    metric = metrics.find(metrics.primary_metric(kind, problem.y)[0])
    scores = []
    for recipe in module.recipes(training)[:2]:
        learner = module.fit(training, recipe, Watch())
        answer = predict(problem, learner, split.test)
        scores.append(metric(problem.y[split.test], answer))
    assert max(scores) >= floor


def test_label_smoothing_is_for_several_classes_only():
    smooth = {k: {r.label_smoothing for r in dense_recipes(k, 500, 10, KINDS[k], 0)} for k in KINDS}
    assert smooth == {"binary": {0.0}, "multiclass": {0.1}, "regression": {0.0}}


def test_recipes_are_values():
    first = dense_recipes("binary", 500, 10, 2, 0)
    assert first == dense_recipes("binary", 500, 10, 2, 0)
    assert first[0] != dense_recipes("binary", 500, 10, 2, 1)[0]
