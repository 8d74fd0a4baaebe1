"""The metrics: what each one measures, in words, and which kind of task it belongs to.

Truth y: class numbers 0..k-1 (n,), or numbers (n,). Predictions p: probabilities (n, k), the
positive class in column 1 of two, or numbers (n,). Of forecasts: truth and scales (n, h + 2), see
`_forecasts`, and predictions (n, h). Weights (n,), not negative, any scale.
Definitions are scikit-learn's; where scikit-learn warns and returns 0 for a metric without
meaning (a class without rows, a constant target) the value here is nan.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from neuroscope.base.errors import InputError, choice_error
from neuroscope.judge import _arithmetic as sums
from neuroscope.judge import _forecasts as paths
from neuroscope.judge import _texts as texts
from neuroscope.judge import _translations as sentences
from neuroscope.judge import _words as words
from neuroscope.judge.kinds import kind_of

Needs = Literal["decisions", "probabilities", "numbers", "packed"]
_CLASSES = ("binary", "multiclass")
_ANY = "positive"  # a word for the positive class where its name is not known


@dataclass(frozen=True)
class Metric:
    """One metric; `meaning` explains a value to a person who has not met the metric.

    Its placeholders: {value}, {percent} (100 x value), {positive} (name of the positive class).
    `meaning_of_many` takes its place where there are more classes than two, and none is positive.
    """

    name: str
    title: str
    greater_is_better: bool
    kinds: tuple[str, ...]  # see `judge.kinds`
    needs: Needs
    prepare: sums.Prepare
    meaning: str
    in_target_units: bool = False
    meaning_of_many: str = ""

    @property
    def sign(self) -> int:
        """+1 when greater is better, else -1."""
        return 1 if self.greater_is_better else -1

    def __call__(
        self,
        y: np.ndarray,
        p: np.ndarray,
        weights: np.ndarray | None = None,
        threshold: float = 0.5,
    ) -> float:
        """Return the score; `threshold` (binary decisions only) is the least p that says yes."""
        y, p, weights = checked(self, y, p, weights)
        return float(self.prepare(y, p, threshold)(weights[None, :])[0])

    def words(self, value: float, positive: str = _ANY) -> str:
        """Return one sentence on what `value` means; without a `positive` of many classes."""
        if not np.isfinite(value):
            return f"{self.title} cannot be computed on these rows."
        percent = _percent(100 * value)
        meaning = self.meaning if positive else self.meaning_of_many or self.meaning
        name = positive if positive in (_ANY, "") else f"'{positive}'"
        return meaning.format(value=self.text(value), percent=percent, positive=name)

    def text(self, value: float) -> str:
        """Return `value` as it is printed: three decimals, or an amount in target units."""
        return amount(value) if self.in_target_units else f"{value:z.3f}"


def _percent(share: float) -> str:
    """Return whole percents, with decimals near 0 and 100 until they differ from these."""
    if 1 <= share <= 99 or share in (0, 100):
        return f"{share:.0f}"
    texts = (f"{share:.{digits}f}" for digits in (1, 2, 3))
    return next((text for text in texts if float(text) not in (0, 100)), f"{share:.0f}")


def amount(value: float) -> str:
    """Return a number in target units: whole from 1000 on, thousands apart from 10,000 on."""
    if abs(value) < 1000:
        return f"{value:.4g}"
    return f"{value:.0f}" if abs(value) < 10_000 else f"{value:,.0f}"


def _catalogue(*metrics: Metric) -> dict[str, Metric]:
    return {metric.name: metric for metric in metrics}


_DECISIONS, _PROBABILITIES, _NUMBERS = "decisions", "probabilities", "numbers"
_PACKED = "packed"
_REGRESSION, _FORECAST = ("regression",), ("forecast",)
_TEXT, _TRANSLATION = ("text",), ("translation",)

METRICS: dict[str, Metric] = _catalogue(
    Metric("roc_auc", "AUC", True, _CLASSES, _PROBABILITIES,
           sums.one_against_rest(sums.rank_auc),
           "Of 100 random pairs of a {positive} row and another, the model ranks {percent} the "
           "right way round (50 is guessing, 100 is perfect).",
           meaning_of_many="Of 100 random pairs of a row of one class and a row of another, the "
           "model ranks {percent} the right way round, all classes counting alike (50 is "
           "guessing, 100 is perfect)."),
    Metric("accuracy", "accuracy", True, _CLASSES, _DECISIONS, sums.mean_of(sums.hits),
           "Of 100 rows the model names {percent} correctly."),
    Metric("balanced_accuracy", "balanced accuracy", True, _CLASSES, _DECISIONS,
           sums.from_tallies(sums.balanced_accuracy),
           "Of 100 rows drawn equally from every class the model names {percent} correctly."),
    Metric("pr_auc", "PR AUC (average precision)", True, _CLASSES, _PROBABILITIES,
           sums.one_against_rest(sums.average_precision),
           "Going down the model's list from the surest, {percent} of 100 picks are {positive} "
           "on average.",
           meaning_of_many="Going down the model's list for a class from the surest, {percent} of "
           "100 picks belong to it, all classes counting alike."),
    Metric("log_loss", "log loss", False, _CLASSES, _PROBABILITIES,
           sums.mean_of(sums.log_losses),
           "The surprise at the true answer is {value} nats a row (0 is perfect; sure and wrong "
           "costs most)."),
    Metric("brier", "Brier score", False, _CLASSES, _PROBABILITIES,
           sums.mean_of(sums.brier_losses),
           "The probabilities miss the truth by {value} in mean square (0 is perfect)."),
    Metric("f1", "F1", True, _CLASSES, _DECISIONS, sums.from_tallies(sums.f1),
           "The balance of precision and recall is {value} (1 is perfect)."),
    Metric("precision", "precision", True, _CLASSES, _DECISIONS,
           sums.from_tallies(sums.precision),
           "Of 100 rows that the model calls {positive}, {percent} are.",
           meaning_of_many="Of 100 rows that the model puts into a class, {percent} belong there, "
           "all classes counting alike."),
    Metric("recall", "recall (sensitivity)", True, _CLASSES, _DECISIONS,
           sums.from_tallies(sums.recall),
           "Of 100 {positive} rows the model finds {percent}.",
           meaning_of_many="Of 100 rows of a class the model finds {percent}, all classes "
           "counting alike."),
    Metric("specificity", "specificity", True, ("binary",), _DECISIONS,
           sums.from_tallies(sums.specificity),
           "Of 100 rows that are not {positive} the model leaves {percent} alone."),
    Metric("mcc", "Matthews correlation", True, _CLASSES, _DECISIONS,
           sums.from_tallies(sums.matthews),
           "Decisions and truth correlate by {value} (0 is guessing, 1 is perfect)."),
    Metric("r2", "R²", True, _REGRESSION, _NUMBERS, sums.r2,
           "The model explains {percent} % of the variation (0 is always saying the mean)."),
    Metric("rmse", "RMSE", False, _REGRESSION, _NUMBERS,
           sums.root(sums.mean_of(sums.squared_errors)),
           "A typical miss is {value}, in units of the target, large misses counted most.", True),
    Metric("mae", "mean absolute error", False, _REGRESSION, _NUMBERS,
           sums.mean_of(sums.absolute_errors),
           "The model misses by {value} on average, in units of the target.", True),
    Metric("median_absolute_error", "median absolute error", False, _REGRESSION, _NUMBERS,
           sums.median_absolute_error,
           "Half of the rows are missed by less than {value}, in units of the target.", True),
    Metric("path_mae", "mean absolute error", False, _FORECAST, _PACKED,
           paths.mean_over_steps(paths.absolute),
           "A forecast misses by {value} on average over its steps, in units of the target.", True),
    Metric("mase", "MASE", False, _FORECAST, _PACKED, paths.mean_over_steps(paths.scaled),
           "A forecast misses by {value} times what repeating the last season misses from one step "
           "to the next in the past (below 1 is better than that)."),
    Metric("path_rmse", "RMSE", False, _FORECAST, _PACKED,
           sums.root(paths.mean_over_steps(paths.squared)),
           "A typical miss is {value}, in units of the target, large misses counted most.", True),
    Metric("standardised_mse", "MSE of standardised values", False, _FORECAST, _PACKED,
           paths.mean_over_steps(paths.standardised),
           "The mean squared miss is {value} where each series has a variance of 1."),
    Metric("smape", "sMAPE", False, _FORECAST, _PACKED, paths.mean_over_steps(paths.symmetric),
           "A forecast misses by {value} % of the mean of truth and forecast (200 is the worst)."),
    Metric("bits_per_character", "bits per character", False, _TEXT, _PACKED,
           texts.bits_per_character,
           "The next character of a text costs the model {value} bits on average: as many as the "
           "yes-or-no questions that it would still have to ask."),
    Metric("character_perplexity", "perplexity per character", False, _TEXT, _PACKED,
           texts.perplexity,
           "The model is as unsure of the next character as between {value} equally likely ones."),
    Metric("reference_bits", "bits per character", False, _TRANSLATION, _PACKED,
           sentences.bits_per_character,
           "Someone who guesses the reference with the model's help needs {value} bits a character "
           "(0 is perfect, guessing letters blindly costs about 4.7)."),
    Metric("bleu", "BLEU", True, _TRANSLATION, _PACKED, sentences.bleu,
           "BLEU is {value}: words and runs of up to four of them are the reference's (0 none, 100 "
           "all; from about 30 on translations are understood, from 50 on they are good)."),
    Metric("chrf", "chrF", True, _TRANSLATION, _PACKED, sentences.chrf,
           "chrF is {value}: runs of up to six letters are the reference's (0 none, 100 all)."),
    Metric("exact_match", "exact ones", True, _TRANSLATION, _PACKED, sentences.exact,
           "Of 100 sentences {percent} are the reference, letter for letter."),
    Metric("neighbour_ranking", "neighbours found", True, ("words",), _PACKED, words.ranking,
           "Of 100 times that a true neighbour of a word is set beside a noise word, it gets the "
           "higher score {percent} times (50 is chance)."),
)  # fmt: skip


def find(metric: str | Metric) -> Metric:
    """Return the metric of that name; an unknown name is a RecipeError with suggestions."""
    if isinstance(metric, Metric):
        return metric
    if metric not in METRICS:
        raise choice_error("metric", metric, METRICS)
    return METRICS[metric]


def applicable(kind: str) -> Iterable[Metric]:
    """Return the metrics of a kind of task, in the order they are shown."""
    kind_of(kind)
    return [metric for metric in METRICS.values() if kind in metric.kinds]


def scores(
    kind: str,
    y: np.ndarray,
    p: np.ndarray,
    threshold: float = 0.5,
    weights: np.ndarray | None = None,
) -> dict[str, float]:
    """Return every metric of the kind by name; nan where one has no meaning on these rows."""
    return {metric.name: metric(y, p, weights, threshold) for metric in applicable(kind)}


def primary_metric(kind: str, y: np.ndarray) -> tuple[str, str]:
    """Return the name of the metric that decides, and the reason in words."""
    return kind_of(kind).primary(y)


def checked(
    metric: Metric, y: np.ndarray, p: np.ndarray, weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (y, p, weights) as arrays of float64 (y of classes: int64), or an InputError."""
    if metric.needs == _PACKED:
        return _checked_packed(metric, y, p, weights)
    regression = metric.needs == _NUMBERS
    y = np.asarray(y)
    if not regression and len(y) and y.dtype.kind not in "iub":
        raise InputError(f"{metric.title} needs class numbers 0..k-1, got {y.dtype}")
    y = y.astype(np.float64 if regression else np.int64)
    p = np.asarray(p, dtype=np.float64)
    weights = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=np.float64)
    wanted = "(n,)" if regression else "(n, k) with k >= 2"
    if p.ndim != (1 if regression else 2) or (not regression and p.shape[1] < 2):
        raise InputError(f"{metric.title} needs predictions {wanted}, got shape {p.shape}")
    if not len(y) == len(p) == len(weights):
        raise InputError(f"{len(y)} truths, {len(p)} predictions and {len(weights)} weights")
    if not len(y):
        raise InputError(f"{metric.title} needs at least one row", remedy="give rows to judge")
    if not regression and (y.min() < 0 or y.max() >= p.shape[1]):
        raise InputError(f"classes {y.min()}..{y.max()} do not fit {p.shape[1]} probabilities")
    for values, what in ((y, "the true value"), (p, "a prediction")):
        finite = np.isfinite(values.reshape(len(values), -1)).all(axis=1)
        if not finite.all():
            raise InputError(f"{what} is not a finite number", where=f"row {finite.argmin()}")
    if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.any()):
        raise InputError("weights must be 0 or more, finite and not all 0")
    return y, p, weights


def _checked_packed(
    metric: Metric, y: np.ndarray, p: np.ndarray, weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    y, p = np.asarray(y, dtype=np.float64), np.asarray(p, dtype=np.float64)
    weights = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=np.float64)
    check = kind_of(metric.kinds[0]).check
    assert check is not None
    check(metric.title, y, p)
    if not len(y):
        raise InputError(f"{metric.title} needs at least one row", remedy="give rows to judge")
    finite = np.isfinite(p.reshape(len(p), -1)).all(axis=1)
    if not finite.all():
        what = f"{metric.title} needs finite answers"
        raise InputError(what, where=f"row {finite.argmin()}")
    return y, p, weights
