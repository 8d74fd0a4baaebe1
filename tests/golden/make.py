"""Make the golden artefacts of the current format: `python tests/golden/make.py [FOLDER]`.

They are made once and kept for ever: every later version must open them. A new format adds new
ones under a new name and never touches the old. Not for the numbers of a real model: the weights
are a fixed formula.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from neuroscope.runs import artefact
from neuroscope.runs.card import Card


def card() -> Card:
    """Return a card in which no field depends on the machine or the day."""
    return Card(
        task="table",
        target="species",
        learner="neuron",
        neuroscope_version="0.1.0",
        created="2026-01-01T00:00:00+00:00",
        schema={
            "columns": [
                {"name": "petal length (cm)", "kind": "numeric", "role": "feature"},
                {"name": "größe", "kind": "categorical", "role": "feature"},
                {"name": "species", "kind": "categorical", "role": "target"},
            ]
        },
        metrics={"accuracy": 0.9667, "interval": {"accuracy": [0.9, 1.0]}},
        rows={"train": 90, "valid": 30, "test": 30},
        data_fingerprint="sha256:" + "0" * 64,
        versions={"python": "3.11.0", "numpy": "2.0.0"},
        intended_use="To test that later versions open this model.",
        limitations=("It was never trained.",),
        licence_notes="Made for the tests; Apache-2.0.",
    )


def make(folder: Path) -> None:
    """Write the same model as a folder and as a zip."""
    weights = {
        "0/weights": np.linspace(-1, 1, 9, dtype=np.float32).reshape(3, 3),
        "0/bias": np.zeros(3, dtype=np.float32),
        "scale": np.float64(0.1) * np.arange(3),
    }
    parts = {
        "encoder": {"columns": [{"name": "größe", "categories": ["klein", "groß", "日本"]}]},
        "target": {"classes": ["setosa", "versicolor", "virginica"]},
    }
    for name in ("format-1", "format-1.neuroscope"):
        artefact.save(folder / name, card(), weights, parts)


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
