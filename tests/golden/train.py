"""Make the golden models that were really trained: `python tests/golden/train.py` in the root.

They are made once a format and kept: every later version must open them and predict the same.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from neuroscope.runs.artefact import load
from neuroscope.tasks.table import load as table_model
from neuroscope.verbs._prepare import DataOptions
from neuroscope.verbs.train import TrainOptions, train

HERE = Path(__file__).parent

if __name__ == "__main__":
    for source, rung in (("iris", "neuron"), ("diabetes", "dense"), ("breast-cancer", "trees")):
        with tempfile.TemporaryDirectory() as folder:
            options = TrainOptions(rungs=(rung,), out=folder)
            result = train(source, DataOptions(), options)
            name = f"format-1-{source}-{rung}"
            shutil.copyfile(result["model"], HERE / f"{name}.neuroscope")
        answer = table_model(load(HERE / f"{name}.neuroscope")).raw(source)[0]
        expected = [round(float(value), 6) for value in answer.reshape(len(answer), -1)[:20, -1]]
        (HERE / f"{name}.json").write_text(json.dumps(expected) + "\n")
