"""How early a model of sequences knows, on answers made by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from neuroscope.judge.earliness import alarms, scores_by_moment, settled
from neuroscope.judge.metrics import METRICS

MOMENTS = np.array([1.0, 2.0, 4.0])


def test_an_answer_is_settled_when_it_no_longer_changes() -> None:
    first = np.array([[0.9, 0.9, 0.2], [0.1, 0.9, 0.7], [0.2, 0.2, 0.6], [0.9, 0.1, 0.9]]).T
    said = np.stack([1 - first, first], axis=2)  # settled at 4, 2, 4 and 4
    found = settled(MOMENTS, said)
    assert (found.early, found.median, found.late) == (2.0, 4.0, 4.0)
    assert settled(MOMENTS, said[:, 1:2]).median == 2.0
    assert settled(MOMENTS, np.repeat(said[:1], 3, axis=0)).late == 1.0


def test_the_score_of_each_moment_is_the_metric_s() -> None:
    y = np.array([0, 0, 1, 1])
    first = np.array([[0.9, 0.8, 0.1, 0.2], [0.1, 0.9, 0.5, 0.95], [0.1, 0.2, 0.8, 0.9]])
    said = np.stack([1 - first, first], axis=2)
    assert scores_by_moment(METRICS["roc_auc"], y, said) == [0.0, 0.75, 1.0]


def _rows(n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Positives rise to 0.9 at moment 2 (half) or 4; negatives stay below 0.5 but for a tenth."""
    y = np.arange(n) % 2
    said = np.full((3, n), 0.1) + np.linspace(0, 0.01, n)
    fast = y * (np.arange(n) // 2 % 2) == 1
    said[1:, fast] += 0.8
    said[2, y == 1] = 0.95
    strange = (y == 0) & (np.arange(n) // 2 % 10 == 0)
    said[0, strange] = 0.97  # and then it thinks better of it
    return y, said


def test_alarms_are_raised_at_the_first_moment_and_stay() -> None:
    y, said = _rows()
    found = {one.rate: one for one in alarms(MOMENTS, y, said, (0.05, 0.2))}
    assert found[0.2].found == 1.0
    assert (found[0.2].early, found[0.2].late) == (2.0, 4.0)
    assert found[0.2].false_alarms == pytest.approx(0.2, abs=0.02)
    assert found[0.05].found == 0.0  # a tenth of the negatives is higher than any positive
    assert found[0.05].median is None
    assert found[0.05].false_alarms == 0.0


def test_thresholds_are_counted_on_rows_they_were_not_set_on() -> None:
    random = np.random.default_rng(0)
    y = np.arange(2000) % 2
    said = random.random((3, 2000))
    found = alarms(MOMENTS, y, said)
    highest = said.max(axis=0)[y == 0]
    assert any(one.false_alarms != (highest >= one.threshold).mean() for one in found)
    for one in found:
        assert one.false_alarms == pytest.approx(one.rate, abs=0.02)
        assert one.found == pytest.approx(one.rate, abs=0.05)  # chance finds no more


def test_what_too_few_rows_cannot_tell_is_left_out() -> None:
    y, said = _rows(40)
    assert [one.rate for one in alarms(MOMENTS, y, said)] == [0.05, 0.1, 0.2]
    assert alarms(MOMENTS, np.zeros(40, int), said) == []
    json.dumps([one.to_json() for one in alarms(MOMENTS, y, said)], allow_nan=False)
