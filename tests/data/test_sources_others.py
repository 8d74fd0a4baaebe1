"""Parquet, JSON, databases, arrays, objects in memory, built-in sets, and unknown sources."""

from __future__ import annotations

import gzip
import json
import pickle
import sqlite3
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from neuroscope.base.errors import SchemaError, SourceError
from neuroscope.data.fingerprint import fingerprint
from neuroscope.data.sources import CATALOGUE, _files, builtin, read
from neuroscope.data.table import Origin, Table

ROWS = {"n": [1, 2, None], "w": ["a", "b", "b"], "x": [0.5, float("inf"), 2.0]}


def values(table: Table) -> dict[str, list]:
    return table.arrow.to_pydict()


# Parquet and JSON


def test_parquet_and_a_glob_of_it() -> None:
    pq.write_table(pa.table(ROWS), "a.parquet")
    pq.write_table(pa.table(ROWS).select(["x", "w", "n"]), "b.parquet")
    assert values(read("a.parquet")) == ROWS
    assert values(read("*.parquet")) == {name: column * 2 for name, column in ROWS.items()}


def test_parquet_types_are_settled() -> None:
    arrow = pa.table(
        {
            "decimal": pa.array([1, 2], pa.decimal128(10, 2)),
            "big": pa.array([1, 2], pa.uint64()),
            "list": [[1, 2], [3]],
            "struct": [{"a": 1}, {"a": 2}],
            "bytes": [b"x", b"y"],
            "zoned": pa.array(
                [datetime(2024, 1, 1), datetime(2024, 1, 2)], pa.timestamp("us", "UTC")
            ),
            "marked": ["1", "NA"],
            "none": pa.nulls(2),
        }
    )
    pq.write_table(arrow, "a.parquet")
    table = read("a.parquet")
    assert values(table) == {
        "decimal": [1.0, 2.0],
        "big": [1.0, 2.0],
        "list": [[1.0, 2.0], [3.0]],
        "struct": ['{"a":1}', '{"a":2}'],
        "zoned": [datetime(2024, 1, 1), datetime(2024, 1, 2)],
        "marked": [1, None],
        "none": [None, None],
    }
    assert any("'bytes'" in note and "left out" in note for note in table.origin.notes)
    assert any("'struct': nested" in note for note in table.origin.notes)


@pytest.mark.parametrize(
    "data", [b"PAR1" + b"abc" * 100, b"PAR1 cut" + b"x" * 30 + b"PAR1", b"text"]
)
def test_corrupt_parquet(data: bytes) -> None:
    Path("bad.parquet").write_bytes(data)
    with pytest.raises(SourceError, match=r"bad\.parquet: cannot be read as Parquet") as caught:
        read("bad.parquet")
    assert "\n" not in str(caught.value)


