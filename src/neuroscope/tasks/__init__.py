"""Tasks: one file a task, which says what data it accepts, its rungs and how rows are encoded.

A task module has NAME, RUNGS (the catalogue of its ladder), ENCODING (how its rows become arrays),
`accepts(schema) -> bool` and `load(artefact)`, the trained model.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

from neuroscope.base.catalogue import Catalogue

catalogue = Catalogue(__name__, "task", besides=("estimators", "rungs"))


def ladder(task: ModuleType, names: Sequence[str] | None = None) -> list[ModuleType]:
    """Return a task's rungs by name, or all of them, in the order of the climb."""
    modules = [task.RUNGS.get(name) for name in (names or task.RUNGS.names())]
    return sorted(modules, key=lambda module: module.ORDER)


def rung_name(rung: ModuleType) -> str:
    """Return the short name of a rung: its file's."""
    return rung.__name__.rpartition(".")[2]
