"""Train: climb from the plainest answer to the deepest network that still pays for itself."""

from __future__ import annotations

import dataclasses
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neuroscope.base import settings
from neuroscope.base.errors import InputError, Interrupted, RecipeError, choice_error
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
from neuroscope.base.recipe import Recipe
from neuroscope.data.schema import Column
from neuroscope.judge.choice import Choice, choose
from neuroscope.judge.metrics import METRICS, primary_metric, scores
from neuroscope.judge.threshold import parse_cost
from neuroscope.report.page import write_report
from neuroscope.runs.card import library_versions
from neuroscope.runs.folder import RunFolder
from neuroscope.tasks import catalogue, climbable, ladder, rung_name
from neuroscope.tasks._learning import Budget, Problem
from neuroscope.verbs._climb import Climb
from neuroscope.verbs._command import train_command
from neuroscope.verbs._conclude import Conclusion
from neuroscope.verbs._prepare import DataOptions, Prepared, prepare, source_name
from neuroscope.verbs._words import fitting_words

_SCRATCH = "scratch"  # of a run folder: what is worth keeping until the run is finished
_RESERVE = 0.06  # share of the budget kept for the model, the result and the report


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """What the user asked of a run, beside the data; empty is "choose for me"."""

    rungs: tuple[str, ...] = ()  # by name; empty is all
    budget: float | None = 300.0  # seconds; None is no limit
    seed: int = 0
    out: str | None = None  # folder that run folders are made in
    recipe: str | None = None  # a recipe file to replay
    epochs: int | None = None
    cost: str | None = None  # "false_positive=1,false_negative=5"
    sensitivity: float | None = None  # share of the positives that the threshold must find
    name: str | None = None  # of the run folder


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
    data, options = data or DataOptions(), options or TrainOptions()
    _check(options)
    root = Path(options.out) if options.out else settings.runs_folder()
    budget = _budget(options)
    prepared = prepare(source, data, seed=options.seed, monitor=monitor)
    _check_decision(options, prepared.problem)
    folder = RunFolder.create(root, options.name or source_name(source))
    folder.write_json("request.json", _request(source, data, options, prepared))
    with folder:
        return _run(source, prepared, data, options, folder, monitor, budget)


def resume(
    run: str, *, out: str | None = None, source: Any = None, monitor: Monitor = ignore
) -> dict[str, Any]:
    """Go on with an interrupted run where its checkpoint stands, with its whole budget again.

    The data are read again; a run on data from memory needs them as `source`. Raises InputError
    when they are other data than the run began with, and for a run that is finished: its test
    rows are opened.
    """
    root = Path(out) if out else settings.runs_folder()
    folder = RunFolder.open(run, root)
    asked = folder.read_json("request.json")
    data = DataOptions(**_tuples(asked["data"]))
    options = TrainOptions(**_tuples(asked["options"]))
    source = asked["source"] if source is None else source
    if source is None:
        raise InputError(
            "the run's data came from memory", where=folder.name, remedy="give them again as source"
        )
    if folder.status == "finished" and folder.model.exists():
        raise InputError(
            "this run is finished, there is nothing to go on with", where=folder.name,
            remedy=f"its report is {folder.report}; train again for a new run",
        )  # fmt: skip
    budget = _budget(options)
    prepared = prepare(source, data, seed=options.seed, monitor=monitor)
    _refuse_other_data(folder, asked, prepared)
    with folder:
        return _run(source, prepared, data, options, folder, monitor, budget, resumed=True)


def _refuse_other_data(folder: RunFolder, asked: Mapping[str, Any], prepared: Prepared) -> None:
    """Refuse rows other than those whose predictions the checkpoint holds."""
    if asked.get("data_fingerprint") != prepared.fingerprint:
        raise InputError(
            f"{prepared.table.origin.text} is not what it was when the run began",
            where=folder.name,
            remedy="bring the old data back, or begin a new run on the new data",
        )


def show_recipe(source: Any, data: DataOptions, options: TrainOptions) -> dict[str, Any]:
    """Return the recipe that the deepest rung asked for would begin with, and train nothing."""
    _check(options)
    prepared = prepare(source, data, seed=options.seed, monitor=ignore)
    training = prepared.problem.training(prepared.split.folds[0][0])
    for rung in reversed(ladder(prepared.task, options.rungs or None)):
        candidates = rung.recipes(training)
        if candidates:
            recipe = candidates[0]
            if options.epochs is not None:
                recipe = recipe.because("as asked", epochs=options.epochs)
            return recipe.to_json()
    raise InputError("none of these rungs has a recipe", remedy="ask for neuron or dense")


