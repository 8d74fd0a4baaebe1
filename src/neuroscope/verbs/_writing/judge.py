"""Judge, where a model writes: how surprising other texts are to it."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroscope.base.errors import NeuroscopeError
from neuroscope.base.events import Monitor, Progress
from neuroscope.data.table import Table
from neuroscope.judge.intervals import Resampling, bootstrap
from neuroscope.judge.metrics import METRICS, applicable, primary_metric, scores
from neuroscope.tasks._writing.model import TextModel
from neuroscope.verbs._prepare import DataOptions
from neuroscope.verbs._writing.prepare import column_of, documents_of


def judge(model: TextModel, table: Table, *, seed: int, monitor: Monitor) -> dict[str, Any]:
    """Score the model on the texts of a table, piece by piece."""
    try:
        target = model.artefact.card.target
        named = DataOptions(target=target if target in table.names else None)
        documents, empty = documents_of(table, column_of(table, named))
    except NeuroscopeError as error:
        raise error.at(table.origin.text) from error
    y, p = model.bits(documents)
    monitor(Progress(label="judging", done=3, total=3))
    known = scores("text", y, p)
    main = METRICS[primary_metric("text", y)[0]]
    listed = []
    for metric in applicable("text"):
        interval = None
        if len(y) > 1 and np.isfinite(known[metric.name]):
            found = bootstrap(metric, y, p, Resampling(seed=seed))
            interval = [found.low, found.high]
        listed.append({
            "name": metric.name, "title": metric.title, "value": known[metric.name],
            "interval": interval, "greater_is_better": metric.greater_is_better,
            "in_target_units": metric.in_target_units, "meaning": metric.words(known[metric.name]),
        })  # fmt: skip
    strange = model.unknown("".join(dict.fromkeys("".join(documents))))
    notes = [f"{empty:,} texts are empty and left out"] if empty else []
    if len(documents) > 1 and not model.encoder.ends:
        notes.append(
            f"the model learned from one text, which has no end: {len(documents):,} "
            "documents are read each from its beginning, and their ends are not asked for"
        )
    if strange:
        notes.append(f"characters the model has never read: {' '.join(strange[:20])}; each counts "
                     "as <unknown>")  # fmt: skip
    return {
        "model": str(model.artefact.path), "source": table.origin.text,
        "target": model.artefact.card.target, "rung": model.artefact.card.learner,
        "kind": "text", "positive": "", "rows": len(y), "threshold": None,
        "metric": {"name": main.name, "title": main.title,
                   "meaning": main.words(known[main.name])},
        "scores": listed, "test_when_trained": dict(model.artefact.card.metrics),
        "warnings": [], "notes": notes, "seen_in_training": None,
    }  # fmt: skip