def test_parquet_without_rows() -> None:
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), "a.parquet")
    with pytest.raises(SourceError, match="no rows"):
        read("a.parquet")


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson.gz", "a.json"])
def test_json(name: str) -> None:
    rows = [{"n": 1, "w": "a"}, {"n": 2.5, "w": None}, {"n": None, "w": "b"}]
    text = json.dumps(rows) if name == "a.json" else "\n".join(map(json.dumps, rows))
    data = text.encode()
    Path(name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    assert values(read(name)) == {"n": [1.0, 2.5, None], "w": ["a", None, "b"]}


def test_json_with_mixed_and_nested_values() -> None:
    rows = [{"n": i, "o": {"k": i}} for i in range(30)] + [{"n": "many", "o": {"k": 1}}]
    Path("a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    table = read("a.jsonl")
    assert values(table)["n"] == [*map(str, range(30)), "many"]
    assert json.loads(values(table)["o"][1]) == {"k": 1}
    assert any("'many' in data row 31" in note for note in table.origin.notes)


def test_json_in_another_encoding_names_file_byte_and_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = '{"a": "plain"}\n{"a": "caf\xe9"}\n'
    Path("latin.jsonl").write_bytes(text.encode("latin-1"))
    with pytest.raises(SourceError, match=r"latin\.jsonl: not UTF-8: byte 0xe9 at offset 25, line"):
        read("latin.jsonl")
    Path("fine.jsonl").write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match=r"latin\.jsonl: not UTF-8"):
        read("*.jsonl")
    Path("wide.json").write_bytes(text.encode("utf-16"))
    with pytest.raises(SourceError, match=r"offset 0, line 1; .* iconv -f utf-16 -t utf-8"):
        read("wide.json")
    # A character that two blocks share is no mistake; offsets count over the blocks.
    monkeypatch.setattr(_files, "chunks", lambda _: iter([b"\xc3", b"\xa9\n\xff"]))
    with pytest.raises(SourceError, match="byte 0xff at offset 3, line 2"):
        _files.refuse_other_encoding(Path("blocks"))


def test_broken_json_names_file_and_line() -> None:
    Path("bad.jsonl").write_text('{"a":1}\n{"a":2}\n{"a":3 "b"}\n')
    with pytest.raises(SourceError, match=r"bad\.jsonl.*line [34]"):
        read("bad.jsonl")


# Databases


@pytest.fixture
def sqlite_file() -> str:
    with sqlite3.connect("shop.db") as database:
        database.execute("CREATE TABLE orders (id INTEGER, sum REAL, word TEXT, mixed)")
        rows = [(i, i / 2, "abc"[i % 3], i) for i in range(60_000)] + [(60_000, None, "?", "many")]
        database.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", rows)
    database.close()
    return "shop.db"


@pytest.fixture
def duckdb_file() -> str:
    with duckdb.connect("shop.duckdb") as database:
        database.execute("CREATE TABLE orders AS SELECT i AS id, i / 2 AS sum FROM range(10) r(i)")
    return "shop.duckdb"


@pytest.mark.parametrize(
    "source", ["shop.db", "sqlite:///shop.db", "sqlite:///shop.db?table=orders"]
)
def test_sqlite(sqlite_file: str, source: str) -> None:
    table = read(source)
    assert table.rows == 60_001
    assert table.arrow.column("sum").null_count == table.arrow.column("word").null_count == 1
    assert table.arrow.column("mixed")[60_000].as_py() == "many"
    assert str(table.arrow.schema.field("id").type) == "int64"


@pytest.mark.parametrize(
    "source", ["shop.duckdb", "duckdb:shop.duckdb", "duckdb:///shop.duckdb?table=orders"]
)
def test_duckdb(duckdb_file: str, source: str) -> None:
    assert values(read(source)) == {"id": list(range(10)), "sum": [i / 2 for i in range(10)]}


def test_absolute_paths_in_urls(sqlite_file: str) -> None:
    place = Path(sqlite_file).absolute()
    assert read(f"sqlite:///{place}").rows == read(f"sqlite://{place}").rows == 60_001


def test_queries_over_databases(sqlite_file: str, duckdb_file: str) -> None:
    sql = "SELECT id AS k FROM orders WHERE id > 7 ORDER BY id LIMIT 2"
    assert values(read("shop.db", sql=sql)) == {"k": [8, 9]}
    assert values(read("shop.duckdb", sql=sql)) == {"k": [8, 9]}
    assert read("shop.duckdb", sql=sql).origin.sql == sql


@pytest.mark.parametrize("name", ["shop.db", "shop.duckdb"])
@pytest.mark.parametrize(
    "sql",
    ["DELETE FROM orders", "UPDATE orders SET id = 1", "WITH t AS (SELECT 1) DELETE FROM orders",
     "DROP TABLE orders"],
)  # fmt: skip
def test_databases_are_never_written(
    sqlite_file: str, duckdb_file: str, name: str, sql: str
) -> None:
    before = Path(name).read_bytes()
    with pytest.raises(SourceError):
        read(name, sql=sql)
    assert Path(name).read_bytes() == before


@pytest.mark.parametrize("name", ["shop.db", "shop.duckdb"])
def test_failing_query_in_one_line(sqlite_file: str, duckdb_file: str, name: str) -> None:
    with pytest.raises(SourceError, match=f"{name}: the SQL query failed: .*nope") as caught:
        read(name, sql="SELECT nope FROM orders")
    assert "\n" not in str(caught.value)


def test_which_table(sqlite_file: str) -> None:
    with pytest.raises(
        SourceError, match=r"no table 'order'; did you mean 'orders'\? tables: orders"
    ):
        read("sqlite:///shop.db?table=order")
    with pytest.raises(SourceError, match="unknown option 'tabel'"):
        read("sqlite:///shop.db?tabel=orders")
    with sqlite3.connect("shop.db") as database:
        database.execute("CREATE TABLE clients (a)")
    database.close()
    with pytest.raises(
        SourceError, match=r"2 tables; say which with \?table=NAME .*clients, orders"
    ):
        read("shop.db")
    with pytest.raises(SourceError, match="no rows"):
        read("sqlite:///shop.db?table=clients")


def test_what_is_no_database() -> None:
    Path("bad.db").write_bytes(b"hello")
    with pytest.raises(SourceError, match="neither an SQLite nor a DuckDB file"):
        read("bad.db")
    Path("cut.db").write_bytes(b"SQLite format 3\0" + b"x" * 50)
    with pytest.raises(SourceError, match=r"cut\.db"):
        read("cut.db")
    with pytest.raises(SourceError, match="no such file"):
        read("sqlite:///absent.db")


def test_sql_over_files() -> None:
    Path("a.csv").write_text("n,w\n1,x\n2,?\n")
    table = read("SELECT n, w FROM 'a.csv'")
    assert values(table) == {"n": [1, 2], "w": ["x", None]}
    with pytest.raises(SourceError, match=r"the SQL query failed: .*absent"):
        read("SELECT * FROM 'absent.csv'")
    with pytest.raises(SourceError, match="both"):
        read("SELECT * FROM 'a.csv'", sql="SELECT 1")


# Arrays


def test_arrays_x_and_y() -> None:
    np.savez("a.npz", X=np.arange(24.0).reshape(12, 2), y=np.arange(12) % 2)
    table = read("a.npz")
    assert table.names == ["x1", "x2", "y"]
    assert values(table)["x2"][:2] == [1.0, 3.0]


def test_arrays_in_parts_get_a_split_column() -> None:
    parts = {
        "x_train": np.zeros((3, 1, 2, 6)),
        "y_train": np.array([[1], [2], [3]]),
        "x_test": np.ones((2, 1, 2, 6)),
        "y_test": np.array([4, 5]),
        "other": np.zeros(1),
    }
    np.savez_compressed("a.npz", **parts)
    table = read("a.npz")
    assert table.names == [*(f"x{j:02}" for j in range(1, 13)), "y", "split"]
    assert values(table)["split"] == ["train"] * 3 + ["test"] * 2
    assert values(table)["y"] == [1, 2, 3, 4, 5]
    assert any("(1, 2, 6) laid out as 12 columns" in note for note in table.origin.notes)
    assert any("'other' is not used" in note for note in table.origin.notes)


def test_gzipped_arrays() -> None:
    np.savez("a.npz", x=np.zeros((2, 1)), y=np.array(["u", "v"]))
    Path("b.npz.gz").write_bytes(gzip.compress(Path("a.npz").read_bytes()))
    assert values(read("b.npz.gz")) == {"x1": [0.0, 0.0], "y": ["u", "v"]}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.zeros((2, 1))}, r"lacks y; it holds x \(2, 1\)"),
        ({"x": np.zeros((2, 1)), "y": np.zeros(3)}, "do not fit together"),
        ({"x": np.zeros((0, 1)), "y": np.zeros(0)}, "x is float64 of shape"),
        ({"x": np.array([[{}], [{}]]), "y": np.zeros(2)}, "pickled"),
        (
            {"x_train": np.zeros((2, 1)), "y_train": np.zeros(2),
             "x_test": np.zeros((2, 2)), "y_test": np.zeros(2)},
            "different numbers of columns",
        ),
    ],
)  # fmt: skip
def test_bad_arrays(arrays: dict[str, np.ndarray], message: str) -> None:
    np.savez("a.npz", **arrays)
    with pytest.raises(SourceError, match=message):
        read("a.npz")


