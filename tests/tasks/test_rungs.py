"""Contract of the rungs: each fits every kind of answer, packs into plain arrays and comes back."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from neuroscope.base.errors import ModelError, SchemaError, TargetError
from neuroscope.base.recipe import Recipe
from neuroscope.data.schema import infer_schema
from neuroscope.data.splits import plan_split
from neuroscope.data.table import Origin, Table
from neuroscope.data.task_kind import target_kind
from neuroscope.judge.metrics import METRICS
from neuroscope.tasks import table as task
from neuroscope.tasks._learning import Problem, Watch, predict, thinned
from neuroscope.tasks._rows.posing import pose
from neuroscope.tasks._search import pick, pick_by_others, search, splits_for
from neuroscope.tasks.rungs.table import RUNGS

KINDS = ("binary", "multiclass", "regression")


def problem(kind: str, rows: int = 240, weight: bool = False) -> Problem:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((rows, 3))
    z = x @ [2.0, -1.0, 0.0]
    y = {
        "binary": np.where(z > 0, "yes", "no"),
        "multiclass": np.digitize(z, [-1, 1]),
        "multiclass4": np.digitize(z, [-2, 0, 2]),
        "regression": 100 + 7 * z,
    }[kind]
    columns = {"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "color": rng.choice(["r", "g"], rows)}
    columns |= {"w": rng.uniform(0.5, 1, rows)} if weight else {}
    table = Table(pa.table(columns | {"y": y}), Origin("test"))
    schema = infer_schema(table, target="y", weight="w" if weight else None)
    found = target_kind(table, schema).kind
    assert found == kind.removesuffix("4")
    split = plan_split(table, schema, seed=0, task_kind=found)
    return pose(task.ENCODING, table, schema, split, found, seed=0)


def fitted(name: str, posed: Problem):
    rung = RUNGS.get(name)
    train, valid = posed.split.folds[0]
    training = posed.training(train)
    candidates = rung.recipes(training)
    learner = rung.fit(training, candidates[0] if candidates else None, Watch(name))
    return rung, learner, valid


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", RUNGS.names())
def test_a_rung_learns_packs_and_comes_back_the_same(name, kind) -> None:
    posed = problem(kind)
    rung, learner, valid = fitted(name, posed)
    p = predict(posed, learner, valid)
    assert p.shape == ((len(valid),) if kind == "regression" else (len(valid), posed.classes))
    if kind != "regression":
        assert np.allclose(p.sum(axis=1), 1, atol=1e-6)
    metric = METRICS[{"regression": "r2", "binary": "roc_auc", "multiclass": "accuracy"}[kind]]
    if name != "majority":
        assert metric(posed.y[valid], p) > 0.6
    record, arrays = learner.pack()
    again = rung.unpack(json.loads(json.dumps(record)), arrays)
    x = learner.encoder.transform(posed.table, valid).x if learner.encoder else np.zeros((5, 0))
    assert np.array_equal(learner.predict(x), again.predict(x))
    assert learner.parameters == again.parameters > 0


@pytest.mark.parametrize("kind", KINDS)
def test_trees_as_arrays_predict_what_scikit_learn_predicts(kind) -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    from neuroscope.base import randomness

    posed = problem(kind)
    _, learner, valid = fitted("trees", posed)
    training = posed.training(posed.split.folds[0][0])
    x = training.encoded()[1]
    seed = randomness.integer(0, "trees")
    held = learner.encoder.transform(posed.table, valid).x
    held[0, 0] = np.nan
    if kind == "regression":
        model = HistGradientBoostingRegressor(random_state=seed).fit(x, training.y)
        assert np.allclose(model.predict(held), learner.predict(held), atol=1e-6)
    else:
        model = HistGradientBoostingClassifier(random_state=seed).fit(x, training.y)
        assert np.allclose(model.predict_proba(held), learner.predict(held), atol=1e-6)


@pytest.mark.parametrize("name", ["majority", "neuron", "dense", "trees"])
def test_row_weights_change_what_is_learned(name) -> None:
    posed = problem("binary", weight=True)
    assert posed.weights is not None
    positive = posed.y == 1
    tilted = Problem(**{**vars(posed), "weights": np.where(positive, 9.0, 1.0)})
    mean = [predict(p, fitted(name, p)[1], p.split.test)[:, 1].mean() for p in (posed, tilted)]
    assert mean[1] > mean[0] + 0.01


def test_the_search_keeps_the_better_recipe_and_says_why() -> None:
    posed = problem("binary", rows=400)
    rung = RUNGS.get("neuron")
    training = posed.training(posed.split.folds[0][0])
    good = Recipe(net="neuron", learning_rate=0.05, epochs=20)
    bad = Recipe(net="neuron", learning_rate=1e-9, epochs=1, init="zeros")
    for candidates in ([good, bad], [bad, good]):
        best, trials = search(rung, candidates, training, METRICS["roc_auc"], Watch("neuron"))
        assert best.learning_rate == good.learning_rate
        assert "kept by AUC of 2 recipes" in best.reasons["learning_rate"]
        assert len(trials) == 2
    alone, trials = search(rung, [good], training, METRICS["roc_auc"], Watch("neuron"))
    assert (alone, trials) == (good, [])


def test_the_first_candidate_stays_unless_another_is_clearly_better() -> None:
    steady = np.array([0.80, 0.81, 0.79, 0.80])
    luckier = steady + np.array([0.03, -0.025, 0.02, -0.02])
    better = steady + np.array([0.02, 0.03, 0.02, 0.03])
    assert pick(np.array([steady, luckier])) == 0
    assert pick(np.array([steady, luckier, better])) == 2
    assert pick(np.array([[0.7], [0.8]])) == 1
    assert pick(np.array([[np.nan] * 4, steady])) == 1


def test_each_fold_follows_what_the_others_pick() -> None:
    """The second recipe shines on fold 0 only: there the others keep the first one."""
    scores = np.array([[0.7, 0.7, 0.7, 0.7], [0.9, 0.69, 0.69, 0.69], [0.6, 0.8, 0.8, 0.8]])
    assert pick_by_others(scores, in_time=False) == [2, 0, 0, 0]
    assert pick_by_others(scores, in_time=True)[0] == 0
    assert pick_by_others(scores, in_time=True)[1] == 1
    assert pick_by_others(scores[:, :1], in_time=False) == [0]


def test_small_tables_are_searched_on_more_splits() -> None:
    assert splits_for(100) == 5
    assert splits_for(100_000) == 1


def test_a_fit_is_cut_to_its_seconds_and_says_so() -> None:
    posed = problem("binary", rows=2000)
    training = posed.training(posed.split.folds[0][0])
    recipe = Recipe(hidden=(256, 256), epochs=2000)
    rung = RUNGS.get("dense")
    learner = rung.fit(training, recipe, Watch("dense", seconds=1.0))
    assert learner.recipe.epochs < 2000
    assert "time budget" in learner.recipe.reasons["epochs"]


def test_early_stopping_holds_out_rows_of_its_own() -> None:
    posed = problem("regression", rows=400)
    training = posed.training(posed.split.folds[0][0])
    recipe = Recipe(hidden=(32,), epochs=200, patience=3, learning_rate=0.02)
    seen = []
    learner = RUNGS.get("dense").fit(training, recipe, Watch("dense", 1, seen.append))
    epochs = [event.epoch for event in seen if event.kind == "EpochEnded"]
    assert max(epochs) < 200
    assert all(event.valid_loss is not None for event in seen if event.kind == "EpochEnded")
    assert learner.recipe == recipe


def test_a_fit_that_the_clock_ends_keeps_its_best_weights(monkeypatch) -> None:
    from types import SimpleNamespace

    from neuroscope.tasks import _net

    training = problem("regression", rows=400).training(np.arange(300))
    recipe = Recipe(hidden=(32,), epochs=100, patience=99, learning_rate=0.05)
    ticks = iter([0.0] * 31 + [2e9])
    monkeypatch.setattr(_net, "time", SimpleNamespace(perf_counter=lambda: next(ticks)))
    seen = []
    stopped = _net.fit(training, recipe, Watch("dense", 1, seen.append, seconds=1e9))
    losses = [event.valid_loss for event in seen if event.kind == "EpochEnded"]
    best = 1 + int(np.argmin(losses))
    assert len(losses) == 31 > best
    monkeypatch.undo()
    again = _net.fit(training, replace(recipe, epochs=best), Watch("dense", 1))
    assert np.array_equal(stopped.network.theta, again.network.theta)


def test_layers_that_do_not_fit_together_are_refused() -> None:
    posed = problem("binary")
    rung, learner, _ = fitted("dense", posed)
    record, arrays = learner.pack()
    with pytest.raises(ModelError, match="fit together"):
        rung.unpack(record, arrays | {"layer1.bias": np.zeros(3, np.float32)})
    arrays.pop("layer2.weights")
    with pytest.raises(ModelError, match="cannot be read"):
        rung.unpack(record, arrays)


def test_bad_weights_name_the_row() -> None:
    table = Table(
        pa.table({"x": np.arange(30.0), "w": [1.0] * 29 + [-1.0], "y": [0, 1] * 15}), Origin("t")
    )
    schema = infer_schema(table, target="y", weight="w")
    split = plan_split(table, schema, seed=0, task_kind="binary")
    with pytest.raises(SchemaError, match="row 30"):
        pose(task.ENCODING, table, schema, split, "binary", seed=0)


@pytest.mark.parametrize("name", RUNGS.names())
@pytest.mark.parametrize("unseen", [(0,), (1,), (1, 3)])
def test_a_class_that_no_training_row_has_keeps_its_place(name, unseen) -> None:
    posed = problem("multiclass4")
    train = np.flatnonzero(~np.isin(posed.y, unseen))
    training = posed.training(train)
    rung = RUNGS.get(name)
    candidates = rung.recipes(training)
    learner = rung.fit(training, candidates[0] if candidates else None, Watch(name))
    p = predict(posed, learner, train)
    assert p.shape == (len(train), 4)
    assert np.allclose(p.sum(axis=1), 1, atol=1e-6)
    assert p[:, unseen].max() < 0.3
    if name != "majority":
        assert (p.argmax(axis=1) == posed.y[train]).mean() > 0.8
    record, arrays = learner.pack()
    x = learner.encoder.transform(posed.table, train).x if learner.encoder else np.zeros((5, 0))
    assert np.array_equal(learner.predict(x), rung.unpack(record, arrays).predict(x))


def test_trees_cut_to_a_budget_learn_nothing_from_the_rows_they_were_timed_on(monkeypatch) -> None:
    from neuroscope.tasks.rungs.table import trees

    posed = problem("binary", rows=2000)
    training = posed.training(posed.split.development)
    whole = trees.fit(training, None, Watch("trees"))
    monkeypatch.setattr(trees, "_ONE_THREAD_BELOW", 1000)
    monkeypatch.setattr(trees, "_TIMED_ROWS", 100)
    timed = trees.fit(training, None, Watch("trees", seconds=600.0))
    x = training.encoded()[1]
    assert np.allclose(whole.predict(x), timed.predict(x))


@pytest.mark.parametrize("seconds", [None, 600.0])
def test_trees_learn_a_class_of_one_row(monkeypatch, seconds) -> None:
    """Above 10,000 rows scikit-learn stops early, on rows it holds out of each class."""
    from neuroscope.tasks.rungs.table import trees

    rng = np.random.default_rng(0)
    x = rng.standard_normal(10_500)
    y = np.where(x > 0, "high", "low").astype(object)
    y[x.argmax()] = "single"
    table = Table(pa.table({"x": x, "y": pa.array(y, pa.string())}), Origin("t"))
    schema = infer_schema(table, target="y")
    split = plan_split(table, schema, seed=0, task_kind="multiclass")
    posed = pose(task.ENCODING, table, schema, split, "multiclass", seed=0)
    monkeypatch.setattr(trees, "_ONE_THREAD_BELOW", 1000)
    monkeypatch.setattr(trees, "_ROUNDS", 10)
    every = np.arange(table.rows)
    learner = trees.fit(posed.training(every), None, Watch("trees", seconds=seconds))
    assert learner.seen.all()


def test_the_search_keeps_groups_whole() -> None:
    from neuroscope.tasks._search import _parts

    rng = np.random.default_rng(0)
    site = rng.integers(0, 40, 400)
    columns = {"x": rng.standard_normal(400), "site": site, "y": rng.integers(0, 2, 400)}
    table = Table(pa.table(columns), Origin("t"))
    schema = infer_schema(table, target="y", group="site")
    split = plan_split(table, schema, seed=0, task_kind="binary")
    posed = pose(task.ENCODING, table, schema, split, "binary", seed=0)
    for part in _parts(posed.training(split.folds[0][0])):
        assert not np.intersect1d(site[part.rows], site[part.held]).size


def test_in_time_the_newest_rows_judge_a_recipe() -> None:
    from neuroscope.tasks._search import _parts

    rng = np.random.default_rng(0)
    day = rng.permutation(400)
    columns = {"x": rng.standard_normal(400), "day": day, "y": rng.integers(0, 2, 400)}
    table = Table(pa.table(columns), Origin("t"))
    schema = infer_schema(table, target="y", time="day")
    split = plan_split(table, schema, seed=0, task_kind="binary")
    posed = pose(task.ENCODING, table, schema, split, "binary", seed=0)
    (part,) = _parts(posed.training(split.folds[0][0]))
    assert day[part.rows].max() < day[part.held].min()


def lopsided(rows: int = 2000) -> Problem:
    """Return a problem with 2 rows of its second class in 100."""
    rng = np.random.default_rng(0)
    y = np.where(np.arange(rows) % 50 == 0, "rare", "usual")
    table = Table(pa.table({"x": rng.standard_normal(rows), "y": y}), Origin("t"))
    schema = infer_schema(table, target="y")
    split = plan_split(table, schema, seed=0, task_kind="binary")
    return pose(task.ENCODING, table, schema, split, "binary", seed=0)


def test_rows_cut_to_a_budget_keep_the_shares_of_the_classes() -> None:
    y = lopsided().y
    for seed in range(5):
        kept = thinned("binary", y, 200, seed=seed)
        assert abs(len(kept) - 200) <= 2
        assert abs(int((y[kept] == y[0]).sum()) - 4) <= 1
        assert np.all(np.diff(kept) > 0)
    few = thinned("binary", y, 10, seed=0)
    assert set(y[few]) == {0, 1}
    assert len(thinned("regression", np.arange(1000.0), 100, seed=0)) == 100
    assert np.array_equal(thinned("binary", y, len(y), seed=0), np.arange(len(y)))


@pytest.mark.parametrize("name", ["trees", "dense"])
def test_a_rung_cut_to_a_part_of_the_rows_keeps_the_shares(monkeypatch, name) -> None:
    from neuroscope.tasks import _net
    from neuroscope.tasks.rungs.table import trees

    seen = []

    def spy(kind, y, count, *, seed):
        seen.append(y[thinned(kind, y, count, seed=seed)])
        return thinned(kind, y, count, seed=seed)

    for module in (trees, _net):
        monkeypatch.setattr(module, "thinned", spy)
    monkeypatch.setattr(trees, "_ONE_THREAD_BELOW", 1000)
    monkeypatch.setattr(trees, "_TIMED_ROWS", 500)
    training = lopsided().training(np.arange(2000))
    recipe = Recipe(hidden=(64,), epochs=5)
    told = []
    RUNGS.get(name).fit(training, recipe, Watch(name, 1, told.append, seconds=1e-6))
    (kept,) = seen
    assert len(kept) < 2000
    assert np.bincount(kept).min() / len(kept) == pytest.approx(0.02, abs=0.01)
    message = " ".join(event.message for event in told if event.kind == "WarningRaised")
    assert f"{len(kept):,} of 2,000 rows" in message


def test_weights_that_leave_one_class_are_refused() -> None:
    y = [0, 1] * 30
    table = Table(pa.table({"x": np.arange(60.0), "w": [1.0, 0.0] * 30, "y": y}), Origin("t"))
    schema = infer_schema(table, target="y", weight="w")
    split = plan_split(table, schema, seed=0, task_kind="binary")
    with pytest.raises(TargetError, match="weight above 0 are of one class"):
        pose(task.ENCODING, table, schema, split, "binary", seed=0)
