"""The model artefact: a folder or one `.neuroscope` zip that holds data and no code.

    card.json            what the model is, with the sha256 of every other file
    weights.safetensors  the weights
    encoder.json, …      further parts, each one JSON object

Not covered: a signature. The checksums find damage and careless edits, not a forger who computes
them anew; what a forged file can do is predict wrongly, not run code.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neuroscope.base.errors import ModelError, did_you_mean
from neuroscope.base.plain import plain
from neuroscope.runs._container import MissingPart, Read, is_plain, reader, write_folder, write_zip
from neuroscope.runs.card import Card
from neuroscope.runs.disk import json_bytes, storing
from neuroscope.runs.tensors import pack, unpack

SUFFIX = ".neuroscope"
_CARD, _WEIGHTS = "card.json", "weights.safetensors"
_AGAIN = "copy or download it again"


@dataclass(frozen=True)
class Artefact:
    """A model as data: its card, its weights by name and its other JSON parts by name."""

    card: Card
    weights: Mapping[str, np.ndarray]
    parts: Mapping[str, dict[str, Any]]  # "encoder" -> the content of encoder.json
    path: Path


def save(
    path: str | Path,
    card: Card,
    weights: Mapping[str, np.ndarray],
    parts: Mapping[str, Mapping[str, Any]],
) -> Artefact:
    """Write a model in one step: one zip when `path` ends in ".neuroscope", else a folder.

    Part names are plain words ("encoder"); their numbers must be finite, as JSON has no others
    (ValueError). Raises StorageError when the disk cannot take it; a previous model then stays.
    """
    path = Path(path)
    files = {_WEIGHTS: pack(weights)}
    for name, record in parts.items():
        file_name = f"{name}.json"
        if not is_plain(file_name) or file_name == _CARD:
            raise ValueError(f"a part cannot be called {name!r}")
        files[file_name] = _part_bytes(name, record)
    card = dataclasses.replace(card, checksums={name: _sha256(d) for name, d in files.items()})
    record = plain(card.to_json())
    checksums = {**card.checksums, _CARD: _card_sha256(record)}
    files = {_CARD: json_bytes(record | {"checksums": checksums})} | files
    with storing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    (write_zip if path.suffix == SUFFIX else write_folder)(path, files)
    return load(path)


def load(path: str | Path) -> Artefact:
    """Read a model and check every byte of it; no code from the file is run.

    Raises ModelError when it is no model, cut, edited, incomplete, hostile or of a newer format.
    """
    path = Path(path)
    if not path.exists():
        near = [entry.name for entry in path.parent.glob("*")] if path.parent.is_dir() else []
        raise ModelError(
            "no such model", where=str(path), remedy=did_you_mean(path.name, near) or "check it"
        )
    try:
        with reader(path) as read:
            return _load(path, read)
    except ModelError as error:
        raise error.at(str(path)) from error.__cause__
    except OSError as error:
        raise ModelError(f"cannot be read: {error.strerror or error}", where=str(path)) from error


def _load(path: Path, read: Read) -> Artefact:
    card = _read_card(read)
    if _WEIGHTS not in card.checksums:
        raise MissingPart(_WEIGHTS)
    files = {name: _verified(name, read, card) for name in card.checksums if name != _CARD}
    try:
        weights, _ = unpack(files.pop(_WEIGHTS))
    except ValueError as error:
        raise ModelError(f"{_WEIGHTS!r} is damaged: {error}", remedy=_AGAIN) from error
    parts = {name.removesuffix(".json"): _parsed(name, data) for name, data in files.items()}
    return Artefact(card, weights, parts, path)


def _read_card(read: Read) -> Card:
    try:
        data = read(_CARD)
    except MissingPart:
        raise ModelError("not a Neuroscope model: it has no card.json") from None
    record = _parsed(_CARD, data)
    card = Card.from_json(record)
    if card.checksums.get(_CARD) != _card_sha256(record):
        raise _edited(_CARD)
    return card


def _verified(name: str, read: Read, card: Card) -> bytes:
    if not is_plain(name) or not (name == _WEIGHTS or name.endswith(".json")):
        raise ModelError(f"lists a part with the unsafe name {name!r}; refused")
    data = read(name)
    if _sha256(data) != card.checksums[name]:
        raise _edited(name)
    return data


def _edited(name: str) -> ModelError:
    return ModelError(f"{name!r} was changed after the model was saved", remedy=_AGAIN)


def _parsed(name: str, data: bytes) -> dict[str, Any]:
    try:
        record = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{name!r} is damaged: not JSON", remedy=_AGAIN) from error
    if not isinstance(record, dict):
        raise ModelError(f"{name!r} is damaged: not a JSON object", remedy=_AGAIN)
    return record


def _part_bytes(name: str, record: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(
            dict(record), ensure_ascii=False, allow_nan=False, default=_number
        ).encode()
    except (TypeError, ValueError) as error:
        raise ValueError(f"part {name!r}: {error}") from error


def _number(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no JSON type")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _card_sha256(record: Mapping[str, Any]) -> str:
    """Return the checksum of a card without its own entry, whatever its layout on disk."""
    others = {name: s for name, s in record.get("checksums", {}).items() if name != _CARD}
    content = dict(record) | {"checksums": others}
    return _sha256(json.dumps(content, sort_keys=True, ensure_ascii=True).encode())
