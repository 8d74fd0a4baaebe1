"""Confusion, surest mistakes and residuals."""

from __future__ import annotations

import json
import tracemalloc

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from neuroscope.base.errors import InputError
from neuroscope.judge.confusion import MOST_SHOWN, confusion
from neuroscope.judge.residuals import residuals

NAMES = ("cat", "dog", "fox")


@pytest.fixture
def pets():
    random = np.random.default_rng(0)
    y = random.integers(0, 3, 300)
    p = random.dirichlet([1, 1, 1], 300) + 0.8 * np.eye(3)[y]
    return y, p / p.sum(axis=1, keepdims=True), random.random(300)


@pytest.mark.parametrize("weighted", [False, True])
def test_counts_and_scores_are_scikit_learns(pets, weighted) -> None:
    y, p, w = pets
    w = w if weighted else None
    found = confusion(y, p, NAMES, weights=w)
    said = p.argmax(axis=1)
    assert np.array(found.counts) == pytest.approx(confusion_matrix(y, said, sample_weight=w))
    parts = precision_recall_fscore_support(y, said, sample_weight=w)
    for name, row in zip(("precision", "recall", "f1", "rows"), parts, strict=True):
        ours = [getattr(c, name) for c in found.by_class]
        assert name == "rows" or ours == pytest.approx(row)
    assert sum(c.rows for c in found.by_class) == pytest.approx(300 if w is None else w.sum())


def test_pairs_and_mistakes_come_worst_first(pets) -> None:
    y, p, _ = pets
    found = confusion(y, p, NAMES, limit=4)
    counts = [pair.rows for pair in found.most_confused]
    assert counts == sorted(counts, reverse=True)
    assert len(counts) == 4
    top = found.most_confused[0]
    i, j = NAMES.index(top.truth), NAMES.index(top.decided)
    assert (top.rows, top.share) == (found.counts[i][j], found.counts[i][j] / sum(found.counts[i]))
    wrong = p.argmax(axis=1) != y
    surest = found.surest_mistakes[0]
    assert surest.probability == p.max(axis=1)[wrong].max()
    assert NAMES[y[surest.row]] == surest.truth != surest.decided
    assert len(found.surest_mistakes) == 4


def test_the_threshold_decides_between_two_classes() -> None:
    y, p = np.array([0, 1]), np.array([[0.7, 0.3], [0.7, 0.3]])
    assert confusion(y, p).counts == ((1, 0), (1, 0))
    found = confusion(y, p, threshold=0.3)
    assert found.counts == ((0, 1), (0, 1))
    assert found.surest_mistakes[0].probability == 0.3
    assert np.isnan(found.by_class[0].precision)
    assert json.loads(json.dumps(found.to_json()))["by_class"][0]["precision"] is None


def test_names_must_fit_the_classes(pets) -> None:
    with pytest.raises(InputError, match="2 class names for 3 classes"):
        confusion(*pets[:2], NAMES[:2])


def test_residuals_tell_bias_spread_and_worst_rows() -> None:
    random = np.random.default_rng(0)
    p = 100 * random.random(1000)
    y = p + random.normal(size=1000) * p / 10 + 2
    y[17] += 500
    found = residuals(y, p, bins=5, limit=3, points=50)
    assert found.bias == pytest.approx(np.mean(y - p))
    assert "too little" in found.sentence
    assert (found.worst[0].row, found.worst[0].miss) == (17, pytest.approx(y[17] - p[17]))
    assert len(found.worst) == 3
    assert [b.rows for b in found.bins] == [200] * 5
    assert found.bins[-1].miss_high - found.bins[-1].miss_low > 3 * (
        found.bins[0].miss_high - found.bins[0].miss_low
    )
    assert sum(b.actual for b in found.bins) / 5 == pytest.approx(y.mean())
    assert found.half_within == pytest.approx(np.median(np.abs(y - p)))
    assert len(found.sample) == 50
    json.dumps(found.to_json(), allow_nan=False)


def test_constant_predictions_and_one_row_are_one_bin() -> None:
    found = residuals(np.array([1.0, 2.0, 3.0]), np.full(3, 2.0))
    assert len(found.bins) == 1
    assert "neither too much nor too little" in found.sentence
    assert residuals(np.array([1.0]), np.array([1.0])).to_json()["bias_error"] is None
    with pytest.raises(InputError, match="row 1"):
        residuals(np.array([1.0, np.nan]), np.zeros(2))
    with pytest.raises(InputError, match="at least 1"):
        residuals(np.zeros(2), np.zeros(2), bins=0)


def test_a_miss_of_weight_three_counts_as_three_rows_and_one_of_weight_0_not_at_all() -> None:
    random = np.random.default_rng(1)
    times = random.integers(0, 4, 200).astype(float)
    y = random.normal(size=200)
    p = y + random.normal(size=200)
    p[:3], times[:3] = 99.0, 0.0
    found = residuals(y, p, bins=1, weights=times)
    rows = np.repeat(np.arange(200), times.astype(int))
    repeated = residuals(y[rows], p[rows], bins=1, weights=np.ones(len(rows)))
    for name in ("bias", "half_within", "nine_in_ten_within"):
        assert getattr(found, name) == pytest.approx(getattr(repeated, name))
    ours, theirs = found.bins[0], repeated.bins[0]
    for name in ("predicted", "actual", "miss_low", "miss_median", "miss_high"):
        assert getattr(ours, name) == pytest.approx(getattr(theirs, name))
    assert ours.rows == (times > 0).sum()
    weighing = np.flatnonzero(times > 0)
    assert found.worst[0].row == weighing[np.abs(y - p)[weighing].argmax()]
    assert found.bias_error > repeated.bias_error  # 200 rows say less than their copies


def test_rows_of_one_weight_miss_as_rows_without() -> None:
    random = np.random.default_rng(2)
    y, p = random.normal(size=(2, 50))
    plain, alike = residuals(y, p), residuals(y, p, weights=np.full(50, 7.0))
    assert (alike.bias, alike.bias_error) == pytest.approx((plain.bias, plain.bias_error))
    assert plain.bias_error == pytest.approx((y - p).std(ddof=1) / np.sqrt(50))


def test_of_many_classes_the_matrix_holds_those_that_are_mixed_up_most() -> None:
    k = 40
    y = np.repeat(np.arange(k), 10)
    said = y.copy()
    for one in range(5, 36):  # 31 classes with mistakes: the fewest is of the class left out
        said[10 * one : 10 * one + 1 + one // 5] = one + 1
    p = 0.9 * np.eye(k)[said] + 0.1 / k
    found = confusion(y, p)
    whole = confusion_matrix(y, said, labels=range(k))
    shown = [int(name) for name in found.classes]
    assert len(shown) == MOST_SHOWN
    assert shown == sorted(shown)
    assert set(range(10, 36)) < set(shown) <= set(range(5, 37))
    assert np.array_equal(found.counts, whole[np.ix_(shown, shown)])
    assert (found.of_classes, len(found.by_class)) == (k, k)
    assert found.accuracy == np.mean(said == y)
    assert found.most_confused[0].rows == whole[~np.eye(k, dtype=bool)].max()


def test_the_memory_of_a_matrix_does_not_grow_with_the_square_of_the_classes() -> None:
    y = np.arange(100) * 40
    p = np.zeros((100, 4_000))
    p[np.arange(100), y + 1] = 1.0
    tracemalloc.start()
    try:
        found = confusion(y, p)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(found.classes) == MOST_SHOWN
    assert peak < 40e6  # all pairs of classes would take 128 MB
