"""Runs side by side: list them, compare what they did and what came out, delete one."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neuroscope.base.errors import InputError, NeuroscopeError
from neuroscope.base.events import RungFinished, RunStarted
from neuroscope.runs import _lock
from neuroscope.runs.disk import storing
from neuroscope.runs.folder import RunFolder, is_run

_MUST_AGREE = ("source", "target", "seed", "rows", "split", "metric")  # else scores do not compare


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """One line of the list of runs; `status` is a run's status or "damaged", said why in `note`."""

    path: Path
    name: str
    status: str
    created: str = ""  # UTC, ISO 8601
    task: str = ""
    target: str = ""
    source: str = ""
    metric: str = ""
    chosen: str = ""
    value: float | None = None  # of the chosen rung, or of the best one so far
    rungs: int = 0  # finished
    note: str = ""


@dataclass(frozen=True)
class Row:
    """One line of a comparison: a value a run, None where a run has none."""

    section: str  # "setting", "recipe", "score" or "test"
    label: str
    values: tuple[Any, ...]
    intervals: tuple[tuple[float, float] | None, ...] = ()  # of a score, where it is known


@dataclass(frozen=True)
class Comparison:
    """Runs side by side; `notes` says in words what forbids comparing the scores."""

    names: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as a JSON object."""
        rows = [
            {"section": r.section, "label": r.label, "values": list(r.values)}
            | ({"intervals": list(r.intervals)} if r.intervals else {})
            for r in self.rows
        ]
        return {"runs": list(self.names), "rows": rows, "notes": list(self.notes)}


def list_runs(root: Path) -> list[RunSummary]:
    """Return all runs under `root`, oldest first; damaged ones are listed as such."""
    root = Path(root)
    if not root.is_dir():
        return []
    folders = [path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")]
    return sorted((summarize(path) for path in folders), key=lambda run: (run.created, run.name))


def summarize(path: Path) -> RunSummary:
    """Return the summary of the run folder at `path`, whatever state it is in."""
    run = RunFolder(path)
    try:
        record = run.read_json("run.json")
        result = _result(run)
        shown = _from_result(result) if result else _from_events(run)
        return RunSummary(
            path=path,
            name=path.name,
            status=run.status,
            created=str(record.get("created", "")),
            note=str(record.get("message") or ""),
            **shown,
        )
    except NeuroscopeError as error:
        return RunSummary(path=path, name=path.name, status="damaged", note=error.what)
    except (AttributeError, LookupError, TypeError, ValueError, OSError) as error:
        note = f"the result is not of the expected shape ({error})"
        return RunSummary(path=path, name=path.name, status="damaged", note=note)


def compare(runs: Iterable[RunFolder]) -> Comparison:
    """Put runs side by side: the settings and choices in which they differ, and all scores.

    Raises InputError when a run has no readable result.
    """
    runs = list(runs)
    results = [_needed_result(run) for run in runs]
    settings = [{key: r[key] for key in _MUST_AGREE if key in r} for r in results]
    recipes = [_recipe(run, result) for run, result in zip(runs, results, strict=True)]
    rows = [
        *_differences("setting", settings),
        *_differences("recipe", recipes),
        *_scores(results),
        *_aligned("test", [_numbers(r.get("test", {})) for r in results]),
    ]
    differing = {row.label.partition(".")[0] for row in rows if row.section == "setting"}
    notes = [
        f"the runs differ in {name}: their scores are not of the same rows or scale"
        for name in _MUST_AGREE
        if name in differing
    ]
    return Comparison(tuple(run.name for run in runs), tuple(rows), tuple(notes))


def delete(run: RunFolder) -> None:
    """Delete a run and all it holds; refuses one that is running and what is no run folder."""
    if run.path.is_symlink() or not is_run(run.path):
        raise InputError("not a run folder; nothing was deleted", where=str(run.path))
    if _lock.held(run.path / ".lock"):
        raise InputError(
            "the run is still going on; nothing was deleted",
            where=str(run.path),
            remedy="stop it first",
        )
    with storing(run.path):
        shutil.rmtree(run.path)


def _result(run: RunFolder) -> dict[str, Any] | None:
    return run.read_json("result.json") if (run.path / "result.json").exists() else None


def _needed_result(run: RunFolder) -> dict[str, Any]:
    result = _result(run)
    if result is not None:
        return result
    status, resume = run.status, f"with: neuroscope train --resume {run.name}"
    if status == "finished":
        raise InputError(
            "the run is finished, but its result.json is missing", where=str(run.path),
            remedy=f"put it back from a copy, or make it again, from the same data, {resume}",
        )  # fmt: skip
    what = "the run has no result yet" + ("" if status == "running" else f" (it is {status})")
    remedy = "let it finish" if status == "running" else f"go on {resume}"
    raise InputError(what, where=str(run.path), remedy=remedy)


def _from_result(result: Mapping[str, Any]) -> dict[str, Any]:
    rungs = {rung["name"]: rung for rung in result.get("rungs", [])}
    chosen = rungs.get(result.get("chosen"), {})
    return {
        "task": str(result.get("task") or ""),
        "target": str(result.get("target") or ""),
        "source": str(result.get("source") or ""),
        "metric": str(chosen.get("metric") or (result.get("metric") or {}).get("name") or ""),
        "chosen": str(result.get("chosen") or ""),
        "value": chosen.get("value"),
        "rungs": len(rungs),
    }


def _from_events(run: RunFolder) -> dict[str, Any]:
    events = list(run.events())
    started = next((e for e in events if isinstance(e, RunStarted)), None)
    finished = [e for e in events if isinstance(e, RungFinished)]
    shown: dict[str, Any] = {"rungs": len(finished)}
    if started is not None:
        shown |= {"task": started.task, "target": started.target, "source": started.source}
    if finished:
        shown |= {"metric": finished[-1].metric, "value": finished[-1].value}
    return shown


def _recipe(run: RunFolder, result: Mapping[str, Any]) -> dict[str, Any]:
    stored = run.path / "recipe.json"
    recipe = run.read_json("recipe.json") if stored.exists() else result.get("recipe") or {}
    return {name: value for name, value in recipe.items() if name != "reasons"}


def _differences(section: str, records: Sequence[Mapping[str, Any]]) -> list[Row]:
    rows = _aligned(section, [_flat(record) for record in records])
    return [row for row in rows if any(value != row.values[0] for value in row.values)]


def _aligned(section: str, records: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Return one row a key of any record, in the order of their first appearance."""
    labels = dict.fromkeys(label for record in records for label in record)
    return [Row(section, name, tuple(r.get(name) for r in records)) for name in labels]


def _scores(results: Sequence[Mapping[str, Any]]) -> list[Row]:
    ladders = [{rung["name"]: rung for rung in result.get("rungs", [])} for result in results]
    names = dict.fromkeys(name for ladder in ladders for name in ladder)
    return [
        Row(
            "score",
            name,
            tuple(ladder.get(name, {}).get("value") for ladder in ladders),
            tuple(_interval(ladder.get(name, {})) for ladder in ladders),
        )
        for name in names
    ]


def _interval(rung: Mapping[str, Any]) -> tuple[float, float] | None:
    interval = rung.get("interval")
    return (interval[0], interval[1]) if interval else None


def _numbers(record: Mapping[str, Any]) -> dict[str, float]:
    return {name: v for name, v in record.items() if isinstance(v, int | float)}


def _flat(record: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat
