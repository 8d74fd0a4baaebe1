"""The loop: repeatable, resumable, stopping early, finding divergence, able to learn."""

from __future__ import annotations

import copy
from dataclasses import fields, replace

import numpy as np
import pytest

from neuroscope.base.errors import DivergedError, InputError, RecipeError
from neuroscope.base.recipe import OPTIMIZERS, Recipe
from neuroscope.neuron import descent, heads, range_test
from neuroscope.neuron.alerts import gradient_alerts
from neuroscope.neuron.descent import Epoch, descend, descend_safely
from neuroscope.neuron.lanes import PIECE, lanes_for
from neuroscope.neuron.network import Network
from neuroscope.neuron.range_test import learning_rate_range
from neuroscope.neuron.step import Examples, State, shuffle

RECIPE = Recipe(hidden=(9, 6), loss="mean_squared_error", learning_rate=0.01, epochs=8)


def problem(rows: int = 77, seed: int = 0) -> Examples:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 5))
    y = np.sin(x[:, :1]) + 0.3 * x[:, 1:2] * x[:, 2:3]
    return Examples.of(x, y, None, np.dtype("float32"))


def fit(recipe: Recipe, train: Examples, valid: Examples | None = None):
    network = Network.build(5, 1, recipe, output="identity")
    return network, list(descend(network, train, recipe, valid=valid))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_same_seed_gives_the_same_bits(optimizer) -> None:
    recipe = replace(RECIPE, optimizer=optimizer, dropout=0.2, schedule="one_cycle")
    first, reports = fit(recipe, problem(), problem(30, 1))
    second, again = fit(recipe, problem(), problem(30, 1))
    other, _ = fit(replace(recipe, seed=1), problem(), problem(30, 1))
    assert first.theta.tobytes() == second.theta.tobytes()
    assert [r.train_loss for r in reports] == [r.train_loss for r in again]
    assert first.theta.tobytes() != other.theta.tobytes()


@pytest.mark.parametrize("stop", [1, 3, 7, 8])
@pytest.mark.parametrize("optimizer", ["nesterov", "adamw"])
def test_a_fit_resumed_from_its_state_gives_the_same_bits(optimizer, stop) -> None:
    """The state goes through plain bytes, as it does on disk."""
    recipe = replace(
        RECIPE, optimizer=optimizer, dropout=0.1, schedule="cosine", warmup=0.2, weight_decay=0.1
    )
    train, valid = problem(), problem(30, 1)
    whole, reports = fit(recipe, train, valid)

    network = Network.build(5, 1, recipe, output="identity")
    state = State.start(network, recipe, len(train.x))
    for report in descend(network, train, recipe, valid=valid, state=state):
        if report.epoch == stop:
            break
    saved = {f.name: copy.deepcopy(getattr(state, f.name)) for f in fields(State)}

    fresh = Network.build(5, 1, replace(recipe, seed=99), output="identity")
    rest = list(descend(fresh, train, recipe, valid=valid, state=State(**saved)))
    assert [r.epoch for r in rest] == list(range(stop + 1, 9))
    assert [r.train_loss for r in rest] == [r.train_loss for r in reports[stop:]]
    assert fresh.theta.tobytes() == whole.theta.tobytes()


def impatient() -> tuple[Recipe, Examples, Examples]:
    """A fit that soon learns its 20 rows by heart, so that the validation loss turns."""
    rng = np.random.default_rng(5)
    noise = [
        Examples.of(rng.normal(size=(20, 5)), rng.normal(size=20), None, np.dtype("float32"))
        for _ in range(2)
    ]
    recipe = replace(RECIPE, hidden=(32,), epochs=300, patience=4, learning_rate=0.02)
    return recipe, noise[0], noise[1]


