"""Tasks: one file a task, which says what data it accepts, its rungs and how rows are encoded.

A task module has NAME, RUNGS (the catalogue of its ladder), ENCODING (how its rows become arrays),
`accepts(schema) -> bool`, `crossed(table, schema) -> bool` (whether its rungs are cheap enough to
be fitted in folds) and `load(artefact)`, the trained model.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING

from neuroscope.base.catalogue import Catalogue

if TYPE_CHECKING:
    from neuroscope.tasks._learning import Problem

catalogue = Catalogue(__name__, "task", besides=("estimators", "rungs"))


def ladder(task: ModuleType, names: Sequence[str] | None = None) -> list[ModuleType]:
    """Return a task's rungs by name, or all but those on request, in the order of the climb."""
    modules = [task.RUNGS.get(name) for name in (names or task.RUNGS.names())]
    if not names:
        modules = [module for module in modules if not getattr(module, "ON_REQUEST", False)]
    return sorted(modules, key=lambda module: module.ORDER)


def climbable(rungs: Sequence[ModuleType], problem: Problem) -> tuple[list[ModuleType], list[str]]:
    """Return the rungs that this problem allows, and why the others are left out."""
    reasons = [(rung, getattr(rung, "missing", _nothing)(problem)) for rung in rungs]
    alike: dict[str, list[str]] = {}
    for rung, reason in reasons:
        if reason:
            alike.setdefault(reason, []).append(rung.TITLE)
    left_out = [
        f"{' and '.join(titles)} {'is' if len(titles) == 1 else 'are'} left out: {reason}"
        for reason, titles in alike.items()
    ]
    return [rung for rung, reason in reasons if not reason], left_out


def _nothing(problem: Problem) -> str:  # noqa: ARG001 - the shape of a rung's `missing`
    return ""


def rung_name(rung: ModuleType) -> str:
    """Return the short name of a rung: its file's."""
    return rung.__name__.rpartition(".")[2]
