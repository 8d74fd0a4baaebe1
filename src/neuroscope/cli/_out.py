"""Where output goes: results to stdout, progress and notes to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console

from neuroscope.base.plain import plain


def stdout() -> Console:
    """Return the console of results; plain when it is no terminal or NO_COLOR is set."""
    return Console(highlight=False, soft_wrap=False)


def stderr() -> Console:
    """Return the console of progress, notes and warnings."""
    return Console(stderr=True, highlight=False)


def print_json(record: Mapping[str, Any]) -> None:
    """Print one JSON object; numbers that are not finite become null."""
    sys.stdout.write(json.dumps(plain(record), ensure_ascii=False, default=str) + "\n")


def print_indented(record: Mapping[str, Any]) -> None:
    """Print one JSON object for a person to read and to save as a file."""
    sys.stdout.write(json.dumps(plain(record), ensure_ascii=False, indent=1, default=str) + "\n")
