"""Finding the run that a person means."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from neuroscope.runs.folder import RunFolder, is_run


def find_run(
    name: str | Path, root: Path, *, wanted: Callable[[RunFolder], bool] | None = None
) -> RunFolder:
    """Open a run by its path, its folder's name, or the name that it was given ("iris").

    Of several runs with one given name it is the newest that is `wanted`. InputError when there
    is none.
    """
    if is_run(root / name) or is_run(Path(name)):
        return RunFolder.open(name, root)
    alike = [run for run in sorted(root.glob(f"*-{_glob_safe(str(name))}*"), reverse=True)
             if is_run(run) and _given_name(run) == str(name)]  # fmt: skip
    opened = [RunFolder(run) for run in alike]
    return next((run for run in opened if wanted is None or wanted(run)), None) or (
        opened[0] if opened else RunFolder.open(name, root)
    )


def _glob_safe(name: str) -> str:
    return "".join(f"[{c}]" if c in "[]*?" else c for c in name)


def _given_name(run: Path) -> str:
    """Return "iris" for "20260314-092653-iris" and "20260314-092653-iris-2"."""
    name = run.name.split("-", 2)[-1]
    head, _, number = name.rpartition("-")
    return head if head and number.isdigit() and len(number) < 3 else name
