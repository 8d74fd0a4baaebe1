"""A model remembers its rows: by value, in little room, and without taking twins for memory."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from making import schema

from neuroscope.data.images.column import as_arrays
from neuroscope.data.sketch import MOST, recognise, sketch
from neuroscope.data.table import Origin, Table

SCHEMA = schema(a="numeric", c="categorical", y="categorical target")


def rows_of(count: int, seed: int = 0, digits: int = 6) -> Table:
    draw = np.random.default_rng(seed)
    a = np.round(draw.standard_normal(count), digits)
    c, y = draw.choice(["red", "green", "blue"], count), draw.choice(["no", "yes"], count)
    return Table(pa.table({"a": a, "c": c, "y": y}), Origin("test"))


def part(table: Table, rows) -> Table:
    return Table(table.arrow.take(pa.array(rows)), Origin("later"))


def joined(*tables: Table) -> Table:
    return Table(pa.concat_tables([t.arrow for t in tables]), Origin("later"))


def test_rows_are_known_in_any_order_and_storage() -> None:
    table = rows_of(300)
    record = json.loads(json.dumps(sketch(table, SCHEMA, np.arange(200))))
    later = part(table, np.random.default_rng(1).permutation(300))
    coded = later.arrow.set_column(1, "c", later.arrow.column("c").dictionary_encode())
    for again in (later, Table(coded.select(["y", "c", "a"]), Origin("later"))):
        found = recognise(again, SCHEMA, record)
        assert found is not None
        assert (found.seen, found.looked_at) == (200, 300)


def test_new_rows_and_rows_with_another_target_are_not_known() -> None:
    table = rows_of(300)
    record = sketch(table, SCHEMA, np.arange(300))
    other = recognise(rows_of(300, seed=5), SCHEMA, record)
    assert other is not None
    assert other.seen == 0
    turned = {"no": "yes", "yes": "no"}
    y = pa.array([turned[v] for v in table.arrow.column("y").to_pylist()])
    found = recognise(Table(table.arrow.set_column(2, "y", y), Origin("t")), SCHEMA, record)
    assert found is not None
    assert found.seen == 0


def test_of_many_rows_a_part_is_remembered_and_the_share_is_right() -> None:
    table = rows_of(60_000)
    record = sketch(table, SCHEMA, np.arange(60_000))
    assert record["every"] == 15
    assert len(json.dumps(record)) < 12 * MOST
    found = recognise(joined(part(table, np.arange(9_000)), rows_of(3_000, seed=9)), SCHEMA, record)
    assert found is not None
    assert 500 < found.looked_at < 1_100
    assert found.share == pytest.approx(0.75, abs=0.05)


def test_pictures_are_known_by_what_they_hold() -> None:
    draw = np.random.default_rng(0)
    known, new = (draw.integers(0, 255, (30, 4, 4), dtype=np.uint8) for _ in range(2))
    about = schema(image="image", y="categorical target")

    def table_of(pictures: np.ndarray) -> Table:
        y = np.full(len(pictures), "yes")
        return Table(pa.table({"image": as_arrays(pictures), "y": y}), Origin("test"))

    record = sketch(table_of(known), about, np.arange(30))
    seen = recognise(table_of(np.concatenate([new[:10], known[10:20]])), about, record)
    assert seen is not None
    assert (seen.looked_at, seen.seen) == (20, 10)


def test_twins_in_the_data_are_counted() -> None:
    record = sketch(rows_of(500, digits=0), SCHEMA, np.arange(500))
    assert record["twins"] > 0.9
    assert sketch(rows_of(500), SCHEMA, np.arange(500))["twins"] == 0


def test_missing_values_are_values() -> None:
    a = pa.array([1.0, None, float("nan"), 2.0])
    table = Table(pa.table({"a": a, "c": ["x", None, None, "x"], "y": ["p"] * 4}), Origin("t"))
    found = recognise(part(table, [2, 0]), SCHEMA, sketch(table, SCHEMA, np.array([0, 1])))
    assert found is not None
    assert found.seen == 2  # rows 1 and 2 are the same: both miss the same


@pytest.mark.parametrize("record", [{}, {"every": 1}, {"every": 1, "twins": 0, "hashes": "%%"}])
def test_no_sketch_no_answer(record) -> None:
    assert recognise(rows_of(3), SCHEMA, record) is None


def test_a_table_without_the_target_cannot_be_recognised() -> None:
    table = rows_of(30)
    record = sketch(table, SCHEMA, np.arange(30))
    assert recognise(Table(table.arrow.drop_columns(["y"]), Origin("t")), SCHEMA, record) is None
