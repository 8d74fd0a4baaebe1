"""What was asked of a run: checked, settled, kept in the run folder and compared on --resume."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from neuroscope.base.errors import InputError, RecipeError, choice_error
from neuroscope.base.recipe import DEEP_ONLY, DENSE, SPECIAL, Recipe
from neuroscope.judge.threshold import parse_cost
from neuroscope.runs.folder import RunFolder
from neuroscope.tasks import catalogue, climbable, ladder, rung_name
from neuroscope.tasks._learning import Training
from neuroscope.verbs._prepare import DataOptions, Prepared


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """What the user asked of a run, beside the data; empty is "choose for me"."""

    rungs: tuple[str, ...] = ()  # by name; empty is all
    budget: float | None = 300.0  # seconds; None is no limit
    seed: int | None = None  # of all random choices; None is the recipe's, or 0
    out: str | None = None  # folder that run folders are made in
    recipe: str | None = None  # a recipe file to replay
    epochs: int | None = None
    device: str = "auto"  # that torch nets compute on
    cost: str | None = None  # "false_positive=1,false_negative=5"
    sensitivity: float | None = None  # share of the positives that the threshold must find
    name: str | None = None  # of the run folder


@dataclass(frozen=True)
class Request:
    """A source and what was asked, with the seed settled and the recipe read."""

    source: Any
    data: DataOptions
    options: TrainOptions
    given: Recipe | None = None

    @classmethod
    def of(
        cls, source: Any, data: DataOptions | None = None, options: TrainOptions | None = None
    ) -> Request:
        """Refuse what is wrong before the data are read, and settle the seed.

        Without a seed the recipe's is taken, for the split as well, so that the recipe alone
        replays its run; a seed that is given is the recipe's, too.
        """
        options = options or TrainOptions()
        given = Recipe.read(options.recipe) if options.recipe else None
        seed = options.seed
        if seed is None:
            seed = given.seed if given else 0
        if given is not None and given.seed != seed:
            given = given.because("as asked", seed=seed)
        _check(options, given)
        return cls(source, data or DataOptions(), replace(options, seed=seed), given)

    @classmethod
    def read(cls, folder: RunFolder, source: Any = None) -> Request:
        """Return what a run was asked when it began; `source` is its data from memory.

        Raises InputError when these are not there, or when a file that was named has changed.
        """
        asked = folder.read_json("request.json")
        source = asked["source"] if source is None else source
        if source is None:
            raise InputError(
                "the run's data came from memory", where=folder.name,
                remedy="give them again as source",
            )  # fmt: skip
        data, options = DataOptions(**_tuples(asked["data"])), _tuples(asked["options"])
        _refuse_other_files(folder, asked, data.schema, options["recipe"], data.vectors)
        return cls.of(source, data, TrainOptions(**options))

    def write(self, folder: RunFolder, prepared: Prepared) -> None:
        """Keep the request in the run folder, with the fingerprints of data and files."""
        folder.write_json("request.json", {
            "source": str(self.source) if isinstance(self.source, str | Path) else None,
            "data_fingerprint": prepared.fingerprint,
            "files": {str(path): _file_fingerprint(path)
                      for path in (self.data.schema, self.options.recipe, self.data.vectors)
                      if path},
            "data": dataclasses.asdict(self.data),
            "options": dataclasses.asdict(self.options),
        })  # fmt: skip

    @property
    def seed(self) -> int:
        """The settled seed."""
        return self.options.seed or 0

    def rungs(self, prepared: Prepared) -> list[ModuleType]:
        """Return the rungs to climb, simplest first; a recipe replays its own beside guessing.

        Raises RecipeError for a recipe that cannot be followed on these data.
        """
        guess = getattr(prepared.task, "GUESS", "majority")
        alone = tuple(dict.fromkeys((guess, self.given.net))) if self.given else None
        for name in self.options.rungs:
            _refuse_foreign(prepared.task, name)
        rungs = ladder(prepared.task, self.options.rungs or alone)
        if prepared.problem.backbone and not any(hasattr(rung, "missing") for rung in rungs):
            raise RecipeError(
                f"no rung of this climb uses the backbone {prepared.problem.backbone!r}",
                remedy="leave --backbone out, or climb pictures with the rung transfer",
            )
        if self.data.vectors:
            _check_vectors(prepared, rungs)
        _, left_out = climbable(rungs, prepared.problem)
        if left_out and (self.options.rungs or self.given):
            raise RecipeError(left_out[0])
        self._check_decision(prepared)
        if self.given is not None:
            self.candidates(prepared.task.RUNGS.get(self.given.net), prepared.problem.folds[0])
        return rungs

    def _check_decision(self, prepared: Prepared) -> None:
        if self.options.sensitivity is not None and prepared.kind != "binary":
            target = prepared.problem.codec.column
            raise InputError(
                f"a sensitivity belongs to a yes or no; {target!r} is no such target",
                remedy="leave --sensitivity out",
            )

    def candidates(self, rung: ModuleType, training: Training) -> list[Recipe]:
        """Return the recipes to try on a rung: the given one, or what the rung proposes."""
        proposed = rung.recipes(training)
        if self.given is not None and self.given.net == rung_name(rung):
            check_given(self.given, proposed, rung, str(self.options.recipe))
            proposed = [self.given]
        if self.options.epochs is not None:
            proposed = [
                c.because("as asked", epochs=self.options.epochs, patience=0) for c in proposed
            ]
        if self.options.device != "auto" and not rung.CORE:
            proposed = [c.because("as asked", device=self.options.device) for c in proposed]
        return proposed


def _refuse_foreign(task: ModuleType, name: str) -> None:
    """Refuse a rung that other tasks have, and name them."""
    own = task.RUNGS.names()
    others = [] if name in own else [t.NAME for t in catalogue if name in t.RUNGS.names()]
    if others:
        raise InputError(
            f"{name!r} is no rung of {task.NAME}, whose rungs are {', '.join(own)}",
            remedy=f"leave it out, or say what the data are: --task {' or --task '.join(others)}",
        )


def _check_vectors(prepared: Prepared, rungs: Sequence[ModuleType]) -> None:
    """Refuse word vectors that nothing begins with, or that cannot be used, before there is a run.

    Only tasks that know of them pose a problem with vectors.
    """
    using = [rung for rung in rungs if getattr(rung, "VECTORS", False)]
    if not prepared.problem.vectors or not using:
        raise InputError(
            "no rung of this climb begins with word vectors",
            remedy="leave --vectors out, or climb classes of texts with the rungs embeddings, "
            "lstm or transformer",
        )
    using[0].remarks(prepared.problem)


def refuse_other_data(folder: RunFolder, prepared: Prepared) -> None:
    """Refuse rows other than those whose predictions the checkpoint holds."""
    if folder.read_json("request.json").get("data_fingerprint") != prepared.fingerprint:
        raise InputError(
            f"{prepared.table.origin.text} is not what it was when the run began",
            where=folder.name, remedy="bring the old data back, or begin a new run on the new data",
        )  # fmt: skip


def _refuse_other_files(folder: RunFolder, asked: Mapping[str, Any], *paths: str | None) -> None:
    """Refuse a schema or recipe that was edited: what is done would not go with what comes."""
    for path in filter(None, paths):
        if asked.get("files", {}).get(path) != _file_fingerprint(path):
            raise InputError(
                f"{path} is not what it was when the run began", where=folder.name,
                remedy="bring the old file back, or begin a new run with the new one",
            )  # fmt: skip


def _file_fingerprint(path: str) -> str | None:
    """Return 32 hexadecimal digits over a file's bytes (BLAKE2b), None where it is gone."""
    try:
        return hashlib.blake2b(Path(path).read_bytes(), digest_size=16).hexdigest()
    except OSError:
        return None


