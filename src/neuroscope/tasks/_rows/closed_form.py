"""The linear neuron's best weights in closed form, beside what descent has found."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroscope.base.recipe import Recipe
from neuroscope.judge.metrics import METRICS
from neuroscope.neuron.units import least_squares
from neuroscope.tasks._learning import Problem

_AFFORDABLE = 5e9  # multiply-adds, about a second
_SAME = 0.005  # of R², below which the two are as good as equal


def closed_form(problem: Problem, recipe: Recipe | None, said: np.ndarray) -> dict[str, Any] | None:
    """Solve for the linear neuron's weights at once, and compare with descent on the first fold.

    `recipe` is that of the neuron's rung, `said` (n,) what descent predicts of the first fold's
    held-out rows, in the target's unit. None where there is no closed form (classes, Huber, l1,
    weight decay, hidden layers) and where solving would take long.
    """
    if problem.kind != "regression" or recipe is None or not _has_closed_form(recipe):
        return None
    train, valid = problem.split.folds[0]
    training = problem.training(train)
    encoder, x = training.encoded(recipe)
    if max(x.shape) * x.shape[1] ** 2 > _AFFORDABLE:
        return None
    theta = least_squares(x, training.y, w=training.weights, l2=recipe.l2)
    held = encoder.transform(problem.table, valid).x
    solved = problem.codec.decode(held @ theta[:-1] + theta[-1])
    y, weights, r2 = problem.y[valid], problem.weights_of(valid), METRICS["r2"]
    descent, best = r2(y, said, weights), r2(y, solved, weights)
    if not np.isfinite([descent, best]).all():
        return None
    apart = float(np.abs(solved - said).max())
    return {
        "rows": len(valid),
        "r2": {"descent": descent, "closed_form": best},
        "difference": descent - best,
        "largest_difference": apart,
        "sentence": _sentence(descent - best, apart, problem.codec.column),
    }


def _has_closed_form(recipe: Recipe) -> bool:
    decays = recipe.optimizer == "adamw" and recipe.weight_decay > 0
    return not (recipe.hidden or recipe.l1 or decays) and recipe.loss == "mean_squared_error"


def _sentence(difference: float, apart: float, target: str) -> str:
    unit = f"no two predictions are further apart than {apart:.3g}, in units of {target!r}"
    if abs(difference) < _SAME:
        return f"Descent arrived where the closed form does: {unit}."
    if difference > 0:
        return (
            f"Descent does better by {difference:.3f} R² than the weights that fit the training "
            f"rows best, because it stopped before it reached them; {unit}."
        )
    return (
        f"Descent stopped {-difference:.3f} R² short of the best weights; more epochs or a larger "
        f"--budget would close the gap; {unit}."
    )