def _known_rungs(names: Sequence[str]) -> None:
    """Refuse a rung that no task has."""
    known = sorted({name for task in catalogue for name in task.RUNGS.names()})
    for name in names:
        if name not in known:
            raise choice_error("rung", name, known)


def _check(options: TrainOptions) -> None:
    """Refuse what is wrong before the data are read."""
    _known_rungs(options.rungs)
    if options.budget is not None and options.budget <= 0:
        raise RecipeError(f"budget is {options.budget:g} seconds", remedy="give e.g. 30s or 5m")
    if options.epochs is not None and options.epochs < 1:
        raise RecipeError(f"epochs is {options.epochs}", remedy="give at least 1")
    if options.cost is not None:
        parse_cost(options.cost)
    if options.sensitivity is not None:
        _check_sensitivity(options)
    if options.recipe is not None:
        net = Recipe.read(options.recipe).net
        _known_rungs((net,))
        if options.rungs and net not in options.rungs:
            raise RecipeError(
                f"the recipe is for the rung {net!r}, which is not among those to climb",
                where=options.recipe, remedy=f"add {net} to --rungs, or leave --rungs out",
            )  # fmt: skip


def _check_sensitivity(options: TrainOptions) -> None:
    if not 0 < (options.sensitivity or 0) <= 1:
        raise RecipeError(f"sensitivity is {options.sensitivity:g}", remedy="give e.g. 0.95")
    if options.cost is not None:
        raise RecipeError(
            "both a cost and a sensitivity are given, and each sets the threshold",
            remedy="leave one of them out",
        )


def _check_decision(options: TrainOptions, problem: Problem) -> None:
    """Refuse a wanted sensitivity where there is no yes or no to decide."""
    if options.sensitivity is not None and problem.kind != "binary":
        raise InputError(
            f"a sensitivity belongs to a yes or no; {problem.codec.column!r} is no such target",
            remedy="leave --sensitivity out",
        )


def _budget(options: TrainOptions) -> Budget:
    """Start the clock; a share of the budget is kept for the model, the result and the report."""
    return Budget(None if options.budget is None else options.budget * (1 - _RESERVE))


def _request(
    source: Any, data: DataOptions, options: TrainOptions, prepared: Prepared
) -> dict[str, Any]:
    named = str(source) if isinstance(source, str | Path) else None
    return {
        "source": named,
        "data_fingerprint": prepared.fingerprint,
        "data": dataclasses.asdict(data),
        "options": dataclasses.asdict(options),
    }


def _tuples(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(v) if isinstance(v, list) else v for name, v in record.items()}


def _run(
    source: Any, prepared: Prepared, data: DataOptions, options: TrainOptions, folder: RunFolder,
    monitor: Monitor, budget: Budget, *, resumed: bool = False,
) -> dict[str, Any]:  # fmt: skip
    warnings: dict[str, list[str]] = {}

    def remember(event: Event) -> None:
        if isinstance(event, WarningRaised):
            warnings.setdefault(event.gist, []).append(event.text)

    for event in folder.events() if resumed else ():
        remember(event)  # what was told of the rungs that are not fitted again
    tell = broadcast(folder.monitor, remember, monitor)
    problem = dataclasses.replace(prepared.problem, scratch=folder.path / _SCRATCH, monitor=tell)
    prepared = dataclasses.replace(prepared, problem=problem)
    tell(RunStarted(task=prepared.task.NAME, target=problem.codec.column, source=str(source)[:500],
                    rows=_counts(problem), seed=options.seed))  # fmt: skip
    tell(AuditFinished(findings=tuple(finding.to_json() for finding in prepared.findings)))
    for message in _serious(prepared):
        tell(WarningRaised(message=message))
    climb = _climb(prepared, options, folder, tell, budget)
    if resumed:
        climb.restore()
    try:
        climb.up()
        result = _conclude(climb, prepared, data, options, source, tell)
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


