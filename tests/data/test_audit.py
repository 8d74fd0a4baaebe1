"""The audit: each planted fault is found with its rows; honest tables raise no alarm."""

from __future__ import annotations

import datetime as dt
import json
import time
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from tests.data.making import schema, table

from neuroscope.data.audit import Finding, audit, drops
from neuroscope.data.schema import Schema
from neuroscope.data.splits import plan_split
from neuroscope.data.table import Table

N = 400


def random() -> np.random.Generator:
    return np.random.default_rng(7)


def base(n: int = N, **more) -> Table:
    """Make a table with an honest, noisy relation between x and y."""
    draw = random()
    x, noise, z = draw.normal(size=(3, n))
    columns = {"x": x, "z": z, "y": np.where(x + 2 * noise > 0, "yes", "no")}
    return table(**columns | more)


def found(t: Table, s, **options) -> dict[str, Finding]:
    options = {"task_kind": "binary"} | options
    return {finding.code: finding for finding in audit(t, s, **options)}


KINDS = {"x": "numeric", "z": "numeric", "y": "categorical target"}


def look(values, kind: str, **options) -> dict[str, Finding]:
    """Audit the base table with one more column `a`."""
    return found(base(len(values), a=values), schema(**KINDS, a=kind), **options)


def test_an_honest_table_has_a_summary_only():
    findings = audit(base(), schema(**KINDS), task_kind="binary")
    assert [finding.code for finding in findings] == ["summary"]
    assert findings[0].what == "400 rows, 2 features: 2 numeric"


def test_findings_are_json_and_ordered_by_severity():
    t = base(a=np.where(base().arrow["y"].to_numpy() == "yes", 1.0, 0.0), b=[None] * N)
    findings = audit(t, schema(**KINDS, a="numeric", b="numeric"), task_kind="binary")
    order = [f.severity for f in findings]
    assert order == sorted(order, key=["serious", "notice", "info"].index)
    assert order[0] == "serious"
    record = json.loads(json.dumps([f.to_json() for f in findings]))
    assert all(r["what"] and r["meaning"] and r["remedy"] for r in record)


def test_missing_values():
    few = look([None] * 3 + list(range(N - 3)), "numeric")["some-missing"]
    assert few.severity == "info"
    assert few.count == 3
    assert "'a' in 3 rows" in few.what
    many = look([float("nan")] * 100 + list(range(N - 100)), "numeric")["missing"]
    assert many.severity == "notice"
    assert many.rows == (1, 2, 3, 4, 5)
    assert "100 rows, 25 %" in many.what
    assert look([None] * 100 + ["u", "v", "w"] * 100, "categorical")["missing"].count == 100


@pytest.mark.parametrize(
    ("values", "kind", "code"),
    [
        ([None] * N, "numeric", "all-missing"),
        ([None] * N, "categorical", "all-missing"),
        ([5.0] * N, "numeric", "constant"),
        (["u"] * N, "categorical", "constant"),
        ([dt.date(2024, 1, 1)] * N, "datetime", "constant"),
        (list(range(N)), "identifier", "identifier"),
    ],
)
def test_columns_that_are_dropped(values, kind, code):
    values = pa.array(values, pa.float64() if kind == "numeric" else None)
    if values.type == pa.null():
        values = values.cast(pa.string())
    t, s = base(a=values), schema(**KINDS, a=kind)
    findings = audit(t, s, task_kind="binary")
    assert code in {finding.code for finding in findings}
    assert [name for name, _ in drops(findings, s)] == ["a"]


@pytest.mark.parametrize("kind", ["identifier", "constant"])
def test_columns_that_the_schema_ignores_are_told(kind):
    values = list(range(N)) if kind == "identifier" else [1] * N
    t, s = base(a=values, b=values), schema(**KINDS, a=f"{kind} ignore", b=f"{kind} group")
    findings = audit(t, s, task_kind="binary")
    assert [f.column for f in findings if f.code == kind] == ["a"]
    assert [name for name, _ in drops(findings, s)] == ["a"]
    assert "; 1 column left out" in findings[-1].what


