"""Values as JSON's own types: the one place that says what becomes of NumPy, nan and paths."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any


def plain(value: Any) -> Any:
    """Return `value` in JSON's own types; a number that is not finite becomes null.

    NumPy becomes numbers and lists, a path its text, what has `to_json` what that says. Other
    values are returned as they are, for `json` to refuse.
    """
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in value]
    told = getattr(value, "tolist", None) or getattr(value, "to_json", None)
    if told is not None:
        return plain(told())
    return str(value) if isinstance(value, PurePath) else value
