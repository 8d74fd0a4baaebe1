"""Contract of the sequence rungs: each learns, packs into plain arrays and comes back the same."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from tests.tasks.following import followed

from neuroscope.base.errors import Interrupted, ModelError, RecipeError
from neuroscope.base.events import EpochEnded
from neuroscope.base.recipe import DEEP_ONLY, Recipe
from neuroscope.data.schema import infer_schema
from neuroscope.data.series.column import as_lists, ends
from neuroscope.data.splits import inner_split, plan_split
from neuroscope.data.table import Origin, Table
from neuroscope.data.task_kind import target_kind
from neuroscope.judge.metrics import METRICS
from neuroscope.runs import artefact
from neuroscope.runs.card import Card
from neuroscope.tasks import _model, ladder, rung_name, series_classes
from neuroscope.tasks._learning import Problem, Watch, predict
from neuroscope.tasks._rows.posing import pose
from neuroscope.tasks._sequences import nets as _sequences
from neuroscope.tasks.rungs.series_classes import RUNGS
from neuroscope.verbs._request import check_given

CORE = ("neuron", "dense")
NETS = ("convolution", "gru", "lstm", "transformer")
ALL = ("majority", *CORE, *NETS)
KINDS = ("binary", "multiclass", "regression")


def signals(kind: str = "multiclass", each: int = 30, *, irregular: bool = False) -> Table:
    """Return noisy signals of 6 to 12 readings: flat, rising or falling; or their slope."""
    random = np.random.default_rng(0)
    classes = 2 if kind == "binary" else 3
    n = classes * each
    lengths = random.integers(6, 13, n)
    starts = ends(lengths)
    place = (np.arange(starts[-1]) - np.repeat(starts[:-1], lengths)).astype(float)
    label = np.arange(n) % classes
    slope = (label - 1) * 0.5 if kind != "regression" else random.uniform(-1, 1, n)
    middle = np.repeat((lengths - 1) / 2, lengths)
    x = np.repeat(slope, lengths) * (place - middle) + random.normal(0, 0.3, len(place))
    x[random.random(len(x)) < 0.1] = np.nan
    other = random.normal(size=len(x))
    columns = {"x": as_lists(x.astype(np.float32), starts), "other": as_lists(other, starts)}
    if irregular:
        apart = random.uniform(0.2, 1.8, len(x))
        columns["at"] = as_lists(np.cumsum(apart), starts)
    words = np.array(["falls", "flat", "rises"], object)[label]
    columns["ward"] = pa.array(np.array(["p", "q"], object)[random.integers(0, 2, n)])
    columns["y"] = pa.array(slope if kind == "regression" else words)
    return Table(pa.table(columns), Origin("signals"))


def posed(table: Table, seed: int = 0) -> Problem:
    schema = infer_schema(table, target="y", axis="at" if "at" in table.names else None)
    assert series_classes.accepts(schema)
    kind = target_kind(table, schema).kind
    split = plan_split(table, schema, seed=seed, task_kind=kind)
    return pose(series_classes.ENCODING, table, schema, split, kind, seed=seed)


def made(kind: str = "multiclass", each: int = 30, **options) -> Problem:
    return posed(signals(kind, each, **options))


def fitted(name: str, training, watch: Watch | None = None, **changes):
    rung = RUNGS.get(name)
    recipes = rung.recipes(training)
    quick = {"epochs": 20} if name in (*NETS, "dense") else {}
    recipe = replace(recipes[0], **(quick | {"patience": 0} | changes)) if recipes else None
    return rung.fit(training, recipe, watch or Watch(name))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ALL)
def test_each_rung_learns_and_comes_back_the_same(name, kind) -> None:
    problem = made(kind, 40)
    train, valid = problem.split.folds[0]
    learner = fitted(name, problem.training(train, valid))
    answer = predict(problem, learner, valid)
    assert answer.shape == (
        (len(valid),) if kind == "regression" else (len(valid), problem.classes)
    )
    if kind != "regression":
        assert np.allclose(answer.sum(axis=1), 1, atol=1e-6)
    metric = METRICS["r2" if kind == "regression" else "accuracy"]
    if name != "majority":
        assert metric(problem.y[valid], answer) > (0.5 if kind == "regression" else 0.75)
    arrays, parts = _model.pack(problem, learner, temperature=1.0, threshold=0.5)
    parts = json.loads(json.dumps(parts))
    again = RUNGS.get(name).unpack(parts["learner"], arrays)
    assert again.parameters == learner.parameters > 0
    if name == "majority":
        assert "encoder" not in parts
        return
    same = signals(kind, 40)
    encoder = series_classes._encoder(parts["encoder"], arrays)
    found = again.predict(encoder.transform(same, valid).x)
    assert np.allclose(found, learner.predict(learner.encoder.transform(problem.table, valid).x),
                       atol=1e-5)  # fmt: skip


@pytest.mark.parametrize("irregular", [False, True])
@pytest.mark.parametrize("name", ALL)
def test_a_saved_model_answers_as_its_learner(name, irregular, tmp_path) -> None:
    problem = made(irregular=irregular)
    rows = np.arange(problem.table.rows)
    learner = fitted(name, problem.training(problem.split.development), epochs=3)
    arrays, parts = _model.pack(problem, learner, temperature=1.0, threshold=0.5)
    card = Card(task="series_classes", target="y", learner=name, schema=problem.schema.to_json(),
                metrics={}, rows={}, data_fingerprint="", versions={})  # fmt: skip
    artefact.save(tmp_path / "m.neuroscope", card, arrays, parts)
    model = series_classes.load(artefact.load(tmp_path / "m.neuroscope"))
    found = model.predict_proba(problem.table)
    assert np.allclose(found, predict(problem, learner, rows), atol=1e-5)
    assert np.allclose(
        model.predict_proba(problem.table.take(pa.array([4]))), found[4:5], atol=1e-5
    )


@pytest.mark.parametrize("name", ALL)
def test_row_weights_change_what_is_learned(name) -> None:
    problem = made("binary", 20)
    y = problem.y.copy()
    y[::3] = 1 - y[::3]  # a third is labelled wrongly, so that weights decide
    problem = replace(problem, y=y)
    tilted = replace(problem, weights=np.where(y == 1, 20.0, 1.0), shared={})
    said = []
    for one in (problem, tilted):
        learner = fitted(name, one.training(one.split.development))
        said.append(predict(one, learner, one.split.development)[:, 1].mean())
    assert said[1] > said[0] + 0.05


@pytest.mark.parametrize("name", [*CORE, *NETS])
def test_the_seed_decides_the_weights(name) -> None:
    problem = made(each=10)
    training = problem.training(problem.split.development)

    def weights(seed: int) -> np.ndarray:
        _, arrays = fitted(name, training, seed=seed, epochs=2).pack()
        return np.concatenate([arrays[key].ravel() for key in sorted(arrays)])

    assert np.array_equal(weights(1), weights(1))
    assert not np.array_equal(weights(1), weights(2))


@pytest.mark.parametrize("name", [*CORE, *NETS])
def test_a_fit_is_cut_to_its_seconds_and_says_so(name) -> None:
    problem = made()
    told = []
    watch = Watch(name, monitor=told.append, seconds=0.4)
    training = problem.training(problem.split.development)
    learner = fitted(name, training, watch, epochs=50_000)
    assert learner.recipe.epochs < 50_000
    assert any("longer --budget" in event.text for event in told if event.kind == "WarningRaised")


@pytest.mark.parametrize("name", ["neuron", "gru"])
def test_a_fit_is_watched_on_held_out_rows_and_stops_when_asked(name) -> None:
    problem = made(each=10)
    training = problem.training(*problem.split.folds[0])
    told: list = []
    fitted(name, training, Watch(name, monitor=told.append, trial=1, trials=2), epochs=3)
    epochs = [event for event in told if isinstance(event, EpochEnded)]
    assert {(e.rung, e.trial, e.trials) for e in epochs} == {(name, 1, 2)}
    assert all(event.valid_loss is not None for event in epochs)
    stopped = Watch(name)
    stopped.stop.set()
    with pytest.raises(Interrupted):
        fitted(name, training, stopped, epochs=3)


def test_a_net_that_is_watched_learns_what_it_learns_alone() -> None:
    problem = made(each=10)
    train, held = problem.split.folds[0]
    watched, alone = (
        fitted("lstm", problem.training(train, rows), epochs=2).pack()[1] for rows in (held, None)
    )
    assert all(np.array_equal(watched[name], alone[name]) for name in alone)


@pytest.mark.parametrize(("costs", "epochs"), [([3, 2, 2.5], 4), ([1, 1], 2), ([4, 3, 2, 1], 16)])
def test_patience_finds_the_epochs_after_which_new_rows_cost_least(
    costs, epochs, monkeypatch
) -> None:
    problem = made("binary", 20)
    training = problem.training(problem.split.development)
    told, judged = iter(costs), []

    def cost(answer, y, kind) -> float:
        judged.append(len(y))
        return next(told)

    monkeypatch.setattr(_sequences, "_cost", cost)
    found = fitted("gru", training, epochs=16, patience=1)
    assert len(judged) == len(costs)  # then no more lengths are tried
    assert set(judged) == {len(inner_split(training.y, seed=0, stratify=True)[1])}
    assert (found.recipe.epochs, found.recipe.patience) == (epochs, 0)
    assert f"after {epochs} epochs" in found.recipe.reasons["epochs"]
    plain = fitted("gru", training, epochs=epochs)
    assert np.array_equal(_flat(plain), _flat(found))  # which was then fitted on all rows


def test_what_new_rows_cost_is_their_log_loss_or_square() -> None:
    answer = np.array([[0.5, 0.5], [0.1, 0.9]])
    assert _sequences._cost(answer, np.array([0, 1]), "binary") == pytest.approx(
        -(np.log(0.5) + np.log(0.9)) / 2
    )
    assert _sequences._cost(np.array([1.0, 3.0]), np.array([1.0, 1.0]), "regression") == 2.0


def _flat(learner) -> np.ndarray:
    return np.concatenate([a.ravel() for _, a in sorted(learner.pack()[1].items())])


@pytest.mark.parametrize("name", NETS)
def test_options_of_a_recipe_reach_the_net(name) -> None:
    problem = made(each=10, irregular=True)
    training = problem.training(problem.split.development)
    plain = fitted(name, training, epochs=1)
    assert fitted(name, training, epochs=1, width=12).parameters != plain.parameters
    assert fitted(name, training, epochs=1, steps=4).encoder.grid.steps < plain.encoder.grid.steps
    rested = fitted(name, training, epochs=1, dropout=0.0)
    assert not np.array_equal(
        predict(problem, rested, problem.split.test), predict(problem, plain, problem.split.test)
    )


def test_steps_that_are_asked_for_are_the_steps_of_the_grid() -> None:
    problem = made(each=10, irregular=True)
    training = problem.training(problem.split.development)
    found = [training.encoded(Recipe(net="gru", steps=steps))[1].x.shape[1] for steps in (3, 9)]
    assert 3 <= found[0] <= 4
    assert 6 <= found[1] <= 10


def test_recipes_state_a_reason_for_each_choice() -> None:
    for irregular in (False, True):
        problem = made(each=10, irregular=irregular)
        training = problem.training(problem.split.development)
        for rung in ladder(series_classes):
            for recipe in rung.recipes(training):
                plain = Recipe(net=recipe.net, seed=recipe.seed).to_json()
                changed = {n for n, value in recipe.to_json().items() if value != plain[n]}
                assert changed - {"reasons"} <= set(recipe.reasons), rung.TITLE
                assert Recipe.from_json(recipe.to_json()) == recipe
                assert recipe.net == rung_name(rung)
                check_given(recipe, [recipe], rung, "recipe.json")


@pytest.mark.parametrize("name", CORE)
def test_the_core_follows_no_choice_of_the_deep_half(name) -> None:
    problem = made("binary", 10)
    rung = RUNGS.get(name)
    (recipe, *_) = rung.recipes(problem.training(problem.split.development))
    with pytest.raises(RecipeError, match="steps"):
        check_given(replace(recipe, steps=4), [recipe], rung, "r")
    assert "steps" in DEEP_ONLY


@pytest.mark.parametrize("name", [*NETS, "rnn"])
def test_each_choice_of_a_recipe_is_followed_or_refused(name) -> None:
    table = signals(each=20)
    uneven = pa.compute.not_equal(table.arrow["y"], "flat")
    few = Table(pa.concat_tables([table.arrow.filter(uneven), table.arrow.slice(0, 30)]),
                table.origin)  # fmt: skip
    problem = posed(few)
    rung, training = RUNGS.get(name), problem.folds[0]
    recipe = replace(rung.recipes(training)[0], epochs=2, patience=0)

    def said(changed: Recipe) -> np.ndarray:
        learner = rung.fit(training, changed, Watch(name))
        return learner.predict(learner.encoder.transform(problem.table, training.rows).x)

    found = followed(rung, recipe, said)
    refused = {"hidden", "activation", "init", "look_back", "mixup", "unfreeze", "augment",
               "vectors", "word_dropout"}  # fmt: skip
    assert not found & refused
    assert found >= {"width", "steps", "label_smoothing", "class_weight", "layer_decay", "seed"}


def test_the_order_of_readings_matters_to_a_net() -> None:
    problem = made(each=30)
    learner = fitted("gru", problem.training(problem.split.development))
    x = learner.encoder.transform(problem.table).x
    turned = x.x.copy()
    for row, length in enumerate(x.lengths):
        turned[row, :length] = x.x[row, :length][::-1]
    rises = problem.codec.classes.index("rises")
    plain, reverse = learner.predict(x)[:, rises], learner.predict(replace(x, x=turned))[:, rises]
    rising = problem.y == rises
    assert plain[rising].mean() > reverse[rising].mean() + 0.3


def test_a_sequence_without_readings_has_an_answer() -> None:
    table = signals(each=20)
    empty = table.arrow.slice(0, 1).to_pydict() | {"x": [[]], "other": [[]]}
    whole = Table(pa.concat_tables([
        table.arrow, pa.table(empty, schema=table.arrow.schema)
    ]), table.origin)  # fmt: skip
    problem = posed(whole)
    for name in ALL:
        learner = fitted(name, problem.training(np.arange(60)), epochs=2)
        assert np.isfinite(predict(problem, learner, np.array([60, 3]))).all()


def test_layers_that_are_not_there_are_refused() -> None:
    problem = made("binary", 10)
    rung = RUNGS.get("gru")
    record, arrays = fitted("gru", problem.training(problem.split.development), epochs=1).pack()
    arrays.pop(next(name for name in arrays if "weight" in name))
    with pytest.raises(ModelError):
        rung.unpack(record, arrays)
    with pytest.raises(ModelError, match="cannot be read"):
        rung.unpack({}, arrays)
    with pytest.raises(ModelError, match="encoder cannot be read"):
        series_classes._encoder({"kind": "strange"}, {})


def test_folds_cross_only_where_there_are_few_readings() -> None:
    few, many = signals(each=10), signals(each=5000)
    assert [series_classes.crossed(t, posed(t).schema) for t in (few, many)] == [True, False]
