"""Sequences read end to end, summarised, and brought to the steps of a net."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from neuroscope.base.errors import SchemaError
from neuroscope.data.audit import audit, drops
from neuroscope.data.columns import list_bits
from neuroscope.data.fingerprint import fingerprint
from neuroscope.data.schema import Schema, infer_schema
from neuroscope.data.series.column import readings, replaced
from neuroscope.data.series.encoder import SeriesEncoder, suggest_grid
from neuroscope.data.series.summaries import Summaries, SummaryEncoder, summarised
from neuroscope.data.splits import plan_split
from neuroscope.data.table import Origin, Table

NAN = np.nan
COLUMNS = {
    "at": [[0.0, 1.0, 2.5, 9.0], [100.0, 104.0], [7.0], []],
    "x": [[1.0, NAN, 3.0, 5.0], [2.0, 2.0], [NAN], []],
    "z": [[10.0, 20.0, 30.0, 40.0], [0.0, 5.0], [7.0], []],
    "age": [30.0, 40.0, None, 60.0],
    "label": ["a", "b", "a", "b"],
}


def made(**changes) -> tuple[Table, Schema]:
    table = Table(pa.table(COLUMNS | changes), Origin("test"))
    return table, infer_schema(table, target="label", axis="at" if "at" in table.names else None)


ROWS = np.arange(4)


def test_the_readings_of_rows_lie_end_to_end() -> None:
    found = readings(*made())
    assert found.names == ("x", "z")
    assert found.lengths.tolist() == [4, 2, 1, 0]
    assert found.elapsed.tolist() == [0, 1, 2.5, 9, 0, 4, 0]
    assert found.values[:, 1].tolist() == [10, 20, 30, 40, 0, 5, 7]
    some = readings(*made(), np.array([3, 1]))
    assert some.lengths.tolist() == [0, 2]
    assert some.until(3.0).lengths.tolist() == [0, 1]


def test_readings_out_of_order_are_sorted() -> None:
    found = readings(*made(at=[[9.0, 0.0, 1.0, 2.5], [100.0, 104.0], [7.0], []]))
    assert found.values[:4, 1].tolist() == [20, 30, 40, 10]
    assert found.sorted_rows == 1


def test_without_an_axis_missing_steps_at_the_end_are_padding() -> None:
    columns = {"x": [[1.0, NAN, NAN], [NAN, 2.0, 3.0]], "z": [[1.0, 2.0, NAN], [NAN, NAN, 3.0]]}
    table = Table(pa.table(columns | {"label": ["a", "b"]}), Origin("test"))
    found = readings(table, infer_schema(table))
    assert found.lengths.tolist() == [2, 3]


def test_series_of_one_row_have_one_length() -> None:
    table, schema = made(x=[[1.0, 2.0], [2.0, 2.0], [NAN], []])
    with pytest.raises(SchemaError, match=r"row 1: column 'x' has 2 readings .* has 4"):
        readings(table, schema)
    table, schema = made(x=[None, [2.0, 2.0], [NAN], []])  # none at all is a channel not read
    assert np.isnan(readings(table, schema).values[:4, 0]).all()
    words = table.arrow.drop_columns("x").append_column("x", [["p", "q", "r", "s"]])
    with pytest.raises(SchemaError, match="column 'x' holds string"):
        readings(Table(words, Origin("later")), schema)


# Summaries


def test_summaries_are_what_they_are_called() -> None:
    table, schema = made()
    found = summarised(table, schema).arrow.to_pydict()
    row = {name: column[0] for name, column in found.items()}
    expected = {
        "readings": 4, "duration": 9, "z mean": 25, "z least": 10, "z largest": 40, "z first": 10,
        "z last": 40, "z deviation": np.std([10, 20, 30, 40]),
        "z slope": np.polyfit([0, 1, 2.5, 9], [10, 20, 30, 40], 1)[0],
        "z early": 20, "z middle": None, "z late": 40, "x readings": 3, "x time since last": 0,
        "x mean": 3, "x last": 5, "age": 30,
    }  # fmt: skip
    for name, value in expected.items():
        assert row[name] == (value if value is None else pytest.approx(value)), name
    assert (found["x mean"][2], found["x readings"][2], found["x time since last"][1]) == (
        None,
        0,
        0,
    )
    assert (found["z mean"][3], found["readings"][3]) == (None, 0)


def test_summaries_of_later_rows_are_encoded_as_in_training() -> None:
    table, schema = made()
    whole = Summaries.of(table, schema)
    encoder, x = SummaryEncoder.fit_transform(
        whole, ROWS, numeric_bins=0, y=np.array([0, 1, 0, 1]), seed=0
    )
    again = SummaryEncoder.from_json(json.loads(json.dumps(encoder.to_json())))
    later = Table(table.arrow, Origin("later"))
    assert np.allclose(again.transform(later).x, x)
    assert np.allclose(again.transform(later, np.array([2])).x, x[2:3])


# Steps


def test_readings_at_equal_distances_are_steps() -> None:
    table, schema = made(at=[[0.0, 5.0, 10.0, 15.0], [100.0, 105.0], [7.0], []])
    grid = suggest_grid(readings(table, schema))
    assert (grid.width, grid.steps, grid.regular) == (5.0, 4, True)
    assert not suggest_grid(readings(table, schema), steps=2).regular


def test_irregular_readings_share_the_bins_of_a_grid() -> None:
    grid = suggest_grid(readings(*made()), steps=3)
    assert (grid.width, grid.steps, grid.regular) == (3.0, 4, False)
    assert grid.step(np.array([0, 2.9, 3, 9])).tolist() == [0, 0, 1, 3]
    assert suggest_grid(readings(*made())).steps <= 4


def test_steps_hold_value_mask_and_time_since() -> None:
    table, schema = made()
    encoder = SeriesEncoder.fit(table, schema, ROWS, steps=3)
    rows = encoder.transform(table).x
    x, lengths = rows.x, rows.lengths
    assert lengths.tolist() == [4, 2, 1, 0]
    assert x.shape == (4, 4, encoder.channels)
    value, mask, since = x[0, :, 0], x[0, :, 1], x[0, :, 2]
    assert mask.tolist() == [1, 0, 0, 1]
    assert since.tolist() == [0, 0.25, 0.5, 0]
    assert value[0] == value[1] == value[2] < value[3]  # carried on until the next reading
    assert (x[1, 2:] == 0).all()  # after the end
    assert (x[3] == 0).all()
    assert (x[2, :1, 1:3] == [[0, 1]]).all()  # never read: as old as can be
    ages = x[:3, 0, 6]
    assert ages[0] < ages[1]


def test_what_is_always_read_needs_no_mask() -> None:
    columns = {"x": [[1.0, 2.0, 3.0]] * 3, "label": ["a", "b", "a"]}
    table = Table(pa.table(columns), Origin("test"))
    encoder = SeriesEncoder.fit(table, infer_schema(table), np.arange(3))
    assert encoder.gaps == (False,)
    assert encoder.channels == 1


def test_scales_come_from_the_training_rows_alone() -> None:
    table, schema = made()
    strange, _ = made(z=[[10.0, 20.0, 30.0, 40.0], [0.0, 5.0], [7e6], []])
    rows = np.array([0, 1])
    assert SeriesEncoder.fit(table, schema, rows) == SeriesEncoder.fit(strange, schema, rows)


def test_an_encoder_is_json_and_encodes_the_same_again() -> None:
    table, schema = made()
    encoder = SeriesEncoder.fit(table, schema, ROWS, steps=3)
    again = SeriesEncoder.from_json(json.loads(json.dumps(encoder.to_json())))
    assert np.array_equal(again.transform(table).x.x, encoder.transform(table).x.x)
    few = again.transform(table, np.array([1])).x
    assert np.array_equal(few.x, encoder.transform(table).x.x[1:2, : few.x.shape[1]])


def test_of_a_far_longer_sequence_the_newest_steps_count() -> None:
    table, schema = made()
    encoder = SeriesEncoder.fit(table, schema, ROWS, steps=3)
    times = np.arange(60.0)
    later, _ = made(at=[times.tolist()] * 4, x=[times.tolist()] * 4, z=[times.tolist()] * 4)
    found = encoder.transform(later)
    assert found.x.x.shape[1] == 2 * encoder.grid.steps
    assert found.x.lengths.tolist() == [8] * 4
    assert np.all(np.diff(found.x.x[0, :, 0]) >= 0)
    assert any("newest steps count" in note for note in found.notes)


def test_the_future_changes_nothing_before_it() -> None:
    table, schema = made()
    encoder = SeriesEncoder.fit(table, schema, ROWS, steps=3)
    found = readings(table, schema)
    moment = 4.0
    after = found.elapsed > moment
    changed = replace(found, values=np.where(after[:, None], 1e6, found.values))
    said = []
    for one in (found, changed):
        prefix = replaced(table, schema, ROWS, one.until(moment))
        summary, _ = SummaryEncoder.fit_transform(
            Summaries.of(table, schema), ROWS, numeric_bins=0, y=np.array([0, 1, 0, 1]), seed=0
        )
        said.append((encoder.transform(prefix).x.x, summary.transform(prefix).x))
        whole = encoder.transform(replaced(table, schema, ROWS, one)).x.x
        assert np.array_equal(whole[0, :1], said[0][0][0, :1])  # steps that ended before it
    assert np.array_equal(said[0][0], said[1][0])
    assert np.array_equal(said[0][1], said[1][1])


# What a table needs of its columns


def test_equal_lists_have_equal_hashes_and_others_do_not() -> None:
    lists = [[1.0, 2.0], [2.0, 1.0], [1.0, 2.0], [], [1.0, None], [0.0], [-0.0], [1.0, 2.0, 0.0]]
    found = list_bits(pa.chunked_array([pa.array(lists)]))
    assert found[0] == found[2]
    assert found[5] == found[6]
    assert len(set(found.tolist())) == 6


def test_a_fingerprint_sees_each_reading() -> None:
    table, _ = made()
    other, _ = made(x=[[1.0, NAN, 3.0, 5.5], [2.0, 2.0], [NAN], []])
    assert fingerprint(table) == fingerprint(made()[0])
    assert fingerprint(table) != fingerprint(other)


def test_look_tells_of_silent_channels_gaps_and_empty_sequences() -> None:
    random = np.random.default_rng(0)
    x = [random.normal(size=5).tolist() for _ in range(40)]
    x[3][1], x[5] = NAN, []
    x[7][2] = np.inf
    columns = {
        "x": x, "dead": [[None] * len(one) for one in x], "flat": [[2.0] * len(one) for one in x],
        "label": ["a", "b"] * 20,
    }  # fmt: skip
    table = Table(
        pa.table(columns | {"dead": pa.array(columns["dead"], pa.list_(pa.float64()))}),
        Origin("test"),
    )
    schema = infer_schema(table)
    split = plan_split(table, schema, seed=0, task_kind="binary")
    found = audit(table, schema, split=split, task_kind="binary")
    said = {finding.code: finding for finding in found}
    assert {"all-missing", "constant", "gaps", "infinite", "empty-sequences"} <= said.keys()
    assert said["empty-sequences"].rows == (6,)
    assert dict(drops(found, schema)).keys() == {"dead", "flat"}
