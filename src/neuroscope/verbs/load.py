"""Load: a trained model from a file, a run folder or the name of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from neuroscope.base import settings
from neuroscope.base.errors import InputError, ModelError, SchemaError
from neuroscope.runs import artefact
from neuroscope.runs.folder import RunFolder, is_run
from neuroscope.tasks import catalogue


def load(path: str | Path) -> Any:
    """Return the model at `path` with its `predict`, `predict_proba` and `classes`.

    `path` is a `.neuroscope` file, an artefact folder, a run folder, the name of a run folder, or
    the name that several runs share ("iris": the newest of them that has a model).
    Raises ModelError when there is no model, or it is damaged, edited or of a newer version.
    """
    stored = artefact.load(find_model(path))
    try:
        return catalogue.get(stored.card.task).load(stored)
    except (KeyError, TypeError, ValueError, SchemaError) as error:
        raise ModelError(
            f"its parts do not fit together: {error}", where=str(stored.path),
            remedy="use another copy, or train it again",
        ) from error  # fmt: skip
    except InputError as error:
        raise error.at(str(stored.path)) from error


def find_model(path: str | Path) -> Path:
    """Return where the artefact lies that a person means by `path`."""
    root = settings.runs_folder()
    for place in (Path(path), root / path):
        if is_run(place):
            return _model_of(RunFolder(place))
        if place.is_file() or (place / "card.json").is_file():
            return place
    if Path(path).suffix or Path(path).parent != Path():
        return Path(path)  # a file was meant; loading it says what is wrong
    alike = [run for run in sorted(root.glob(f"*-{path}*"), reverse=True)
             if _short_name(run) == str(path) and RunFolder(run).model.exists()]  # fmt: skip
    return RunFolder(alike[0]).model if alike else _model_of(RunFolder.open(path, root))


def _short_name(run: Path) -> str:
    """Return "iris" for "20260314-092653-iris" and "20260314-092653-iris-2"."""
    name = run.name.split("-", 2)[-1]
    head, _, number = name.rpartition("-")
    return head if head and number.isdigit() and len(number) < 3 else name


def _model_of(run: RunFolder) -> Path:
    if run.model.exists():
        return run.model
    raise ModelError(
        f"the run has no model yet (it is {run.status})", where=run.name,
        remedy=f"go on with: neuroscope train --resume {run.name}",
    )  # fmt: skip