def test_damaged_arrays_and_pickles() -> None:
    np.savez("a.npz", x=np.zeros((200, 9)), y=np.zeros(200))
    whole = Path("a.npz").read_bytes()
    Path("a.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match="cut short or damaged"):
        read("a.npz")
    Path("b.npz").write_bytes(pickle.dumps({"x": 1}))
    with pytest.raises(SourceError):
        read("b.npz")


# Objects in memory


def frames() -> list[object]:
    record = np.array([(1, "a"), (2, "b")], dtype=[("n", "i8"), ("w", "U1")])
    columns = {"n": [1, 2], "w": ["a", "b"]}
    return [
        columns,
        pd.DataFrame(columns),
        pl.DataFrame(columns),
        pa.table(columns),
        pa.RecordBatch.from_pydict(columns),
        record,
        pd.DataFrame(columns).astype({"w": "category"}),
        pd.DataFrame(columns, index=[7, 9]),
    ]


@pytest.mark.parametrize("source", frames(), ids=lambda source: type(source).__name__)
def test_objects_in_memory(source: object) -> None:
    assert values(read(source)) == {"n": [1, 2], "w": ["a", "b"]}


def test_numpy_matrix() -> None:
    assert values(read(np.array([[1, 2], [3, 4]]))) == {"x1": [1, 3], "x2": [2, 4]}
    mixed = np.array([[1, "a"], [2, "b"]], dtype=object)
    assert values(read(mixed)) == {"x1": [1, 2], "x2": ["a", "b"]}
    with pytest.raises(SourceError, match="shape 3; give rows x columns"):
        read(np.zeros(3))


def test_nan_is_missing_in_pandas_and_a_float_in_numpy() -> None:
    assert values(read(pd.DataFrame({"n": [1.0, np.nan]})))["n"] == [1.0, None]
    assert np.isnan(values(read(np.array([[1.0], [np.nan]])))["x1"][1])


def test_durations_are_seconds() -> None:
    table = read(pa.table({"d": pa.array([1_000_000, 2_500_000], pa.duration("us"))}))
    assert values(table) == {"d": [1.0, 2.5]}


@pytest.mark.parametrize("source", ["a.csv", "a.parquet", "a.jsonl", "arrow"])
def test_rows_keep_their_order(source: str) -> None:
    n = 250_000
    words = ["?" if i % 7 == 0 else f" w{i % 5}" for i in range(n)]
    arrow = pa.table({"id": np.arange(n).astype(str).astype(object), "w": words})
    if source == "a.csv":
        pa_csv.write_csv(arrow, source)
    elif source == "a.parquet":
        pq.write_table(arrow, source, row_group_size=10_000)
    elif source == "a.jsonl":
        rows = (f'{{"id": "{i}", "w": "{word}"}}\n' for i, word in enumerate(words))
        Path(source).write_text("".join(rows))
    chunks = pa.Table.from_batches(arrow.to_batches(max_chunksize=9_000))
    table = read(chunks if source == "arrow" else source)
    assert np.array_equal(table.arrow.column("id").to_numpy(), np.arange(n))
    assert table.arrow.column("w").null_count == sum(word == "?" for word in words)


def test_mixed_python_objects_become_words() -> None:
    frame = pd.DataFrame({"n": pd.Series([*range(30), "many", None, np.nan], dtype=object)})
    table = read(frame)
    assert values(table)["n"][30:] == ["many", None, None]
    assert any("'many' in data row 31" in note for note in table.origin.notes)


def test_pandas_names_need_not_be_words() -> None:
    assert read(pd.DataFrame([[1, 2]], columns=[10, 20])).names == ["10", "20"]
    with pytest.raises(SchemaError, match="'a' in columns 1 and 2"):
        read(pd.DataFrame([[1, 2]], columns=["a", "a"]))


def test_unequal_columns_and_empty_frames() -> None:
    with pytest.raises(SourceError, match="cannot be read as a table"):
        read({"a": [1, 2], "b": [1]})
    with pytest.raises(SourceError, match="no rows or no columns"):
        read(pd.DataFrame({"a": []}))
    with pytest.raises(SourceError, match="no rows or no columns"):
        read({})


def test_a_table_is_passed_through() -> None:
    table = read({"a": [1]})
    assert read(table) is table
    assert values(read(table, sql="SELECT a + 1 AS b FROM data")) == {"b": [2]}


def test_unknown_objects_and_names() -> None:
    with pytest.raises(SourceError, match=r"object of type int; known: .*Parquet"):
        read(3)
    with pytest.raises(SourceError, match="did you mean 'breast-cancer'"):
        read("breast-canser")


# Built-in sets


@pytest.mark.parametrize("one", builtin.describe(), ids=lambda one: one.name)
def test_builtin_sets_are_as_described(one: builtin.BuiltinSet) -> None:
    table = read(one.name)
    assert (table.rows, len(table.names)) == (one.rows, one.columns)
    assert table.names[-1] == one.target == builtin.default_target(one.name)
    assert len(set(table.names)) == one.columns
    assert fingerprint(table) == fingerprint(read(one.name))
    distinct = len(set(values(table)[one.target]))
    assert {
        "binary": distinct == 2, "multiclass": 2 < distinct < 20, "regression": distinct > 20,
        "forecast": distinct > 20, "translation": distinct > 20,
    }[one.task]  # fmt: skip


def test_a_file_goes_before_a_builtin_set_of_that_name() -> None:
    Path("iris").write_text("a\n1\n")
    with pytest.raises(SourceError, match="not a known kind of file"):
        read("iris")


def test_listing_needs_no_scientific_package() -> None:
    code = (
        "import sys; from neuroscope.data.sources import builtin; builtin.describe();"
        "print([name for name in ('sklearn', 'pandas', 'polars', 'duckdb') if name in sys.modules])"
    )
    source = Path(builtin.__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_no_two_kinds_accept_the_same_source() -> None:
    names = "a.csv a.tsv.gz a.parquet a.json a.jsonl.gz a.npz iris a.db sqlite:///a.csv?table=t"
    sources = [*names.split(), "SELECT * FROM 'a.csv'", {"a": [1]}, np.zeros((1, 1))]
    for source in sources:
        takers = [module.__name__ for module in CATALOGUE if module.accepts(source)]
        assert len(takers) == 1, (source, takers)
    assert all(isinstance(module.KIND, str) for module in CATALOGUE)


# Fingerprint


def test_fingerprint_sees_content_only() -> None:
    table = read({"n": [1, 2, None], "w": ["a", None, "ab"], "b": [True, None, False]})
    arrow = table.arrow
    chunked = pa.concat_tables([arrow.slice(0, 1), arrow.slice(1)])
    plain = arrow.set_column(1, "w", arrow.column("w").cast(pa.string()))
    coded = plain.set_column(1, "w", plain.column("w").dictionary_encode())
    same = {fingerprint(Table(one, Origin("other"))) for one in (arrow, chunked, plain, coded)}
    assert len(same) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"n": [1, 3], "w": ["a", "bc"]},
        {"n": [1, None], "w": ["a", "bc"]},
        {"n": [1, 0], "w": ["a", "bc"]},
        {"n": [1, 2], "w": ["ab", "c"]},
        {"n": [1, 2], "w": ["a", "bd"]},
        {"m": [1, 2], "w": ["a", "bc"]},
        {"w": ["a", "bc"], "n": [1, 2]},
        {"n": [2, 1], "w": ["bc", "a"]},
        {"n": [1.0, 2.0], "w": ["a", "bc"]},
    ],
)
def test_fingerprint_sees_every_change(other: dict) -> None:
    assert fingerprint(read({"n": [1, 2], "w": ["a", "bc"]})) != fingerprint(read(other))


