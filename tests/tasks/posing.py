"""Problems of picture classes on small drawings, and fits that take a second."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tests.shapes import shapes

from neuroscope.data.schema import infer_schema
from neuroscope.data.sources import read
from neuroscope.data.splits import plan_split
from neuroscope.data.table import Table
from neuroscope.data.task_kind import target_kind
from neuroscope.tasks import image_classes as task
from neuroscope.tasks._learning import Problem, Training, Watch
from neuroscope.tasks._rows.posing import pose

QUICK = {
    "dense": {"epochs": 20}, "convolution": {"epochs": 20}, "fine_tuning": {"epochs": 4},
    "residual": {"epochs": 10, "width": 8},
}  # fmt: skip


def posed(
    source: Any, *, backbone: str = "", seed: int = 0, scratch: Path | None = None
) -> Problem:
    """Pose a source's problem of picture classes."""
    table = source if isinstance(source, Table) else read(source)
    schema = infer_schema(table)
    assert task.accepts(schema)
    kind = target_kind(table, schema).kind
    split = plan_split(table, schema, seed=seed, task_kind=kind)
    found = pose(task.ENCODING, table, schema, split, kind, seed=seed)
    return replace(found, backbone=backbone, scratch=scratch)


def drawn(kind: str = "multiclass", each: int = 30, **options: Any) -> Any:
    """Return drawings with two or three classes, or with the brightness as the number to say."""
    classes = {"binary": 2}.get(kind, 3)
    pictures, names = shapes(classes, each, **options)
    if kind != "regression":
        return pictures, names
    return pictures, 100 + pictures.mean(axis=(1, 2, 3)) + np.random.default_rng(0).normal(
        0, 1e-3, len(pictures)
    )


def fitted(rung: Any, training: Training, watch: Watch | None = None, **changes: Any) -> Any:
    """Fit a rung by its first recipe, with few epochs or as `changes` say."""
    name = rung.__name__.rpartition(".")[2]
    recipes = rung.recipes(training)
    if not recipes:
        return rung.fit(training, None, watch or Watch(name))
    quick = QUICK.get(name, {})
    return rung.fit(training, replace(recipes[0], **(quick | changes)), watch or Watch(name))
