"""Sensitivity and specificity at a threshold, with intervals."""

from __future__ import annotations

import numpy as np
import pytest

from neuroscope.base.errors import InputError
from neuroscope.judge.detection import detection
from neuroscope.judge.intervals import Resampling


def sample(found: int, missed: int, spared: int, alarms: int) -> tuple[np.ndarray, np.ndarray]:
    """Return truth and probabilities: 0.8 for those called positive, 0.1 for the others."""
    y = np.repeat([1, 1, 0, 0], [found, missed, spared, alarms])
    yes = np.repeat([0.8, 0.1, 0.1, 0.8], [found, missed, spared, alarms])
    return y, np.c_[1 - yes, yes]


def test_both_rates_have_wilsons_interval() -> None:
    found = detection(*sample(18, 2, 27, 3), "sick", Resampling())
    assert found is not None
    assert (found.sensitivity.right, found.sensitivity.rows) == (18, 20)
    # Wilson 1927 for 18 of 20: the roots of (p - 0.9)^2 = 1.96^2 p (1 - p) / 20
    z2 = 1.959963984540054**2
    low, high = np.sort(np.roots([1 + z2 / 20, -(1.8 + z2 / 20), 0.81]))
    assert found.sensitivity.low == pytest.approx(low)
    assert found.sensitivity.high == pytest.approx(high)
    assert found.specificity.value == pytest.approx(0.9)
    assert "18 of 20 rows that are 'sick'" in found.sentence


def test_the_threshold_moves_the_rates() -> None:
    y, p = sample(5, 5, 8, 2)
    strict = detection(y, p, "sick", Resampling(threshold=0.9))
    lax = detection(y, p, "sick", Resampling(threshold=0.05))
    assert strict is not None
    assert lax is not None
    assert (strict.sensitivity.value, strict.specificity.value) == (0, 1)
    assert (lax.sensitivity.value, lax.specificity.value) == (1, 0)


def test_rows_that_belong_together_widen_the_interval() -> None:
    y, p = sample(45, 15, 45, 15)
    groups = np.arange(120) // 15
    alone = detection(y, p, "sick", Resampling())
    together = detection(y, p, "sick", Resampling(), groups=groups)
    assert alone is not None
    assert together is not None
    width = alone.sensitivity.high - alone.sensitivity.low
    assert together.sensitivity.high - together.sensitivity.low > 1.5 * width


def test_weights_count() -> None:
    y, p = sample(1, 1, 2, 0)
    found = detection(y, p, "sick", Resampling(), weights=np.array([3.0, 1.0, 1.0, 1.0]))
    assert found is not None
    assert found.sensitivity.value == pytest.approx(0.75)


def test_one_class_alone_has_no_rates() -> None:
    y, p = sample(3, 1, 0, 0)
    assert detection(y, p, "sick", Resampling()) is None
    with pytest.raises(InputError, match="two classes"):
        detection(y, np.ones((4, 3)) / 3, "sick", Resampling())
