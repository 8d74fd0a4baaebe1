"""Would more rows help? A power law through scores at several numbers of rows.

    score(n) = limit - gain * n**-exponent        (error metrics: limit + gain * n**-exponent)

Hestness et al. (2017) found this law for deep nets; Viering & Loog (2022) survey when it fails,
so a doubling is foretold and never more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neuroscope.base import randomness
from neuroscope.base.errors import InputError
from neuroscope.judge._record import Record

_EXPONENTS = np.linspace(0.1, 1.5, 29)  # the range seen in practice; outside it fits are noise
_REPEATS = 300
_NOTHING = 0.0005  # a gain that reads as 0.000
_LITTLE = 0.002  # a gain that is sure near a perfect score, and not worth its rows
_MUCH = 0.02  # a gain that would be worth its rows, where the scores are surer than that


@dataclass(frozen=True)
class LearningPoint(Record):
    """A score at a number of training rows, as measured and on the fitted curve."""

    rows: int
    value: float
    standard_error: float
    fitted: float


@dataclass(frozen=True)
class LearningCurve(Record):
    """The fitted curve; `gain_if_doubled` > 0 is better, whichever way the metric points.

    low, high: 95 % interval of the gain, from refits to the points moved by their errors.
    """

    points: tuple[LearningPoint, ...]
    limit: float  # the score of endless rows, if the law held
    exponent: float
    gain_if_doubled: float
    low: float
    high: float
    helps: bool  # the gain is clearly above 0 and above the error of the last point
    sentence: str


def extrapolate(
    sizes: Sequence[int],  # training rows, at least 3 different ones
    values: Sequence[float],
    standard_errors: Sequence[float],
    greater_is_better: bool = True,
    title: str = "score",  # of the metric, for the sentence
    seed: int = 0,
    perfect: float = np.inf,  # the best score there is; no gain goes beyond it
) -> LearningCurve:
    """Fit the law by weighted least squares and foretell the gain of twice as many rows.

    The exponent is searched on a grid; limit and gain follow in closed form, gain >= 0 (more rows
    do not hurt). InputError for fewer than three sizes or numbers that are not finite.
    """
    n, v, e = (
        np.asarray(numbers, dtype=np.float64) for numbers in (sizes, values, standard_errors)
    )
    _check(n, v, e)
    order = np.argsort(n, kind="stable")
    n, v, e = n[order], v[order], e[order]
    positive = e[e > 0]
    e = np.where(e > 0, e, positive.min() if len(positive) else 1.0)
    sign = 1.0 if greater_is_better else -1.0
    random = randomness.generator(seed, "learning curve")
    moved = sign * v + e * random.standard_normal((_REPEATS, len(v)))
    limits, gains, exponents = _fit(n, np.vstack([sign * v, moved]), e)
    doubled = gains * (n[-1] ** -exponents - (2 * n[-1]) ** -exponents)
    doubled = np.minimum(doubled, max(abs(perfect - v[-1]), 0.0))
    gain = float(doubled[0])
    low, high = (float(q) for q in np.quantile(doubled[1:], [0.025, 0.975]))
    helps = bool(low > 0 and gain > max(e[-1], _LITTLE))
    fitted = sign * (limits[0] - gains[0] * n ** -exponents[0])
    return LearningCurve(
        points=tuple(
            LearningPoint(int(a), float(b), float(c), float(d))
            for a, b, c, d in zip(n, v, e, fitted, strict=True)
        ),
        limit=float(sign * limits[0]),
        exponent=float(exponents[0]),
        gain_if_doubled=gain,
        low=low,
        high=high,
        helps=helps,
        sentence=_sentence(int(n[-1]), (gain, low, high), float(e[-1]), helps, title),
    )


def _check(n: np.ndarray, v: np.ndarray, e: np.ndarray) -> None:
    if not len(n) == len(v) == len(e):
        raise InputError(f"{len(n)} sizes, {len(v)} values and {len(e)} standard errors")
    if len(np.unique(n)) < 3:
        raise InputError(
            f"a learning curve needs three numbers of rows, got {len(np.unique(n))}",
            remedy="train on at least three different shares of the rows",
        )
    if not (np.isfinite(np.concatenate([n, v, e])).all() and (n > 0).all() and (e >= 0).all()):
        raise InputError("sizes must be above 0, values finite, standard errors 0 or more")


def _fit(
    n: np.ndarray,  # (s,)
    v: np.ndarray,  # (r, s) one curve a row, greater is better
    e: np.ndarray,  # (s,)
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (limit, gain, exponent), each (r,): the least squares over the grid of exponents."""
    weight = 1 / e**2 / (1 / e**2).sum()
    mean = v @ weight
    found = []
    for exponent in _EXPONENTS:
        x = -(n**-exponent)
        centred = x - x @ weight
        gain = np.maximum((v - mean[:, None]) @ (weight * centred) / (weight @ centred**2), 0.0)
        limit = mean - gain * (x @ weight)
        misfit = ((v - limit[:, None] - gain[:, None] * x) ** 2) @ weight
        found.append((misfit, limit, gain))
    misfits, limits, gains = (np.stack(part) for part in zip(*found, strict=True))
    best = misfits.argmin(axis=0)
    curves = np.arange(len(v))
    return limits[best, curves], gains[best, curves], _EXPONENTS[best]


def _sentence(
    rows: int, gain: tuple[float, float, float], error: float, helps: bool, title: str
) -> str:  # fmt: skip
    doubled = f"Twice as many rows to learn from ({2 * rows:,} instead of {rows:,}) would"
    if max(gain) < _NOTHING:
        return (
            f"{doubled} hardly change {title}, by less than {2 * _NOTHING:g}: it has levelled off."
        )
    amount, low, high = ("0" if n < 0.0005 else f"{n:.3f}" if n < 1 else f"{n:.3g}" for n in gain)
    change = f"{doubled} improve {title} by about {amount}"
    spread = f"({low} to {high})"
    if helps:
        return f"{change} {spread}: more rows would help."
    if gain[2] > max(error, _MUCH):
        return f"{change} {spread}: too unsure to tell whether more rows would help."
    if gain[1] > 0:
        return f"{change} {spread}: too little to matter, more rows would hardly help."
    if amount == "0":
        return (
            f"{doubled} hardly change {title}, by {high} at most: more rows of this kind are not "
            "worth collecting yet."
        )
    return f"{change} {spread}: within noise, more rows of this kind are not worth collecting yet."