def test_patience_stops_and_restores_the_best_weights() -> None:
    recipe, train, valid = impatient()
    network, reports = fit(recipe, train, valid)
    watched = [r.valid_loss for r in reports]
    best = int(np.argmin(watched))
    assert len(reports) == best + 1 + recipe.patience < recipe.epochs
    assert [r.epoch for r in reports if r.best][-1] == best + 1
    assert network.loss(valid) == watched[best]
    assert network.loss(valid) < watched[-1]
    forever, more = fit(replace(recipe, patience=0, epochs=len(reports) + 9), train, valid)
    assert len(more) == len(reports) + 9
    assert forever.loss(valid) == min(r.valid_loss for r in more)


def test_a_fit_that_ran_out_of_patience_stays_stopped_when_resumed() -> None:
    recipe, train, valid = impatient()
    network = Network.build(5, 1, recipe, output="identity")
    state = State.start(network, recipe, len(train.x))
    list(descend(network, train, recipe, valid=valid, state=state))
    assert list(descend(network, train, recipe, valid=valid, state=copy.deepcopy(state))) == []


def test_without_validation_rows_the_last_weights_stay() -> None:
    network, reports = fit(RECIPE, problem())
    assert all(r.valid_loss is None and r.best for r in reports)
    assert network.loss(problem()) < reports[0].train_loss


def test_one_row_mini_batch_and_batch_descent_are_one_loop() -> None:
    """The step count and hence the path differ, the arithmetic of a batch does not."""
    recipe = replace(RECIPE, optimizer="sgd", epochs=1, precision="float64", hidden=())
    train = Examples.of(problem().x, problem().y, None, np.dtype("float64"))
    for batch_size in (1, 10, 77, 1000):
        network = Network.build(5, 1, recipe, output="identity")
        weights, bias = network.layer(0)
        weights[:] = 0
        state = State.start(network, recipe, 77)
        list(descend(network, train, replace(recipe, batch_size=batch_size), state=state))
        w, b = np.zeros((5, 1)), np.zeros(1)
        for first in range(0, 77, batch_size):
            rows = state.order[first : first + batch_size]
            error = train.x[rows] @ w + b - train.y[rows]
            w = w - 0.01 * train.x[rows].T @ error / len(rows)
            b = b - 0.01 * error.mean(axis=0)
        assert state.step == -(-77 // batch_size)
        assert weights == pytest.approx(w, rel=1e-10)
        assert bias == pytest.approx(b, rel=1e-10)


def test_every_row_is_met_once_an_epoch_in_a_new_order() -> None:
    order, chance = np.arange(500), np.array([7], np.uint64)
    met = []
    for _ in range(3):
        shuffle(order, chance)
        met.append(order.copy())
        assert sorted(order) == list(range(500))
    assert not np.array_equal(met[0], met[1])
    assert not np.array_equal(met[1], met[2])


def test_shuffling_favours_no_place() -> None:
    chance, places = np.array([1], np.uint64), np.zeros((4, 4))
    for _ in range(8000):
        order = np.arange(4)
        shuffle(order, chance)
        places[np.arange(4), order] += 1
    assert np.abs(places / 8000 - 0.25).max() < 0.02


def test_divergence_halves_the_rate_says_so_and_succeeds() -> None:
    recipe = replace(RECIPE, hidden=(), optimizer="sgd", learning_rate=2.0, epochs=60)
    network = Network.build(5, 1, recipe, output="identity")
    steps = list(descend_safely(network, problem(), recipe))
    halved = [step for step in steps if isinstance(step, Recipe)]
    assert halved
    assert [r.learning_rate for r in halved] == [2.0 / 2 ** (i + 1) for i in range(len(halved))]
    assert halved[0].reasons["learning_rate"] == "halved, because the loss diverged at 2"
    assert isinstance(steps[-1], Epoch)
    assert steps[-1].epoch == recipe.epochs
    assert np.isfinite(network.theta).all()


def test_divergence_without_end_is_an_error_that_names_the_rate() -> None:
    recipe = replace(RECIPE, optimizer="sgd", learning_rate=1e9)
    network = Network.build(5, 1, recipe, output="identity")
    before = network.theta.copy()
    steps = []
    with pytest.raises(DivergedError, match=r"epoch 1; lower the learning rate \(it is 1\.56"):
        for step in descend_safely(network, problem(), recipe):
            steps.append(step)
    assert len(steps) == descent.RATE_HALVINGS
    assert np.array_equal(network.theta, before)


@pytest.mark.parametrize("hidden", [(12,), (40, 40)])
@pytest.mark.parametrize(
    ("kind", "outputs"), [("binary", 2), ("multiclass", 3), ("multilabel", 2), ("regression", 1)]
)
def test_a_net_learns_sixteen_rows_by_heart(kind, outputs, hidden) -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(16, 6))
    y = {
        "binary": rng.integers(0, 2, 16),
        "multiclass": rng.integers(0, 3, 16),
        "multilabel": rng.integers(0, 2, (16, 2)),
        "regression": rng.normal(size=16),
    }[kind]
    recipe = Recipe(hidden=hidden, learning_rate=0.01, epochs=1500, batch_size=8)
    network = heads.build(kind, 6, outputs, recipe)
    train = heads.examples(kind, x, y, outputs, recipe)
    first, *_, last = list(descend(network, train, recipe))
    assert last.train_loss < 1e-3 < 0.1 < first.train_loss


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "gelu", "selu", "mish"])
def test_a_small_net_solves_xor(activation) -> None:
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
    recipe = Recipe(
        hidden=(8,), activation=activation, learning_rate=0.05, batch_size=4, epochs=2000
    )
    network = heads.build("binary", 2, 2, recipe)
    list(descend(network, heads.examples("binary", x, np.array([0, 1, 1, 0]), 2, recipe), recipe))
    assert network.predict(x)[:, 0].round().tolist() == [0, 1, 1, 0]


