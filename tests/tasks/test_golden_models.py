"""Models trained by the first version still load and predict what they predicted then."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from neuroscope.runs.artefact import load
from neuroscope.tasks import catalogue

MODELS = sorted((Path(__file__).parents[1] / "golden").glob("format-*-*.neuroscope"))


def test_every_kind_of_learner_is_among_them() -> None:
    assert {load(path).card.learner for path in MODELS} >= {
        "neuron", "dense", "trees", "convolution",
    }  # fmt: skip


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_a_golden_model_predicts_what_it_predicted(path: Path) -> None:
    source = path.stem.removeprefix("format-1-").rpartition("-")[0]
    stored = load(path)
    answer, notes = catalogue.get(stored.card.task).load(stored).raw(source)
    expected = json.loads(path.with_suffix(".json").read_text())
    assert answer.reshape(len(answer), -1)[:20, -1] == pytest.approx(
        np.array(expected), rel=1e-4, abs=1e-5
    )
    assert not notes
