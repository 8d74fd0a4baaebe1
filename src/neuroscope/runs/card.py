"""The model card: what a model is, what it was made from, how good it is and what it is not for.

After Mitchell et al., "Model Cards for Model Reporting" (2019), as one JSON object.
"""

from __future__ import annotations

import dataclasses
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from neuroscope.base.errors import ModelError
from neuroscope.base.version import __version__

FORMAT = 1  # raised only when an older Neuroscope could no longer read the artefact
_LIBRARIES = ("neuroscope", "numpy", "numba", "scikit-learn", "safetensors", "torch")


def library_versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that a result depends on."""
    versions = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions | {"neuroscope": __version__}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, kw_only=True)
class Card:
    """Everything a person or a later version must know before using a model.

    Fields added in later versions have defaults, so that old artefacts stay readable.
    """

    task: str  # the file in tasks/ that reads the artefact, e.g. "table"
    target: str  # the column that is predicted
    learner: str  # the rung that was chosen, e.g. "neuron"
    format_version: int = FORMAT
    neuroscope_version: str = __version__
    created: str = field(default_factory=_now)  # UTC, ISO 8601
    schema: Mapping[str, Any] = field(default_factory=dict)  # the columns the model expects
    metrics: Mapping[str, Any] = field(default_factory=dict)  # on the test rows
    rows: Mapping[str, int] = field(default_factory=dict)  # train, valid, test
    data_fingerprint: str = ""  # of the whole table, see data/fingerprint.py
    versions: Mapping[str, str] = field(default_factory=library_versions)
    intended_use: str = ""
    limitations: tuple[str, ...] = ()
    licence_notes: str = ""
    checksums: Mapping[str, str] = field(default_factory=dict)  # file name -> sha256, set by save

    def to_json(self) -> dict[str, Any]:
        """Return the card as a JSON object."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in vars(self).items()}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Card:
        """Build a card from a JSON object; fields of later versions are passed over.

        Raises ModelError when the format is newer, a field is missing or of the wrong type.
        """
        _check_format(record)
        fields: dict[str, Any] = {}
        for known in dataclasses.fields(cls):
            if known.name not in record:
                if known.name in ("task", "target", "learner"):
                    raise ModelError(f"the card has no {known.name!r}", remedy="use another copy")
                continue
            fields[known.name] = _checked(known.name, record[known.name], str(known.type))
        return cls(**fields)


def _check_format(record: Mapping[str, Any]) -> None:
    found = record.get("format_version")
    if isinstance(found, bool) or not isinstance(found, int) or found < 1:
        raise ModelError("not a Neuroscope model: its card names no format")
    if found > FORMAT:
        raise ModelError(
            f"made by a newer Neuroscope (format {found}; this one reads up to {FORMAT})",
            remedy="upgrade with: pip install -U neuroscope",
        )


def _checked(name: str, value: Any, annotation: str) -> Any:
    wanted = {"str": str, "int": int, "tuple[str, ...]": list}.get(annotation, Mapping)
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        raise ModelError(f"the card's {name!r} is {type(value).__name__}, not {wanted.__name__}")
    return tuple(str(entry) for entry in value) if isinstance(value, list) else value
