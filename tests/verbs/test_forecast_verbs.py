"""Forecasts end to end: look, train, judge and predict on small series."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from tests.tasks.following import followed

from neuroscope.base.errors import InputError, RecipeError, SchemaError
from neuroscope.base.recipe import Recipe
from neuroscope.data.sources import read
from neuroscope.judge import _forecasts as paths
from neuroscope.tasks._forecast.posing import Posed
from neuroscope.tasks._learning import Watch
from neuroscope.tasks.rungs.series_forecast import RUNGS
from neuroscope.verbs._prepare import DataOptions, prepare
from neuroscope.verbs.judge import judge
from neuroscope.verbs.load import load
from neuroscope.verbs.look import look
from neuroscope.verbs.predict import predict
from neuroscope.verbs.train import TrainOptions, train

PLAIN = TrainOptions(rungs=("last", "seasonal", "linear"))
DAILY = DataOptions(time="day", target="y", horizon=5)
NETS = ("dense", "rnn", "gru", "lstm", "transformer")


def days(n: int) -> np.ndarray:
    return (np.datetime64("2021-01-01") + np.arange(n)).astype("datetime64[s]")


def weekly(n: int = 260, *, level: float = 50.0, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 1, n)
    return level + 8 * np.sin(2 * np.pi * np.arange(n) / 7) + 0.05 * np.arange(n) + noise


def one(n: int = 260, **more: object) -> pa.Table:
    return pa.table({"day": days(n), "y": weekly(n), **more})


def sometimes(n: int = 400, *, seed: int = 0) -> pa.Table:
    """Sales of a thing that is hardly ever sold: mostly weeks of nothing at all."""
    random = np.random.default_rng(seed)
    sold = np.where(random.random(n) < 0.06, random.integers(1, 9, n), 0)
    return pa.table({"day": days(n), "y": sold.astype(float)})


def quiet(event: object) -> None:
    del event


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict:
    out = tmp_path_factory.mktemp("forecasts")
    options = TrainOptions(rungs=("last", "seasonal", "linear"), out=str(out))
    return train(one(), DAILY, options)


def test_the_result_holds_what_a_forecast_is_judged_by(trained: dict) -> None:
    assert json.loads(json.dumps(trained)) == trained
    assert (trained["task"], trained["kind"]) == ("series_forecast", "forecast")
    block = trained["forecast"]
    assert (block["series"], block["step"], block["horizon"], block["season"]) == (1, "1 day", 5, 7)
    assert {"horizon", "look_back", "season"} == block["reasons"].keys()
    assert {"mase", "path_mae", "path_rmse", "standardised_mse", "smape"} < trained["test"].keys()
    assert trained["chosen"] == "linear"
    assert [len(line) for line in block["by_step"]["held_out"].values()] == [5, 5, 5]
    assert [level["level"] for level in block["intervals"]["levels"]] == [0.8, 0.95]
    assert all(0.6 < level["coverage"] <= 1 for level in block["intervals"]["levels"])
    assert block["intervals"]["quantile_loss"] > 0
    assert [example["kind"] for example in block["examples"]] == ["test", "next"]


def test_the_report_draws_the_forecast(trained: dict) -> None:
    page = Path(trained["report"]).read_text(encoding="utf-8")
    section = page[page.index('id="forecast"') : page.index('id="ladder"')]
    assert section.count('class="line forecast"') == 2
    assert section.count('class="line history came"') == 1
    assert section.count('class="band band1"') == 2
    assert "Error by step" in section
    assert "conformal prediction" in section
    assert re.search(r"95 %</td><td[^>]*>\d", section)


def test_predict_goes_on_where_the_series_ends(trained: dict, tmp_path: Path) -> None:
    out = str(tmp_path / "next.csv")
    found = predict(trained["model"], one(), horizon=12, out=out)
    table = found["table"]
    assert table.column_names == [
        "day", "forecast", "lower_80", "upper_80", "lower_95", "upper_95",
    ]  # fmt: skip
    assert str(table["day"][0]) == "2021-09-18"
    assert table.num_rows == 12
    assert any("more than the 5" in note for note in found["notes"])
    columns = {name: np.array(table[name]) for name in table.column_names[1:]}
    assert (columns["lower_95"] < columns["lower_80"]).all()
    assert (columns["lower_80"] < columns["forecast"]).all()
    assert np.abs(columns["forecast"] - weekly(272)[260:]).mean() < 3
    widths = columns["upper_95"] - columns["lower_95"]
    assert (np.diff(widths[5:]) > 0).all()
    assert Path(out).read_text(encoding="utf-8").startswith('"day","forecast"')
    assert predict(trained["model"], one())["rows"] == 5


def test_predict_refuses_another_step_and_foreign_options(trained: dict) -> None:
    hourly = pa.table({"day": (np.datetime64("2021-01-01T00") + np.arange(90)).astype("M8[s]"),
                       "y": weekly(90)})  # fmt: skip
    with pytest.raises(InputError, match="trained on one reading each 1 day"):
        predict(trained["model"], hourly)
    with pytest.raises(SchemaError, match="'y' not found"):
        predict(trained["model"], one().rename_columns(["day", "z"]))
    for more in ({"keep": ("y",)}, {"sheet": "a.png"}):
        with pytest.raises(InputError, match="forecasts"):
            predict(trained["model"], one(), **more)
    with pytest.raises(InputError, match="horizon is 0"):
        predict(trained["model"], one(), horizon=0)
    with pytest.raises(InputError, match="groups say nothing"):
        judge(trained["model"], one(), group="y")


def test_judge_scores_only_what_the_model_has_not_learned_from(trained: dict) -> None:
    found = judge(trained["model"], one())
    assert found["rows"] == trained["rows"]["test"]
    scores = {entry["name"]: entry["value"] for entry in found["scores"]}
    assert scores["path_mae"] == pytest.approx(trained["test"]["path_mae"], rel=1e-6)
    assert not found["warnings"]
    old = judge(trained["model"], one(120))
    assert "flatter it" in old["warnings"][0]
    with pytest.raises(InputError, match="long enough"):
        judge(trained["model"], one(4))


def test_judge_scales_errors_as_the_training_did(trained: dict) -> None:
    found = judge(trained["model"], one())
    told = {score["name"]: score["value"] for score in found["scores"]}
    known = {name: value for name, value in trained["test"].items() if name != "interval"}
    assert found["rows"] == trained["rows"]["test"]
    assert told == pytest.approx(known, rel=1e-4)


def test_a_loaded_model_is_the_fitted_one(trained: dict) -> None:
    model = load(trained["model"])
    said = model.predict(one())
    answer = predict(model, one())["table"]["forecast"]
    assert said.ravel().tolist() == np.array(answer).tolist()


@pytest.mark.parametrize("name", ["last", "seasonal", "linear", *NETS])
def test_nothing_from_the_future_is_learned_or_read(name: str) -> None:
    """What comes after the first judged moment is changed: the first forecasts stay the same."""

    def first_forecast(y: np.ndarray) -> tuple[list, tuple]:
        data = DataOptions(time="day", target="y", horizon=5, look_back=14)
        problem = prepare(pa.table({"day": days(len(y)), "y": y}), data, seed=0,
                          monitor=quiet).problem  # fmt: skip
        posed, part = Posed.of(problem), problem.folds[0]
        rung = RUNGS.get(name)
        recipe = next(iter(rung.recipes(part)), None)
        if name in NETS and recipe is not None:
            recipe = recipe.because("quick", epochs=2, width=8, hidden=(4,))
        learner = rung.fit(part, recipe, Watch())
        chosen = (posed.setting, float(posed.naive[0]), float(posed.spread[0]))
        return part.predict_held(learner)[0].tolist(), chosen

    y = weekly()
    y[30:33] = np.nan
    cut = 104  # where the first fold begins to judge
    changed = np.r_[y[:cut], 1000 - 3 * y[cut:]]
    mine, theirs = first_forecast(y), first_forecast(changed)
    assert mine == theirs


@pytest.mark.parametrize("name", NETS)
def test_each_net_trains_saves_and_comes_back(name: str) -> None:
    result = train(one(), DAILY, TrainOptions(rungs=("last", name), epochs=2))
    rung = next(rung for rung in result["rungs"] if rung["name"] == name)
    assert rung["status"] == "done"
    assert rung["recipe"]["look_back"] == result["forecast"]["look_back"]
    assert rung["parameters"] > 0
    seen = {net["name"]: net for net in result.get("memory", {"nets": []})["nets"]}
    assert list(seen) == ([] if name == "dense" else [name])
    if name != "dense":
        assert len(seen[name]["gradient"]) == rung["recipe"]["look_back"]
        assert 'id="memory"' in Path(result["report"]).read_text(encoding="utf-8")
    chosen = Path(result["model"])
    assert load(chosen).predict(one()).shape == (1, 5)


def test_a_shift_in_level_moves_the_forecast_with_it() -> None:
    data = pa.table({"day": np.tile(days(260), 2), "id": np.repeat(["a", "b"], 260).tolist(),
                     "y": np.r_[weekly(), weekly(level=5000.0)]})  # fmt: skip
    options = DataOptions(time="day", target="y", series="id", horizon=5)
    result = train(data, options, PLAIN)
    assert result["metric"]["name"] == "path_mae"  # the levels differ, the errors do not
    table = predict(result["model"], data)["table"]
    low, high = np.array(table["forecast"]).reshape(2, 5)
    assert table["series"].to_pylist() == ["a"] * 5 + ["b"] * 5
    assert np.abs(high - low - 4950).max() < 10


def test_columns_beside_the_target_are_told_and_a_split_is_not_asked_for_again() -> None:
    parts = np.repeat(["train", "valid", "test"], [160, 50, 50]).tolist()
    data = one(x=weekly(seed=4), part=parts)
    options = DataOptions(time="day", target="y", split="part", horizon=5)
    result = train(data, options, TrainOptions(rungs=("last", "linear")))
    assert [drop["column"] for drop in result["dropped"]] == ["x"]
    assert result["split"]["method"] == "column"
    assert predict(result["model"], one())["rows"] == 5


def test_the_intervals_of_a_long_season_are_those_that_were_measured() -> None:
    options = DataOptions(time="day", target="y", horizon=5, look_back=4)
    result = train(one(), options, TrainOptions(rungs=("seasonal",)))
    table = predict(result["model"], one())["table"]
    drawn = result["forecast"]["examples"][1]
    assert np.array(table["lower_80"]).tolist() == pytest.approx(drawn["low"][0])
    widths = result["forecast"]["intervals"]["levels"][0]
    assert widths["coverage"] == pytest.approx(0.8, abs=0.15)


def test_quiet_weeks_neither_blow_the_intervals_up_nor_close_them(tmp_path: Path) -> None:
    options = DataOptions(time="day", target="y", horizon=4, look_back=8)
    found = train(sometimes(), options, TrainOptions(rungs=("last", "linear"), out=str(tmp_path)))
    wide = found["forecast"]["intervals"]["levels"][-1]
    assert wide["width"] < 40
    assert wide["coverage"] > 0.85
    told = predict(found["model"], sometimes())["table"]
    assert (np.array(told["upper_95"]) - np.array(told["lower_95"]) > 0).all()


def test_the_intervals_of_a_series_that_grows_grow_with_it(tmp_path: Path) -> None:
    n = 144
    noise = 1 + 0.02 * np.random.default_rng(0).normal(size=n)
    month = (np.datetime64("2010-01") + np.arange(n)).astype("datetime64[s]")
    table = pa.table({"month": month, "y": 100 * 1.02 ** np.arange(n) * noise})
    options = DataOptions(time="month", target="y", horizon=12)
    found = train(table, options, TrainOptions(rungs=("last", "linear"), out=str(tmp_path)))
    told = predict(found["model"], table, horizon=120)["table"]
    width = np.array(told["upper_95"]) - np.array(told["lower_95"])
    share = width / np.array(told["forecast"])
    assert share[-1] > share[11]


def test_several_targets_are_several_series() -> None:
    data = one(z=weekly(seed=3, level=9.0) * 100)
    result = train(data, DataOptions(time="day", target="y,z", horizon=5), PLAIN)
    assert (result["target"], result["forecast"]["series"]) == ("y, z", 2)
    assert result["metric"]["name"] == "mase"
    table = predict(result["model"], data)["table"]
    assert table["target"].to_pylist() == ["y"] * 5 + ["z"] * 5


def test_time_alone_forecasts_only_where_nothing_else_is_left_to_learn_from() -> None:
    plain = DataOptions(time="day", target="y")
    assert prepare(one(), plain, seed=0, monitor=quiet).task.NAME == "series_forecast"
    more = one(x=weekly(seed=5))
    assert prepare(more, plain, seed=0, monitor=quiet).task.NAME == "table"
    asked = DataOptions(time="day", target="y", task="series_forecast")
    assert prepare(more, asked, seed=0, monitor=quiet).task.NAME == "series_forecast"
    assert prepare(more, DataOptions(time="day", target="y", task="table"), seed=0,
                   monitor=quiet).task.NAME == "table"  # fmt: skip


def test_look_back_and_horizon_are_followed() -> None:
    options = DataOptions(time="day", target="y", horizon=3, look_back=21)
    setting = Posed.of(prepare(one(), options, seed=0, monitor=quiet).problem).setting
    assert (setting.horizon, setting.look_back) == (3, 21)
    assert setting.reasons["horizon"] == "as asked"
    free = Posed.of(prepare(one(), DAILY, seed=0, monitor=quiet).problem).setting
    assert (free.look_back, free.reasons["look_back"]) == (14, "two cycles of 7 steps")


def test_gaps_are_read_over_and_never_judged() -> None:
    y = weekly()
    y[200:203] = np.nan
    problem = prepare(pa.table({"day": days(260), "y": y}), DAILY, seed=0, monitor=quiet).problem
    missing = np.isnan(paths.steps(problem.y))
    assert missing.sum() == 15  # three readings, each in five forecasts
    result = train(pa.table({"day": days(260), "y": y}), DAILY, PLAIN)
    assert result["forecast"]["gaps"] == 3


@pytest.mark.parametrize(
    ("data", "options", "said"),
    [
        (one(), {"horizon": 300}, "not shorter than the history"),
        (one(), {"horizon": -1}, "horizon is -1"),
        (one(12), {"horizon": 5}, "too few"),
        (one(), {"time": None}, "name it with --time"),
        (one(), {"group": "y"}, "--group says nothing"),
        (one(), {"positive": "y"}, "--positive says nothing"),
        (one(), {"target": "y,w"}, "'w' not found"),
        (one(y2=[None] * 260), {"target": "y2"}, "all values are missing|not numbers"),
    ],
)
def test_what_cannot_be_forecast_is_refused_with_a_remedy(
    data: pa.Table, options: dict, said: str
) -> None:
    asked = {"time": "day", "target": "y", "horizon": 5} | options
    with pytest.raises(InputError, match=said):
        prepare(data, DataOptions(**asked), seed=0, monitor=quiet)


def test_a_single_series_that_never_changes_is_told_as_such() -> None:
    found = look(pa.table({"day": days(120), "y": np.full(120, 3.0)}), DAILY)["findings"]
    said = {finding["what"]: finding["severity"] for finding in found}
    assert said["the only series never changes: y"] == "serious"


def test_times_that_are_text_are_read_or_refused_by_what_they_say() -> None:
    dates = one().to_pydict()
    dates["day"] = [str(day)[:10] for day in dates["day"]]
    assert look(pa.table(dates), DAILY)["series"] == look(one(), DAILY)["series"]
    words = pa.table(dates | {"day": [f"day {number}" for number in range(260)]})
    with pytest.raises(SchemaError, match="'day 0' is not a date"):
        prepare(words, DAILY, seed=0, monitor=quiet)
    some = [f"{day}T00:00:00{'+01:00' if k % 2 else ''}" for k, day in enumerate(dates["day"])]
    with pytest.raises(SchemaError, match="some times name a zone, as '2021-01-02T00:00:00"):
        prepare(pa.table(dates | {"day": some}), DAILY, seed=0, monitor=quiet)


def test_a_constant_series_is_forecast_as_it_is() -> None:
    flat = pa.table({"day": days(120), "y": np.full(120, 3.0), "z": weekly(120)})
    result = train(flat, DataOptions(time="day", target="y,z", horizon=4), PLAIN)
    assert any("never change" in finding["what"] for finding in result["findings"])
    table = predict(result["model"], flat)["table"]
    assert np.array(table["forecast"])[:4] == pytest.approx(3.0)


def test_look_tells_what_there_is_and_what_stands_in_the_way() -> None:
    found = look(one(), DAILY)
    assert found["series"]["season"] == 7
    assert found["split"]["folds"] == 4
    assert not found["blockers"]
    assert "too few" in look(one(14), DAILY)["blockers"][0]


def test_a_recipe_is_replayed_with_its_look_back(tmp_path: Path) -> None:
    first = train(one(), DAILY, TrainOptions(rungs=("last", "linear")))
    recipe = Path(first["report"]).parent / "recipe.json"
    again = train(one(), DAILY, TrainOptions(recipe=str(recipe)))
    assert [rung["name"] for rung in again["rungs"]] == ["last", "linear"]
    assert again["test"]["path_mae"] == first["test"]["path_mae"]
    record = json.loads(recipe.read_text(encoding="utf-8")) | {"net": "seasonal"}
    (tmp_path / "r.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(RecipeError, match="follows no recipe"):
        train(one(), DAILY, TrainOptions(recipe=str(tmp_path / "r.json")))


@pytest.mark.parametrize("name", ["linear", *NETS])
def test_each_choice_of_a_recipe_is_followed_or_refused(name: str) -> None:
    problem = prepare(read(one(150)), DAILY, seed=0, monitor=quiet).problem
    rung, training = RUNGS.get(name), problem.folds[-1]
    (recipe, *_) = rung.recipes(training)
    recipe = recipe if name == "linear" else replace(recipe, epochs=2, patience=0)

    def said(changed: Recipe) -> np.ndarray:
        windows = Posed.of(problem).windows(training.rows, changed.look_back)
        return rung.fit(training, changed, Watch()).predict(windows)

    if name == "linear":
        solved = ("seed",)  # without chance
        assert followed(rung, recipe, said, given=solved) == {"l2", "look_back"}
    else:
        own = {"hidden"} if name == "dense" else {"width"}
        found = followed(rung, recipe, said)
        assert found >= own | {"learning_rate", "mixup", "average", "layer_decay", "seed", "loss"}


@pytest.mark.parametrize(("step", "begin"), [("hour", "2024-03-20"), ("day", "2024-01-01")])
def test_times_come_back_in_the_zone_they_came_in(step: str, begin: str, tmp_path: Path) -> None:
    zone = ZoneInfo("Europe/Berlin")
    first = datetime.fromisoformat(begin).replace(tzinfo=zone)
    if step == "hour":  # to the last hour before clocks change
        moments = [(first.astimezone(UTC) + timedelta(hours=k)).astimezone(zone)
                   for k in range(24 * 11 + 1)]  # fmt: skip
    else:  # noon of each day up to the day before
        moments = [first + timedelta(days=k, hours=12) for k in range(90)]
    kind = pa.timestamp("us", "Europe/Berlin")
    data = pa.table({"t": pa.array(moments, kind), "y": weekly(len(moments))})
    result = train(data, DataOptions(time="t", target="y", horizon=3), PLAIN)
    assert result["forecast"]["zone"] == "Europe/Berlin"
    out = tmp_path / "next.csv"
    found = predict(result["model"], data, out=str(out))["table"]["t"]
    assert found.type == kind
    wanted = {"hour": ["01:00+01:00", "03:00+02:00", "04:00+02:00"],
              "day": ["12:00+02:00"] * 3}[step]  # fmt: skip
    shown = [moment.as_py().isoformat() for moment in found]
    assert [text[11:16] + text[19:] for text in shown] == wanted
    lines = out.read_text(encoding="utf-8").splitlines()[1:]
    assert [line.split(",")[0].strip('"').replace(" ", "T") for line in lines] == shown
    example = result["forecast"]["examples"][-1]
    assert example["from"] == shown[0][:16].replace("T", " ") + ":00"


@pytest.mark.slow
def test_a_hundred_thousand_short_series_climb() -> None:
    resource = pytest.importorskip("resource")
    count, length = 100_000, 14
    random = np.random.default_rng(0)
    level = random.uniform(10, 1000, count)[:, None]
    months = (np.datetime64("2020-01") + np.arange(length)).astype("datetime64[s]")
    values = level * (1 + 0.02 * np.arange(length)) + random.normal(0, 1, (count, length))
    data = pa.table({"month": np.tile(months, count), "y": values.ravel(),
                     "id": np.repeat(np.arange(count), length)})  # fmt: skip
    asked = DataOptions(time="month", target="y", series="id", horizon=2)
    began = time.perf_counter()
    result = train(data, asked, TrainOptions(rungs=("last", "linear"), budget=None))
    assert result["forecast"]["series"] == count
    assert result["chosen"] == "linear"
    assert predict(result["model"], data)["rows"] == 2 * count
    assert time.perf_counter() - began < 300
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 4_000_000  # KiB


def test_a_channel_without_readings_is_left_out_and_told() -> None:
    data = one(z=np.full(260, np.nan))
    found = look(data, DataOptions(time="day", target="y,z", horizon=5))
    assert any("without any reading" in finding["what"] for finding in found["findings"])
    result = train(data, DataOptions(time="day", target="y,z", horizon=5), PLAIN)
    assert result["forecast"]["series"] == 1
