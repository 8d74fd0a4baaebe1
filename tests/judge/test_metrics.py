"""Every metric against scikit-learn, weighted and not, and on rows where it has no meaning."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packing import of_kind
from sklearn import metrics as oracle

from neuroscope.base.errors import InputError, RecipeError
from neuroscope.judge import _arithmetic
from neuroscope.judge.intervals import bootstrap
from neuroscope.judge.metrics import METRICS, applicable, find, primary_metric, scores


def classification(seed: int, k: int, rows: int = 120, ties: bool = False):
    random = np.random.default_rng(seed)
    y = np.concatenate([np.arange(k), random.integers(0, k, rows - k)])
    logits = random.normal(size=(rows, k)) + 1.5 * np.eye(k)[y]
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    if ties:
        p = np.round(p, 1) + 0.01
        p /= p.sum(axis=1, keepdims=True)
    return y, p, random.random(rows) + 0.1


def binary_oracle(y, p, w):
    score, said = p[:, 1], (p[:, 1] >= 0.5).astype(int)
    return {
        "roc_auc": oracle.roc_auc_score(y, score, sample_weight=w),
        "accuracy": oracle.accuracy_score(y, said, sample_weight=w),
        "balanced_accuracy": oracle.balanced_accuracy_score(y, said, sample_weight=w),
        "pr_auc": oracle.average_precision_score(y, score, sample_weight=w),
        "log_loss": oracle.log_loss(y, p, sample_weight=w),
        "brier": oracle.brier_score_loss(y, score, sample_weight=w),
        "f1": oracle.f1_score(y, said, sample_weight=w),
        "precision": oracle.precision_score(y, said, sample_weight=w),
        "recall": oracle.recall_score(y, said, sample_weight=w),
        "specificity": oracle.recall_score(y, said, sample_weight=w, pos_label=0),
        "mcc": oracle.matthews_corrcoef(y, said, sample_weight=w),
    }


def multiclass_oracle(y, p, w):
    said = p.argmax(axis=1)
    macro = {"average": "macro", "sample_weight": w, "zero_division": 0}
    return {
        "roc_auc": oracle.roc_auc_score(y, p, multi_class="ovr", sample_weight=w),
        "accuracy": oracle.accuracy_score(y, said, sample_weight=w),
        "balanced_accuracy": oracle.balanced_accuracy_score(y, said, sample_weight=w),
        "pr_auc": oracle.average_precision_score(y, p, sample_weight=w),
        "log_loss": oracle.log_loss(y, p, sample_weight=w),
        "brier": oracle.brier_score_loss(y, p, sample_weight=w),
        "f1": oracle.f1_score(y, said, **macro),
        "precision": oracle.precision_score(y, said, **macro),
        "recall": oracle.recall_score(y, said, **macro),
        "mcc": oracle.matthews_corrcoef(y, said, sample_weight=w),
    }


@given(seed=st.integers(0, 10**6), k=st.integers(2, 6), ties=st.booleans(), weighted=st.booleans())
@settings(max_examples=60, deadline=None)
def test_classification_metrics_are_scikit_learns(seed, k, ties, weighted) -> None:
    y, p, weights = classification(seed, k, ties=ties)
    weights = weights if weighted else None
    kind, expected = ("binary", binary_oracle) if k == 2 else ("multiclass", multiclass_oracle)
    found = scores(kind, y, p, weights=weights)
    assert found == pytest.approx(expected(y, p, weights), abs=1e-10)


@given(seed=st.integers(0, 10**6), weighted=st.booleans(), shift=st.sampled_from([0.0, 1e6]))
@settings(max_examples=40, deadline=None)
def test_regression_metrics_are_scikit_learns(seed, weighted, shift) -> None:
    random = np.random.default_rng(seed)
    y = random.normal(size=101) + shift
    p = y + random.normal(size=101)
    w = random.random(101) + 0.1 if weighted else None
    assert scores("regression", y, p, weights=w) == pytest.approx(
        {
            "r2": oracle.r2_score(y, p, sample_weight=w),
            "rmse": oracle.root_mean_squared_error(y, p, sample_weight=w),
            "mae": oracle.mean_absolute_error(y, p, sample_weight=w),
            "median_absolute_error": oracle.median_absolute_error(y, p, sample_weight=w),
        },
        rel=1e-7,
    )


@given(seed=st.integers(0, 10**6), name=st.sampled_from(sorted(METRICS)))
@settings(max_examples=60, deadline=None)
def test_a_weight_of_three_is_the_row_three_times(seed, name) -> None:
    metric = METRICS[name]
    random = np.random.default_rng(seed)
    times = random.integers(0, 4, 60)
    times[:4] = 1
    if metric.kinds == ("regression",):
        y = random.normal(size=60)
        p = y + random.normal(size=60)
    elif metric.needs == "packed":
        y, p = of_kind(metric.kinds[0], random, 60)
    else:
        y, p, _ = classification(seed, 2, rows=60, ties=True)
    repeated = metric(np.repeat(y, times, axis=0), np.repeat(p, times, axis=0))
    assert metric(y, p, times.astype(float)) == pytest.approx(repeated, abs=1e-10)


def test_the_threshold_moves_decisions_and_nothing_else() -> None:
    y, p, _ = classification(1, 2)
    low, high = scores("binary", y, p, threshold=0.2), scores("binary", y, p, threshold=0.8)
    assert low["recall"] > high["recall"]
    assert low["specificity"] < high["specificity"]
    assert {n for n in low if low[n] != high[n]} <= {
        m.name for m in METRICS.values() if m.needs == "decisions"
    }
    assert find("recall")(np.array([1, 0]), np.array([[0.5, 0.5], [0.9, 0.1]])) == 1.0


def test_without_a_class_the_value_is_nan_and_the_words_say_so() -> None:
    y, p = np.zeros(5, int), np.full((5, 2), 0.5)
    found = scores("binary", y, p, threshold=0.6)
    assert {name for name, value in found.items() if np.isnan(value)} == {
        "roc_auc", "pr_auc", "f1", "precision", "recall",
    }  # fmt: skip
    assert found["mcc"] == 0
    assert "cannot be computed" in find("roc_auc").words(found["roc_auc"])
    constant = scores("regression", np.full(4, 1e9 + 0.1), np.arange(4.0))
    assert np.isnan(constant["r2"])


def test_a_class_that_is_missing_from_the_rows_leaves_the_others() -> None:
    y, p, _ = classification(2, 3)
    kept = y != 2
    found = find("roc_auc")(y[kept], p[kept])
    parts = [oracle.roc_auc_score(y[kept] == c, p[kept, c]) for c in (0, 1)]
    assert found == pytest.approx(np.mean(parts))


@pytest.mark.parametrize(
    ("y", "p", "weights", "said"),
    [
        ([0, 1], [[0.5, 0.5]], None, "2 truths, 1 predictions"),
        ([0, 2], [[0.5, 0.5]] * 2, None, "do not fit 2"),
        ([0, 1], [0.5, 0.5], None, "got shape (2,)"),
        ([0, 1], [[0.5, 0.5], [np.nan, 1]], None, "row 1: a prediction is not a finite number"),
        ([0, 1], [[0.5, 0.5]] * 2, np.zeros(2), "not all 0"),
        ([0.0, 1.0], [[0.5, 0.5]] * 2, None, "needs class numbers 0..k-1, got float64"),
        ([], np.zeros((0, 2)), None, "at least one row"),
    ],
)
def test_wrong_arrays_are_refused_in_words(y, p, weights, said) -> None:
    with pytest.raises(InputError) as caught:
        find("accuracy")(np.array(y), np.array(p), weights)
    assert said in str(caught.value)


def test_unknown_names_are_answered_with_the_near_one() -> None:
    with pytest.raises(RecipeError, match="did you mean 'roc_auc'"):
        find("roc_auk")
    with pytest.raises(RecipeError, match="binary, multiclass, regression"):
        applicable("ranking")


def test_the_deciding_metric_comes_with_its_reason() -> None:
    assert primary_metric("binary", np.array([0, 1]))[0] == "roc_auc"
    assert primary_metric("regression", np.array([0.5, 1]))[0] == "r2"
    assert primary_metric("multiclass", np.array([0, 1, 2]))[0] == "accuracy"
    name, reason = primary_metric("multiclass", np.array([0] * 8 + [1, 2]))
    assert name == "balanced_accuracy"
    assert "80 % of the rows are one class" in reason


def test_every_metric_explains_itself() -> None:
    assert find("roc_auc").words(0.842, "churned") == (
        "Of 100 random pairs of a 'churned' row and another, the model ranks 84 the right way "
        "round (50 is guessing, 100 is perfect)."
    )
    assert "99.7" in find("accuracy").words(0.997)
    assert "names 99.96 correctly" in find("accuracy").words(0.9996)
    assert "names 100 correctly" in find("accuracy").words(1.0)
    for name, metric in METRICS.items():
        assert name == metric.name
        assert metric.words(0.5).endswith(".")
        assert "{" not in metric.words(0.5)


@pytest.mark.parametrize(
    ("value", "said"),
    [(19_384.6, "19,385"), (1000.0, "1000"), (-71_380.2, "-71,380"), (999.94, "999.9"),
     (0.012345, "0.01235")],
)  # fmt: skip
def test_amounts_in_target_units_are_whole_where_they_are_large(value, said) -> None:
    assert METRICS["mae"].text(value) == said


def test_nothing_is_less_than_zero_by_rounding() -> None:
    assert METRICS["r2"].text(-0.0002) == "0.000"


def test_a_class_is_quoted_in_words() -> None:
    assert "of a '>50K' row" in METRICS["roc_auc"].words(0.9, ">50K")
    assert "of a positive row" in METRICS["roc_auc"].words(0.9)


@pytest.mark.parametrize("weighted", [False, True])
def test_many_classes_are_summed_in_another_way_to_the_same_scores(monkeypatch, weighted) -> None:
    y, p, weights = classification(3, 6)
    y[y == 4] = 1  # a class without a row
    weights = weights if weighted else None
    plain = scores("multiclass", y, p, weights=weights)
    drawn = bootstrap("balanced_accuracy", y, p, weights=weights)
    monkeypatch.setattr(_arithmetic, "_FEW_CLASSES", 0)
    assert scores("multiclass", y, p, weights=weights) == pytest.approx(plain, abs=1e-12)
    again = bootstrap("balanced_accuracy", y, p, weights=weights)
    assert again.low == pytest.approx(drawn.low, abs=1e-12)


@pytest.mark.parametrize("name", ["roc_auc", "pr_auc", "precision", "recall"])
def test_of_several_classes_none_is_called_positive(name) -> None:
    assert "cat" in find(name).words(0.8, "cat")
    said = find(name).words(0.8, "")
    assert "positive" not in said
    assert "class" in said
    assert "80" in said
