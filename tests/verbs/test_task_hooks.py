"""Verbs know no task: each is found by its name, and differs from rows only where it says so."""

from __future__ import annotations

import ast
import dataclasses
import inspect
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from neuroscope import tasks, verbs
from neuroscope.data.table import Origin, Table
from neuroscope.verbs import _tasks
from neuroscope.verbs._prepare import DataOptions
from neuroscope.verbs._tasks._hooks import Hooks

VERBS = Path(verbs.__path__[0])


def table(**columns) -> Table:
    return Table(pa.table(columns), Origin("memory"))


def test_hooks_are_those_of_a_task() -> None:
    assert set(_tasks.catalogue.names()) <= set(tasks.catalogue.names())
    for module in _tasks.catalogue:
        assert isinstance(module.HOOKS, Hooks)


def test_a_task_without_a_file_is_gone_about_as_rows_are() -> None:
    assert _tasks.hooks_of("table") == Hooks() == _tasks.hooks_of(None)


@pytest.mark.parametrize("task", tasks.catalogue.names())
def test_a_hook_takes_what_the_default_takes(task) -> None:
    for field in dataclasses.fields(Hooks):
        mine = getattr(_tasks.hooks_of(task), field.name)
        if isinstance(field.default, bool):
            assert isinstance(mine, bool)
            continue
        ours = inspect.signature(mine)
        free = any(p.kind is p.VAR_POSITIONAL for p in ours.parameters.values())
        default = inspect.signature(field.default).parameters.values()
        if free or any(p.kind is p.VAR_POSITIONAL for p in default):
            continue
        assert len(ours.parameters) == len(default), field.name


def test_a_claim_or_a_name_says_whose_hooks_are_asked() -> None:
    days = np.arange(100) + np.datetime64("2024-01-01")
    over_time = table(day=days, y=np.arange(100) * 1.5)
    forecast = _tasks.hooks_of("series_forecast")
    assert _tasks.asked_hooks(over_time, DataOptions(time="day")) is forecast
    assert _tasks.asked_hooks(over_time, DataOptions()) == Hooks()
    named = DataOptions(time="day", task="series_classes")
    assert _tasks.asked_hooks(over_time, named) is _tasks.hooks_of("series_classes")


def test_no_verb_names_a_task() -> None:
    known = set(tasks.catalogue.names())
    named = [
        f"{path.name}:{node.lineno} {node.value}"
        for path in [*VERBS.glob("*.py"), *VERBS.glob("_rows/*.py")]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in known - {"table"}
    ]
    assert not named
