"""Backbones by name: a folder, the hub, a run of one's own, or what the local cache holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuroscope.base.errors import MissingExtraError, ModelError, RecipeError
from neuroscope.runs import artefact
from neuroscope.tasks._learning import Problem
from neuroscope.tasks._pictures.encoders import FeatureEncoder, PictureEncoder

if TYPE_CHECKING:
    from neuroscope.nets.backbone import Backbone, Origin

_LARGEST = 400_000_000  # bytes of weights of a backbone that is taken without being asked for


def open_backbone(name: str) -> Backbone:
    """Open a picture net as a backbone: a Neuroscope model or run, a folder, or a name on the hub.

    What was opened is kept for as long as its files stay as they are. A name that leads nowhere,
    or a model that is no picture net, is a ModelError.
    """
    return _opened(name, stamp(Path(name).expanduser()))


Stamp = tuple[str, tuple[tuple[str, int, int], ...]]  # where it lies; name, bytes, time of change


def stamp(path: Path) -> Stamp | None:
    """Return what changes when a backbone does; None for a name that is no path here."""
    place = _own(path) or path
    try:
        files = sorted(place.iterdir()) if place.is_dir() else [place]
        known = [(file.name, file.stat()) for file in files]
    except OSError:
        return None
    return str(place.resolve()), tuple((n, s.st_size, s.st_mtime_ns) for n, s in known)


@lru_cache(maxsize=2)
def _opened(name: str, stamp: Stamp | None) -> Backbone:  # noqa: ARG001 - the stamp is a key
    from neuroscope.nets.pretrained import open_backbone as pretrained  # noqa: PLC0415 - torch

    own = _own(Path(name).expanduser())
    return pretrained(name) if own is None else _of_model(own, name)


def _own(path: Path) -> Path | None:
    """Return where the artefact lies when `path` is a model or a run of Neuroscope."""
    places = (path, path / "model.neuroscope", path / "model")
    for place in places:
        if (place.is_file() and place.suffix == ".neuroscope") or (place / "card.json").is_file():
            return place
    return None


def _of_model(path: Path, name: str) -> Backbone:
    from neuroscope.nets._staged import Staged  # noqa: PLC0415 - imports torch
    from neuroscope.nets.backbone import Transfer, of_net  # noqa: PLC0415
    from neuroscope.tasks import image_classes  # noqa: PLC0415 - it imports this file
    from neuroscope.tasks._torch import TorchLearner  # noqa: PLC0415

    stored = artefact.load(path)
    model = image_classes.load(stored) if stored.card.task == image_classes.NAME else None
    if model is not None and isinstance(model.encoder, FeatureEncoder):
        backbone = model.encoder.backbone
    elif model is None or not isinstance(model.learner, TorchLearner):
        raise ModelError(
            f"a model of the rung {stored.card.learner!r} is no net of pictures", where=str(path),
            remedy="take a run whose model is a convolutional or residual network, as with "
            "--rungs majority,residual",
        )  # fmt: skip
    elif isinstance(model.learner.net, Transfer):
        backbone = model.learner.net.backbone
    else:
        net, encoder = model.learner.net, model.encoder
        assert isinstance(net, Staged)
        assert isinstance(encoder, PictureEncoder)
        backbone = of_net(net, model.learner.record, normalisation=encoder.normalisation())
    backbone.origin = _own_origin(backbone.origin, stored, name)
    return backbone


def _own_origin(inner: Origin, stored: artefact.Artefact, name: str) -> Origin:
    """Return where a model of one's own comes from: its place and its weights' checksum.

    What it was itself made from keeps its licence and is named.
    """
    card = stored.card
    notes = [f"It is the {card.learner!r} model of a Neuroscope run that predicts {card.target!r}."]
    if inner.sha256:  # it stands on a backbone itself
        notes.append(f"That run began with: {licence(inner)}")
    known = {n: value for n, value in card.checksums.items() if n.endswith(".safetensors")}
    said = inner.licence if inner.sha256 else "not stated (the model of a run, not a download)"
    return replace(inner, name=name, licence=said, sha256=known, notes=tuple(notes))


def chosen(problem: Problem) -> str:
    """Return the backbone that was asked for, or the smallest the local cache holds, or ""."""
    if problem.backbone:
        return problem.backbone
    found = sorted(_cached())
    return found[0][1] if found else ""


def missing(problem: Problem) -> str:
    """Return why no transfer is possible, in words that say what to do; "" when it is.

    The backbone is opened here, before anything is trained. One that was asked for and cannot be
    used is refused with the error that says why: a climb without it is not what was wanted.
    """
    try:
        name = chosen(problem)
        if not name:
            return (
                "no backbone is given and none is in the local cache: give one with --backbone "
                "NAME|FOLDER"
            )
        open_backbone(name)
    except (MissingExtraError, ModelError) as error:
        if problem.backbone:
            raise
        return str(error)
    return ""


def remarks(problem: Problem) -> tuple[str, ...]:
    """Return what a person should know of the downloaded backbone that will be used."""
    name = chosen(problem)
    if not name or _own(Path(name).expanduser()) is not None:
        return ()
    return tuple(f"backbone {name}: {note}" for note in open_backbone(name).origin.notes)


def needed(problem: Problem) -> str:
    """Return the name of the backbone; a RecipeError when there is none."""
    if reason := missing(problem):
        raise RecipeError(reason)
    return chosen(problem)


def _cached() -> Iterator[tuple[int, str]]:
    """Yield size and name of the picture nets that the hub's local cache holds."""
    try:
        from huggingface_hub import scan_cache_dir  # noqa: PLC0415 - comes with the extra
        from huggingface_hub.errors import CacheNotFound  # noqa: PLC0415
    except ImportError:
        return
    try:
        repositories = scan_cache_dir().repos
    except (CacheNotFound, OSError):
        return
    for repository in repositories:
        for revision in repository.revisions:
            files = {file.file_name: file for file in revision.files}
            if "config.json" not in files or "model.safetensors" not in files:
                continue
            size = files["model.safetensors"].size_on_disk
            if size <= _LARGEST and _classifies(files["config.json"].file_path):
                yield size, repository.repo_id


def _classifies(config: Path) -> bool:
    try:
        classes = json.loads(config.read_text(encoding="utf-8")).get("architectures") or []
    except (OSError, ValueError, AttributeError):
        return False
    return any("ForImageClassification" in str(name) for name in classes)


def origin_of(learner: Any) -> Origin | None:
    """Return where the backbone of a learner comes from, or None when it has none."""
    encoder = getattr(learner, "encoder", None)
    net = encoder if hasattr(encoder, "backbone") else getattr(learner, "net", None)
    return getattr(getattr(net, "backbone", None), "origin", None)


def licence(origin: Origin) -> str:
    """Return origin, licence and checksums of a backbone as the card says them."""
    sums = "; ".join(f"{name} sha256 {value}" for name, value in origin.sha256.items())
    said = origin.licence or "not stated: ask its authors"
    first = f"Backbone {origin.name}, licence {said.rstrip('.')}."
    return " ".join([first, sums, *origin.notes]).strip()
