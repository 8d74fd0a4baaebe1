"""The target codec: classes, numbers, the positive class, and what it refuses."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from neuroscope.base.errors import ModelError, SchemaError, TargetError
from neuroscope.data.columns import Cells
from neuroscope.data.target import TargetCodec


def cells(values, rows=None) -> Cells:
    return Cells(pa.chunked_array([pa.array(values)]), "y", rows)


@pytest.mark.parametrize(
    ("values", "positive", "why"),
    [
        (["Yes", "No", "Yes"], "Yes", "going by its name"),
        (["good", "bad", "good"], "bad", "going by its name"),
        (["survived", "lost", "lost"], "lost", "going by the name of the other, 'survived'"),
        ([True, False, True], "true", "going by its name"),
        ([1, 0, 1], "1", "1 is the larger number"),
        ([1, 2, 1], "2", "2 is the larger number"),
        ([2, 10, 10], "10", "larger number"),
        ([">50K", "<=50K", "<=50K"], ">50K", "1 of 3 rows"),
        (["left", "right"], "right", "equally frequent"),
    ],
)
def test_positive_class_has_a_reason(values, positive, why):
    codec = TargetCodec.fit(cells(values), "binary")
    assert codec.classes[1] == positive
    assert why in codec.positive_reason


def test_positive_class_can_be_named():
    codec = TargetCodec.fit(cells(["no", "yes"]), "binary", positive="no")
    assert codec.classes == ("yes", "no")
    with pytest.raises(TargetError, match="'maybe' is no class"):
        TargetCodec.fit(cells(["no", "yes"]), "binary", positive="maybe")


@pytest.mark.parametrize(
    "values", [["b", "a", "c", "a"], [10, 2, 3, 2], [True, False, True], [1.0, 2.0, 3.5]]
)
def test_classes_come_back_as_they_were(values):
    codec = TargetCodec.fit(cells(values), "multiclass")
    y = codec.encode(cells(values))
    assert y.dtype == np.int64
    back = codec.decode(y).tolist()
    assert back == (values if not isinstance(values[0], float) else ["1", "2", "3.5"])
    assert TargetCodec.from_json(json.loads(json.dumps(codec.to_json()))) == codec


def test_classes_that_are_numbers_stand_in_their_order():
    assert TargetCodec.fit(cells([10, 9, 2]), "multiclass").classes == ("2", "9", "10")


def test_numbers_are_standardised_and_come_back():
    y = np.random.default_rng(0).normal(50, 7, 100)
    codec = TargetCodec.fit(cells(y), "regression")
    encoded = codec.encode(cells(y))
    assert encoded.mean() == pytest.approx(0, abs=1e-12)
    assert encoded.std() == pytest.approx(1)
    np.testing.assert_allclose(codec.decode(encoded), y)
    assert TargetCodec.from_json(json.loads(json.dumps(codec.to_json()))) == codec


def test_an_integer_target_stored_as_float_elsewhere_is_the_same_class():
    codec = TargetCodec.fit(cells([0, 1, 1]), "binary")
    assert codec.encode(cells([1.0, 0.0])).tolist() == [1, 0]
    assert codec.encode(cells(["1", "0"])).tolist() == [1, 0]


def test_unseen_class_names_value_and_row():
    codec = TargetCodec.fit(cells(["a", "b"]), "binary")
    with pytest.raises(SchemaError, match=r"column 'y', row 8: 'c' is no class.*a, b"):
        codec.encode(cells(["a", "c"], rows=np.array([3, 7])))


@pytest.mark.parametrize(
    ("values", "kind", "text"),
    [
        (["a", "a"], "binary", "one class: all rows have 'a'"),
        (["a", "b", "c"], "binary", "3 classes"),
        ([3.0, 3.0], "regression", "the same number"),
        ([0.0, 0.0], "regression", "the same number"),
        ([1.0, -1e200, 1e150], "regression", r"row 2: the target's numbers reach -1e\+200"),
        ([1e-200, 2e-200], "regression", "row 2: the target's numbers reach 2e-200"),
        ([1.0, None], "regression", "row 2: the target is missing in 1 row"),
        ([float("inf"), 1.0], "regression", "row 1: the target is missing"),
        (["a", None, "b"], "multiclass", "row 2: the target is missing"),
    ],
)
def test_targets_without_anything_to_learn_are_refused(values, kind, text):
    with pytest.raises(TargetError, match=text):
        TargetCodec.fit(cells(values), kind)


def test_text_in_a_number_target_is_refused():
    with pytest.raises(SchemaError, match="'many' is not a number"):
        TargetCodec.fit(cells(["1", "many"]), "regression")


def test_damaged_json_is_a_model_error():
    with pytest.raises(ModelError, match="cannot be read"):
        TargetCodec.from_json({"classes": ["a"], "shape": 3})
