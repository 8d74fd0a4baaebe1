"""The kinds of problem: what an answer is, what decides between rungs, which figures are told.

A new kind is one entry here, and its metrics in `metrics`. A kind whose answers are "packed" has
truths and predictions of its own shape, which its `check` looks at; nothing else needs to know it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from neuroscope.base.errors import choice_error
from neuroscope.judge import _forecasts as paths
from neuroscope.judge import _texts as texts
from neuroscope.judge import _translations as sentences
from neuroscope.judge import _words as words

Answers = Literal["probabilities", "numbers", "packed"]
Primary = Callable[[np.ndarray], tuple[str, str]]
Check = Callable[[str, np.ndarray, np.ndarray], None]

_MOSTLY_ONE_CLASS = 0.6  # share of the largest class above which accuracy flatters guessing


@dataclass(frozen=True)
class Kind:
    """What is predicted, of some truths y and predictions p.

    title     reads after "a column, "
    answers   probabilities (n, k), numbers (n,), or arrays that only the kind's metrics read
    primary   from y: the name of the metric that decides, and the reason in words
    figures   names of the metrics that are told of the test rows with an interval
    check     of packed answers: raises an InputError for what the metric called so cannot read
    """

    title: str
    answers: Answers
    primary: Primary
    figures: tuple[str, ...]
    check: Check | None = None


def _two(y: np.ndarray) -> tuple[str, str]:  # noqa: ARG001 - the shape of a `primary`
    return "roc_auc", "two classes: how well rows are ranked, whatever the threshold"


def _several(y: np.ndarray) -> tuple[str, str]:
    share = float(np.bincount(y).max() / len(y)) if len(y) else 0.0
    if share > _MOSTLY_ONE_CLASS:
        return "balanced_accuracy", (
            f"{100 * share:.0f} % of the rows are one class, so plain accuracy would reward "
            "guessing it: each class counts the same"
        )
    return "accuracy", f"several classes, none above {100 * _MOSTLY_ONE_CLASS:.0f} % of the rows"


def _number(y: np.ndarray) -> tuple[str, str]:  # noqa: ARG001 - the shape of a `primary`
    return "r2", "the target is a number: the share of its variation that is explained"


def _path(y: np.ndarray) -> tuple[str, str]:
    if paths.levels_differ(y):
        return "mase", "the series differ in level, and errors are scaled by each one's own"
    return "path_mae", "a number at each step: how far off the forecast is on average"


def _text(y: np.ndarray) -> tuple[str, str]:  # noqa: ARG001 - the shape of a `primary`
    return "bits_per_character", "text: how surprising its next character is on average"


def _pair(y: np.ndarray) -> tuple[str, str]:  # noqa: ARG001 - the shape of a `primary`
    return "reference_bits", (
        "a text, of which many are right: how well the model foresees the reference, which every "
        "rung can be asked, whatever its tokens"
    )


def _neighbours(y: np.ndarray) -> tuple[str, str]:  # noqa: ARG001 - the shape of a `primary`
    return "neighbour_ranking", "words: how often a true neighbour is told from a noise word"


KINDS: dict[str, Kind] = {
    "binary": Kind("one of two classes", "probabilities", _two,
                   ("roc_auc", "accuracy", "balanced_accuracy", "log_loss")),
    "multiclass": Kind("one of several classes", "probabilities", _several,
                       ("accuracy", "balanced_accuracy", "log_loss")),
    "regression": Kind("a number", "numbers", _number, ("r2", "rmse", "mae")),
    "forecast": Kind("what comes next", "packed", _path,
                     ("mase", "path_mae", "path_rmse", "standardised_mse", "smape"), paths.check),
    "text": Kind("what comes next in a text", "packed", _text,
                 ("bits_per_character", "character_perplexity"), texts.check),
    "translation": Kind("a translation", "packed", _pair,
                        ("reference_bits", "bleu", "chrf", "exact_match"), sentences.check),
    "words": Kind("which words stand together", "packed", _neighbours, ("neighbour_ranking",),
                  words.check),
}  # fmt: skip


def kind_of(name: str) -> Kind:
    """Return the kind of that name; an unknown name is a RecipeError with suggestions."""
    if name not in KINDS:
        raise choice_error("kind of task", name, KINDS)
    return KINDS[name]
