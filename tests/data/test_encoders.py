"""Encoders: fitted on training rows only, honest for training rows, exact through JSON."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.data.making import schema, table

from neuroscope.base.errors import ModelError, SchemaError
from neuroscope.data import columns
from neuroscope.data.encoders import Encoder
from neuroscope.data.encoders.code import robust_scale, smooth_clip
from neuroscope.data.encoders.wide import BUCKETS

RANDOM = np.random.default_rng(0)


def encode(values, kind="numeric", *, other=None, **options):
    """Fit on one column and encode it (or `other` values)."""
    s = schema(a=kind)
    encoder = Encoder.fit(table(a=values), s, **options)
    return encoder, encoder.transform(table(a=values if other is None else other))


def test_numbers_are_scaled_by_quartiles_and_clipped_smoothly():
    values = RANDOM.normal(100, 5, 1000)
    encoder, encoded = encode(values)
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    expected = smooth_clip((values - middle) / (high - low))
    np.testing.assert_allclose(encoded.x[:, 0], expected, rtol=1e-5, atol=1e-6)
    assert encoder.names == ("a",)
    assert encoded.x.dtype == np.float32
    assert encoded.x.flags.c_contiguous


def test_frequent_values_are_edges_and_leave_the_pieces_to_the_other_rows():
    rare = RANDOM.uniform(1000, 9000, 100)
    encoder, _ = encode(np.concatenate([np.zeros(900), rare]), numeric_bins=8)
    edges = np.array(encoder.codes[0].edges)
    assert len(edges) == 9
    np.testing.assert_allclose(edges, [0, *np.quantile(rare, np.linspace(0, 1, 8))])


def test_few_different_values_are_all_edges():
    encoder, _ = encode(np.repeat([1, 2, 3, 50], [500, 3, 3, 3]), numeric_bins=8)
    assert encoder.codes[0].edges == (1, 2, 3, 50)


def test_smooth_clip_is_the_identity_near_zero_and_bounded():
    assert smooth_clip(np.array([1e-3]))[0] == pytest.approx(1e-3, rel=1e-6)
    assert smooth_clip(np.array([3.0]))[0] == pytest.approx(3 / np.sqrt(2))
    assert np.all(np.abs(smooth_clip(np.array([-1e300, 1e300, np.inf]))) <= 3)


def test_equal_quartiles_fall_back_to_half_the_range():
    values = np.r_[np.zeros(90), np.full(10, 8.0)]
    _, encoded = encode(values)
    assert encoded.x[-1, 0] == pytest.approx(2 / np.sqrt(1 + 4 / 9))  # (8 - 0) / 4


def test_missing_and_infinite_numbers_become_the_median_with_a_flag():
    values = [1.0, None, 3.0, float("nan"), float("inf"), 5.0]
    encoder, encoded = encode(values)
    assert encoder.names == ("a", "a is missing")
    assert encoded.x[:, 1].tolist() == [0, 1, 0, 1, 1, 0]
    assert encoded.x[[1, 3, 4], 0].tolist() == [0, 0, 0]
    assert encoded.missing == {"a": 2}
    assert encoded.infinite == {"a": 1}
    assert encoded.notes == ("column 'a': 1 infinite value taken as missing",)


def test_missing_only_later_is_the_median_and_counted():
    encoder, encoded = encode([1.0, 2.0, 3.0], other=[None, 2.0])
    assert encoder.names == ("a",)
    assert encoded.x[0, 0] == 0
    assert encoded.missing == {"a": 1}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(width=64) | st.none(), min_size=2, max_size=30), st.integers(0, 5))
def test_any_numbers_give_finite_columns(values, bins):
    values = pa.array(values, pa.float64())
    s = schema(a="numeric", b="numeric")
    b = pa.array(np.arange(len(values)), pa.int64())
    encoder, encoded = Encoder.fit_transform(table(a=values, b=b), s, numeric_bins=bins)
    assert np.isfinite(encoded.x).all()
    assert np.abs(encoded.x).max() <= 3
    assert len(encoder.names) == encoded.x.shape[1] == len(encoder.sources)
    again = Encoder.from_json(json.loads(json.dumps(encoder.to_json())))
    assert again == encoder


def test_piecewise_linear_code_against_the_paper():
    values = np.arange(101.0)
    encoder, encoded = encode(values, numeric_bins=4)
    assert encoder.names[1:] == ("a 0 to 25", "a 25 to 50", "a 50 to 75", "a 75 to 100")
    assert encoded.x[60, 1:].tolist() == pytest.approx([1, 1, 10 / 25, 0])
    _, beyond = encode(values, numeric_bins=4, other=[-50.0, 500.0])
    assert beyond.x[:, 1:].tolist() == [[0, 0, 0, 0], [1, 1, 1, 1]]
    assert encode(np.arange(101) % 2, numeric_bins=4)[0].names == ("a",)


def test_numbers_that_are_stored_as_text_or_decimal_are_read():
    for values in (["1", " 2 ", "", "4"], pa.array([1, 2, None, 4]).cast(pa.decimal128(20, 0))):
        _, encoded = encode(values)
        assert encoded.missing == {"a": 1}
    with pytest.raises(SchemaError, match=r"column 'a', row 3: 'x' is not a number"):
        encode(["1", "2", "x", "4"])
    with pytest.raises(SchemaError, match="not numbers"):
        encode([[1], [2]])


def test_two_categories_are_one_signed_column():
    encoder, encoded = encode(["no", "yes", "no"], "boolean", other=["yes", "no", None, "perhaps"])
    assert encoder.names == ("a=yes",)
    assert encoded.x[:, 0].tolist() == [1, -1, 0, 0]
    assert encoded.unseen == {"a": 1}
    assert encoded.missing == {"a": 1}
    assert encoded.notes == ("column 'a': 1 row with a category not seen in training",)
    assert encode([True, False], "boolean")[0].names == ("a=true",)


def test_few_categories_are_one_hot():
    encoder, encoded = encode(["x", "y", "z", None], "categorical", other=["z", None, "new"])
    assert encoder.names == ("a=x", "a=y", "a=z", "a is missing")
    assert encoded.x.tolist() == [[0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]]
    assert encoded.unseen == {"a": 1}


def test_a_category_is_the_same_however_it_is_stored():
    encoder, one = encode([1, 2, 3, 4], "categorical")
    for other in ([1.0, 2.0, 3.0, 4.0], ["1", "2", "3", "4"]):
        assert np.array_equal(encoder.transform(table(a=other)).x, one.x)
    dictionary = pa.array(["1", "2", "3", "4"]).dictionary_encode()
    assert np.array_equal(encoder.transform(table(a=dictionary)).x, one.x)


def test_chunks_do_not_matter():
    chunks = pa.chunked_array([["u", "v"], ["w", None, "u"]])
    _, one = encode(chunks, "categorical")
    _, other = encode(["u", "v", "w", None, "u"], "categorical")
    assert np.array_equal(one.x, other.x)


def wide_table(n: int = 4000, categories: int = 300):
    codes = RANDOM.integers(0, categories, n)
    y = (RANDOM.random(n) < (codes % 10) / 10).astype(np.int64)
    return table(a=[f"c{code}" for code in codes]), codes, y


def test_many_categories_stay_narrow():
    t, _, y = wide_table(12_000, 10_000)
    encoder = Encoder.fit(t, schema(a="categorical"), y=y)
    assert len(encoder.names) == 2 + BUCKETS
    x = encoder.transform(t).x
    assert np.all(x[:, 2:].sum(axis=1) == 1)
    unseen = encoder.transform(table(a=["never"]))
    assert unseen.unseen == {"a": 1}
    assert unseen.x[0, 0] == 0
    assert not unseen.x[0, 2:].any()


def test_target_statistic_equals_scikit_learn():
    from sklearn.preprocessing import TargetEncoder

    t, codes, y = wide_table()
    ours = Encoder.fit(t, schema(a="categorical"), y=y).transform(t).x[:, 0]
    theirs = TargetEncoder(smooth=10.0, target_type="continuous").fit(codes[:, None], y)
    z = theirs.transform(codes[:, None])[:, 0] - y.mean()
    unclipped = ours / np.sqrt(1 - (ours / 3) ** 2)
    np.testing.assert_allclose(unclipped / unclipped.std(), z / z.std(), rtol=1e-3, atol=1e-4)


def test_training_rows_do_not_see_their_own_target():
    n = 2000
    t = table(a=[f"c{i}" for i in RANDOM.integers(0, 1000, n)])
    y = RANDOM.integers(0, 2, n)
    s = schema(a="categorical")
    encoder, encoded = Encoder.fit_transform(t, s, y=y, seed=1)
    dishonest = encoder.transform(t).x[:, 0]
    assert np.corrcoef(dishonest, y)[0, 1] > 0.4
    assert abs(np.corrcoef(encoded.x[:, 0], y)[0, 1]) < 0.15
    assert np.array_equal(encoded.x[:, 1:], encoder.transform(t).x[:, 1:])
    other = Encoder.fit_transform(t, s, y=y, seed=2)[1]
    assert not np.array_equal(other.x[:, 0], encoded.x[:, 0])


def test_statistics_follow_the_kind_of_target():
    t, codes, _ = wide_table()
    s = schema(a="categorical")
    assert Encoder.fit(t, s).names[0] == "a (frequency)"
    number = Encoder.fit(t, s, y=codes % 10 + 0.5)
    assert number.names[0] == "a (mean target)"
    learnt = number.transform(t).x[:, 0]
    assert np.corrcoef(learnt, codes % 10)[0, 1] > 0.95
    three = Encoder.fit(t, s, y=codes % 3)
    assert three.names[:3] == tuple(f"a (rate of class {c})" for c in range(3))
    assert Encoder.fit(t, s, y=codes % 11).names[0] == "a (frequency)"


def test_frequency_grows_with_the_rows_of_a_category():
    values = [f"c{i}" for i in range(30) for _ in range(i + 1)]
    encoder, _ = encode(values, "categorical")
    x = encoder.transform(table(a=["new", "c0", "c15", "c29"])).x[:, 0]
    assert np.all(np.diff(x) > 0)


def test_dates_have_cycles_that_vary_and_a_trend():
    hours = np.arange("2024-01-01T00", "2024-03-01T00", dtype="datetime64[h]")
    encoder, encoded = encode(hours.astype("datetime64[s]"), "datetime")
    assert encoder.names[0] == "a (trend)"
    assert len(encoder.names) == 7
    assert np.all(np.diff(encoded.x[:, 0]) > 0)
    six = encoded.x[6, encoder.names.index("a time of day (sine)")]
    assert six == pytest.approx(1, abs=1e-6)
    days = np.arange("2024-01-01", "2024-03-01", dtype="datetime64[D]")
    encoder, encoded = encode(days, "datetime", other=[None, days[0].astype(object)])
    assert "a time of day (sine)" not in encoder.names
    assert not encoded.x[0].any()
    assert encoded.missing == {"a": 1}


def test_dates_as_text_and_times_of_day_are_read():
    encoder, one = encode(["2024-01-01", "2024-02-01", None, "2024-05-06 12:00:00"], "datetime")
    stamps = pa.array(["2024-01-01", "2024-02-01", None, "2024-05-06 12:00:00"])
    same = encoder.transform(table(a=stamps.cast(pa.timestamp("ms"))))
    assert np.array_equal(one.x, same.x)
    assert encoder.names[-1] == "a is missing"
    with pytest.raises(SchemaError, match=r"row 2: 'soon' is not a date"):
        encode(["2024-01-01", "soon"], "datetime")
    clock = pa.array([0, 6 * 3600, 12 * 3600], pa.int32()).cast(pa.time32("s"))
    assert encode(clock, "datetime")[0].names == (
        "a (trend)",
        "a time of day (sine)",
        "a time of day (cosine)",
    )


def test_only_training_rows_are_learnt_from():
    t = table(a=[1.0, 2.0, 3.0, 1000.0, None], b=["u", "v", "w", "z", "z"])
    s = schema(a="numeric", b="categorical")
    part = Encoder.fit(t, s, np.array([0, 1, 2]))
    alone = Encoder.fit(t.take(pa.array([0, 1, 2])), s)
    assert part == alone
    assert part.transform(t, np.array([3, 4])).unseen == {"b": 2}


def test_what_is_not_encoded_is_said():
    t = table(a=[1.0, 2.0], b=["long", "text"], c=[1, 2], d=[5, 5], e=[7.0, 7.0])
    s = schema(a="numeric", b="text", c="identifier", d="constant", e="numeric")
    encoder = Encoder.fit(t, s)
    assert encoder.names == ("a",)
    words = encoder.describe()
    assert set(words) == {"a", "b", "c", "d", "e"}
    assert "one value in the training rows" in words["e"]
    with pytest.raises(SchemaError, match="no feature is left"):
        Encoder.fit(t, schema(b="text", e="numeric"))


def test_columns_in_any_order_extra_ignored_missing_refused():
    s = schema(alpha="numeric", beta="categorical", y="categorical target")
    t = table(alpha=[1.0, 2.0, 4.0], beta=["u", "v", "w"], y=["a", "b", "a"])
    encoder = Encoder.fit(t, s)
    mixed = encoder.transform(table(beta=["u", "v", "w"], more=[1, 2, 3], alpha=[1.0, 2.0, 4.0]))
    assert np.array_equal(mixed.x, encoder.transform(t).x)
    assert mixed.ignored == ("more",)
    assert "1 column not used by the model: more" in mixed.notes
    assert encoder.transform(t).notes == ()
    with pytest.raises(SchemaError, match=r"1 column .* not found: 'beta'; did you mean 'Beta'"):
        encoder.transform(table(alpha=[1.0], Beta=["u"]))


def test_sources_point_to_the_original_columns():
    t = table(a=[1.0, None, 3.0], b=["u", "v", "w"])
    encoder = Encoder.fit(t, schema(a="numeric", b="categorical"))
    assert [encoder.columns[i] for i in encoder.sources] == ["a", "a", "b", "b", "b"]


def test_json_gives_the_same_matrix_and_damage_is_refused():
    t, codes, y = wide_table()
    t = table(
        a=t.arrow["a"],
        b=RANDOM.normal(size=4000),
        c=RANDOM.choice(["u", "v", "w"], 4000),
        d=np.datetime64("2024-01-01T00:00:00") + codes.astype("timedelta64[h]"),
    )
    s = schema(a="categorical", b="numeric", c="categorical", d="datetime")
    encoder = Encoder.fit(t, s, y=y, numeric_bins=5)
    again = Encoder.from_json(json.loads(json.dumps(encoder.to_json())))
    assert np.array_equal(again.transform(t).x, encoder.transform(t).x)
    record = encoder.to_json()
    for broken in ({}, record | {"codes": [{"kind": "magic"}]}, record | {"codes": [{"a": 1}]}):
        with pytest.raises(ModelError, match="cannot be read"):
            Encoder.from_json(broken)


def test_five_thousand_columns_are_fast():
    import time

    t = table(**{f"x{i}": RANDOM.normal(size=200) for i in range(5000)})
    s = schema(**dict.fromkeys(t.names, "numeric"))
    start = time.perf_counter()
    _, encoded = Encoder.fit_transform(t, s)
    assert encoded.x.shape == (200, 5000)
    assert time.perf_counter() - start < 20


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 101, 1280])
def test_center_and_spread_are_the_quartiles(rows):
    values = np.random.default_rng(rows).normal(size=rows) ** 3
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    center, spread = robust_scale(values)
    assert center == pytest.approx(middle, rel=1e-12)
    assert spread == pytest.approx(high - low, rel=1e-12)


def test_rows_are_read_in_the_order_asked_for_and_named_in_errors():
    t = table(a=["1", "2", "x", "4"])
    read = columns.reader(t, np.array([3, 0]))
    assert read("a").numbers().tolist() == [4.0, 1.0]
    assert columns.reader(t)("a").categories()[1] == ["1", "2", "x", "4"]
    with pytest.raises(SchemaError, match="row 3"):
        columns.reader(t, np.array([1, 2]))("a").numbers()


@pytest.mark.parametrize("regression", [False, True])
def test_categories_of_one_row_each_say_nothing_of_the_target(regression) -> None:
    """Their code is the same in every fold: a mean of the other folds would give a fold away."""
    n = 500
    random = np.random.default_rng(3)
    y = random.normal(size=n) if regression else random.integers(0, 2, n)
    t = table(a=[f"c{i}" for i in range(n)])
    _, encoded = Encoder.fit_transform(t, schema(a="categorical"), y=y)
    assert np.abs(encoded.x[:, 0]).max() < 1e-6
