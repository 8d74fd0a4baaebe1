"""Draw ladder.svg: what `neuroscope train breast-cancer` prints, as a picture for the README.

    python docs/pictures/make.py

The run is a real one; run this again when the ladder or its view changes.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from neuroscope.cli._result_view import show
from rich.console import Console
from rich.terminal_theme import MONOKAI

WIDTH = 100  # characters


def trained(folder: str) -> dict:
    """Return the result of the run."""
    command = [sys.executable, "-m", "neuroscope", "train", "breast-cancer", "--json", "-q"]
    return json.loads(subprocess.check_output(command, cwd=folder, text=True))


def drawn(result: dict) -> str:
    """Return the result's view as SVG that needs no font from elsewhere."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), highlight=False)
    show(result, console)
    svg = console.export_svg(title="neuroscope train breast-cancer", theme=MONOKAI)
    return re.sub(r"@font-face\s*\{.*?\}\s*", "", svg, flags=re.DOTALL)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        Path(__file__).with_name("ladder.svg").write_text(drawn(trained(folder)), encoding="utf-8")