def test_alerts_name_the_first_layers_of_a_net_built_to_vanish() -> None:
    recipe = Recipe(
        hidden=(10,) * 8, activation="sigmoid", loss="mean_squared_error", init="normal",
        epochs=1, optimizer="sgd", learning_rate=1e-4,
    )  # fmt: skip
    _, (report,) = fit(recipe, problem())
    alerts = gradient_alerts([report.norms], "sigmoid")
    assert alerts[0].startswith("the gradient vanishes in layer 1 of 9")
    assert "use relu or gelu instead of sigmoid" in alerts[0]
    assert not any("layer 9" in alert for alert in alerts)
    relu = replace(recipe, activation="relu", init="he")
    _, (report,) = fit(relu, problem())
    assert gradient_alerts([report.norms], "relu") == []


def test_alerts_name_the_layer_of_a_net_built_to_explode() -> None:
    recipe = replace(RECIPE, hidden=(50,) * 4, activation="identity", epochs=1, learning_rate=1e-30)
    network = Network.build(5, 1, recipe, output="identity")
    network.layer(2)[0][:] *= 1e5
    (report,) = descend(network, problem(), recipe)
    alerts = gradient_alerts([report.norms], "identity")
    assert alerts[0].startswith("the gradient explodes in layer 1 of 5")
    assert "clip_norm" in alerts[0]
    assert gradient_alerts([[0.5, float("nan")]], "relu")[0].startswith(
        "the gradient explodes in layer 2 of 2"
    )


def test_alerts_look_at_the_whole_course() -> None:
    """A gradient that exploded once did its harm; one that is small at the end did not vanish."""
    calm, loud, quiet = [1.0, 1.0], [1.0, 2e3], [1e-6, 1.0]
    (alert,) = gradient_alerts([calm, loud, loud, calm], "relu")
    assert alert.startswith("the gradient explodes in layer 2 of 2 (norm 2e+03; in 2 of 4 epochs")
    assert "first in epoch 2" in alert
    assert gradient_alerts([calm, calm, quiet, quiet], "tanh") == []
    (alert,) = gradient_alerts([quiet, quiet, quiet, calm], "tanh")
    assert alert.startswith("the gradient vanishes in layer 1 of 2 (norm 1.0e-06")
    assert "in 3 of 4 epochs" in alert
    assert gradient_alerts([], "relu") == []
    assert gradient_alerts([[0.0, 0.0]], "relu") == []  # nothing left to learn


