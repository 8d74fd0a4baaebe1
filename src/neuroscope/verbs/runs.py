"""Runs: list them, put some side by side, delete one."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from neuroscope.base import settings
from neuroscope.runs import listing
from neuroscope.runs.folder import RunFolder
from neuroscope.verbs._find import find_run


def runs(
    names: Sequence[str] = (), *, out: str | None = None, delete: str | None = None
) -> dict[str, Any]:
    """Return all runs ("runs"), or those of `names` side by side ("comparison").

    `out` is the folder that holds the run folders; `delete` names one to remove ("deleted").
    """
    root = Path(out) if out else settings.runs_folder()
    if delete is not None:
        run = RunFolder.open(delete, root)
        listing.delete(run)
        return {"deleted": run.name}
    if names:
        opened = [find_run(name, root) for name in names]
        return {"comparison": listing.compare(opened).to_json()}
    found = [dataclasses.asdict(run) for run in listing.list_runs(root)]
    return {"folder": str(root), "runs": [run | {"path": str(run["path"])} for run in found]}
