"""The command line that does what a call from Python did."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path
from typing import Any

_NOT_ABOUT_THE_RESULT = ("out", "name")


def train_command(source: Any, *holders: Any) -> str:
    """Return `neuroscope train …` with every choice of the option objects that is not the default.

    The seed is always named, since it is what makes the result come out again.
    """
    words = ["neuroscope", "train", str(source) if isinstance(source, str | Path) else "DATA"]
    for holder in holders:
        for field in dataclasses.fields(holder):
            value = getattr(holder, field.name)
            shown = value != field.default or field.name == "seed"
            if shown and field.name not in _NOT_ABOUT_THE_RESULT:
                words += [f"--{field.name.replace('_', '-')}", _text(field.name, value)]
    return shlex.join(words)


def _text(name: str, value: Any) -> str:
    if name == "budget":
        return "none" if value is None else f"{value:g}s"
    if isinstance(value, tuple):
        return ",".join(str(part).replace(",", "\\,") for part in value)
    return str(value)
