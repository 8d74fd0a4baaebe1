"""Two models on the same rows, and one model on groups of rows."""

from __future__ import annotations

import json

import numpy as np
import pytest

from neuroscope.base.errors import InputError
from neuroscope.judge.comparison import compare, mcnemar
from neuroscope.judge.groups import by_group
from neuroscope.judge.intervals import Resampling, bootstrap


def binary(random, rows, strength):
    y = random.integers(0, 2, rows)
    score = 1 / (1 + np.exp(-(strength * (2 * y - 1) + random.normal(size=rows))))
    return y, np.column_stack([1 - score, score])


def test_mcnemar_is_the_exact_binomial_test() -> None:
    y = np.zeros(30, int)
    right, wrong = [0.9, 0.1], [0.1, 0.9]
    a = np.array([right] * 15 + [wrong] * 15)
    b = np.array([right] * 10 + [wrong] * 5 + [right] * 1 + [wrong] * 14)
    found = mcnemar(y, a, b)
    assert (found.only_a_right, found.only_b_right) == (5, 1)
    assert (found.both_right, found.both_wrong) == (10, 14)
    assert found.p_value == pytest.approx(2 * (6 + 1) / 2**6)
    assert mcnemar(y, a, a).p_value == 1
    assert mcnemar(y, a, b, threshold=0.95).only_a_right == 0


def test_a_clear_winner_is_named_and_a_tie_is_called_one() -> None:
    random = np.random.default_rng(0)
    y = random.integers(0, 2, 500)
    logit = (2 * y - 1) + random.normal(size=500)

    def p(noise):
        score = 1 / (1 + np.exp(-logit - noise * random.normal(size=500)))
        return np.column_stack([1 - score, score])

    good, bad = p(0.1), p(3.0)
    found = compare("accuracy", y, good, bad, ("monday", "tuesday"))
    assert found.difference.clear
    assert found.mcnemar is not None
    assert found.mcnemar.p_value < 0.001
    assert "monday is better, by more than chance explains" in found.sentence
    assert "tuesday is better" in compare("log_loss", y, bad, good, ("m", "tuesday")).sentence
    same = compare("roc_auc", y, good, good)
    assert same.sentence.endswith("these rows cannot tell them apart.")
    assert json.loads(json.dumps(same.to_json()))["mcnemar"]["p_value"] == 1


def test_numbers_are_compared_without_mcnemar() -> None:
    random = np.random.default_rng(0)
    y = random.normal(size=300)
    found = compare("rmse", y, y + 1, y + 3)
    assert found.mcnemar is None
    assert "the first is better" in found.sentence
    grouped = compare("rmse", y, y + random.normal(size=300), y, groups=np.arange(300) // 30)
    plain = compare("rmse", y, y + random.normal(size=300), y, plan=Resampling(resamples=50))
    assert grouped.a.low != plain.a.low


def test_each_group_has_its_own_scores_and_rates() -> None:
    random = np.random.default_rng(0)
    y, p = binary(random, 1200, 1.0)
    site = np.where(np.arange(1200) < 700, "north", "south").astype(object)
    flat = site == "south"
    p[flat] = p[random.permutation(np.flatnonzero(flat))]
    site[-10:] = None
    found = by_group("binary", y, p, site)
    north = found.groups[0]
    rows = np.arange(1200) < 700
    assert [g.group for g in found.groups] == ["north", "south", "(missing)"]
    assert north.interval == bootstrap("roc_auc", y[rows], p[rows])
    said = p[rows, 1] >= 0.5
    assert north.selection_rate == pytest.approx(said.mean())
    assert north.base_rate == pytest.approx(y[rows].mean())
    assert north.true_positive_rate == pytest.approx(said[y[rows] == 1].mean())
    assert north.false_positive_rate == pytest.approx(said[y[rows] == 0].mean())
    south = found.groups[1]
    assert found.gaps["roc_auc"] == pytest.approx(north.interval.value - south.interval.value)
    assert found.gaps["true_positive_rate"] == pytest.approx(
        abs(north.true_positive_rate - south.true_positive_rate)
    )
    assert "more than chance explains" in found.sentences[0]
    assert found.sentences[-1] == "Fewer than 30 rows, too few to compare: (missing)."
    json.dumps(found.to_json(), allow_nan=False)


def test_groups_that_do_not_differ_are_not_accused() -> None:
    random = np.random.default_rng(1)
    y, p = binary(random, 2000, 1.0)
    found = by_group("binary", y, p, np.arange(2000) % 8, metric="accuracy")
    assert found.metric == "accuracy"
    assert "these rows do not show a difference" in found.sentences[0]


def test_regression_has_scores_without_rates_and_options_reach_the_scores() -> None:
    random = np.random.default_rng(0)
    y = random.normal(size=200)
    p = y + random.normal(size=200)
    half = np.arange(200) % 2
    found = by_group("regression", y, p, half)
    assert found.metric == "r2"
    assert found.groups[0].selection_rate is None
    assert set(found.gaps) == {"r2"}
    weights = np.where(half == 1, 0.0, 1.0)
    assert [g.group for g in by_group("regression", y, p, half, weights=weights).groups] == ["0"]
    yes, q = binary(random, 200, 1.0)
    low, high = (by_group("binary", yes, q, half, plan=Resampling(threshold=t)) for t in (0.2, 0.8))
    assert low.groups[0].selection_rate > high.groups[0].selection_rate


def test_a_group_of_one_class_has_no_auc_and_says_so_in_json() -> None:
    y = np.array([0] * 40 + [0, 1] * 20)
    score = np.linspace(0.1, 0.9, 80)
    group = np.repeat(["quiet", "mixed"], 40)
    found = by_group("binary", y, np.column_stack([1 - score, score]), group)
    quiet = next(g for g in found.groups if g.group == "quiet")
    assert quiet.to_json()["interval"]["value"] is None
    assert "roc_auc" not in found.gaps
    with pytest.raises(InputError, match="3 group labels"):
        by_group("binary", y, np.column_stack([1 - score, score]), group[:3])


def test_a_small_group_without_a_mistake_is_not_clearly_better() -> None:
    """Resamples of rows that are all right do not spread, which is not certainty."""
    y = np.tile([0, 1], 65)
    p = np.eye(2)[y]
    groups = np.repeat(["small", "large"], [30, 100])
    p[[40, 60, 80, 100, 120]] = p[[40, 60, 80, 100, 120], ::-1]  # 95 of 100
    found = by_group("binary", y, p, groups, metric="accuracy")
    assert "these rows do not show a difference" in found.sentences[0]
