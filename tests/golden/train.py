"""Make the golden models that were really trained: `python tests/golden/train.py [SOURCE …]` in the
root.

They are made once a format and kept: every later version must open them and predict the same.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from neuroscope.verbs._prepare import DataOptions
from neuroscope.verbs.load import load
from neuroscope.verbs.train import TrainOptions, show_recipe, train

HERE = Path(__file__).parent

MODELS = (
    ("iris", "neuron", {}),
    ("diabetes", "dense", {}),
    ("breast-cancer", "trees", {}),
    ("digits-images", "convolution", {"width": 4, "hidden": [16], "epochs": 8}),
)


def make(source: str, rung: str, changes: dict[str, Any], folder: str) -> None:
    """Train one model, with some choices of its own, and write down what it says of 20 rows."""
    options = TrainOptions(rungs=(rung,), out=folder)
    if changes:
        recipe = Path(folder, "recipe.json")
        recipe.write_text(json.dumps(show_recipe(source, DataOptions(), options) | changes))
        options = TrainOptions(recipe=str(recipe), out=folder)
    result = train(source, DataOptions(), options)
    name = f"format-1-{source}-{rung}"
    shutil.copyfile(result["model"], HERE / f"{name}.neuroscope")
    answer = load(result["model"]).raw(source)[0]
    expected = [round(float(value), 6) for value in answer.reshape(len(answer), -1)[:20, -1]]
    (HERE / f"{name}.json").write_text(json.dumps(expected) + "\n")


if __name__ == "__main__":
    asked = sys.argv[1:]  # sources; all when none is given
    for source, rung, changes in MODELS:
        if not asked or source in asked:
            with tempfile.TemporaryDirectory() as folder:
                make(source, rung, changes, folder)