@pytest.mark.slow
def test_a_million_rows_are_read_in_bounded_memory() -> None:
    code = """
import csv, sys, time, psutil, random
with open("big.csv", "w", newline="") as file:
    out = csv.writer(file)
    out.writerow(["id", "x1", "x2", "x3", "n", "colour", "town"])
    for i in range(1_000_000):
        colour = ("red", "green")[i % 2]
        out.writerow([f"id-{i}", i / 7, i % 1000 / 3, -i / 9, i, colour, f"t{i % 500}"])
from neuroscope.data.sources import read
from neuroscope.data.schema import infer_schema
read("iris")
before = psutil.Process().memory_info().rss
start = time.perf_counter()
table = read("big.csv")
infer_schema(table)
try:  # the process's own peak; ru_maxrss begins with that of the process that started it
    with open("/proc/self/status") as file:
        peak = int(file.read().split("VmHWM:")[1].split()[0]) * 1024
except (OSError, IndexError):
    import resource
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(table.rows, int((peak - before) / 2**20), round(time.perf_counter() - start, 1))
"""
    source = Path(builtin.__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=True,
    )
    rows, peak_mib, _ = done.stdout.split()
    assert int(rows) == 1_000_000
    assert int(peak_mib) < 700


@pytest.mark.parametrize("ending", ["parquet", "jsonl"])
def test_a_name_that_was_changed_because_of_its_case_is_told(tmp_path, ending) -> None:
    """DuckDB calls an "a" beside an "A" "a_1" and says nothing."""
    path = tmp_path / f"t.{ending}"
    rows = [{"A": 1, "a": 2, "b_1": 3}, {"A": 4, "a": 5, "b_1": 6}]
    if ending == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    table = read(str(path))
    assert table.names == ["A", "a_1", "b_1"]
    told = [note for note in table.origin.notes if "by case only" in note]
    assert told == ["column 'a' differs from 'A' by case only: a_1"]


@pytest.mark.parametrize("ending", ["parquet", "jsonl"])
def test_a_name_that_ends_in_a_number_by_itself_is_left_in_peace(tmp_path, ending) -> None:
    path = tmp_path / f"t.{ending}"
    rows = [{"x": 1, "x_1": 2}, {"x": 4, "x_1": 5}]
    if ending == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    assert not any("by case only" in note for note in read(str(path)).origin.notes)


def test_a_join_brings_its_rows_in_the_same_order_each_time(tmp_path) -> None:
    count = 400_000
    pq.write_table(pa.table({"id": np.arange(count) * 7 % count, "v": np.arange(count)}),
                   tmp_path / "a.parquet", row_group_size=50_000)  # fmt: skip
    pq.write_table(pa.table({"id": np.arange(0, count, 3), "w": np.arange(0, count, 3)}),
                   tmp_path / "b.parquet", row_group_size=50_000)  # fmt: skip
    query = (f"SELECT a.v, b.w FROM '{tmp_path}/a.parquet' a JOIN '{tmp_path}/b.parquet' b "
             "ON a.id = b.id")  # fmt: skip
    first, *others = (read(query).arrow for _ in range(4))
    assert all(first.equals(other) for other in others)
