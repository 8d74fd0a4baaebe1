"""Load: a trained model from a file, a run folder or the name of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from neuroscope.base import settings
from neuroscope.base.errors import InputError, ModelError, SchemaError
from neuroscope.runs import artefact
from neuroscope.runs.folder import is_run
from neuroscope.tasks import catalogue
from neuroscope.verbs._find import find_run


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
    place = Path(path)
    if not is_run(place) and (place.is_file() or (place / "card.json").is_file()):
        return place
    looks_like_a_file = place.suffix or place.parent != Path()
    if looks_like_a_file and not is_run(place) and not is_run(settings.runs_folder() / place):
        return place  # loading it says what is wrong
    run = find_run(path, settings.runs_folder(), wanted=lambda run: run.model.exists())
    if run.model.exists():
        return run.model
    status = run.status
    what = f"its {run.model.name} is missing" if status == "finished" else f"it is {status}"
    how = "make it again, from the same data," if status == "finished" else "go on"
    raise ModelError(
        f"the run has no model ({what})", where=run.name,
        remedy="let it finish" if status == "running"
        else f"{how} with: neuroscope train --resume {run.name}",
    )  # fmt: skip
