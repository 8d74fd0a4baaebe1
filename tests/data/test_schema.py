"""Schema inference, the editable schema file, what a target asks for, and later tables."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroscope.base.errors import SchemaError, TargetError
from neuroscope.data.align import align
from neuroscope.data.schema import Column, Schema, infer_schema, read_schema
from neuroscope.data.sources import read
from neuroscope.data.table import Origin, Table
from neuroscope.data.task_kind import target_kind

N = 40


def raw(**columns: object) -> Table:
    """A table as it stands, not typed by a reader."""
    return Table(pa.table(columns), Origin("test"))


def column(name: str, values: object, **options: object) -> Column:
    table = raw(**{name: pa.array(values), "last": pa.array([0.5] * len(values))})
    return infer_schema(table, **options).columns[0]


@pytest.mark.parametrize(
    ("name", "values", "kind", "reason"),
    [
        ("x", [1.5, 2.0, None, 7.25], "numeric", "numbers from 1.5 to 7.25"),
        ("n", [3, 1, 4, 1, 5], "numeric", "numbers from 1 to 5"),
        ("n", [0, 1, 1, 0], "boolean", "0 or 1"),
        ("n", [0.0, 1.0, float("nan")], "boolean", "0 or 1"),
        ("b", [True, False, None], "boolean", "true or false"),
        ("w", ["a", "b", "a", "c"], "categorical", "3 distinct words"),
        ("c", [7, 7, 7], "constant", "the same value in every row"),
        ("c", ["a", None, "a"], "categorical", "1 distinct words"),
        ("c", [None, None], "constant", "no value in any row"),
        ("c", [float("nan")] * 3, "constant", "no value in any row"),
        ("d", [date(2024, 1, 1), date(2024, 1, 2)], "datetime", "dates"),
        ("d", [datetime(2024, 1, 1, 2), datetime(2024, 1, 2)], "datetime", "dates and times"),
        ("code", [f"k{i}" for i in range(N)], "identifier", f"{N} different values in {N} rows"),
        ("few", [f"k{i}" for i in range(5)], "categorical", "5 distinct words"),
        ("user_id", [f"k{i}" for i in range(5)], "identifier", "5 different values in 5 rows"),
        ("customerID", [50, 30, 90, 10], "identifier", "named like an identifier"),
        ("any", list(range(1, N)), "identifier", "counts the rows from 1"),
        ("any", list(range(5000, 5000 + 100)), "identifier", "counts the rows from 5000"),
        ("any", list(range(5000, 5000 + 99)), "numeric", "numbers from 5000 to 5098"),
        ("Kundennummer", [50, 30, 90, 10], "identifier", "named like an identifier"),
        ("year", list(range(1900, 1950)), "numeric", "numbers from 1900 to 1949"),
        ("year", list(range(1900, 2020)), "numeric", "numbers from 1900 to 2019"),
        ("shuffled", [2, 0, 1, 3], "numeric", "numbers from 0 to 3"),
        ("shop_id", [5, 5, 5, 9, 9, 9], "categorical", "codes"),
        ("said", [f"this is the long text number {i}" for i in range(N)], "text", "prose: 7 words"),
        ("grade", ["1", "2", "3", "4", "unknown"] * 2, "categorical", "mixed: numbers and words"),
    ],
)
def test_kinds_with_reasons(name: str, values: list, kind: str, reason: str) -> None:
    found = column(name, values)
    assert found.kind == kind
    assert reason in found.reason
    assert found.role == ("ignore" if kind in ("identifier", "constant") else "feature")


def test_kinds_do_not_depend_on_the_encoding_of_text() -> None:
    words = pa.chunked_array([["a", "b"] * 20, ["c", None]])
    coded = pa.chunked_array([c.dictionary_encode() for c in words.chunks])
    first, second = (infer_schema(raw(w=w, y=[1.5] * 42)).columns[0] for w in (words, coded))
    assert (first.distinct, first.missing) == (second.distinct, second.missing) == (3, 1)
    assert first.kind == second.kind == "categorical"


@given(st.lists(st.one_of(st.none(), st.integers(-5, 5)), min_size=1, max_size=30))
@settings(max_examples=50, deadline=None)
def test_counts_are_exact(values: list[int | None]) -> None:
    found = infer_schema(raw(n=pa.array(values, pa.int64()), y=[0.5] * len(values))).columns[0]
    assert found.distinct == len(set(values) - {None})
    assert found.missing == values.count(None)


def test_dates_as_text_are_dates_once_read() -> None:
    days = [(date(2024, 1, 1) + timedelta(i)).strftime("%d.%m.%Y") for i in range(20)]
    assert infer_schema(read({"d": days, "y": [1.5] * 20})).columns[0].kind == "datetime"


@pytest.mark.parametrize(
    ("names", "target", "reason"),
    [
        (["a", "Class", "b"], "Class", "guessed by its name"),
        (["y", "label", "b"], "label", "guessed by its name"),
        (["a", "b"], "b", "guessed: the last column"),
    ],
)
def test_the_target_is_guessed(names: list[str], target: str, reason: str) -> None:
    found = infer_schema(raw(**{name: [1.5, 2.5, 3.5] for name in names})).target
    assert found is not None
    assert found.name == target
    assert reason in found.reason


def test_the_target_of_builtin_sets_is_known() -> None:
    found = infer_schema(read("iris")).target
    assert found is not None
    assert (found.name, found.kind) == ("species", "categorical")
    assert "usual target" in found.reason


def test_named_roles() -> None:
    table = raw(
        a=[1.5, 2.5], y=["u", "v"], g=["p", "q"], t=[date(2024, 1, 1)] * 2, w=[1, 2], s=["x", "z"],
        d=[3.5, 4.5],
    )  # fmt: skip
    schema = infer_schema(table, target="y", group="g", time="t", weight="w", split="s", drop=["d"])
    roles = {one.name: one.role for one in schema.columns}
    assert roles == {"a": "feature", "y": "target", "g": "group", "t": "time", "w": "weight",
                     "s": "split", "d": "ignore"}  # fmt: skip
    assert [one.name for one in schema.features] == ["a"]
    by_role = schema.by_role("group")
    assert by_role is not None
    assert by_role.name == "g"


def test_a_split_column_is_found_by_what_it_says() -> None:
    parts = ["train", "train", "test"]
    schema = infer_schema(raw(a=[1.5, 2.5, 3.5], y=[1, 2, 2], split=parts))
    assert [one.role for one in schema.columns] == ["feature", "target", "split"]
    schema = infer_schema(raw(a=[1.5, 2.5, 3.5], split=["train", "banana", "test"], y=[1, 2, 2]))
    assert schema.columns[1].role == "feature"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"target": "Churn?"},
            r"target column 'Churn\?' not found; columns: a, Churn; did you mean 'Churn'\?",
        ),
        ({"drop": ["b"]}, "column to drop 'b' not found"),
        ({"group": "Chrn"}, "group column 'Chrn' not found.*did you mean 'Churn'"),
        ({"target": "a", "drop": ["a"]}, "'a' is asked for as target and as ignore"),
        ({"drop": ["Churn"], "weight": "Churn"}, "asked for as weight and as ignore"),
        ({"weight": "Churn"}, "weight column 'Churn' holds string"),
        ({"time": "Churn"}, "cannot be put in order"),
        ({"overrides": {"aa": {"kind": "text"}}}, "unknown column 'aa'"),
        ({"overrides": {"a": {"kind": "txt"}}}, "did you mean 'text'"),
        ({"overrides": {"Churn": {"kind": "numeric"}}}, "'Churn' cannot be numeric"),
        ({"drop": ["a", "Churn"]}, "no column is left to predict"),
    ],
)  # fmt: skip
def test_wrong_roles_and_kinds(options: dict, message: str) -> None:
    table = raw(a=[1.5, 2.5, 3.5], Churn=["u", "v", "u"])
    with pytest.raises(SchemaError, match=message):
        infer_schema(table, **options)


def test_schema_is_json_both_ways() -> None:
    schema = infer_schema(raw(a=[1.5, None], b=["u", "v"]))
    assert Schema.from_json(json.loads(json.dumps(schema.to_json()))) == schema
    with pytest.raises(SchemaError, match="not a whole schema"):
        Schema.from_json({"columns": [{"name": "a", "kind": "numeric"}]})


def test_an_edited_schema_file_changes_kinds_and_roles() -> None:
    table = raw(id=list(range(1, 31)), a=[1, 2, 3] * 10, b=[0.5, 1.5] * 15, y=["u", "v"] * 15)
    record = infer_schema(table).to_json()
    edits = {
        "a": {"kind": "categorical"},
        "b": {"role": "target"},
        "y": {"role": "ignore"},
        "id": {"role": "feature"},
    }
    for one in record["columns"]:
        one.update(edits[one["name"]])
    Path("schema.json").write_text(json.dumps(record))
    schema = infer_schema(table, overrides=read_schema("schema.json"))
    found = {one.name: (one.kind, one.role) for one in schema.columns}
    assert found == {"id": ("numeric", "feature"), "a": ("categorical", "feature"),
                     "b": ("numeric", "target"), "y": ("categorical", "ignore")}  # fmt: skip
    assert "categorical as asked" in schema.columns[1].reason


def test_a_schema_file_may_name_only_what_it_changes() -> None:
    Path("schema.json").write_text('{"a": {"role": "ignore"}}')
    table = raw(a=[1.5, 2.5], b=[1.5, 2.5], y=[0.5, 1.5])
    schema = infer_schema(table, overrides=read_schema("schema.json"))
    assert [one.role for one in schema.columns] == ["ignore", "feature", "target"]


def test_what_is_named_directly_wins_over_the_file() -> None:
    said = {"a": {"role": "target"}, "b": {"role": "ignore"}}
    schema = infer_schema(raw(a=[1.5, 2.5], b=[1.5, 2.5]), target="b", overrides=said)
    assert [one.role for one in schema.columns] == ["feature", "target"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"columns": [{"name": "a", "kind": "numerik"}]}', "did you mean 'numeric'"),
        ('{"columns": [{"name": "a", "role": "targt"}]}', "did you mean 'target'"),
        ('{"columns": [{"name": "a", "knd": "numeric"}]}', "did you mean 'kind'"),
        ('{"columns": [{"kind": "numeric"}]}', "this is no schema"),
        ("[1, 2]", "this is no schema"),
        ("{", "not a JSON file"),
    ],
)
def test_bad_schema_files(text: str, message: str) -> None:
    Path("schema.json").write_text(text)
    with pytest.raises(SchemaError, match=rf"^schema\.json: .*{message}"):
        read_schema("schema.json")
    with pytest.raises(SchemaError, match="no such schema file"):
        read_schema("absent.json")


def test_with_roles() -> None:
    schema = infer_schema(raw(a=[1.5, 2.5], b=[0.5, 1.5]))
    changed = schema.with_roles({"a": "ignore"}, "leaks the target")
    assert changed.columns[0].role == "ignore"
    assert "leaks the target" in changed.columns[0].reason
    assert changed.columns[1] == schema.columns[1]
    with pytest.raises(SchemaError, match="unknown column 'c'"):
        schema.with_roles({"c": "ignore"})


def test_five_thousand_columns() -> None:
    wide = {f"c{i}": np.arange(5) * 1.5 + i for i in range(5000)}
    assert len(infer_schema(raw(**wide)).features) == 4999


# What a target asks for


@pytest.mark.parametrize(
    ("values", "kind", "classes"),
    [
        (["no", "yes", "no"], "binary", ("no", "yes")),
        (["a", "b", "c", None, "a", "b"], "multiclass", ("a", "b", "c")),
        ([True, False, True], "binary", (False, True)),
        ([0, 1, 1, 0], "binary", (0, 1)),
        ([0.0, 1.0, 1.0], "binary", (0.0, 1.0)),
        ([0.0, 1.0, 2.0, float("nan")] * 3, "multiclass", (0.0, 1.0, 2.0)),
        ([1, 2, 3] * 4, "multiclass", (1, 2, 3)),
        (list(range(10)), "regression", ()),
        (list(range(30)) * 4, "regression", ()),
        ([0.5, 1.5, 2.5], "regression", ()),
        ([1.0, 2.0, 3.0] * 4, "regression", ()),
    ],
)
def test_target_kinds(values: list, kind: str, classes: tuple) -> None:
    table = raw(a=[1.5] * len(values), y=pa.array(values))
    found = target_kind(table, infer_schema(table, target="y"))
    assert (found.kind, found.classes) == (kind, classes)
    assert found.missing == sum(value is None or value != value for value in values)
    assert found.reason


def test_a_number_asked_for_as_categorical_is_classes() -> None:
    table = raw(a=[1.5] * 60, y=list(range(30)) * 2)
    schema = infer_schema(table, target="y", overrides={"y": {"kind": "categorical"}})
    assert target_kind(table, schema).kind == "multiclass"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["a", "a", None], "every row says 'a': one class"),
        ([3, 3, 3], "every row says 3"),
        ([None, None], "all values are missing"),
        ([float("nan")] * 2, "all values are missing"),
        ([1.0, float("inf"), 2.5], "1 values are infinite .the first in data row 2"),
        ([date(2024, 1, 1), date(2024, 1, 2)], "dates cannot be predicted"),
        ([f"w{i}" for i in range(50)], "50 different words in 50 rows are no classes"),
        ([f"w{i}" for i in range(1001)] * 2, "1,001 different words"),
    ],
)
def test_targets_with_nothing_to_learn(values: list, message: str) -> None:
    table = raw(a=[1.5] * len(values), y=pa.array(values))
    with pytest.raises(TargetError, match=f"^target 'y': .*{message}"):
        target_kind(table, infer_schema(table, target="y"))


def test_a_schema_without_target() -> None:
    table = raw(a=[1.5, 2.5], y=[0, 1])
    with pytest.raises(SchemaError, match="has no target"):
        target_kind(table, infer_schema(table).with_roles({"y": "feature"}))


# Later tables


TRAINED = raw(
    a=[1.5, 2.5],
    n=[1, 7],
    w=["1", "b"],
    t=[True, False],
    d=[datetime(2024, 1, 1), datetime(2024, 1, 2)],
    y=["u", "v"],
)
SCHEMA = infer_schema(TRAINED, target="y")


def test_align_takes_columns_in_any_order_and_leaves_out_others() -> None:
    later = Table(TRAINED.arrow.select(["y", "t", "d", "w", "n", "a"]).append_column("z", [[1, 2]]),
                  Origin("later.csv"))  # fmt: skip
    table, notes = align(later, SCHEMA)
    assert table.arrow.equals(TRAINED.arrow)
    assert notes == ["columns not known to the model, left out: z"]


def test_align_needs_no_target() -> None:
    table, notes = align(Table(TRAINED.arrow.drop_columns(["y"]), Origin("later.csv")), SCHEMA)
    assert table.names == ["a", "n", "w", "t", "d"]
    assert notes == []


def test_align_names_missing_columns_and_near_names() -> None:
    later = Table(TRAINED.arrow.drop_columns(["a"]).rename_columns(["n", "W ", "t", "d", "y"]),
                  Origin("later.csv"))  # fmt: skip
    with pytest.raises(SchemaError, match=r"later\.csv: columns are missing: 'a', 'w'"):
        align(later, SCHEMA)
    table = raw(income=[1.5, 2.5], y=[0, 1])
    with pytest.raises(SchemaError, match="for 'income' did you mean 'Incomes'"):
        align(raw(Incomes=[1.5]), infer_schema(table))


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("a", ["1.5", "2"], [1.5, 2.0]),
        ("a", [1, 2], [1, 2]),
        ("a", [True, False], [1.0, 0.0]),
        ("a", pa.nulls(2), [None, None]),
        ("w", [1, 2], ["1", "2"]),
        ("w", [1.0, None], ["1", None]),
        ("w", [1.5, 2.0], ["1.5", "2"]),
        ("t", [0, 1], [False, True]),
        ("d", [date(2024, 1, 2)] * 2, [datetime(2024, 1, 2)] * 2),
        ("d", ["2024-01-02", None], [datetime(2024, 1, 2), None]),
        ("w", pa.array(["b", "b"]).dictionary_encode(), ["b", "b"]),
    ],
)
def test_align_casts_what_fits(name: str, values: object, expected: list) -> None:
    place = TRAINED.names.index(name)
    cells = values if isinstance(values, pa.Array) else pa.array(values)
    later = Table(TRAINED.arrow.set_column(place, name, cells), Origin("later.csv"))
    table, _ = align(later, SCHEMA)
    assert table.arrow.column(name).to_pylist() == expected


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("a", ["1.5", "many"], r"data row 2: column 'a' holds 'many' where .* a number"),
        ("n", ["x", "2"], "data row 1: column 'n' holds 'x'"),
        ("t", [1, 2], "column 't' holds 2 where .* true or false"),
        ("d", ["2024-01-02", "soon"], "data row 2: column 'd' holds 'soon' where .* a date"),
        ("d", [1, 2], "column 'd' holds 1 where .* a date"),
    ],
)
def test_align_names_the_cell_that_does_not_fit(name: str, values: list, message: str) -> None:
    place = TRAINED.names.index(name)
    later = Table(TRAINED.arrow.set_column(place, name, pa.array(values)), Origin("later.csv"))
    with pytest.raises(
        SchemaError, match=rf"later\.csv, {message}" if "row" in message else message
    ):
        align(later, SCHEMA)


def test_align_reads_dictionary_words_as_numbers() -> None:
    coded = pa.array(["1", None]).dictionary_encode()
    later = Table(TRAINED.arrow.set_column(1, "n", coded), Origin("later.csv"))
    assert align(later, SCHEMA)[0].arrow.column("n").to_pylist() == [1, None]


def test_real_tables(shared_data: Path) -> None:
    churn = read(shared_data / "telco-churn" / "telco_churn.csv.gz")
    schema = infer_schema(churn)
    kinds = {one.name: one.kind for one in schema.columns}
    assert kinds["customerID"] == "identifier"
    assert kinds["TotalCharges"] == "numeric"
    assert target_kind(churn, schema).classes == ("No", "Yes")
