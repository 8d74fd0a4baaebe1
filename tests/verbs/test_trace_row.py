"""A step of a model of any task is shown, or refused in one line."""

from __future__ import annotations

import pyarrow as pa
import pytest

from neuroscope.base.errors import InputError
from neuroscope.verbs._prepare import DataOptions
from neuroscope.verbs._request import TrainOptions
from neuroscope.verbs.trace_row import trace_row
from neuroscope.verbs.train import train


def test_a_step_on_a_sequence_is_traced_by_its_summaries() -> None:
    """A table of readings is gathered into sequences first, as in training."""
    long = [
        {
            "case": case,
            "at": at,
            "reading": float((at * (case % 2 + 1)) % 5),
            "kind": "ab"[case % 2],
        }
        for case in range(40)
        for at in range(12)
    ]
    table = pa.Table.from_pylist(long)
    data = DataOptions(target="kind", series="case", time="at", task="series_classes")
    model = train(table, data, TrainOptions(rungs=("neuron",), epochs=2))["model"]
    found = trace_row(model, table, 2)
    assert "reading mean" in found["input_names"]
    assert found["agreement"]["agrees"]
    with pytest.raises(InputError, match="there is no row 41"):
        trace_row(model, table, 41)


@pytest.mark.parametrize(
    ("source", "rung", "task"),
    [("numbers", "dictionary", "translation"), ("visitors", "linear", "series_forecast")],
)
def test_models_without_such_a_step_are_refused_in_one_line(source, rung, task) -> None:
    model = train(source, options=TrainOptions(rungs=(rung,), epochs=1))["model"]
    with pytest.raises(InputError, match=f"the rung '{rung}' of {task} takes no step") as caught:
        trace_row(model, source, 1)
    assert "\n" not in str(caught.value)
