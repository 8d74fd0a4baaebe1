"""Columns beside the target: known ahead or up to now, the calendar, and what must not be known."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from neuroscope.base.errors import InputError, SchemaError
from neuroscope.data.sources import read
from neuroscope.tasks._forecast.importance import Exchanged, places_of
from neuroscope.tasks._forecast.posing import Posed
from neuroscope.tasks._learning import Watch
from neuroscope.tasks.rungs.series_forecast import RUNGS
from neuroscope.verbs._prepare import DataOptions, prepare
from neuroscope.verbs.judge import judge
from neuroscope.verbs.load import load
from neuroscope.verbs.look import look
from neuroscope.verbs.predict import predict
from neuroscope.verbs.train import TrainOptions, train

N, HORIZON = 260, 5
PLAIN = TrainOptions(rungs=("last", "linear"))
NETS = ("dense", "rnn", "gru", "lstm", "transformer")


def quiet(event: object) -> None:
    del event


def shop(n: int = N, *, seed: int = 0, missing: int = 0, **more: object) -> pa.Table:
    """Daily sales that rise by 30 with a promotion and follow the heat of two days ago.

    The last `missing` rows have no sales yet.
    """
    random = np.random.default_rng(seed)
    day = (np.datetime64("2021-01-01") + np.arange(n)).astype("datetime64[s]")
    promotion = (random.random(n) < 0.2).astype(float)
    heat = random.normal(0, 1, n).cumsum()
    sold = 100 + 5 * np.sin(2 * np.pi * np.arange(n) / 7) + 30 * promotion + random.normal(0, 1, n)
    sold[2:] += 3 * heat[:-2]
    known = [value if k < n - missing else None for k, value in enumerate(sold.tolist())]
    return pa.table({"day": day, "sold": known, "promotion": promotion, "heat": heat, **more})


def options(**more: object) -> DataOptions:
    asked = {"time": "day", "target": "sold", "horizon": HORIZON} | more
    return DataOptions(**asked)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict:
    place = TrainOptions(rungs=("last", "linear"), out=str(tmp_path_factory.mktemp("beside")))
    return train(shop(), options(future=("promotion",), past=("heat",)), place)


def test_what_is_known_ahead_and_up_to_now_is_used(trained: dict) -> None:
    alone = train(shop(), options(), PLAIN)
    error = {
        rung["name"]: (rung["value"], other["value"])
        for rung, other in zip(trained["rungs"], alone["rungs"], strict=True)
    }
    assert error["last"][0] == error["last"][1]
    assert error["linear"][0] < 0.5 * error["linear"][1]
    assert trained["test"]["path_mae"] < 0.5 * alone["test"]["path_mae"]
    assert trained["forecast"]["beside"]["future"] == ["promotion"]
    assert "known ahead: promotion; known up to now: heat" in trained["kind_reason"]
    assert {drop["column"] for drop in alone["dropped"]} == {"promotion", "heat"}
    assert "--future" in alone["dropped"][0]["reason"]
    for option in ("--future promotion", "--past heat"):
        assert option in trained["reproduce"]


def test_the_weekday_is_read_where_a_weekly_season_is_noisy() -> None:
    n = 500
    week = np.array([0.0, 1, 2, 4, 8, 16, 6])
    sold = 30 + week[np.arange(n) % 7] + np.random.default_rng(2).normal(0, 4, n)
    table = shop(n).set_column(1, "sold", pa.array(sold)).select(["day", "sold"])
    setting = Posed.of(prepare(table, options(), seed=0, monitor=quiet).problem).setting
    assert setting.season == 7
    assert setting.calendar == ("weekday",)


@pytest.mark.parametrize("relative", [True, False])
def test_an_effect_is_a_share_of_the_level_or_so_many_whichever_fits(relative: bool) -> None:
    random = np.random.default_rng(5)
    promotion = (random.random(300) < 0.2).astype(float)
    day = (np.datetime64("2021-01-01") + np.arange(300)).astype("datetime64[s]")
    lines = []
    for level in (50.0, 100.0, 300.0):
        effect = promotion * (0.4 * level if relative else 30.0)
        noise = (level / 50 if relative else 1.0) * random.normal(size=300)
        lines.append(pa.table({"day": day, "shop": [f"{level:g}"] * 300, "promotion": promotion,
                               "sold": level + effect + noise}))  # fmt: skip
    asked = options(series="shop", future=("promotion",), look_back=10, calendar="none")
    problem = prepare(pa.concat_tables(lines), asked, seed=0, monitor=quiet).problem
    rung, training = RUNGS.get("linear"), problem.folds[-1]
    learner = rung.fit(training, rung.recipes(training)[0], Watch())
    assert relative or not learner.relative
    windows = Posed.of(problem).windows(problem.split.test, 10)
    missed = np.abs(windows.truth(HORIZON) - learner.predict(windows))
    small = windows.series == 0
    assert np.nanmean(missed[small]) < 2.5


def test_the_linear_neuron_finds_the_effect_of_what_is_known_ahead(trained: dict) -> None:
    model = load(trained["model"])
    (code,) = (code for code in model.setting.codes if code.ahead)
    panel = model.panel(read(shop()))
    scale = model.latest(panel).block(HORIZON)
    unit = scale.values.mean() if model.learner.relative else float(scale.scale[0, 0])
    assert model.learner.effects[0] / code.std * unit == pytest.approx(30, rel=0.15)


@pytest.mark.parametrize("name", ["linear", *NETS])
def test_nothing_is_known_of_the_future_but_what_is_said_to_be(name: str) -> None:
    """A first forecast stays the same whatever comes later, but for the columns known ahead."""
    cut = 104  # where the first fold begins to judge

    def first_forecast(table: pa.Table) -> list[float]:
        asked = options(future=("promotion",), past=("heat",), look_back=14, calendar="none")
        problem = prepare(table, asked, seed=0, monitor=quiet).problem
        part, rung = problem.folds[0], RUNGS.get(name)
        recipe = rung.recipes(part)[0].because("quick", epochs=2, width=8, hidden=(4,))
        learner = rung.fit(part, recipe, Watch())
        return part.predict_held(learner)[0].tolist()

    def changed(column: str, first: int) -> pa.Table:
        table = shop()
        values = table[column].to_numpy().copy()
        values[first:] = 7 - 2 * values[first:]
        return table.set_column(table.column_names.index(column), column, pa.array(values))

    mine = first_forecast(shop())
    assert first_forecast(changed("heat", cut)) == mine
    assert first_forecast(changed("promotion", cut + HORIZON)) == mine
    assert first_forecast(changed("sold", cut)) == mine
    assert first_forecast(changed("promotion", cut + 1)) != mine  # the last step but the first
    assert first_forecast(changed("heat", cut - 1)) != mine


def test_a_code_learns_from_the_older_part_only() -> None:
    table = shop()
    wild = table["heat"].to_numpy().copy()
    wild[140:] = 1e6
    other = table.set_column(3, "heat", pa.array(wild))
    asked = options(past=("heat",), calendar="none")
    settings = [
        Posed.of(prepare(one, asked, seed=0, monitor=quiet).problem).setting
        for one in (table, other)
    ]
    assert settings[0].codes == settings[1].codes


def test_predict_asks_for_the_rows_to_come(trained: dict) -> None:
    with pytest.raises(InputError, match=r"'promotion' has no value at 5 of the 5 steps") as caught:
        predict(trained["model"], shop())
    assert "the first is 2021-09-18" in str(caught.value)
    assert "a row for each step to come" in caught.value.remedy
    whole = shop(N + 10, missing=10)
    table = predict(trained["model"], whole)["table"]
    assert str(table["day"][0]) == "2021-09-18"
    truth = shop(N + 10)["sold"].to_numpy()[N : N + HORIZON]
    assert np.abs(table["forecast"].to_numpy() - truth).mean() < 6
    holes = whole["promotion"].to_numpy().copy()
    holes[N + 3] = np.nan
    with pytest.raises(InputError, match=r"1 of the 5 steps to forecast; the first is 2021-09-21"):
        predict(trained["model"], whole.set_column(2, "promotion", pa.array(holes)))


def test_behind_the_trained_horizon_the_columns_known_ahead_count_as_well(trained: dict) -> None:
    whole = shop(N + 10, missing=10)
    far = predict(trained["model"], whole, horizon=10)["table"]["forecast"].to_numpy()
    values = whole["promotion"].to_numpy().copy()
    values[N + 8] = 1 - values[N + 8]
    other = whole.set_column(2, "promotion", pa.array(values))
    moved = predict(trained["model"], other, horizon=10)["table"]["forecast"].to_numpy()
    assert moved[:8].tolist() == far[:8].tolist()
    assert abs(moved[8] - far[8]) == pytest.approx(30, rel=0.2)
    with pytest.raises(InputError, match="1 of the 11 steps"):
        predict(trained["model"], whole, horizon=11)


def test_judge_reads_the_columns_beside(trained: dict) -> None:
    found = judge(trained["model"], shop())
    scores = {entry["name"]: entry["value"] for entry in found["scores"]}
    assert scores["path_mae"] == pytest.approx(trained["test"]["path_mae"], rel=1e-6)


def test_the_report_shows_what_comes_next_only_where_it_is_known(trained: dict) -> None:
    assert [one["kind"] for one in trained["forecast"]["examples"]] == ["test"]
    asked = options(future=("promotion",))
    whole = train(shop(N + HORIZON, missing=HORIZON), asked, PLAIN)
    assert [one["kind"] for one in whole["forecast"]["examples"]] == ["test", "next"]


def test_categories_are_codes_and_a_missing_one_may_mean_something() -> None:
    table = shop(N + 10, missing=10)
    promoted = table["promotion"].to_numpy() > 0
    days = ["sale" if on else None for on in promoted]
    table = table.append_column("event", pa.array(days))
    result = train(table, options(future=("event",)), PLAIN)
    assert result["test"]["path_mae"] < 6
    said = predict(result["model"], table, horizon=10)["table"]["forecast"].to_numpy()
    on = promoted[N:]
    assert said[on].mean() > said[~on].mean() + 15
    model = load(result["model"])
    assert [(code.labels, code.optional) for code in model.setting.codes] == [(("sale",), True)]
    strange = [day if k < N else "strike" for k, day in enumerate(days)]
    other = table.set_column(4, "event", pa.array(strange))
    assert predict(result["model"], other)["rows"] == 5  # an unseen one is none of those known


def test_numbers_that_are_codes_are_said_to_be_by_the_schema(tmp_path) -> None:
    path = tmp_path / "schema.json"
    path.write_text('{"columns": [{"name": "promotion", "kind": "categorical"}]}')
    asked = options(future=("promotion",), schema=str(path), task="series_forecast")
    setting = Posed.of(prepare(shop(), asked, seed=0, monitor=quiet).problem).setting
    assert setting.codes[0].labels == ("0", "1")


def test_each_series_has_columns_of_its_own() -> None:
    one, two = shop(N + 5, missing=5), shop(N + 5, missing=5, seed=1)
    both = pa.concat_tables([one, two])
    both = both.append_column("id", pa.array(["a"] * (N + 5) + ["b"] * (N + 5)))
    asked = options(future=("promotion",), past=("heat",), series="id")
    result = train(both, asked, PLAIN)
    table = predict(result["model"], both)["table"]
    assert table["series"].to_pylist() == ["a"] * 5 + ["b"] * 5
    with pytest.raises(InputError, match=r"5 of the 10 steps .* is 2021-09-18 of 'b'"):
        predict(result["model"], both.slice(0, 2 * N + 5))


@pytest.mark.parametrize(
    "name", [n if n == "dense" else pytest.param(n, marks=pytest.mark.slow) for n in NETS]
)
def test_each_net_reads_what_stands_beside_and_comes_back(name: str) -> None:
    quick = TrainOptions(rungs=("last", name), epochs=6)
    asked = options(future=("promotion",), past=("heat",), calendar="weekday")
    result = train(shop(), asked, quick)
    rung = next(rung for rung in result["rungs"] if rung["name"] == name)
    assert rung["status"] == "done"
    whole = shop(N + HORIZON, missing=HORIZON)
    assert load(result["model"]).predict(whole).shape == (1, HORIZON)


def test_all_other_numbers_are_found() -> None:
    table = shop(words=["dull", "bright"] * (N // 2), other=np.arange(N) % 5)
    found = look(table, options(past=("all",), future=("promotion",)))
    assert found["series"]["beside"]["past"] == ["heat", "other"]
    assert {drop["column"] for drop in found["dropped"]} == {"words"}
    roles = {column["name"]: column["role"] for column in found["columns"]}
    assert roles["heat"] == roles["promotion"] == "feature"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"past": ("warmth",)}, "past column 'warmth' not found"),
        ({"past": ("sold",)}, "'sold' is a target, --past names it"),
        ({"future": ("day",)}, "'day' is the time"),
        ({"future": ("heat",), "past": ("heat",)}, "is in --future, --past names it"),
        ({"future": ("born",)}, "dates cannot be read beside"),
        ({"past": ("gone",)}, "no value to learn from"),
        ({"calendar": "moon"}, "part of the calendar 'moon'"),
        ({"zone": "Europe/Atlantis"}, "no time zone is called 'Europe/Atlantis'"),
    ],
)
def test_what_cannot_stand_beside_is_refused(more: dict, said: str) -> None:
    born = (np.datetime64("1990-01-01") + np.arange(N)).astype("datetime64[s]")
    table = shop(born=born, gone=np.full(N, np.nan))
    with pytest.raises(InputError, match=re.escape(said)):
        prepare(table, options(**more), seed=0, monitor=quiet)


def test_a_zone_is_for_forecasts() -> None:
    with pytest.raises(InputError, match="--zone is for forecasts"):
        look("iris", DataOptions(zone="UTC"))


def test_past_all_needs_another_number() -> None:
    bare = shop().select(["day", "sold"])
    with pytest.raises(SchemaError, match="finds no other column"):
        prepare(bare, options(past=("all",)), seed=0, monitor=quiet)


def hourly(days: int = 40) -> pa.Table:
    """Hours whose level is another at the weekend."""
    hour = (np.datetime64("2024-01-01T00") + np.arange(24 * days)).astype("datetime64[s]")
    k = np.arange(24 * days)
    free = (k // 24) % 7 >= 5
    load_ = 50 + 10 * np.sin(2 * np.pi * k / 24) - 20 * free
    noise = np.random.default_rng(0).normal(0, 1, len(k))
    return pa.table({"day": hour, "sold": load_ + noise})


def test_the_calendar_is_read_where_it_helps() -> None:
    asked = options(horizon=12, look_back=24)
    setting = Posed.of(prepare(hourly(), asked, seed=0, monitor=quiet).problem).setting
    assert setting.calendar == ("hour", "weekday")
    assert re.search(r"errs \d+ % less with it", setting.reasons["calendar"])
    result = train(hourly(), asked, PLAIN)
    without = train(hourly(), options(horizon=12, look_back=24, calendar="none"), PLAIN)
    assert result["test"]["path_mae"] < 0.8 * without["test"]["path_mae"]
    assert without["forecast"]["beside"]["calendar"] == []
    assert predict(result["model"], hourly(), horizon=30)["rows"] == 30  # known without rows
    plain = Posed.of(prepare(shop(), options(), seed=0, monitor=quiet).problem).setting
    assert plain.calendar == ()


def test_the_calendar_of_plain_numbers_is_refused() -> None:
    table = pa.table({"day": np.arange(200), "sold": np.random.default_rng(0).normal(size=200)})
    with pytest.raises(InputError, match="no calendar goes with them"):
        prepare(table, options(calendar="weekday"), seed=0, monitor=quiet)


def test_what_stands_beside_is_told_by_how_much_the_forecast_loses_without_it(
    trained: dict,
) -> None:
    lost = {entry["column"]: entry for entry in trained["importance"]}
    assert set(lost) == {"promotion", "heat"}
    assert all(entry["interval"][0] > 0 for entry in lost.values())
    assert sum(entry["share"] for entry in lost.values()) == pytest.approx(1)
    page = Path(trained["report"]).read_text(encoding="utf-8")
    assert "beside the target" in page
    assert "course of another moment" in page


def test_a_column_that_says_nothing_loses_nothing(tmp_path: Path) -> None:
    noise = np.random.default_rng(9).normal(size=N)
    place = TrainOptions(rungs=("last", "linear"), out=str(tmp_path))
    asked = options(future=("promotion", "noise"), calendar="none")
    found = train(shop(noise=noise), asked, place)["importance"]
    assert [entry["column"] for entry in found] == ["promotion", "noise"]
    assert found[0]["interval"][0] > 0
    assert abs(found[1]["drop"]) < 0.02 * found[0]["drop"]


@pytest.mark.parametrize("rung", ["linear", "dense", "gru"])
def test_only_the_exchanged_column_changes_a_forecast(rung: str) -> None:
    asked = options(future=("promotion", "kind"), past=("heat",), calendar="weekday")
    kind = [("a", "b", "c")[i % 3] for i in range(N)]
    problem = prepare(read(shop(kind=kind)), asked, seed=0, monitor=quiet).problem
    posed = Posed.of(problem)
    windows = posed.windows(problem.split.test[:7], posed.setting.look_back)
    places = places_of(posed.panel.beside)
    assert list(places) == ["promotion", "kind", "heat", "weekday (calendar)"]
    whole = windows.block(HORIZON)
    own = np.repeat(np.arange(7)[:, None], 4, axis=1)
    (same,) = Exchanged(windows, own, tuple(places.values())).known(HORIZON)
    for mine, theirs in zip(same, whole, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    for column, place in enumerate(places.values()):
        donors = own.copy()
        donors[:, column] = np.roll(donors[:, column], 3)
        (found,) = Exchanged(windows, donors, tuple(places.values())).known(HORIZON)
        np.testing.assert_array_equal(found.values, whole.values)
        for name, where in (("seen", place.seen), ("then", place.ahead), ("coming", place.ahead)):
            mine, before = getattr(found, name), getattr(whole, name)
            others = np.delete(np.arange(before.shape[2]), np.r_[where])
            np.testing.assert_array_equal(mine[..., others], before[..., others])
            np.testing.assert_array_equal(mine[..., where], np.roll(before, 3, 0)[..., where])
    training = problem.folds[0]
    recipe = RUNGS.get(rung).recipes(training)[0]
    learner = RUNGS.get(rung).fit(training, replace(recipe, epochs=2), Watch())
    again = learner.predict(Exchanged(windows, own, tuple(places.values())))
    np.testing.assert_allclose(again, learner.predict(windows), rtol=1e-5)
