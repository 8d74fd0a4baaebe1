"""Rows gathered into sequences: the layouts, what is said, and what is refused."""

from __future__ import annotations

import json
import time

import numpy as np
import pyarrow as pa
import pytest

from neuroscope.base.errors import InputError, NeuroscopeError, SchemaError
from neuroscope.data.series.gather import Plan, gather, gathered, plan
from neuroscope.data.sources import read
from neuroscope.data.table import Origin, Table

LONG = {
    "who": ["b", "b", "a", "a", "a"],
    "at": [1.0, 0.0, 5.0, 6.0, 7.5],
    "pulse": [71.0, 70.0, 60.0, None, 62.0],
    "fever": [False, True, True, True, False],
    "age": [40, 40, None, 50, 50],
    "ward": ["x", "x", "y", "y", "y"],
    "label": ["ill", "ill", "well", "well", "well"],
}


def made(**columns) -> Table:
    return Table(pa.table(columns), Origin("test"))


def values(table: Table) -> dict[str, list]:
    return table.arrow.to_pydict()


def test_a_long_table_becomes_a_row_a_series() -> None:
    found = gathered(made(**LONG), series="who", time="at")
    assert values(found) == {
        "who": ["b", "a"],
        "age": [40, 50],
        "ward": ["x", "y"],
        "label": ["ill", "well"],
        "at": [[0.0, 1.0], [5.0, 6.0, 7.5]],
        "pulse": [[70.0, 71.0], [60.0, pytest.approx(np.nan, nan_ok=True), 62.0]],
        "fever": [[1.0, 0.0], [1.0, 1.0, 0.0]],
    }
    assert "gathered into 2 sequences by 'who' of 2 channels" in found.origin.notes
    assert "readings out of order in 1 sequence, sorted by time" in found.origin.notes


def test_without_times_the_rows_of_a_series_stand_in_order() -> None:
    table = made(**{name: column for name, column in LONG.items() if name != "at"})
    found = values(gathered(table, series="who", time=None))
    assert found["pulse"][0] == [71.0, 70.0]
    assert "at" not in found


def test_readings_of_one_moment_are_averaged_and_it_says_so() -> None:
    table = made(who=[1, 1, 1, 2], at=[0, 0, 1, 0], x=[1.0, 3.0, 9.0, 4.0], label=[0, 0, 0, 1])
    found = gathered(table, series="who", time="at")
    assert values(found)["x"] == [[2.0, 9.0], [4.0]]
    assert values(found)["at"] == [[0.0, 1.0], [0.0]]
    assert "1 reading of a moment that had one already, averaged" in found.origin.notes


def test_channels_that_a_column_names_are_laid_side_by_side() -> None:
    rows = [
        (7, 0, "pulse", 60.0), (7, 0, "age", 50.0), (7, 0, "gas", 1.0), (7, 2, "pulse", 62.0),
        (7, 2, "pulse", 66.0), (7, 2, "gas", 2.0),
        (9, 0, "pulse", 80.0), (9, 0, "age", 30.0), (9, 3, "pulse", 82.0), (9, 3, "gas", 4.0),
    ]  # fmt: skip
    who, at, what, value = map(list, zip(*rows, strict=True))
    labels = {7: "well", 9: "ill"}
    table = made(who=who, at=at, what=what, value=value, label=[labels[w] for w in who])
    how = plan(table, series="who", time="at")
    assert how.layout == "named"
    assert (how.channels, how.once) == (("gas", "pulse"), ("age",))
    found = gather(table, how)
    nan = pytest.approx(np.nan, nan_ok=True)
    assert values(found) == {
        "who": [7, 9], "label": ["well", "ill"], "at": [[0.0, 2.0], [0.0, 3.0]],
        "gas": [[1.0, 2.0], [nan, 4.0]], "pulse": [[60.0, 64.0], [80.0, 82.0]],
        "age": [50.0, 30.0],
    }  # fmt: skip
    later = table.take(pa.array([6, 9]))
    later = Table(later.arrow.drop_columns(["label"]), later.origin)
    assert values(gather(later, how))["pulse"] == [[80.0, nan]]
    assert values(gather(later, how))["age"] == [None]


def test_numbered_columns_are_a_wide_layout() -> None:
    table = made(t_1=[1, 2], t_2=[3, 4], t_3=[5, 6], s01=[7.0, 8.0], s02=[7.5, None],
                 s03=[0.0, 1.0], year=[1, 2], label=["a", "b"])  # fmt: skip
    found = gathered(table, series=None, time=None, plain=("label",))
    nan = pytest.approx(np.nan, nan_ok=True)
    assert values(found) == {
        "year": [1, 2], "label": ["a", "b"], "t": [[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]],
        "s": [[7.0, 7.5, 0.0], [8.0, nan, 1.0]],
    }  # fmt: skip


def test_a_plan_is_json_and_does_the_same_again() -> None:
    table = made(**LONG)
    how = plan(table, series="who", time="at")
    again = Plan.from_json(json.loads(json.dumps(how.to_json())))
    assert again == how
    assert str(values(gather(table, again))) == str(values(gather(table, how)))
    assert gather(table, how).origin.gathered == how.to_json()


