"""Models saved by earlier versions stay readable: everything in tests/golden is opened for ever."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from neuroscope.runs.artefact import load
from neuroscope.runs.card import FORMAT

GOLDEN = Path(__file__).parents[1] / "golden"
ARTEFACTS = sorted(
    path
    for path in GOLDEN.iterdir()
    if path.suffix == ".neuroscope" or (path / "card.json").is_file()
)


def make():
    spec = importlib.util.spec_from_file_location("make", GOLDEN / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_there_is_a_golden_folder_and_a_golden_zip_of_each_format() -> None:
    formats = {(load(path).card.format_version, path.is_dir()) for path in ARTEFACTS}
    assert formats >= {(n, shape) for n in range(1, FORMAT + 1) for shape in (True, False)}


@pytest.mark.parametrize("path", ARTEFACTS, ids=lambda path: path.name)
def test_a_golden_artefact_opens_with_all_its_fields(path) -> None:
    model = load(path)
    card = model.card
    assert 1 <= card.format_version <= FORMAT
    for field in ("neuroscope_version", "task", "target", "learner", "created"):
        assert getattr(card, field)
    assert card.schema["columns"]
    assert card.metrics
    assert card.rows["train"] > 0
    assert card.data_fingerprint
    assert {"python", "numpy"} <= set(card.versions)
    assert card.intended_use
    assert card.limitations
    assert model.weights
    assert all(np.isfinite(array).all() for array in model.weights.values())
    assert {f"{name}.json" for name in model.parts} == set(card.checksums) - {
        "card.json", "weights.safetensors",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["format-1", "format-1.neuroscope"])
def test_the_first_golden_artefact_holds_what_its_script_wrote(name) -> None:
    model = load(GOLDEN / name)
    linear = np.linspace(-1, 1, 9, dtype=np.float32).reshape(3, 3)
    assert np.array_equal(model.weights["0/weights"], linear)
    assert model.weights["scale"].dtype == np.float64
    assert model.parts["target"] == {"classes": ["setosa", "versicolor", "virginica"]}
    assert model.parts["encoder"]["columns"][0]["categories"] == ["klein", "groß", "日本"]
    assert model.card.limitations == ("It was never trained.",)


def test_the_script_still_writes_the_same_model(tmp_path) -> None:
    make().make(tmp_path)
    for name in ("format-1", "format-1.neuroscope"):
        fresh, kept = load(tmp_path / name), load(GOLDEN / name)
        assert fresh.card == kept.card
        assert fresh.parts == kept.parts
        assert all(np.array_equal(fresh.weights[key], kept.weights[key]) for key in kept.weights)
