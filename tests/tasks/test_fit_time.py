"""The time of a net: encoding before it and predictions after it are taken from its seconds."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from neuroscope.tasks import catalogue
from neuroscope.tasks._learning import Training, Watch
from neuroscope.train import loop
from neuroscope.verbs._prepare import DataOptions, prepare


def source(task: str) -> tuple[Any, DataOptions]:
    random = np.random.default_rng(0)
    if task == "series_forecast":
        days = np.arange(200) + np.datetime64("2020-01-01")
        return pa.table({"day": days, "y": random.normal(size=200)}), DataOptions(time="day")
    signals = pa.array([random.normal(size=8).tolist() for _ in range(60)])
    return pa.table({"x": signals, "y": ["a", "b"] * 30}), DataOptions(target="y")


@pytest.mark.parametrize("task", ["series_classes", "series_forecast"])
def test_what_comes_before_a_fit_and_after_it_is_taken_from_its_time(monkeypatch, task) -> None:
    data, options = source(task)
    problem = prepare(data, options, seed=0, monitor=lambda _: None).problem
    rung, training = catalogue.get(task).RUNGS.get("gru"), problem.folds[0]
    recipe = rung.recipes(training)[0]
    seen: list[loop.Watch] = []
    encode = Training.encoded

    def slowly(self: Training, *recipes: Any) -> tuple[Any, Any]:
        time.sleep(0.2)
        return encode(self, *recipes)

    def look(*_: Any, watch: loop.Watch, **__: Any) -> None:
        seen.append(watch)
        raise RuntimeError("seen")

    monkeypatch.setattr(Training, "encoded", slowly)
    monkeypatch.setattr(loop, "fit", look)
    with pytest.raises(RuntimeError, match="seen"):
        rung.fit(training, recipe.because("quick", patience=0), Watch("gru", seconds=100.0))
    assert seen[0].seconds is not None
    assert 10 <= seen[0].seconds <= 100 - 0.2
    assert training.held is not None
    assert seen[0].predicted == len(training.held) + len(problem.split.test)


def test_encoding_leaves_a_fit_a_tenth_of_its_seconds() -> None:
    watch = Watch("gru", seconds=1e-9)
    time.sleep(0.001)
    assert watch.left == pytest.approx(1e-10)
    assert Watch("gru").left is None
