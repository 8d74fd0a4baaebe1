"""Sequences from the source to the answer: look, train, judge and predict, by the verbs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from neuroscope.base.errors import InputError, RecipeError, SchemaError
from neuroscope.data.series.column import readings, replaced
from neuroscope.data.sources import read
from neuroscope.tasks import ladder, series_classes
from neuroscope.verbs._prepare import DataOptions
from neuroscope.verbs._request import TrainOptions
from neuroscope.verbs._series.views import moments_of
from neuroscope.verbs.judge import judge
from neuroscope.verbs.load import load
from neuroscope.verbs.look import look
from neuroscope.verbs.predict import predict
from neuroscope.verbs.train import train

LONG = DataOptions(target="state", series="machine", time="hour")


def write_long(path: str, machines: int = 60, *, seed: int = 0, labels: bool = True) -> str:
    """Write readings of machines whose heat rises before they fail, at irregular hours."""
    random = np.random.default_rng(seed)
    rows: dict[str, list] = {name: [] for name in ("machine", "hour", "heat", "kind", "state")}
    for machine in range(machines):
        count = int(random.integers(8, 14))
        fails = machine % 2 == 1
        hours = np.sort(random.uniform(0, 24, count))
        heat = random.normal(0, 1, count) + (hours / 6 if fails else 0)
        rows["machine"] += [f"m{machine:03}"] * count
        rows["hour"] += hours.tolist()
        rows["heat"] += [None if random.random() < 0.1 else value for value in heat.tolist()]
        rows["kind"] += ["pqrstu"[machine // 2 % 6]] * count
        rows["state"] += ["failed" if fails else "fine"] * count
    table = pa.table(rows)
    pq.write_table(table if labels else table.drop_columns(["state"]), path)
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> dict:
    place = tmp_path_factory.mktemp("machines")
    source = write_long(str(place / "machines.parquet"))
    options = TrainOptions(rungs=("majority", "neuron", "gru"), epochs=10, out=str(place / "runs"))
    return train(source, LONG, options)


def test_a_long_table_climbs_with_a_row_a_sequence(trained) -> None:
    assert trained["task"] == "series_classes"
    assert trained["noun"] == "sequence"
    assert sum(trained["rows"][part] for part in ("train", "valid", "test")) == 60
    assert {rung["status"] for rung in trained["rungs"]} == {"done"}
    assert trained["test"]["roc_auc"] > 0.8
    assert any("gathered into 60 sequences" in note for note in trained["origin"])
    assert "--series machine" in trained["reproduce"]
    assert Path(trained["report"]).exists()


def test_the_report_says_when_the_model_knew(trained) -> None:
    seen = trained["over_time"]
    assert seen["unit"] == "units of 'hour'"
    assert len(seen["moments"]) == len(seen["scores"]) >= 4
    assert seen["scores"][-1] > seen["scores"][0] + 0.1  # the heat rises with time
    assert seen["scores"][-1] == pytest.approx(trained["test"]["roc_auc"])
    assert [one["rate"] for one in seen["alarms"]] == [0.2]
    assert {one["truth"] for one in seen["examples"]} == {"fine", "failed"}
    assert all(one["name"].startswith("m0") for one in seen["examples"])
    page = Path(trained["report"]).read_text()
    assert "When does it know?" in page
    assert "Half of the sequences had their last answer" in page


def test_the_report_shows_how_far_back_the_nets_look(trained) -> None:
    seen = trained["memory"]
    (net,) = seen["nets"]
    assert (seen["unit"], net["name"]) == ("step", "gru")
    assert max(net["gradient"]) > 0
    assert 0 <= net["reach"] < len(net["gradient"])
    states = net["states"]
    steps = len(net["read"])
    assert {len(row) for row in states["hidden"]} == {steps}
    assert set(states["gates"]) == {"reset_gate", "update_gate"}
    assert all(0 <= value <= 1 for gate in states["gates"].values() for value in gate)
    page = Path(trained["report"]).read_text()
    section = page[page.index('id="memory"') :]
    assert "How far back does each net look?" in section
    assert "update gate: keeps" in section
    assert 'class="line memory1"' in section
    assert 'class="positive"' in section


def test_the_plain_recurrent_network_climbs_on_request_beside_its_cures() -> None:
    assert "rnn" not in [rung.__name__.rpartition(".")[2] for rung in ladder(series_classes)]
    table = read("adding").arrow.slice(0, 120)
    nets = ("majority", "rnn", "lstm", "transformer")
    result = train(table, DataOptions(target="sum"), TrainOptions(rungs=nets, epochs=1))
    assert result["kind"] == "regression"
    assert [net["name"] for net in result["memory"]["nets"]] == ["rnn", "lstm", "transformer"]
    assert {len(net["gradient"]) for net in result["memory"]["nets"]} == {30}
    assert result["memory"]["nets"][2]["states"]["attention"]


def test_answers_over_time_see_nothing_of_the_future(trained) -> None:
    """Readings after a moment may be anything: what was said until then stays the same."""
    model = load(trained["model"])
    table = model.as_rows(read(write_long("machines.parquet")))
    rows = np.arange(table.rows)
    known = readings(table, model.schema)
    random = np.random.default_rng(0)
    for moment in moments_of(known)[::4]:
        future = known.elapsed > moment
        other = np.where(future[:, None], random.normal(0, 1e3, known.values.shape), known.values)
        said = [
            model.raw(replaced(table, model.schema, rows, one.until(moment)))[0]
            for one in (known, replace(known, values=other.astype(np.float32)))
        ]
        assert np.array_equal(*said)
        whole = model.raw(replaced(table, model.schema, rows, replace(
            known, values=other.astype(np.float32))))[0]  # fmt: skip
        assert not np.array_equal(whole, said[0]) or not future.any()


def test_a_model_reads_later_rows_as_it_was_taught(trained) -> None:
    later = write_long("later.parquet", 12, seed=1, labels=False)
    found = predict(trained["model"], later)["table"].to_pydict()
    assert found["machine"] == [f"m{machine:03}" for machine in range(12)]
    right = [said == ("failed" if k % 2 else "fine") for k, said in enumerate(found["prediction"])]
    assert np.mean(right) > 0.7
    judged = judge(trained["model"], write_long("new.parquet", 40, seed=2))
    assert judged["rows"] == 40
    assert judged["seen_in_training"]["rows"] == 0
    again = judge(trained["model"], write_long("old.parquet"))
    assert "made from" in again["warnings"][0]


def test_later_rows_of_another_layout_are_refused(trained) -> None:
    pq.write_table(pa.table({"machine": ["a"], "heat": [1.0]}), "odd.parquet")
    with pytest.raises(SchemaError, match="columns are missing: 'hour'"):
        predict(trained["model"], "odd.parquet")


def test_a_rung_of_another_task_is_refused_with_the_task_that_has_it() -> None:
    wide = {f"x{step}": np.arange(40.0) + step for step in range(1, 5)}
    table = pa.table(wide | {"digit": [str(i % 2) for i in range(40)]})
    said = "'gru' is no rung of table.*--task series_classes or --task series_forecast"
    with pytest.raises(InputError, match=said):
        train(table, DataOptions(target="digit"), TrainOptions(rungs=("neuron", "gru")))


def test_look_says_what_was_gathered() -> None:
    found = look(write_long("machines.parquet"), LONG)
    kinds = {column["name"]: (column["kind"], column["role"]) for column in found["columns"]}
    assert kinds["heat"] == ("series", "feature")
    assert kinds["hour"] == ("series", "axis")
    assert kinds["machine"][1] == "series"
    assert {"sequences", "gaps"} <= {finding["code"] for finding in found["findings"]}
    assert any("gathered" in note for note in found["origin"]["notes"])
    assert not found["blockers"]


def test_a_wide_table_and_the_set_that_comes_along_are_sequences() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(60, 8)).cumsum(axis=1)
    columns = {f"x{step + 1}": x[:, step] for step in range(8)}
    pq.write_table(pa.table(columns | {"up": x[:, -1] > x[:, 0]}), "wide.parquet")
    wide = look("wide.parquet", DataOptions(target="up", task="series_classes"))
    assert [c["kind"] for c in wide["columns"]] == ["boolean", "series"]
    assert "--task series_classes" in wide["next"]
    plain = look("wide.parquet", DataOptions(target="up"))
    assert len(plain["columns"]) == 9
    assert look("waves")["columns"][0]["kind"] == "series"


def test_a_group_stays_whole_and_must_not_change_within_a_sequence() -> None:
    source = write_long("machines.parquet")
    options = DataOptions(target="state", series="machine", time="hour", group="kind")
    assert look(source, options)["split"]["method"] == "grouped"
    table = pq.read_table(source)
    mixed = table.set_column(
        3, "kind", pa.array(["p", "q"] * (table.num_rows // 2 + 1))[: len(table)]
    )
    pq.write_table(mixed, "mixed.parquet")
    with pytest.raises(SchemaError, match="'kind' changes within series 'm000'"):
        look("mixed.parquet", options)


def test_a_column_to_drop_is_dropped_before_rows_are_gathered() -> None:
    source = write_long("machines.parquet")
    options = DataOptions(target="state", series="machine", time="hour", drop=("kind",))
    assert "kind" not in {column["name"] for column in look(source, options)["columns"]}
    columns = {f"x{step}": np.arange(30.0) + step for step in range(4)}
    columns |= {"site": np.arange(30) % 7, "up": np.arange(30) % 2}
    pq.write_table(pa.table(columns), "wide.parquet")
    wide = DataOptions(target="up", task="series_classes", drop=("site",))
    assert [c["name"] for c in look("wide.parquet", wide)["columns"]] == ["up", "x"]
    with pytest.raises(InputError, match="column to drop 'kin' not found"):
        look(source, DataOptions(target="state", series="machine", drop=("kin",)))


def test_arrays_that_could_be_pictures_are_sequences_when_asked() -> None:
    x = np.random.default_rng(0).uniform(size=(40, 12, 5))
    np.savez("a.npz", x=x, y=np.arange(40) % 2)
    as_task = look("a.npz", DataOptions(task="series_classes"))
    assert [c["kind"] for c in as_task["columns"]] == ["series"] * 5 + ["boolean"]
    assert look("a.npz")["columns"][0]["kind"] == "image"


def test_the_device_is_the_one_that_was_asked_for_and_is_there(tmp_path) -> None:
    source = write_long(str(tmp_path / "machines.parquet"), 40)
    options = TrainOptions(rungs=("neuron", "gru"), epochs=1, device="cpu")
    rungs = {rung["name"]: rung["recipe"] for rung in train(source, LONG, options)["rungs"]}
    assert rungs["gru"]["device"] == "cpu" and rungs["gru"]["reasons"]["device"] == "as asked"
    assert rungs["neuron"]["device"] == "auto"


@pytest.mark.parametrize(("device", "said"), [("tpu", "device"), ("mps", "is not there")])
def test_a_device_that_is_not_there_is_refused_before_the_data_are_read(device, said) -> None:
    with pytest.raises(RecipeError, match=said):
        train("nowhere.csv", LONG, TrainOptions(device=device))