def test_reported_norms_are_those_of_the_gradient() -> None:
    from tests.neuron.reference import core_gradient

    recipe = replace(RECIPE, batch_size=77, epochs=1)
    network = Network.build(5, 1, recipe, output="identity")
    gradient = replace(network, theta=core_gradient(network, problem()))
    expected = [np.linalg.norm(gradient.layer(layer)[0]) for layer in range(3)]
    (report,) = descend(network, problem(), recipe)
    assert report.norms == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_the_range_test_finds_a_sensible_rate_and_changes_nothing(optimizer) -> None:
    recipe = replace(RECIPE, hidden=(16,), optimizer=optimizer)
    network = Network.build(5, 1, recipe, output="identity")
    train = problem(400)
    before, order = network.theta.copy(), train.x.copy()
    rates, losses, rate = learning_rate_range(network, train, recipe)
    assert np.array_equal(network.theta, before)
    assert np.array_equal(train.x, order)
    assert len(rates) == len(losses)
    assert rates.tolist() == sorted(rates)
    assert 1e-4 < rate < 1.0
    reached = {}
    for factor in (1e-3, 1.0):
        _, reports = fit(replace(recipe, learning_rate=rate * factor, epochs=5), train)
        reached[factor] = reports[-1].train_loss
    assert reached[1.0] < reached[1e-3]
    again = learning_rate_range(network, train, recipe)
    assert (again.losses.tolist(), again.suggestion) == (losses.tolist(), rate)


def test_the_range_test_tries_what_it_is_told_to() -> None:
    network, train = Network.build(5, 1, RECIPE, output="identity"), problem(400)
    test = learning_rate_range(network, train, RECIPE, low=1e-5, high=1e-3, steps=20)
    assert test.rates == pytest.approx(np.geomspace(1e-5, 1e-3, 20))
    assert 1e-5 <= test.suggestion <= 1e-3
    for wrong in ({"low": 0.0}, {"low": 20.0}, {"high": float("inf")}, {"steps": 9}):
        with pytest.raises(RecipeError, match="range test"):
            learning_rate_range(network, train, RECIPE, **wrong)


def test_lanes_change_every_weight_of_layers_of_several_pieces() -> None:
    recipe = Recipe(hidden=(301, 203), batch_size=10, epochs=1, precision="float64")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 301)), rng.integers(0, 3, 20)
    assert PIECE // 301 < 301 // 2  # else the share of each of two lanes would be one piece
    nets = []
    for count in (1, 2, 3):
        net = heads.build("multiclass", 301, 3, recipe)
        before = net.theta.copy()
        list(descend(net, heads.examples("multiclass", x, y, 3, recipe), recipe, lanes=count))
        nets.append(net.theta)
        assert (net.theta != before).mean() > 0.9  # units that are silent keep their weights
    assert nets[1] == pytest.approx(nets[0], rel=1e-8, abs=1e-10)
    assert nets[2] == pytest.approx(nets[0], rel=1e-8, abs=1e-10)


def test_rows_of_the_wrong_width_are_refused() -> None:
    """Compiled loops do not check bounds; the way in must."""
    network = Network.build(5, 1, RECIPE, output="identity")
    with pytest.raises(InputError, match="5 inputs"):
        network.predict(np.zeros((3, 4)))
    four = Examples.of(np.zeros((3, 4)), np.zeros(3), None, np.dtype("float32"))
    with pytest.raises(InputError, match="5 inputs"):
        list(descend(network, four, RECIPE))
    two = Examples.of(np.zeros((3, 5)), np.zeros((3, 2)), None, np.dtype("float32"))
    with pytest.raises(InputError, match="1 output"):
        list(descend(network, two, RECIPE))
    none = Examples.of(np.zeros((0, 5)), np.zeros((0, 1)), None, np.dtype("float32"))
    with pytest.raises(InputError, match="no rows"):
        list(descend(network, none, RECIPE))


