"""A kind of problem is one entry: with it the metrics, the choice and the intervals know it."""

from __future__ import annotations

import numpy as np
import pytest

from neuroscope.base.errors import InputError, RecipeError
from neuroscope.judge import kinds, metrics
from neuroscope.judge._arithmetic import mean_of
from neuroscope.judge.intervals import bootstrap


def test_figures_and_the_deciding_metric_belong_to_the_kind() -> None:
    truths = {"binary": np.array([0, 1]), "multiclass": np.array([0, 1, 2]),
              "regression": np.array([0.0, 1.0]), "forecast": np.ones((4, 5)),
              "translation": np.ones((3, 1)), "text": np.ones((3, 1)),
              "words": np.ones((4, 1))}  # fmt: skip
    for name, kind in kinds.KINDS.items():
        known = {metric.name for metric in metrics.applicable(name)}
        assert set(kind.figures) <= known
        assert metrics.primary_metric(name, truths[name])[0] in known
        needs = {metrics.METRICS[metric].needs for metric in known}
        assert ("packed" in needs) == (kind.answers == "packed") == (kind.check is not None)


def test_an_unknown_kind_is_refused_with_the_known_ones() -> None:
    with pytest.raises(RecipeError, match="forecast"):
        kinds.kind_of("forecasts")


def test_a_new_kind_is_one_entry(monkeypatch) -> None:
    def check(title: str, y: np.ndarray, p: np.ndarray) -> None:
        if p.shape != (len(y), 2):
            raise InputError(f"{title} needs bits and characters (n, 2), got {p.shape}")

    language = kinds.Kind("text", "packed", lambda _: ("bits", "how surprised it is"), ("bits",),
                          check)  # fmt: skip
    bits = metrics.Metric(
        "bits",
        "bits per character",
        False,
        ("language",),
        "packed",
        mean_of(lambda y, p, threshold: p[:, 0] / p[:, 1]),
        "{value} bits",
    )
    monkeypatch.setitem(kinds.KINDS, "language", language)
    monkeypatch.setitem(metrics.METRICS, "bits", bits)
    y, p = np.zeros((6, 1)), np.column_stack([np.full(6, 20.0), np.full(6, 10.0)])
    assert metrics.scores("language", y, p) == {"bits": 2.0}
    assert metrics.primary_metric("language", y)[0] == "bits"
    assert bootstrap(bits, y, p).value == 2.0
    with pytest.raises(InputError, match="bits and characters"):
        bits(y, p[:, :1])
    with pytest.raises(InputError, match="finite"):
        bits(y, p * np.nan)
