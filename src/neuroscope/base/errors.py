"""Every error that Neuroscope raises on purpose.

    NeuroscopeError
    ├── InputError            the input or the call is wrong; exit code 2
    │   ├── SourceError       a file, database or object cannot be read as data
    │   ├── SchemaError       columns are missing, doubled, misspelt or of the wrong kind
    │   ├── TargetError       the target has nothing to learn: one class, constant, all missing
    │   ├── RecipeError       a training choice is unknown or out of range
    │   ├── ModelError        a model file is cut, edited, newer than this version, or no model
    │   └── MissingExtraError a feature needs an optional package
    ├── WorkError             the work itself failed; exit code 1
    │   ├── DivergedError     the loss stopped being finite, also at smaller learning rates
    │   └── StorageError      a disk is full or a folder cannot be written
    └── Interrupted           the user stopped the work; the checkpoint is kept; exit code 130

A message says what happened, where, and what to do next, on one line.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class NeuroscopeError(Exception):
    """Base of all expected errors; `str(error)` is the one line a person reads."""

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        self.what, self.where, self.remedy = what, where, remedy
        super().__init__(what)

    def __str__(self) -> str:
        line = f"{self.where}: {self.what}" if self.where else self.what
        line = f"{line}; {self.remedy}" if self.remedy else line
        return " ".join(line.split())

    def at(self, where: str) -> NeuroscopeError:
        """Add the place (file, column, row) once, at the boundary that knows it."""
        self.where = f"{where}: {self.where}" if self.where else where
        return self


class InputError(NeuroscopeError):
    """The input or the call is wrong; the message says how to mend it."""

    exit_code = 2


class SourceError(InputError):
    """A file, database or object cannot be read as data."""


class SchemaError(InputError):
    """Columns are missing, doubled, misspelt or of the wrong kind."""


class TargetError(InputError):
    """The target column leaves nothing to learn."""


class RecipeError(InputError):
    """A training choice is unknown or out of range."""


class ModelError(InputError):
    """A model file is damaged, edited, newer than this version, or not a model."""


class MissingExtraError(InputError):
    """An optional package is needed; the message carries the install line."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"this needs the package {package!r}, which is not installed",
            remedy=f"install it with: pip install 'neuroscope[{extra}]'",
        )


class WorkError(NeuroscopeError):
    """The input was fine and the work failed all the same."""


class DivergedError(WorkError):
    """The loss stopped being finite, also after the learning rate was halved."""


class BudgetError(WorkError):
    """The time was so short that what came out would say nothing."""


class StorageError(WorkError):
    """The disk is full or a folder cannot be written."""


class Interrupted(NeuroscopeError):  # noqa: N818 - an interruption is not an error
    """The user stopped the work; what was done so far is kept."""

    exit_code = 130


def did_you_mean(name: str, options: Iterable[str]) -> str:
    """Return "did you mean 'x'?" for the nearest option, or "" when none is near."""
    folded = {option.casefold(): option for option in options}
    near = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    return f"did you mean {folded[near[0]]!r}?" if near else ""


def choice_error(kind: str, name: str, options: Iterable[str]) -> RecipeError:
    """Build the error for an unknown name out of a fixed set of options."""
    options = list(options)
    remedy = f"choose one of: {', '.join(options)}"
    hint = did_you_mean(name, options)
    return RecipeError(f"unknown {kind} {name!r}", remedy=f"{hint} {remedy}" if hint else remedy)
