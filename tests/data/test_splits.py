"""Splits: parts never overlap, groups and time are kept, every choice has its reason."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.data.making import schema, table

from neuroscope.base.errors import InputError, SchemaError, TargetError
from neuroscope.data.splits import Split, inner_split, plan_split
from neuroscope.data.table import Table

RANDOM = np.random.default_rng(0)
BINARY = schema(x="numeric feature", y="categorical target")


def binary(n: int, share: float = 0.3) -> Table:
    y = np.where(np.arange(n) < n * share, "yes", "no")
    return table(x=np.arange(n, dtype=float), y=RANDOM.permutation(y))


def check_parts(split: Split, rows: int) -> None:
    """Parts are disjoint, and together with the unused rows they are all rows."""
    for train, valid in split.folds:
        assert not np.intersect1d(train, valid).size
        assert not np.intersect1d(np.r_[train, valid], split.test).size
    everything = np.r_[split.development, split.test, split.unused]
    assert np.array_equal(np.sort(everything), np.arange(rows))


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(20, 400),
    classes=st.integers(2, 6),
    seed=st.integers(0, 99),
    twins=st.booleans(),
    missing=st.booleans(),
)
def test_parts_are_disjoint_and_complete(n, classes, seed, twins, missing):
    random = np.random.default_rng(seed)
    x = random.integers(0, n * 5 if twins else 2**40, n)
    y = [f"c{i}" for i in np.r_[np.arange(classes).repeat(3), random.integers(0, classes, n)][:n]]
    if missing:
        y = [None if i % 9 == 8 else label for i, label in enumerate(y)] + ["c0"] * 5
        x = np.r_[x, 1:6]
    t = table(x=x, y=y)
    split = plan_split(t, BINARY, seed=seed, task_kind="multiclass" if classes > 2 else "binary")
    check_parts(split, t.rows)
    assert split.counts["test"] == len(split.test)
    assert all(
        len(np.unique(np.array(y, object)[train].astype(str))) > 1 for train, _ in split.folds
    )


@pytest.mark.parametrize(
    ("rows", "folds", "text"),
    [(1_000, 5, "5 folds"), (12_501, 3, "3 folds"), (37_505, 1, "one held-out part of 6,001")],
)
def test_folds_follow_the_development_rows(rows, folds, text):
    split = plan_split(binary(rows), BINARY, seed=0, task_kind="binary")
    assert len(split.folds) == folds
    assert text in split.reason
    check_parts(split, rows)


def test_seed_decides_the_rows():
    t = binary(200)
    one, same, other = (plan_split(t, BINARY, seed=s, task_kind="binary") for s in (1, 1, 2))
    assert np.array_equal(one.test, same.test)
    assert not np.array_equal(one.test, other.test)


def test_test_fraction_is_kept():
    for fraction in (0.1, 0.25, 0.5):
        split = plan_split(binary(1000), BINARY, seed=0, test_fraction=fraction, task_kind="binary")
        assert abs(len(split.test) - 1000 * fraction) <= 1
    with pytest.raises(InputError, match="at most half"):
        plan_split(binary(100), BINARY, seed=0, test_fraction=0.9, task_kind="binary")


def test_classes_keep_their_share_to_one_row():
    t = binary(1000, share=0.1)
    split = plan_split(t, BINARY, seed=3, task_kind="binary")
    yes = np.array(t.arrow["y"].to_pylist()) == "yes"
    assert split.method == "stratified"
    assert yes[split.test].sum() == pytest.approx(20, abs=1)
    for _, valid in split.folds:
        assert yes[valid].sum() == pytest.approx(16, abs=1)


def test_rare_classes_stay_in_training():
    y = ["a"] * 50 + ["b"] * 50 + ["lone"] + ["pair"] * 2
    t = table(x=np.arange(103.0), y=y)
    for seed in range(10):
        split = plan_split(t, BINARY, seed=seed, task_kind="multiclass")
        assert not set(split.test) & {100, 101, 102}
        assert all(100 in train for train, _ in split.folds)
        assert all({101, 102} & set(train) for train, _ in split.folds)
    assert "never among the test rows: 2 classes with fewer than 3 rows" in split.notes


def test_regression_is_random_and_leaves_unusable_targets_out():
    y = RANDOM.normal(size=100)
    y[3], y[5] = np.nan, np.inf
    split = plan_split(
        table(x=np.arange(100), y=y),
        schema(x="numeric feature", y="numeric target"),
        seed=0,
        task_kind="regression",
    )
    assert split.method == "random"
    assert split.unused.tolist() == [3, 5]
    assert "2 rows without a target" in split.notes[0]
    check_parts(split, 100)


def test_too_few_rows_are_refused():
    with pytest.raises(InputError, match=r"5 of 5 rows with a target; .* at least 20 are needed"):
        plan_split(binary(5), BINARY, seed=0, task_kind="binary")
    check_parts(plan_split(binary(20), BINARY, seed=0, task_kind="binary"), 20)


def test_a_class_for_every_row_is_refused():
    t = table(x=np.arange(30), y=[str(i) for i in range(30)])
    with pytest.raises(InputError, match="a class needs at least 3 rows"):
        plan_split(t, BINARY, seed=0, task_kind="multiclass")


def test_missing_target_column_is_refused():
    with pytest.raises(TargetError, match="--target"):
        plan_split(binary(30), schema(x="numeric feature"), seed=0, task_kind="binary")


def test_identical_rows_stay_together():
    x = np.r_[np.arange(900), np.arange(50), np.arange(50)]
    t = table(x=x, z=[f"v{i}" for i in x], y=RANDOM.choice(["no", "yes"], 1000))
    s = schema(x="numeric feature", z="categorical feature", y="categorical target")
    split = plan_split(t, s, seed=0, task_kind="binary")
    assert not np.intersect1d(x[split.test], x[split.development]).size
    for train, valid in split.folds:
        assert not np.intersect1d(x[train], x[valid]).size
    assert "150 rows with identical features are never drawn apart" in split.notes


def test_an_export_that_repeats_its_rows_does_not_put_copies_on_both_sides():
    x, z = RANDOM.normal(size=(2, 150))
    again = np.r_[np.arange(150), np.arange(150), np.arange(100)]
    t = table(x=x[again], z=z[again], y=np.where(x > 0, "yes", "no")[again])
    split = plan_split(t, schema(x="numeric feature", z="numeric feature", y="categorical target"),
                       seed=0, task_kind="binary")  # fmt: skip
    check_parts(split, 400)
    assert not np.intersect1d(again[split.test], again[split.development]).size
    assert all(not np.intersect1d(again[a], again[b]).size for a, b in split.folds)


def test_identical_rows_are_divided_when_they_are_the_rule():
    t = table(x=np.arange(1000) % 10, y=RANDOM.choice(["no", "yes"], 1000))
    split = plan_split(t, BINARY, seed=0, task_kind="binary")
    assert split.counts["test"] == 200
    assert "divided like all others" in split.notes[0]


def _texts(texts: list[str]) -> Table:
    return table(x=texts, y=RANDOM.choice(["no", "yes"], len(texts)))


TEXTS = schema(x="text feature", y="categorical target")


def test_repeated_texts_are_no_chance_however_many() -> None:
    x = np.array([f"text {i // 2}" for i in range(1200)])
    split = plan_split(_texts(list(x)), TEXTS, seed=0, task_kind="binary")
    assert not np.intersect1d(x[split.test], x[split.development]).size
    for train, valid in split.folds:
        assert not np.intersect1d(x[train], x[valid]).size
    assert "1,200 rows with identical features are never drawn apart" in split.notes


def test_texts_that_fill_a_large_part_are_divided_and_the_others_stay_together() -> None:
    x = np.array(["out of office"] * 400 + [f"text {i // 2}" for i in range(800)])
    split = plan_split(_texts(list(x)), TEXTS, seed=0, task_kind="binary")
    both = np.intersect1d(x[split.test], x[split.development])
    assert both.tolist() == ["out of office"]
    assert 0.15 < len(split.test) / len(x) < 0.25
    assert any(note.startswith("400 rows are one of 1 that occur") for note in split.notes)
    assert any(note.startswith("800 other rows with identical") for note in split.notes)


def test_classes_of_one_text_each_are_divided_and_it_is_said() -> None:
    x = [f"text {i // 5}" for i in range(500)]
    t = table(x=x, y=[f"class {i // 5}" for i in range(500)])
    split = plan_split(t, TEXTS, seed=0, task_kind="multiclass")
    assert len(split.test) == 100
    assert "identical ones are divided like all others: scores are flattered" in split.notes[0]


@pytest.mark.parametrize("groups", [4, 40, 3000])
@pytest.mark.parametrize("kind", ["binary", "regression"])
def test_no_group_is_divided(groups, kind):
    n = max(600, 2 * groups)
    g = RANDOM.integers(0, groups, n)
    t = table(g=g, x=RANDOM.normal(size=n), y=RANDOM.choice(["no", "yes"], n))
    names = {"g": "identifier group", "x": "numeric feature", "y": "categorical feature"}
    names["y" if kind == "binary" else "x"] = "numeric target"
    split = plan_split(t, schema(**names), seed=0, task_kind=kind)
    assert split.method == "grouped"
    check_parts(split, n)
    assert not np.intersect1d(g[split.test], g[split.development]).size
    for train, valid in split.folds:
        assert not np.intersect1d(g[train], g[valid]).size
    assert 0.1 < len(split.test) / n < 0.4


def test_groups_keep_class_shares():
    g = RANDOM.integers(0, 60, 2000)
    y = np.where((g % 5 == 0) | (RANDOM.random(2000) < 0.05), "yes", "no")
    s = schema(g="identifier group", y="categorical target")
    split = plan_split(table(g=g, y=y), s, seed=0, task_kind="binary")
    assert abs((y[split.test] == "yes").mean() - (y == "yes").mean()) < 0.05


def test_rows_without_group_count_alone_and_two_groups_are_too_few():
    g = [None, None] + ["a", "b", "c", "d"] * 25
    s = schema(g="categorical group", x="numeric feature", y="categorical target")
    t = table(g=g, x=np.arange(102), y=["no", "yes"] * 51)
    split = plan_split(t, s, seed=0, task_kind="binary")
    assert "2 rows without a group, each a group of its own" in split.notes
    t = table(g=["a", "b"] * 50, x=np.arange(100), y=RANDOM.permutation(["no", "yes"] * 50))
    with pytest.raises(InputError, match="too few groups"):
        plan_split(t, s, seed=0, task_kind="binary")


@pytest.mark.parametrize("stored", [pa.timestamp("us"), pa.date32(), pa.string(), pa.int64()])
def test_newer_rows_judge(stored):
    days = RANDOM.permutation(np.arange(300) // 2)
    values = pa.array(days, pa.int32())
    if stored != pa.int64():
        values = values.cast(pa.date32()).cast(stored)
    t = table(d=values, x=np.arange(300), y=RANDOM.choice(["no", "yes"], 300))
    s = schema(d="datetime time", x="numeric feature", y="categorical target")
    split = plan_split(t, s, seed=0, task_kind="binary")
    assert split.method == "time"
    check_parts(split, 300)
    assert days[split.test].min() > days[split.development].max()
    assert len(split.test) == 60
    assert len(split.folds) == 5
    for train, valid in split.folds:
        assert days[valid].min() > days[train].max()
        assert len(train) >= 120


def test_time_and_groups_together():
    g, when = RANDOM.integers(0, 30, 600), RANDOM.permutation(600)
    t = table(g=g, d=when, y=RANDOM.choice(["no", "yes"], 600))
    s = schema(g="identifier group", d="numeric time", y="categorical target")
    split = plan_split(t, s, seed=0, task_kind="binary")
    assert not np.intersect1d(g[split.test], g[split.development]).size
    newest = {name: when[g == name].max() for name in np.unique(g)}
    assert min(newest[n] for n in g[split.test]) > max(newest[n] for n in g[split.development])


def test_rows_without_time_are_the_oldest():
    when = [None] * 5 + list(range(95))
    t = table(d=when, y=["no", "yes"] * 50)
    s = schema(d="numeric time", y="categorical target")
    split = plan_split(t, s, seed=0, task_kind="binary")
    assert all(set(range(5)) <= set(train) for train, _ in split.folds)
    assert "5 rows without a time, taken as the oldest" in split.notes
    with pytest.raises(SchemaError, match="no row has a time"):
        plan_split(
            table(d=pa.nulls(50, pa.int64()), y=["a", "b"] * 25), s, seed=0, task_kind="binary"
        )
    with pytest.raises(InputError, match="too few different times"):
        plan_split(table(d=[1] * 50, y=["a", "b"] * 25), s, seed=0, task_kind="binary")


def test_folds_with_one_class_to_judge_are_left_out():
    y = ["no", "yes"] * 20 + ["no"] * 20 + ["no", "yes"] * 20
    t = table(d=np.arange(100), y=y)
    s = schema(d="numeric time", y="categorical target")
    split = plan_split(t, s, seed=0, task_kind="binary")
    assert "left out: 2 of 5 folds, with one class to judge" in split.notes
    assert len(split.folds) == 3
    check_parts(split, 100)


def test_time_that_sorts_the_classes_is_refused():
    t = table(d=np.arange(100), y=["no"] * 80 + ["yes"] * 20)
    s = schema(d="numeric time", y="categorical target")
    with pytest.raises(TargetError, match="one class only"):
        plan_split(t, s, seed=0, task_kind="binary")


def column_split(parts: list[str | None]) -> Split:
    t = table(p=parts, x=np.arange(len(parts)), y=["no", "yes"] * (len(parts) // 2))
    s = schema(p="categorical split", x="numeric feature", y="categorical target")
    return plan_split(t, s, seed=0, task_kind="binary")


def test_split_column_names_the_parts():
    split = column_split(["Train"] * 60 + ["dev"] * 20 + [" TEST "] * 20)
    assert split.method == "column"
    assert split.test.tolist() == list(range(80, 100))
    assert len(split.folds) == 1
    assert split.folds[0][1].tolist() == list(range(60, 80))


def test_split_column_without_valid_or_test_is_completed():
    split = column_split(["train"] * 80 + ["test"] * 20)
    assert len(split.folds) == 5
    assert split.test.tolist() == list(range(80, 100))
    split = column_split(["train"] * 80 + ["valid"] * 20)
    assert len(split.test) == 16
    assert "names no test rows: 16 training rows set apart" in split.notes[0]
    split = column_split(["train"] * 78 + [None] * 2 + ["test"] * 20)
    assert "used nowhere: 2 rows without a part" in split.notes
    check_parts(split, 100)
    assert split.unused.tolist() == [78, 79]


def test_split_column_with_other_words_is_refused():
    with pytest.raises(SchemaError, match=r"column 'p', row 81: 'tset' names no part"):
        column_split(["train"] * 80 + ["tset"] * 20)
    with pytest.raises(SchemaError, match="no row with a target says 'train'"):
        column_split(["test"] * 40)


def test_inner_split():
    y = np.r_[np.zeros(90, int), np.ones(10, int)]
    train, valid = inner_split(y, seed=0, fraction=0.2, stratify=True)
    assert np.array_equal(np.sort(np.r_[train, valid]), np.arange(100))
    assert y[valid].sum() == 2
    again = inner_split(y, seed=0, fraction=0.2, stratify=True)
    assert np.array_equal(valid, again[1])
    train, valid = inner_split(RANDOM.normal(size=50), seed=0, fraction=0.1, stratify=False)
    assert len(valid) == 5
    train, valid = inner_split(np.array([0, 1]), seed=0, fraction=0.2, stratify=True)
    assert len(valid) == 1
    assert len(train) == 1


@pytest.mark.parametrize("stratify", [True, False])
def test_inner_split_divides_no_group(stratify):
    groups = RANDOM.integers(0, 30, 300)
    y = RANDOM.integers(0, 2, 300)
    train, valid = inner_split(y, seed=0, stratify=stratify, groups=groups)
    assert not np.intersect1d(groups[train], groups[valid]).size
    assert 30 < len(valid) < 90
    one = np.zeros(300, dtype=int)
    assert len(inner_split(y, seed=0, stratify=stratify, groups=one)[1]) == 60
