"""Train: climb from the plainest answer to the deepest network that still pays for itself."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from neuroscope.base import settings
from neuroscope.base.errors import InputError, Interrupted
from neuroscope.base.events import (
    AuditFinished,
    Event,
    Monitor,
    Progress,
    RunFinished,
    RunStarted,
    WarningRaised,
    broadcast,
    ignore,
)
from neuroscope.base.nouns import called, noun_of
from neuroscope.data.schema import Column
from neuroscope.judge.choice import Choice, choose
from neuroscope.judge.metrics import METRICS, primary_metric, scores
from neuroscope.judge.threshold import parse_cost
from neuroscope.report.page import write_report
from neuroscope.runs.card import library_versions
from neuroscope.runs.folder import RunFolder
from neuroscope.tasks import climbable, rung_name
from neuroscope.tasks._learning import Budget, Learner, Problem
from neuroscope.verbs._climb.climb import Climb
from neuroscope.verbs._climb.conclude import Conclusion
from neuroscope.verbs._climb.trials import FAILURES, reason
from neuroscope.verbs._command import train_command
from neuroscope.verbs._find import find_run
from neuroscope.verbs._prepare import DataOptions, Prepared, prepare, source_name
from neuroscope.verbs._request import Request, TrainOptions, refuse_other_data
from neuroscope.verbs._words import fitting_words

_SCRATCH = "scratch"  # of a run folder: what is worth keeping until the run is finished
_RESERVE = 0.06  # share of the budget kept for the model, the result and the report


def train(
    source: Any,
    data: DataOptions | None = None,
    options: TrainOptions | None = None,
    *,
    monitor: Monitor = ignore,
) -> dict[str, Any]:
    """Climb the ladder on `source` and return the result, as `train --json` prints it.

    Everything is kept in a run folder: events, checkpoint, recipe, model, result and report.
    """
    asked = Request.of(source, data, options)
    budget = _budget(asked.options)
    prepared = prepare(source, asked.data, seed=asked.seed, monitor=monitor)
    asked.rungs(prepared)  # refuses a recipe that cannot be followed, before there is a run
    root = Path(asked.options.out) if asked.options.out else settings.runs_folder()
    folder = RunFolder.create(root, asked.options.name or source_name(source))
    asked.write(folder, prepared)
    with folder:
        return _run(asked, prepared, folder, monitor, budget)


def resume(
    run: str, *, out: str | None = None, source: Any = None, monitor: Monitor = ignore
) -> dict[str, Any]:
    """Go on with an interrupted run where its checkpoint stands, with what is left of its budget.

    The data are read again; a run on data from memory needs them as `source`. Raises InputError
    when data, schema or recipe are others than the run began with, and for a run that is
    finished, since its test rows are opened; where its model or result is lost it is made again,
    from the same data and choices.
    """
    root = Path(out) if out else settings.runs_folder()
    folder = find_run(run, root, wanted=lambda found: found.status == "interrupted")
    asked = Request.read(folder, source)
    if folder.status == "finished" and not folder.lost:
        raise InputError(
            "this run is finished, there is nothing to go on with", where=folder.name,
            remedy=f"its report is {folder.report}; train again for a new run",
        )  # fmt: skip
    budget = _budget(asked.options)
    prepared = prepare(asked.source, asked.data, seed=asked.seed, monitor=monitor)
    refuse_other_data(folder, prepared)
    with folder:
        return _run(asked, prepared, folder, monitor, budget, resumed=True)


def show_recipe(source: Any, data: DataOptions, options: TrainOptions) -> dict[str, Any]:
    """Return the recipe that the deepest rung asked for would begin with, and train nothing."""
    asked = Request.of(source, data, options)
    prepared = prepare(source, asked.data, seed=asked.seed, monitor=ignore)
    for rung in reversed(asked.rungs(prepared)):
        candidates = asked.candidates(rung, prepared.problem.folds[0])
        if candidates:
            return candidates[0].to_json()
    raise InputError("none of these rungs has a recipe", remedy="ask for neuron or dense")


def _budget(options: TrainOptions) -> Budget:
    """Start the clock; a share of the budget is kept for the model, the result and the report."""
    return Budget(None if options.budget is None else options.budget * (1 - _RESERVE))


def _run(
    asked: Request, prepared: Prepared, folder: RunFolder, monitor: Monitor, budget: Budget, *,
    resumed: bool = False,
) -> dict[str, Any]:  # fmt: skip
    warnings: dict[str, list[str]] = {}
    cut: set[str] = set()  # rungs that had too little time

    def remember(event: Event) -> None:
        if isinstance(event, WarningRaised):
            warnings.setdefault(event.gist, []).append(event.text)
            cut.update([event.rung] if event.cut_short else [])

    for event in folder.events() if resumed else ():
        remember(event)  # what was told of the rungs that are not fitted again
    noun = noun_of(prepared.task.NAME)
    tell = _worded(broadcast(folder.monitor, remember, monitor), noun)
    problem = replace(prepared.problem, scratch=folder.path / _SCRATCH, monitor=tell)
    prepared = replace(prepared, problem=problem)
    tell(RunStarted(task=prepared.task.NAME, target=problem.codec.column,
                    source=str(asked.source)[:500], rows=_counts(problem), seed=asked.seed)
         )  # fmt: skip
    tell(AuditFinished(findings=tuple(finding.to_json() for finding in prepared.findings)))
    for message in _serious(prepared):
        tell(WarningRaised(message=message))
    climb = _climb(asked, prepared, folder, tell, budget)
    if resumed:
        climb.restore()
    try:
        climb.up()
        result = _conclude(climb, prepared, cut)
    except (KeyboardInterrupt, Interrupted):
        climb.stop.set()
        raise Interrupted(
            "interrupted; what was done is kept",
            remedy=f"go on with: neuroscope train --resume {_resumable(folder)}",
        ) from None
    result["warnings"] = [_once(alike) for alike in warnings.values()]
    result["seconds"] = budget.spent
    tell(RunFinished(chosen=result["chosen"], why=result["why"], seconds=result["seconds"]))
    folder.write_json("result.json", result)
    tell(Progress(label="writing the report", done=0, total=1))
    write_report(folder.path)
    tell(Progress(label="writing the report", done=1, total=1))
    shutil.rmtree(folder.path / _SCRATCH, ignore_errors=True)
    return result


def _worded(monitor: Monitor, noun: str) -> Monitor:
    """Return a monitor that is told of warnings in words that fit what a row is called."""

    def tell(event: Event) -> None:
        if isinstance(event, WarningRaised):
            event = replace(event, message=called(event.message, noun))
        monitor(event)

    return tell


def _resumable(folder: RunFolder) -> str:
    """Return what finds the run again: its name, or its path when it lies elsewhere."""
    usual = folder.path.parent.resolve() == settings.runs_folder().resolve()
    return folder.name if usual else shlex.quote(str(folder.path))


def _counts(problem: Problem) -> dict[str, int]:
    return problem.split.counts | {"folds": len(problem.split.folds)}


def _climb(
    asked: Request, prepared: Prepared, folder: RunFolder, tell: Monitor, budget: Budget
) -> Climb:
    problem = prepared.problem
    name, _ = primary_metric(problem.kind, problem.y[problem.split.development])
    rungs, left_out = climbable(asked.rungs(prepared), problem)
    told = {rung.remarks: None for rung in rungs if hasattr(rung, "remarks")}  # on a backbone
    for message in (*left_out, *(line for remarks in told for line in remarks(problem))):
        tell(WarningRaised(message=message))
    return Climb(asked, prepared.task, problem, METRICS[name], rungs, budget,
                 folder, tell)  # fmt: skip


def _serious(prepared: Prepared) -> list[str]:
    said = [f"{f.what}; {f.meaning}; {f.remedy}" for f in prepared.findings
            if f.severity == "serious"]  # fmt: skip
    dropped = [f"column {name!r} was dropped: {reason}" for name, reason in prepared.dropped]
    return [*_guess(prepared.schema.target), *said, *dropped, *prepared.split.notes,
            *prepared.problem.notes]  # fmt: skip


def _guess(target: Column | None) -> list[str]:
    """Say so where the target was not named: the wrong one makes a fine model of nothing."""
    _, guessed, how = (target.reason if target else "").partition("target: guessed")
    return [f"predicting {target.name!r}, a guess{how}"] if target and guessed else []


def _once(alike: Sequence[str]) -> str:
    return alike[0] if len(set(alike)) == 1 else f"{alike[0]} (so in {len(alike)} fits)"


def _conclude(climb: Climb, prepared: Prepared, cut: Collection[str]) -> dict[str, Any]:
    asked = climb.asked
    end, learner = _fitted(climb, cut)
    choice, decision = end.choice, end.threshold()
    threshold = decision["value"] if decision else 0.5
    test, views = end.test(learner, threshold)
    end.save_model(learner, test, threshold, prepared.fingerprint)
    prepared = replace(prepared, findings=(*prepared.findings, *end.hooks.findings(end)))
    more = end.hooks.insight(end, learner)
    recipe = end.run.recipe.to_json() if end.run.recipe else None
    if recipe:
        climb.folder.write_json("recipe.json", recipe)
    found = {"threshold": decision, "recipe": recipe, **views, **more}
    result = _result(climb, prepared, choice, test)
    for rung in result["rungs"]:
        rung["cut"] = rung["name"] in cut
    result |= {
        **{name: block for name, block in found.items() if block},
        "reproduce": train_command(asked.source, asked.data, asked.options),
        "usable": choice.usable,
        **(_refuted(choice) if end.refuted else {}),
    }
    return fitting_words(result, prepared.task.NAME)


def _fitted(climb: Climb, cut: Collection[str]) -> tuple[Conclusion, Learner]:
    """Choose a rung and fit it on all rows; where that fails, choose among the others."""
    problem, held, cost = climb.problem, climb.held_out, climb.asked.options.cost
    failed: list[str] = []
    while True:
        scored = [replace(score, cut=score.name in cut) for score in climb.scores()]
        choice = choose(scored, climb.metric, problem.y[held], climb.resampling,
                        problem.weights_of(held), problem.groups_of(held),
                        climb.fold_numbers)  # fmt: skip
        choice = replace(choice, why=" ".join([choice.why, *failed]),
                         sentences=(*choice.sentences, *failed))  # fmt: skip
        end = Conclusion(climb, choice, parse_cost(cost) if cost else None,
                         climb.asked.options.sensitivity)  # fmt: skip
        try:
            return end, end.final_fit()
        except FAILURES as error:
            what = (
                f"{end.rung.TITLE} was to be used, but its fit on all rows failed: {reason(error)}"
            )
            climb.monitor(WarningRaised(message=what))
            failed.append(f"{what[0].upper()}{what[1:]}.")
            end.run.status = f"failed: its fit on all rows: {reason(error)}"


def _refuted(choice: Choice) -> dict[str, Any]:
    """Return what takes the place of the verdict when the test rows contradict it."""
    headline = "On the test rows the model is worse than guessing: do not use it."
    return {"verdict": "do_not_use", "usable": False, "headline": headline,
            "why": f"{headline} {choice.why}"}  # fmt: skip


def _result(
    climb: Climb, prepared: Prepared, choice: Choice, test: Mapping[str, Any]
) -> dict[str, Any]:
    problem, metric = climb.problem, climb.metric
    source = climb.asked.source
    positive = problem.codec.classes[-1] if problem.kind == "binary" else ""
    verdict = "use" if choice.usable else "do_not_use"
    if not choice.compared and choice.usable:
        verdict = "alone"
    return {
        "name": climb.folder.name,
        "created": climb.folder.read_json("run.json")["created"],
        "task": prepared.task.NAME,
        "kind": problem.kind,
        "kind_reason": prepared.kind_reason,
        "target": problem.codec.column,
        "positive": positive,
        "positive_reason": problem.codec.positive_reason,
        "source": str(source) if isinstance(source, str | Path) else "data from memory",
        "seed": climb.asked.seed,
        "versions": library_versions(),
        "rows": _counts(problem),
        "metric": {"name": metric.name, "title": metric.title,
                   "meaning": metric.words(test[metric.name], positive),
                   "greater_is_better": metric.greater_is_better},
        "rungs": [_rung(climb, rung) for rung in climb.rungs],
        "chosen": choice.chosen,
        "why": choice.why,
        "headline": choice.headline,
        "sentences": list(choice.sentences),
        "verdict": "consider_trees" if choice.usable and choice.yardstick_better else verdict,
        "test": dict(test),
        "model": str(climb.folder.model),
        "report": str(climb.folder.report),
        "findings": [finding.to_json() for finding in prepared.findings],
        "dropped": [{"column": name, "reason": reason} for name, reason in prepared.dropped],
        "schema": problem.schema.to_json(),
        "split": {"method": prepared.split.method, "reason": prepared.split.reason,
                  "notes": list(prepared.split.notes)},
        "search": climb.runs[choice.chosen].trials,
        "origin": list(problem.table.origin.notes),
    }  # fmt: skip


def _rung(climb: Climb, rung: Any) -> dict[str, Any]:
    run = climb.runs[rung_name(rung)]
    interval = run.interval
    held = climb.held_out
    return {
        "name": run.name,
        "title": rung.TITLE,
        "yardstick": rung.YARDSTICK,
        "metric": climb.metric.name,
        "value": interval.value if interval else None,
        "interval": [interval.low, interval.high] if interval else None,
        "standard_error": interval.standard_error if interval else None,
        "seconds": run.seconds,
        "parameters": run.parameters,
        "status": run.status,
        "trial": run.trial,
        "scores": scores(climb.problem.kind, climb.problem.y[held], climb.predictions(run),
                         weights=climb.problem.weights_of(held)) if interval else {},
        "recipe": run.recipe.to_json() if run.recipe else None,
    }  # fmt: skip
