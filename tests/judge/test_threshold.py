"""Thresholds by cost and by sensitivity, against trying every threshold."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroscope.base.errors import InputError, RecipeError, TargetError
from neuroscope.judge.threshold import (
    Cost,
    best_threshold,
    mean_cost,
    parse_cost,
    threshold_for_sensitivity,
)


def cost_at(y, p, t, cost, w) -> float:
    said = p >= t
    each = np.where(
        y == 1,
        np.where(said, cost.true_positive, cost.false_negative),
        np.where(said, cost.false_positive, cost.true_negative),
    )
    return float(np.average(each, weights=w))


rows = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.7, 0.9, 1.0])),
    min_size=2,
    max_size=40,
).filter(lambda pairs: len({truth for truth, _ in pairs}) == 2)


@given(pairs=rows, alarm=st.floats(0.1, 10), miss=st.floats(0.1, 10), gain=st.floats(0, 3))
@settings(max_examples=150, deadline=None)
def test_no_threshold_is_cheaper(pairs, alarm, miss, gain) -> None:
    y = np.array([int(truth) for truth, _ in pairs])
    p = np.array([score for _, score in pairs])
    w = np.linspace(1, 2, len(y))
    cost = Cost(false_positive=alarm, false_negative=miss, true_positive=-gain)
    found = best_threshold(y, p, cost, w)
    assert found.expected_cost == pytest.approx(cost_at(y, p, found.value, cost, w))
    assert found.cost_at_half == pytest.approx(cost_at(y, p, 0.5, cost, w))
    tried = [cost_at(y, p, t, cost, w) for t in (*np.linspace(0, 1, 201), 1.1)]
    assert found.expected_cost <= min(tried) + 1e-9
    said = p >= found.value
    assert found.sensitivity == pytest.approx(np.average(said[y == 1], weights=w[y == 1]))
    assert found.specificity == pytest.approx(np.average(~said[y == 0], weights=w[y == 0]))
    assert found.selected == pytest.approx(np.average(said, weights=w))
    if said.any():
        assert found.precision == pytest.approx(np.average(y[said] == 1, weights=w[said]))


def test_calibrated_rows_lead_to_the_threshold_of_theory() -> None:
    random = np.random.default_rng(0)
    p = random.random(50_000)
    y = (random.random(50_000) < p).astype(int)
    cost = parse_cost("false_positive=1,false_negative=5")
    found = best_threshold(y, p, cost)
    assert cost.calibrated_threshold() == pytest.approx(1 / 6)
    assert found.value == pytest.approx(1 / 6, abs=0.03)
    assert found.expected_cost < found.cost_at_half
    assert "instead of" in found.sentence


def test_of_equal_thresholds_the_one_nearest_a_half_is_taken() -> None:
    y, p = np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.8, 0.9])
    assert best_threshold(y, p, Cost()).value == 0.5


def test_never_saying_yes_is_possible() -> None:
    y, p = np.array([0, 1, 0]), np.array([1.0, 0.2, 1.0])
    found = best_threshold(y, p, Cost(false_positive=100, false_negative=1))
    assert (found.selected, found.expected_cost) == (0, pytest.approx(1 / 3))
    assert found.to_json()["precision"] is None
    json.dumps(found.to_json(), allow_nan=False)


@given(pairs=rows, wanted=st.floats(0.01, 1))
@settings(max_examples=100, deadline=None)
def test_a_wanted_sensitivity_is_reached_with_the_fewest_alarms(pairs, wanted) -> None:
    y = np.array([int(truth) for truth, _ in pairs])
    p = np.array([score for _, score in pairs])
    found = threshold_for_sensitivity(y, p, wanted)
    assert found.sensitivity >= wanted - 1e-9
    for higher in np.unique(p[p >= found.value]):
        fewer = p > higher
        assert fewer[y == 1].mean() < wanted


def test_the_cost_of_a_sensitivity_is_told() -> None:
    y, p = np.array([0, 1, 0, 1]), np.array([0.1, 0.2, 0.3, 0.9])
    cheap, dear = (threshold_for_sensitivity(y, p, 1.0, Cost(false_positive=c)) for c in (1, 8))
    assert (cheap.expected_cost, dear.expected_cost) == (0.25, 2.0)


def test_costs_are_read_from_text() -> None:
    assert parse_cost("false_positive=1, false-negative = 5") == Cost(1, 5)
    assert parse_cost("true_positive=-2").true_positive == -2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no cost is given"),
        ("false_positve=1", "did you mean 'false_positive'?"),
        ("false_positive", "write it like false_positive=1,false_negative=5"),
        ("zzz=2", "the names are false_positive"),
        ("false_positive=much", "'much', not a number"),
        ("false_positive=nan", "not a number"),
        ("false_positive=1,false_positive=2", "given twice"),
        ("false_positive=-1", "a mistake costs less"),
        ("false_positive=0,false_negative=0", "no more than right decisions"),
    ],
)
def test_a_wrong_cost_says_what_to_write(text, said) -> None:
    with pytest.raises(RecipeError) as caught:
        parse_cost(text)
    assert said in str(caught.value)


def test_rows_that_cannot_answer_are_refused() -> None:
    with pytest.raises(TargetError, match="one class only"):
        best_threshold(np.zeros(3, int), np.full(3, 0.5), Cost())
    with pytest.raises(InputError, match="between 0 and 1"):
        best_threshold(np.array([0, 1]), np.array([0.5, 1.5]), Cost())
    with pytest.raises(InputError, match="2 truths"):
        best_threshold(np.array([0, 1]), np.full((2, 2), 0.5), Cost())
    with pytest.raises(RecipeError, match="above 0, up to 1"):
        threshold_for_sensitivity(np.array([0, 1]), np.array([0.1, 0.2]), 0.0)


def test_costs_are_written_as_they_are_read() -> None:
    assert str(parse_cost("false_negative=20,false_positive=1.5")) == (
        "false_positive=1.5,false_negative=20"
    )


@pytest.mark.parametrize("weighted", [False, True])
def test_the_mean_cost_is_what_the_sweep_expects_there(weighted) -> None:
    random = np.random.default_rng(2)
    y, p = random.integers(0, 2, 200), random.random(200)
    weights = random.random(200) if weighted else None
    cost = Cost(false_positive=2, false_negative=7, true_positive=-1, true_negative=0.5)
    best = best_threshold(y, p, cost, weights)
    assert mean_cost(y, p, best.value, cost, weights) == pytest.approx(best.expected_cost)
    assert mean_cost(y, p, 0.5, cost, weights) == pytest.approx(best.cost_at_half)
