"""Update rules and learning-rate schedules: weights_new = weights - learning_rate * direction.

g is the gradient, m and v are its running means ("moments"), laid out like the weights.

    sgd       w -= r g                                   Robbins and Monro 1951
    momentum  m = mu m + g;  w -= r m                    Polyak 1964
    nesterov  m = mu m + g;  w -= r (g + mu m)           Nesterov 1983, as in Sutskever et al. 2013
    adagrad   v += g^2;      w -= r g / (sqrt(v) + eps)  Duchi, Hazan and Singer 2011
    rmsprop   v = b2 v + (1 - b2) g^2; w -= r g / (sqrt(v) + eps)          Hinton 2012
    adam      also m = b1 m + (1 - b1) g, both corrected for their start   Kingma and Ba 2015
    adamw     adam, and w -= r * weight_decay * w beside it                Loshchilov, Hutter 2019
"""

from __future__ import annotations

import math
from typing import NamedTuple

from neuroscope.base.errors import choice_error
from neuroscope.base.recipe import OPTIMIZERS, SCHEDULES, Recipe
from neuroscope.base.types import Floats1D
from neuroscope.neuron._compile import compiled

CODES = {name: code for code, name in enumerate(OPTIMIZERS)}
SGD, MOMENTUM, NESTEROV, ADAGRAD, RMSPROP, ADAM, ADAMW = range(7)
SCHEDULE_CODES = {name: code for code, name in enumerate(SCHEDULES)}
CONSTANT, STEP, COSINE, ONE_CYCLE, LOG_COSINE = range(5)


class Rule(NamedTuple):
    """The numbers of a recipe that the compiled loops need."""

    optimizer: int
    learning_rate: float
    momentum: float
    beta1: float
    beta2: float
    epsilon: float
    schedule: int
    warmup: float
    l1: float
    l2: float
    weight_decay: float
    dropout: float
    clip_norm: float
    batch_size: int
    total_steps: int


def make_rule(recipe: Recipe, *, batch_size: int, total_steps: int) -> Rule:
    """Take from a recipe what the compiled loops need."""
    if recipe.optimizer not in CODES:
        raise choice_error("optimizer of steps", recipe.optimizer, OPTIMIZERS)
    return Rule(
        CODES[recipe.optimizer],
        float(recipe.learning_rate),
        float(recipe.momentum),
        float(recipe.beta1),
        float(recipe.beta2),
        float(recipe.epsilon),
        SCHEDULE_CODES[recipe.schedule],
        float(recipe.warmup),
        float(recipe.l1),
        float(recipe.l2),
        float(recipe.weight_decay) if recipe.optimizer == "adamw" else 0.0,
        float(recipe.dropout),
        float(recipe.clip_norm),
        int(batch_size),
        int(total_steps),
    )


@compiled
def rate_at(rule: Rule, step: int) -> float:
    """Return the learning rate of a step (counted from 0).

    step: divided by 10 after half and after three quarters of the steps. cosine: half a wave down
    to 0 (Loshchilov and Hutter 2017). one_cycle: up from 1/25 for 30 % of the steps, then down to
    0 (Smith and Topin 2018). log_cosine: four waves that grow longer, from 0 to 0 (Holzmueller et
    al. 2024). warmup multiplies any of them by a line that rises to 1.
    """
    done = step / rule.total_steps
    factor = 1.0
    if rule.schedule == STEP:
        factor = 1.0 if done < 0.5 else (0.1 if done < 0.75 else 0.01)
    elif rule.schedule == COSINE:
        factor = 0.5 * (1.0 + math.cos(math.pi * done))
    elif rule.schedule == ONE_CYCLE:
        if done < 0.3:
            factor = 0.04 + 0.96 * 0.5 * (1.0 - math.cos(math.pi * done / 0.3))
        else:
            factor = 0.5 * (1.0 + math.cos(math.pi * (done - 0.3) / 0.7))
    elif rule.schedule == LOG_COSINE:
        factor = 0.5 * (1.0 - math.cos(2.0 * math.pi * math.log2(1.0 + 15.0 * done)))
    rising = rule.warmup * rule.total_steps
    if step + 1 < rising:  # a part of a step at the end of the rise is not overshot
        factor *= (step + 1) / rising
    return rule.learning_rate * factor


@compiled
def penalise(rule: Rule, weights: Floats1D, gradient: Floats1D) -> None:
    """Add the slope of l1 * sum |w| + l2 / 2 * sum w^2 to the gradient of the weights."""
    real = weights.dtype.type
    l1, l2, zero = real(rule.l1), real(rule.l2), real(0)
    for i in range(weights.size):
        sign = real(1) if weights[i] > zero else (real(-1) if weights[i] < zero else zero)
        gradient[i] += l1 * sign + l2 * weights[i]


@compiled
def norm(gradient: Floats1D) -> float:
    """Return the Euclidean length of a gradient."""
    total = gradient.dtype.type(0)
    for i in range(gradient.size):
        total += gradient[i] * gradient[i]
    return math.sqrt(total)


@compiled
def update(
    rule: Rule,
    rate: float,
    step: int,  # counted from 0
    weight_decay: float,  # of adamw
    w: Floats1D,  # (p,)  changed: the weights
    g: Floats1D,  # (p,)  the gradient
    m: Floats1D,  # (p,)  changed: first moment
    v: Floats1D,  # (p,)  changed: second moment
) -> None:
    """Take one step of the rule."""
    real = w.dtype.type
    one, r, mu = real(1), real(rate), real(rule.momentum)
    b1, b2, eps = real(rule.beta1), real(rule.beta2), real(rule.epsilon)
    if rule.optimizer == SGD:
        for i in range(w.size):
            w[i] -= r * g[i]
    elif rule.optimizer == MOMENTUM:
        for i in range(w.size):
            m[i] = mu * m[i] + g[i]
            w[i] -= r * m[i]
    elif rule.optimizer == NESTEROV:
        for i in range(w.size):
            m[i] = mu * m[i] + g[i]
            w[i] -= r * (g[i] + mu * m[i])
    elif rule.optimizer == ADAGRAD:
        for i in range(w.size):
            v[i] += g[i] * g[i]
            w[i] -= r * g[i] / (math.sqrt(v[i]) + eps)
    elif rule.optimizer == RMSPROP:
        for i in range(w.size):
            v[i] = b2 * v[i] + (one - b2) * g[i] * g[i]
            w[i] -= r * g[i] / (math.sqrt(v[i]) + eps)
    else:
        start1 = real(1.0 / (1.0 - rule.beta1 ** (step + 1)))
        start2 = real(1.0 / (1.0 - rule.beta2 ** (step + 1)))
        shrink = real(1.0 - rate * weight_decay)
        for i in range(w.size):
            m[i] = b1 * m[i] + (one - b1) * g[i]
            v[i] = b2 * v[i] + (one - b2) * g[i] * g[i]
            w[i] = shrink * w[i] - r * (m[i] * start1) / (math.sqrt(v[i] * start2) + eps)
