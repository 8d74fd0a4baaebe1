"""One rule for what becomes of values in JSON."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from neuroscope.base.plain import plain


class Told:
    def to_json(self) -> dict[str, object]:
        return {"x": np.float32(0.5), "y": float("inf")}


def test_every_value_that_results_hold_becomes_json():
    given = {
        1: np.int64(3), "nan": np.nan, "arrays": np.array([[1.0, np.inf], [2.0, 3.0]]),
        "truth": np.bool_(True), "nested": ({"a": (1, 2)}, [None, "text"]), "path": Path("a"),
        "set": {7}, "told": Told(), "float": np.float64(1.5),
    }  # fmt: skip
    assert json.loads(json.dumps(plain(given), allow_nan=False)) == {
        "1": 3, "nan": None, "arrays": [[1.0, None], [2.0, 3.0]], "truth": True,
        "nested": [{"a": [1, 2]}, [None, "text"]], "path": "a", "set": [7],
        "told": {"x": 0.5, "y": None}, "float": 1.5,
    }  # fmt: skip
    assert type(plain(np.float64(1.5))) is float


def test_what_json_does_not_know_is_left_for_json_to_refuse():
    thing = object()
    assert plain(thing) is thing
