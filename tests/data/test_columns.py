"""Arrow columns of every type as numbers, categories and hashes."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from tests.data.making import table

from neuroscope.base.errors import SchemaError
from neuroscope.data.columns import Cells, cells, row_hashes

TEXTS = [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]


def column(values, kind=None) -> Cells:
    return Cells(pa.chunked_array([pa.array(values, kind)]), "a")


@pytest.mark.parametrize("kind", TEXTS)
def test_text_of_every_storage(kind):
    values = column(["3", None, " 4.5 ", ""], kind)
    assert values.numbers()[[0, 2]].tolist() == [3, 4.5]
    assert np.isnan(values.numbers()[[1, 3]]).all()
    codes, labels = column(["u", None, "v", "u"], kind).categories()
    assert [labels[c] if c >= 0 else None for c in codes] == ["u", None, "v", "u"]


@pytest.mark.parametrize(
    ("values", "kind", "numbers", "labels"),
    [
        ([1, None, 3], pa.int8(), [1, np.nan, 3], ["1", "3"]),
        ([1.0, float("nan"), 2.5], pa.float32(), [1, np.nan, 2.5], ["1", "2.5"]),
        ([2**63, None, 1], pa.uint64(), [2.0**63, np.nan, 1], [str(2**63), "1"]),
        ([True, None, False], pa.bool_(), [1, np.nan, 0], ["true", "false"]),
        ([None, None, None], pa.null(), [np.nan] * 3, []),
        ([90, None, 0], pa.duration("s"), [90, np.nan, 0], None),
        ([dt.time(0, 1), None, dt.time(0, 0)], pa.time64("us"), [60, np.nan, 0], None),
        ([dt.date(1970, 1, 2), None, dt.date(1970, 1, 1)], pa.date32(), [86400, np.nan, 0], None),
    ],
)
def test_values_of_every_storage(values, kind, numbers, labels):
    np.testing.assert_array_equal(column(values, kind).numbers(), numbers)
    if labels is not None:
        assert column(values, kind).categories()[1] == labels
    t = table(a=pa.array(values, kind))
    hashes = row_hashes(t, ["a"])
    assert len(np.unique(hashes)) == len(set(map(str, values)))


def test_time_zones_are_read_in_utc():
    noon = dt.datetime(2024, 6, 1, 12, tzinfo=dt.UTC)
    there = pa.array([noon], pa.timestamp("us", tz="Europe/Paris"))
    assert column(there).moments()[0] == noon.timestamp()


def test_nested_values_are_categories_and_no_numbers():
    values = column([[1], [2], None, [1]])
    assert values.categories()[0].tolist() == [0, 1, -1, 0]
    with pytest.raises(SchemaError, match="column 'a': values of type list"):
        values.numbers()


def test_no_rows():
    empty = Cells(pa.chunked_array([], pa.string()), "a")
    assert empty.numbers().tolist() == []
    assert empty.categories()[0].tolist() == []
    assert len(row_hashes(table(a=pa.array([], pa.string())), ["a"])) == 0


def test_rows_are_taken_in_their_order_and_named_in_errors():
    t = table(a=["1", "2", "x", "4"])
    assert cells(t, "a", np.array([3, 0])).numbers().tolist() == [4, 1]
    with pytest.raises(SchemaError, match="column 'a', row 3: 'x' is not a number"):
        cells(t, "a", np.array([3, 2])).numbers()


def test_row_hashes_tell_rows_apart():
    random = np.random.default_rng(0)
    t = table(
        a=random.integers(0, 9, 5000),
        b=random.choice(["u", "v", None], 5000),
        c=np.where(random.random(5000) < 0.3, np.nan, random.integers(0, 5, 5000) - 2.0),
    )
    rows = [tuple(map(str, row.values())) for row in t.arrow.to_pylist()]
    _, group = np.unique(row_hashes(t, t.names), return_inverse=True)
    assert len(set(zip(group, rows, strict=True))) == len(set(rows)) == group.max() + 1


def test_minus_zero_is_zero_and_columns_are_not_interchangeable():
    hashes = row_hashes(table(a=[0.0, -0.0, 1.0, 2.0], b=[5.0, 5.0, 2.0, 1.0]), ["a", "b"])
    assert hashes[0] == hashes[1]
    assert hashes[2] != hashes[3]
