"""The learning curve finds a law it was drawn from, and does not promise out of noise."""

from __future__ import annotations

import json

import numpy as np
import pytest

from neuroscope.base.errors import InputError
from neuroscope.judge.learning_curve import extrapolate

SIZES = (500, 1000, 2000, 4000, 8000)


@pytest.mark.parametrize("greater", [True, False])
def test_a_law_is_found_and_carried_on(greater) -> None:
    sign = 1 if greater else -1

    def law(n: float) -> float:
        return sign * (0.9 - 3.0 * n**-0.5)

    found = extrapolate(SIZES, [law(n) for n in SIZES], [0.001] * 5, greater)
    assert found.exponent == pytest.approx(0.5, abs=0.01)
    assert found.limit == pytest.approx(sign * 0.9, abs=1e-6)
    assert found.gain_if_doubled == pytest.approx(sign * (law(16_000) - law(8_000)), rel=1e-6)
    assert found.low < found.gain_if_doubled < found.high
    assert found.helps
    assert "(16,000 instead of 8,000)" in found.sentence
    assert found.sentence.endswith("more rows would help.")
    assert [point.fitted for point in found.points] == pytest.approx([law(n) for n in SIZES])


def test_a_flat_curve_promises_nothing() -> None:
    found = extrapolate(SIZES, [0.8, 0.803, 0.799, 0.801, 0.8], [0.005] * 5, title="AUC")
    assert not found.helps
    assert found.gain_if_doubled < 0.002
    assert "would hardly change AUC, by 0.002 at most" in found.sentence
    noisy = extrapolate(SIZES, [0.78, 0.785, 0.79, 0.793, 0.796], [0.02] * 5, title="AUC")
    assert "improve AUC" in noisy.sentence
    assert "within noise" in noisy.sentence


def test_a_gain_that_may_be_large_is_not_called_too_little() -> None:
    sizes, values = [100, 200, 400, 800], [0.70, 0.735, 0.755, 0.769]
    found = extrapolate(sizes, values, [0.04, 0.04, 0.03, 0.02], title="accuracy")
    assert not found.helps
    assert found.high > 0.03
    assert found.sentence.endswith("too unsure to tell whether more rows would help.")


def test_a_sure_but_small_gain_is_called_small() -> None:
    values = [0.9 - 0.5 * n**-0.5 for n in SIZES]
    found = extrapolate(SIZES, values, [0.00001] * 4 + [0.01])
    assert not found.helps
    assert "too little to matter" in found.sentence


def test_a_sure_gain_near_a_perfect_score_is_not_worth_its_rows() -> None:
    found = extrapolate(SIZES, [1 - 0.3 * n**-0.5 for n in SIZES], [1e-6] * 5)
    assert 0 < found.low < found.gain_if_doubled < 0.002
    assert not found.helps


def test_larger_errors_widen_the_forecast_and_the_seed_repeats_it() -> None:
    values = [0.9 - 3 * n**-0.5 for n in SIZES]
    narrow, wide = (extrapolate(SIZES, values, [e] * 5) for e in (0.001, 0.01))
    assert wide.high - wide.low > 3 * (narrow.high - narrow.low)
    assert extrapolate(SIZES, values, [0.001] * 5) == narrow
    assert extrapolate(SIZES, values, [0.001] * 5, seed=1).low != narrow.low


def test_a_falling_curve_is_no_gain_and_order_does_not_matter() -> None:
    falling = extrapolate(SIZES, [0.9, 0.88, 0.86, 0.84, 0.82], [0.001] * 5)
    assert falling.gain_if_doubled == 0
    assert not falling.helps
    values = [0.9 - 3 * n**-0.5 for n in SIZES]
    backwards = extrapolate(SIZES[::-1], values[::-1], [0.0] * 5)
    assert backwards.points[0].rows == 500
    assert backwards.limit == pytest.approx(0.9, abs=1e-6)
    json.dumps(backwards.to_json(), allow_nan=False)


@pytest.mark.parametrize(
    ("sizes", "values", "errors", "said"),
    [
        ((1, 2), (0, 0), (0, 0), "three numbers of rows, got 2"),
        ((1, 2, 3), (0, 0), (0, 0), "3 sizes, 2 values"),
        ((1, 2, 3), (0, np.nan, 0), (0, 0, 0), "values finite"),
        ((0, 2, 3), (0, 0, 0), (0, 0, 0), "above 0"),
    ],
)
def test_points_that_make_no_curve_are_refused(sizes, values, errors, said) -> None:
    with pytest.raises(InputError, match=said):
        extrapolate(sizes, values, errors)


@pytest.mark.parametrize(("perfect", "sign"), [(1.0, 1), (0.0, -1)])
def test_no_gain_goes_beyond_the_perfect_score(perfect, sign) -> None:
    values = [perfect - sign * miss for miss in (0.2, 0.1, 0.004)]
    free = extrapolate((100, 200, 400), values, [0.05] * 3, sign > 0)
    bounded = extrapolate((100, 200, 400), values, [0.05] * 3, sign > 0, perfect=perfect)
    assert free.high > 0.004
    assert bounded.high <= 0.004 + 1e-12


def test_a_gain_that_rounds_to_nothing_is_told_in_words() -> None:
    found = extrapolate(SIZES, [0.99] * 5, [0.000001] * 5, title="AUC")
    assert found.sentence == (
        "Twice as many rows to learn from (16,000 instead of 8,000) would hardly change AUC, "
        "by less than 0.001: it has levelled off."
    )