def _tuples(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(v) if isinstance(v, list) else v for name, v in record.items()}


def _known_rungs(names: Sequence[str]) -> None:
    """Refuse a rung that no task has."""
    known = sorted({name for task in catalogue for name in task.RUNGS.names()})
    for name in names:
        if name not in known:
            raise choice_error("rung", name, known)


def _check(options: TrainOptions, given: Recipe | None) -> None:
    _known_rungs(options.rungs)
    if options.budget is not None and options.budget <= 0:
        raise RecipeError(f"budget is {options.budget:g} seconds", remedy="give e.g. 30s or 5m")
    if options.epochs is not None and options.epochs < 1:
        raise RecipeError(f"epochs is {options.epochs}", remedy="give at least 1")
    if options.device != "auto":
        _check_device(options.device)
    if options.cost is not None:
        parse_cost(options.cost)
    if options.sensitivity is not None:
        _check_sensitivity(options.sensitivity, options.cost)
    if given is not None:
        _known_rungs((given.net,))
        if options.rungs and given.net not in options.rungs:
            raise RecipeError(
                f"the recipe is for the rung {given.net!r}, which is not among those to climb",
                where=str(options.recipe),
                remedy=f"add {given.net} to --rungs, or leave --rungs out",
            )


def _check_device(name: str) -> None:
    """Refuse a device that this machine does not have, before anything is trained."""
    from neuroscope.train.precision import device_of  # noqa: PLC0415 - imports torch

    device_of(Recipe(device=name))


def _check_sensitivity(wanted: float, cost: str | None) -> None:
    if not 0 < wanted <= 1:
        raise RecipeError(f"sensitivity is {wanted:g}", remedy="give a share, such as 0.95")
    if cost is not None:
        raise RecipeError(
            "both a cost and a sensitivity are given, and each sets the threshold",
            remedy="leave one of them out",
        )


def _ignored(given: Recipe, candidates: Sequence[Recipe], rung: ModuleType) -> list[str]:
    """Return the choices that a rung does not follow; what it says itself may stand there."""
    follows = getattr(rung, "FOLLOWS", ())
    special = DEEP_ONLY if rung.CORE else (*SPECIAL, *DENSE)
    own, fields = candidates[0] if candidates else given, getattr(rung, "IGNORES", ())
    fields = dict.fromkeys([*(n for n in special if n not in follows), *fields])
    return [n for n in fields if n != "loss" and getattr(given, n) != getattr(own, n)]


def check_given(given: Recipe, candidates: Sequence[Recipe], rung: ModuleType, where: str) -> None:
    """Refuse a recipe that says what this rung on these data could not follow."""
    ignored = _ignored(given, candidates, rung)
    try:
        given.refuse(ignored, rung.TITLE)
    except RecipeError as error:
        raise error.at(where) from error
    losses = sorted({candidate.loss for candidate in candidates})
    if "mean_squared_error" in losses and "loss" not in getattr(rung, "IGNORES", ()):
        losses.append("huber")
    if not losses:
        raise RecipeError(f"the rung {given.net!r} follows no recipe", where=where,
                          remedy="leave --recipe out")  # fmt: skip
    if given.loss not in losses:
        raise RecipeError(
            f"the recipe's loss {given.loss!r} does not go with this target", where=where,
            remedy=f"change it to {' or '.join(losses)}",
        )  # fmt: skip
    if rung.CORE and given.device not in ("auto", "cpu"):
        raise RecipeError(
            f"the recipe's device is {given.device!r}, and the neuron core runs on the processor",
            where=where, remedy="change it to auto",
        )  # fmt: skip