@pytest.mark.parametrize("options", [{}, {"l2": 0.1, "clip_norm": 0.5}, {"optimizer": "adamw"}])
@pytest.mark.parametrize("lanes", [2, 3])
def test_lanes_learn_what_one_thread_learns(lanes, options) -> None:
    rng = np.random.default_rng(0)
    x, y, w = rng.normal(size=(101, 6)), rng.integers(0, 3, 101), rng.uniform(0.5, 2, 101)
    recipe = Recipe(hidden=(7, 5), batch_size=16, epochs=3, precision="float64", **options)
    examples = heads.examples("multiclass", x, y, 3, recipe, sample_weight=w)
    nets, losses = [], []
    for count in (1, lanes, lanes):
        net = heads.build("multiclass", 6, 3, recipe)
        reports = list(descend(net, examples, recipe, lanes=count))
        nets.append(net.theta)
        losses.append([(report.train_loss, report.norms) for report in reports])
    assert nets[1] == pytest.approx(nets[0], rel=1e-8, abs=1e-10)
    for ours, theirs in zip(losses[0], losses[1], strict=True):
        assert ours[0] == pytest.approx(theirs[0])
        assert ours[1] == pytest.approx(theirs[1])
    assert np.array_equal(nets[1], nets[2])


def test_lanes_drop_different_units_and_none_when_predicting() -> None:
    rng = np.random.default_rng(0)
    recipe = Recipe(hidden=(32,), batch_size=20, epochs=2, dropout=0.5)
    examples = heads.examples("binary", rng.normal(size=(60, 4)), np.arange(60) % 2, 2, recipe)
    net = heads.build("binary", 4, 2, recipe)
    assert len(list(descend(net, examples, recipe, lanes=2))) == 2
    assert np.array_equal(net.predict(examples.x), net.predict(examples.x))


def test_only_large_steps_are_shared_over_lanes(monkeypatch) -> None:
    monkeypatch.setattr("neuroscope.base.settings.cores", lambda: 4)
    assert lanes_for(668_000, 128) == 4
    assert lanes_for(6_900, 32) == 1


@pytest.mark.parametrize("lanes", [1, 2])
def test_a_watched_loss_that_is_not_finite_is_a_divergence(lanes) -> None:
    """Else no epoch would ever be the best one, and the first weights would stay unseen."""
    train, valid = problem(), problem(30, 1)
    beyond = replace(valid, y=np.full_like(valid.y, 1e30))  # its square leaves float32
    network = Network.build(5, 1, RECIPE, output="identity")
    with pytest.raises(DivergedError, match="stopped being finite in epoch 1"):
        list(descend(network, train, RECIPE, valid=beyond, lanes=lanes))


def test_the_range_test_takes_each_row_once_a_pass(monkeypatch) -> None:
    seen: list[np.ndarray] = []
    ours = range_test.train_epoch

    def spy(*args):
        seen.append(args[7][:, 0].copy())
        return ours(*args)

    monkeypatch.setattr(range_test, "train_epoch", spy)
    train = problem(rows=70)
    network = Network.build(5, 1, RECIPE, output="identity")
    learning_rate_range(network, train, replace(RECIPE, batch_size=32), high=1e-3, steps=12)
    assert len(seen) == 12
    for first in range(0, 12, 2):  # 70 rows are two batches of 32 and a rest that is dealt anew
        assert len(np.unique(np.concatenate(seen[first : first + 2]))) == 64