@pytest.mark.parametrize(("each", "advised"), [(1, False), (2, True)])
def test_a_column_whose_values_never_repeat_is_not_advised_as_groups(each, advised):
    t, s = base(a=[i // each for i in range(N)]), schema(**KINDS, a="identifier ignore")
    columns = [replace(c, distinct=N // each) if c.name == "a" else c for c in s.columns]
    findings = audit(t, Schema(tuple(columns)), task_kind="binary")
    (finding,) = (f for f in findings if f.code == "identifier")
    assert ("--group a" in finding.remedy) == advised


def test_many_dropped_columns_are_told_in_few_findings_and_all_dropped():
    t = base(**{f"c{i}": [1.0] * N for i in range(30)})
    s = schema(**KINDS, **{f"c{i}": "numeric" for i in range(30)})
    findings = audit(t, s, task_kind="binary")
    assert sum(f.code == "constant" for f in findings) == 6
    assert any("25 more columns" in f.what for f in findings)
    assert len(drops(findings, s)) == 30


def test_infinite_values():
    values = random().normal(size=N)
    values[[4, 9]] = np.inf, -np.inf
    finding = look(values, "numeric")["infinite"]
    assert finding.count == 2
    assert finding.rows == (5, 10)


def test_outliers_and_codes_for_missing():
    values = random().normal(size=N)
    values[[10, 20]] = 50.0, -80.0
    finding = look(values, "numeric")["outliers"]
    assert finding.severity == "info"
    assert finding.rows == (11, 21)
    assert "-80 to 50 in 2 rows" in finding.what
    values = random().normal(size=1000)
    values[:8] = 99_999
    finding = look(values, "numeric")["outliers"]
    assert finding.severity == "notice"
    assert "99,999 alone in 8 rows" in finding.what
    for natural in (random().lognormal(1, 2, N), np.r_[np.zeros(N - 50), np.arange(50)]):
        assert "outliers" not in look(natural, "numeric")


def test_outliers_of_a_number_target():
    y = random().normal(size=N)
    y[7] = 1e6
    t = table(x=random().permutation(N), y=y)
    finding = found(t, schema(x="numeric", y="numeric target"), task_kind="regression")["outliers"]
    assert finding.column == "y"
    assert finding.rows == (8,)


def test_placeholders_and_numbers_as_text():
    values = random().choice(["u", "v", "w"], N).astype(object)
    values[[2, 5]] = "?"
    finding = look(list(values), "categorical")["placeholder"]
    assert finding.rows == (3, 6)
    values = [str(v) for v in random().integers(0, 100, N)]
    values[3] = "about 7"
    finding = look(values, "categorical")["numbers-as-text"]
    assert finding.rows == (4,)
    assert "'about 7'" in finding.what
    assert "numbers-as-text" not in look(random().choice(["1", "2", "many"], N), "categorical")


def test_words_among_numbers_are_told_however_many():
    values = [str(v) for v in random().integers(0, 100, N)]
    values[: N // 4] = ["none yet"] * (N // 4 - 1) + ["later"]
    finding = look(values, "categorical")["numbers-and-words"]
    assert finding.count == N // 4
    assert "'none yet', 'later'" in finding.what
    assert finding.rows[0] == 1
    assert "numbers-as-text" not in look(values, "categorical")
    mostly_words = [f"street {v}" if i % 5 else str(v) for i, v in enumerate(values)]
    assert "numbers-and-words" not in look(mostly_words, "categorical")
    assert "numbers-and-words" not in look(random().choice(["1", "2", "many"], N), "categorical")


def test_many_categories():
    values = [f"c{i}" for i in random().integers(0, 300, N)]
    assert look(values, "categorical")["many-categories"].count == len(set(values))
    assert "many-categories" not in look([f"c{i % 60}" for i in range(N)], "categorical")


def test_free_text_is_told():
    assert look([f"a long review {i}" for i in range(N)], "text")["text"].column == "a"


def test_duplicates_within_the_table():
    t = base()
    again = Table(pa.concat_tables([t.arrow, t.arrow.slice(0, 10)]), t.origin)
    finding = found(again, schema(**KINDS))["duplicate-rows"]
    assert finding.count == 10
    assert finding.rows == tuple(range(N + 1, N + 6))
    assert finding.severity == "notice"


def test_equal_features_with_different_targets():
    x = np.r_[np.arange(N - 4), [0, 1, 2, 3]].astype(float)
    y = np.r_[["no", "yes"] * (N // 2 - 2), ["yes", "no", "yes", "no"]]
    t = table(x=x, y=y)
    findings = found(t, schema(x="numeric", y="categorical target"))
    assert findings["conflicting-rows"].count == 8
    assert findings["conflicting-rows"].rows == (1, 2, 3, 4, N - 3)
    assert "duplicate-rows" not in findings


def test_rows_duplicated_across_the_split():
    t = base()
    part = np.r_[["train"] * 300, ["test"] * 100]
    order = np.r_[np.arange(390), np.arange(10)]
    t = Table(t.take(pa.array(order)).arrow.append_column("p", pa.array(part)), t.origin)
    s = schema(**KINDS, p="categorical split")
    split = plan_split(t, s, seed=0, task_kind="binary")
    finding = found(t, s, split=split)["split-duplicates"]
    assert finding.severity == "serious"
    assert finding.count == 10
    assert finding.rows == tuple(range(391, 396))
    own = plan_split(t, schema(**KINDS, p="categorical ignore"), seed=0, task_kind="binary")
    assert "split-duplicates" not in found(t, s, split=own)


def test_few_rows_and_more_columns_than_rows():
    t = base(60, **{f"c{i}": np.random.default_rng(i).normal(size=60) for i in range(80)})
    findings = found(t, schema(**KINDS, **{f"c{i}": "numeric" for i in range(80)}))
    assert findings["few-rows"].count == 60
    assert findings["more-columns-than-rows"].count == 82


def test_columns_that_say_the_same():
    values = random().choice(["u", "v", "w"], N)
    t = base(a=values, b=np.char.upper(values), c=base().arrow["x"].to_numpy() * -3 + 1)
    findings = audit(
        t, schema(**KINDS, a="categorical", b="categorical", c="numeric"), task_kind="binary"
    )
    pairs = {f.columns for f in findings if f.code == "same-columns"}
    assert pairs == {("b", "a"), ("c", "x")}


def test_target_missing_rows():
    y = base().arrow["y"].to_pylist()
    y[6] = None
    t = Table(base().arrow.set_column(2, "y", pa.array(y)), base().origin)
    finding = found(t, schema(**KINDS))["target-missing"]
    assert finding.rows == (7,)


def test_class_balance():
    y = np.where(random().permutation(N) < 20, "yes", "no")
    findings = found(table(x=random().normal(size=N), y=y), schema(x="numeric", y="boolean target"))
    assert "'yes' is 5.0 % of the rows" in findings["class-imbalance"].what
    assert "95 %" in findings["class-imbalance"].meaning
    assert "rare-classes" not in findings
    y = np.where(random().permutation(N) < 4, "yes", "no")
    findings = found(table(x=random().normal(size=N), y=y), schema(x="numeric", y="boolean target"))
    assert findings["rare-classes"].severity == "serious"
    assert findings["rare-classes"].count == 1


def leaks(t: Table, s, kind: str) -> set[str]:
    return {n for f in audit(t, s, task_kind=kind) if f.code == "leakage" for n in f.columns}


def test_leakage_is_found_in_every_form():
    y = base().arrow["y"].to_numpy() == "yes"
    noise = np.random.default_rng(1).random(N)
    columns = {
        "code": np.where(y, "closed", "open"),
        "number": y * 1.0 + noise / 2,
        "squared": (y - 0.5) ** 3 * noise,
        "only_for_one": np.where(y, noise, np.nan),
        "day": np.where(y, 86400, 0) + (noise * 1000).astype(int),
        "honest": y + 2.0 * noise,
    }
    columns["day"] = columns["day"].astype("datetime64[s]")
    t = base(**columns)
    s = schema(
        **KINDS, **dict.fromkeys(columns, "numeric") | {"code": "categorical", "day": "datetime"}
    )
    assert leaks(t, s, "binary") == set(columns) - {"honest"}
    finding = found(t, s)["leakage"]
    assert finding.severity == "serious"
    assert "--drop" in finding.remedy
    assert "leakage" not in {reason for _, reason in drops([finding], s)}
    assert not drops([finding], s)


def test_leakage_of_numbers_and_of_many_classes():
    y = random().lognormal(0, 1, 1000)
    noise = np.random.default_rng(1).normal(size=1000)
    t = table(euro=y * 1.1, rank=np.argsort(np.argsort(y)), x=y + noise, y=y)
    s = schema(euro="numeric", rank="numeric", x="numeric", y="numeric target")
    assert "euro" in leaks(t, s, "regression")
    assert "x" not in leaks(t, s, "regression")
    labels = random().choice(["a", "b", "c"], N)
    t = table(copy=np.char.upper(labels), x=random().normal(size=N), y=labels)
    s = schema(copy="categorical", x="numeric", y="categorical target")
    assert leaks(t, s, "multiclass") == {"copy"}


@pytest.mark.parametrize("unit", [1e-200, 1e200])
def test_a_leak_is_found_in_any_unit(unit):
    y = random().lognormal(0, 1, 1000) * unit
    noise = np.random.default_rng(1).normal(size=1000) * unit
    t = table(euro=y * 1.1, far=y * 1e-100 / unit, x=y + noise, y=y)
    s = schema(euro="numeric", far="numeric", x="numeric", y="numeric target")
    assert leaks(t, s, "regression") == {"euro", "far"}


def test_categories_seen_once_are_no_leak():
    t = base(a=[f"c{i}" for i in range(N)])
    assert leaks(t, schema(**KINDS, a="categorical"), "binary") == set()


def scikit_learn(name: str):
    from sklearn import datasets

    data = getattr(datasets, f"load_{name}")()
    names = [f"x{i}" for i in range(data.data.shape[1])]
    t = table(**dict(zip(names, data.data.T.astype(float), strict=True)), y=data.target)
    return t, schema(**dict.fromkeys(names, "numeric"), y="numeric target"), data


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("breast_cancer", "binary"),
        ("iris", "multiclass"),
        ("wine", "multiclass"),
        ("digits", "multiclass"),
        ("diabetes", "regression"),
    ],
)
def test_known_sets_raise_no_serious_alarm(name, kind):
    t, s, data = scikit_learn(name)
    findings = found(t, s, task_kind=kind, split=plan_split(t, s, seed=0, task_kind=kind))
    assert not [f for f in findings.values() if f.severity == "serious"]
    if "suspect-labels" in findings:
        assert findings["suspect-labels"].count <= 0.01 * len(data.target)


@pytest.mark.parametrize("name", ["iris", "wine", "digits", "breast_cancer"])
def test_wrong_labels_are_suspected(name):
    t, s, data = scikit_learn(name)
    n, classes = len(data.target), len(data.target_names)
    wrong = random().choice(n, max(4, n // 50), replace=False)
    y = data.target.copy()
    y[wrong] = (y[wrong] + 1) % classes
    spoilt = Table(t.arrow.set_column(t.arrow.num_columns - 1, "y", pa.array(y)), t.origin)
    kind = "binary" if classes == 2 else "multiclass"
    finding = found(spoilt, s, task_kind=kind)["suspect-labels"]
    right = set(finding.rows) & {int(row) + 1 for row in wrong}
    assert len(right) >= (1 if name == "iris" else 3)  # two kinds of iris overlap
    assert finding.count < 2.5 * len(wrong)


def test_overlapping_classes_are_not_called_wrong():
    assert "suspect-labels" not in found(base(2000), schema(**KINDS))


def test_order_of_rows():
    n = 1000
    drift = np.linspace(-2, 2, n)
    y = np.where(drift + random().normal(size=n) > 0, "yes", "no")
    t = table(x=random().normal(size=n), y=y)
    s = schema(x="numeric", y="categorical target")
    assert found(t, s)["row-order"].severity == "notice"
    assert "--time" in found(t, s)["row-order"].remedy
    ordered = table(x=random().normal(size=n), y=np.sort(y))
    assert found(ordered, s)["sorted"].severity == "info"
    number = table(x=random().normal(size=n), y=drift + random().normal(size=n))
    s = schema(x="numeric", y="numeric target")
    assert found(number, s, task_kind="regression")["row-order"].severity == "notice"
    assert "row-order" not in found(base(), schema(**KINDS))


def test_dates_ask_for_a_split_by_time_when_the_target_drifts():
    n = 1000
    when = random().permutation(n)
    y = np.where(when / n + random().normal(size=n) > 0.5, "yes", "no")
    days = np.datetime64("2024-01-01") + when
    s = schema(d="datetime", y="categorical target")
    finding = found(table(d=days, y=y), s)["dates"]
    assert finding.severity == "notice"
    assert finding.remedy.endswith("--time d")
    in_order = np.sort(when)
    drifting = np.where(in_order / n + random().normal(size=n) > 0.5, "yes", "no")
    assert "row-order" not in found(table(d=np.datetime64("2024-01-01") + in_order, y=drifting), s)
    calm = found(table(d=days, y=random().choice(["no", "yes"], n)), s)["dates"]
    assert calm.severity == "info"
    named = schema(d="datetime time", y="categorical target")
    assert "dates" not in found(table(d=days, y=y), named)


def test_without_a_target_the_columns_are_still_audited():
    t = base(a=[1.0] * N)
    findings = found(t, schema(x="numeric", a="numeric"), task_kind=None)
    assert set(findings) == {"summary", "constant"}


@pytest.mark.slow
def test_wide_and_long_tables_are_fast():
    wide = base(500, **{f"c{i}": random().normal(size=500) for i in range(2000)})
    s = schema(**KINDS, **{f"c{i}": "numeric" for i in range(2000)})
    start = time.process_time()
    audit(wide, s, task_kind="binary")
    long = base(200_000, a=random().choice(["u", "v", "w"], 200_000))
    audit(long, schema(**KINDS, a="categorical"), task_kind="binary")
    assert time.process_time() - start < 20  # seconds of work, whatever else runs


@pytest.mark.parametrize("kind", ["binary", "multiclass"])
def test_the_smallest_tables_do_not_fail(kind):
    t = table(x=[1.0, 2.0, None], y=["a", "b", None])
    assert "few-rows" in found(t, schema(x="numeric", y="categorical target"), task_kind=kind)
    empty = table(x=pa.array([], pa.float64()), y=pa.array([], pa.string()))
    assert "few-rows" in found(empty, schema(x="numeric", y="categorical target"), task_kind=kind)


def audited_with_a_test(values, kind: str) -> dict[str, Finding]:
    """Audit the base table with a column `a`, where rows 301 to 400 are the test."""
    part = np.r_[["train"] * 300, ["test"] * 100]
    t = base(a=values, p=part)
    s = schema(**KINDS, a=kind, p="categorical split")
    return found(t, s, split=plan_split(t, s, seed=0, task_kind="binary"))


def test_what_is_dropped_is_decided_without_the_test_rows():
    draw = random().normal(size=N)
    train = np.arange(N) < 300
    constant = audited_with_a_test(np.where(train, 5.0, draw), "numeric")["constant"]
    assert constant.what == "'a' has the same value in every row that may train"
    assert constant.count == 300
    empty = audited_with_a_test(np.where(train, np.nan, draw), "numeric")["all-missing"]
    assert empty.what == "'a' has no value in any row that may train"
    words = audited_with_a_test(list(np.where(train, "u", "v")), "categorical")
    assert "constant" in words
    varied = audited_with_a_test(np.where(train, draw, 5.0), "numeric")
    assert not {"constant", "all-missing"} & varied.keys()


def test_leaks_are_looked_for_without_the_test_rows():
    y = base().arrow["y"].to_numpy() == "yes"
    train = np.arange(N) < 300
    noise = random().normal(size=N)
    only_there = audited_with_a_test(np.where(train, noise, y), "numeric")
    assert "leakage" not in only_there
    here = audited_with_a_test(np.where(train, y, noise), "numeric")["leakage"]
    assert here.count == 300


def test_labels_of_test_rows_are_not_doubted():
    t, s, data = scikit_learn("breast_cancer")
    n = len(data.target)
    wrong = random().choice(n, 60, replace=False)
    y = data.target.copy()
    y[wrong] = 1 - y[wrong]
    arrow = t.arrow.set_column(t.arrow.num_columns - 1, "y", pa.array(y))
    part = np.where(np.isin(np.arange(n), wrong[20:]), "test", "train")
    s = Schema((*s.columns, schema(p="categorical split").columns[0]))
    spoilt = Table(arrow.append_column("p", pa.array(part)), t.origin)
    split = plan_split(spoilt, s, seed=0, task_kind="binary")
    doubted = found(spoilt, s, split=split)["suspect-labels"]
    assert np.isin(np.array(doubted.rows) - 1, wrong[:20]).sum() >= 3
    assert not np.isin(np.array(doubted.rows) - 1, split.test).any()
    assert doubted.count < 40


def test_classes_that_differ_in_spelling_only_are_told():
    y = np.array(["Yes", "YES ", "yes", "No"])[np.arange(N) % 4]
    findings = found(base(y=y), schema(**KINDS), task_kind="multiclass")
    told = findings["class-spellings"]
    assert told.severity == "serious" and told.count == 3
    assert told.rows == (1, 2, 3, 5, 6)
    assert "'No'" not in told.what
    assert "class-spellings" not in found(base(), schema(**KINDS))


def test_of_several_classes_a_rare_one_asks_for_balanced_accuracy():
    y = np.where(np.arange(N) % 40 == 0, "c", np.where(np.arange(N) % 2, "a", "b"))
    imbalance = found(base(y=y), schema(**KINDS), task_kind="multiclass")["class-imbalance"]
    assert "balanced accuracy" in imbalance.remedy and "AUC" not in imbalance.remedy
