"""Small tables of texts, and their problems."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from neuroscope.data.schema import infer_schema
from neuroscope.data.splits import plan_split
from neuroscope.data.table import Origin, Table
from neuroscope.data.task_kind import target_kind
from neuroscope.tasks import text_classes as task
from neuroscope.tasks._learning import Problem
from neuroscope.tasks._rows.posing import pose

_OWN = {"sport": "goal match team coach win", "money": "bank price trade market oil",
        "science": "planet study cell energy star"}  # fmt: skip
_COMMON = [
    "the",
    "a",
    "of",
    "and",
    "to",
    "in",
    "was",
    "is",
    "it",
    "on",
    "for",
    "with",
    "new",
    "said",
    "after",
    "two",
    "year",
]


def texts_of(classes: int = 3, each: int = 40, seed: int = 0, words: int = 12) -> Table:
    """Return texts of some classes, each with words of its own among common ones."""
    random = np.random.default_rng(seed)
    names = list(_OWN)[:classes]
    rows = []
    for i in range(classes * each):
        own = _OWN[names[i % classes]].split()
        kept = [*random.choice(own, 3), *random.choice(_COMMON, words - 3)]
        rows.append(" ".join(random.permutation(kept)))
    labels = [names[i % classes] for i in range(classes * each)]
    return Table(pa.table({"text": rows, "topic": labels}), Origin("texts"))


def posed(table: Table, *, backbone: str = "", seed: int = 0, **options: Any) -> Problem:
    """Pose a problem of classes of texts."""
    schema = infer_schema(table, **options)
    assert task.accepts(schema)
    kind = target_kind(table, schema).kind
    split = plan_split(table, schema, seed=seed, task_kind=kind)
    return replace(pose(task.ENCODING, table, schema, split, kind, seed=seed), backbone=backbone)