def test_later_rows_need_no_label_and_no_order() -> None:
    how = plan(made(**LONG), series="who", time="at")
    later = made(at=[2.0, 1.0], who=["c", "c"], pulse=[1, 2], fever=[True, True], age=[1, 1],
                 ward=["x", "x"])  # fmt: skip
    assert values(gather(later, how))["pulse"] == [[2.0, 1.0]]


# What is refused, and what is set aside with a word


def test_a_label_that_changes_within_a_series_is_refused_by_name() -> None:
    table = made(**LONG | {"label": ["ill", "ill", "well", "well", "ill"]})
    with pytest.raises(SchemaError, match="'label' changes within series 'a': 'well' and 'ill'"):
        gathered(table, series="who", time="at")
    group = made(**LONG | {"ward": ["x", "z", "y", "y", "y"]})
    with pytest.raises(SchemaError, match="'ward' changes within series 'b'"):
        gathered(group, series="who", time="at", plain=("ward",))


def test_a_channel_may_be_called_y_where_the_target_is_named() -> None:
    table = made(**LONG | {"y": [1.0, 2.0, 3.0, 4.0, 5.0]})
    with pytest.raises(SchemaError, match="'y' changes within series 'b'"):
        gathered(table, series="who", time="at")
    found = values(gathered(table, series="who", time="at", plain=("label",), labelled=True))
    assert found["y"] == [[2.0, 1.0], [3.0, 4.0, 5.0]]


def test_a_time_that_is_text_is_read_or_refused() -> None:
    dates = made(**LONG | {"at": [f"2024-01-01T0{hour}:00:00" for hour in (1, 0, 5, 6, 7)]})
    found = values(gathered(dates, series="who", time="at"))["at"]
    assert [moment.hour for moment in found[1]] == [5, 6, 7]
    with pytest.raises(SchemaError, match="'soon' is not a date"):
        gathered(made(**LONG | {"at": ["soon", *"abcd"]}), series="who", time="at")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"series": "whom", "time": "at"}, "series column 'whom' not found"),
        ({"series": "who", "time": "when"}, "time column 'when' not found"),
        ({"series": None, "time": None}, "no sequences in these data"),
        ({"series": "pulse", "time": None}, "no column of numbers changes within"),
    ],
)
def test_what_is_no_sequence_is_refused(options, said) -> None:
    with pytest.raises(InputError, match=said):
        gathered(made(**LONG), **options)


def test_rows_without_an_id_or_a_time_are_left_out_and_told() -> None:
    table = made(**LONG | {"who": ["b", "b", None, "a", "a"], "at": [1.0, 0.0, 5.0, None, 7.5]})
    found = gathered(table, series="who", time="at")
    assert values(found)["pulse"] == [[70.0, 71.0], [62.0]]
    assert "1 row without a 'who' left out" in found.origin.notes
    assert "1 row without a 'at' left out" in found.origin.notes
    with pytest.raises(SchemaError, match="no row has an id and a time"):
        gathered(made(**LONG | {"at": pa.nulls(5, pa.float64())}), series="who", time="at")


def test_what_cannot_be_read_as_numbers_is_told() -> None:
    table = made(**LONG | {"note": list("pqrst"), "dead": pa.nulls(5, pa.float64())})
    found = gathered(table, series="who", time="at")
    assert "not read, since no numbers: note, dead" in found.origin.notes


def test_missing_columns_of_later_rows_are_named() -> None:
    how = plan(made(**LONG), series="who", time="at")
    with pytest.raises(NeuroscopeError, match="columns are missing: 'at'"):
        gather(made(who=["a"], pulse=[1.0]), how)


def test_a_hundred_thousand_short_series_are_gathered_at_once() -> None:
    n = 100_000
    random = np.random.default_rng(0)
    who = np.repeat(np.arange(n), 4)
    order = random.permutation(len(who))
    table = made(who=who[order], at=np.tile(np.arange(4), n)[order], x=random.normal(size=4 * n),
                 label=(who % 2)[order])  # fmt: skip
    began = time.perf_counter()
    found = gathered(table, series="who", time="at")
    assert found.rows == n
    assert time.perf_counter() - began < 20  # a loop over the rows would take minutes


# Sources


def test_lists_in_json_lines_and_arrays_of_three_axes_are_sequences(tmp_path) -> None:
    lines = [{"x": [1, 2.5, None], "y": "a"}, {"x": [3], "y": "b"}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert values(read("a.jsonl"))["x"] == [[1.0, 2.5, None], [3.0]]
    x = np.random.default_rng(0).normal(size=(4, 9, 2)) * 1000
    np.savez("b.npz", x=x, y=np.arange(4))
    table = read("b.npz")
    assert table.names == ["x1", "x2", "y"]
    assert np.allclose(values(table)["x2"][3], x[3, :, 1])
    np.savez("c.npz", x_train=x, y_train=np.arange(4), x_test=x[:1, :5], y_test=[0])
    found = values(read("c.npz"))
    assert [len(row) for row in found["x1"]] == [9, 9, 9, 9, 5]
    assert found["split"][-1] == "test"