def _resumable(folder: RunFolder) -> str:
    """Return what finds the run again: its name, or its path when it lies elsewhere."""
    usual = folder.path.parent.resolve() == settings.runs_folder().resolve()
    return folder.name if usual else shlex.quote(str(folder.path))


def _counts(problem: Problem) -> dict[str, int]:
    return problem.split.counts | {"folds": len(problem.split.folds)}


def _climb(
    prepared: Prepared, options: TrainOptions, folder: RunFolder, tell: Monitor, budget: Budget
) -> Climb:
    recipe = Recipe.read(options.recipe) if options.recipe else None
    names = options.rungs or (("majority", recipe.net) if recipe else None)
    problem = prepared.problem
    name, _ = primary_metric(problem.kind, problem.y[problem.split.development])
    rungs, left_out = climbable(ladder(prepared.task, names), problem)
    for reason in left_out:
        if names:
            raise RecipeError(reason)
        tell(WarningRaised(message=reason))
    return Climb(prepared.task, problem, METRICS[name], rungs, budget,
                 folder, tell, recipe, options.epochs)  # fmt: skip


def _serious(prepared: Prepared) -> list[str]:
    said = [f"{f.what}; {f.meaning}; {f.remedy}" for f in prepared.findings
            if f.severity == "serious"]  # fmt: skip
    dropped = [f"column {name!r} was dropped: {reason}" for name, reason in prepared.dropped]
    return [*_guess(prepared.schema.target), *said, *dropped, *prepared.split.notes]


def _guess(target: Column | None) -> list[str]:
    """Say so where the target was not named: the wrong one makes a fine model of nothing."""
    _, guessed, how = (target.reason if target else "").partition("target: guessed")
    return [f"predicting {target.name!r}, a guess{how}"] if target and guessed else []


def _once(alike: Sequence[str]) -> str:
    return alike[0] if len(set(alike)) == 1 else f"{alike[0]} (so in {len(alike)} fits)"


def _conclude(
    climb: Climb, prepared: Prepared, data: DataOptions, options: TrainOptions, source: Any,
    tell: Monitor,
) -> dict[str, Any]:  # fmt: skip
    problem, metric = climb.problem, climb.metric
    held = climb.held_out
    choice = choose(climb.scores(), metric, problem.y[held], climb.resampling,
                    problem.weights_of(held), problem.groups_of(held),
                    climb.fold_numbers)  # fmt: skip
    cost = parse_cost(options.cost) if options.cost else None
    end = Conclusion(climb, choice, cost, options.sensitivity)
    decision = end.threshold()
    threshold = decision["value"] if decision else 0.5
    learner = end.final_fit()
    test, views = end.test(learner, threshold)
    end.save_model(learner, test, threshold, prepared.fingerprint)
    prepared = dataclasses.replace(prepared, findings=(*prepared.findings, *end.suspects()))
    tell(Progress(label="drawing the learning curve", done=0, total=1))
    curve = end.learning_curve()
    recipe = end.run.recipe.to_json() if end.run.recipe else None
    if recipe:
        climb.folder.write_json("recipe.json", recipe)
    found = {"threshold": decision, "learning_curve": curve, "recipe": recipe, **views}
    result = _result(climb, prepared, choice, test, source, options) | {
        **{name: block for name, block in found.items() if block},
        "reproduce": train_command(source, data, options),
        "usable": choice.usable,
        **(_refuted(choice) if end.refuted else {}),
    }
    return fitting_words(result, prepared.task.NAME)


def _refuted(choice: Choice) -> dict[str, Any]:
    """Return what takes the place of the verdict when the test rows contradict it."""
    headline = "On the test rows the model is worse than guessing: do not use it."
    return {"verdict": "do_not_use", "usable": False, "headline": headline,
            "why": f"{headline} {choice.why}"}  # fmt: skip


def _result(
    climb: Climb, prepared: Prepared, choice: Choice, test: Mapping[str, Any], source: Any,
    options: TrainOptions,
) -> dict[str, Any]:  # fmt: skip
    problem, metric = climb.problem, climb.metric
    positive = problem.codec.classes[-1] if problem.kind == "binary" else ""
    verdict = "use" if choice.usable else "do_not_use"
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
        "seed": options.seed,
        "versions": library_versions(),
        "rows": _counts(problem),
        "metric": {"name": metric.name, "title": metric.title,
                   "meaning": metric.words(test[metric.name], positive or "positive"),
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
