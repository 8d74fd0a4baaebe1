"""Which rung to use, and why: the one-standard-error rule, in words.

Breiman, Friedman, Olshen & Stone (1984), "Classification and Regression Trees", section 3.4.3:
take the simplest model whose score is within one standard error of the best. The standard error
here is of the *paired* difference on the same held-out rows, which is sharper than that of one
score: so sharp, that of two truly equal rungs the deeper one would win by more than one standard
error in one climb of six. A rung therefore also counts as good as the best while the 95 % interval
of the difference holds 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from neuroscope.base.errors import InputError, WorkError
from neuroscope.judge._record import Record
from neuroscope.judge.intervals import (
    DEFAULT,
    Difference,
    Interval,
    Resampled,
    Resampling,
    resample,
)
from neuroscope.judge.metrics import Metric

_DIGITS = (3, 4, 5)  # of a difference in words
_SMALL = 0.0005  # reads as 0.000

Verdict = Literal["simplest", "deeper", "only", "yardstick", "guessing"]


@dataclass(frozen=True, eq=False)
class RungScore:
    """What a rung said about the held-out rows; `predictions` None when it did not finish.

    `order` rises with complexity, 0 is guessing (majority, mean). A `yardstick` (trees) is
    compared and never chosen. `title` reads inside a sentence: "a single neuron". `cut` says that
    the time budget ended its training early, so that it might do better.
    """

    name: str
    title: str
    order: int
    predictions: np.ndarray | None = None
    yardstick: bool = False
    parameters: int = 0
    status: str = "done"
    cut: bool = False


@dataclass(frozen=True)
class Choice(Record):
    """The chosen rung and the reasons.

    verdict: "simplest" the plainest rung above guessing is enough; "deeper" a deeper one pays
    for itself; "only" there was nothing to choose from; "yardstick" no rung beats guessing but
    the yardstick does; "guessing" nothing beats guessing, `chosen` is then the guess.
    `differences`: every other finished rung minus the chosen one.
    """

    chosen: str
    best: str
    verdict: Verdict
    usable: bool  # False when the advice is not to use the chosen rung
    compared: bool  # False when nothing stands beside the chosen rung, not even guessing
    yardstick_better: bool
    headline: str  # one sentence: figure, nearest alternative, what to do
    why: str  # the headline, and the advice on the yardstick where it does better
    sentences: tuple[str, ...]  # the reasons one by one
    intervals: Mapping[str, Interval]
    differences: Mapping[str, Difference]


def choose(
    rungs: Sequence[RungScore],
    metric: str | Metric,
    y: np.ndarray,
    plan: Resampling = DEFAULT,
    weights: np.ndarray | None = None,
    groups: np.ndarray | None = None,
    folds: np.ndarray | None = None,
) -> Choice:
    """Choose the simplest rung that is statistically as good as the best one.

    weights, groups, folds (n,): as in `intervals.resample`. Raises WorkError when no rung
    finished or the metric has no value on these rows.
    """
    finished = _finished(rungs)
    predictions = [rung.predictions for rung in finished if rung.predictions is not None]
    scored = resample(metric, y, predictions, plan, weights, groups, folds)
    if not np.isfinite(scored.values).all():
        raise WorkError(
            f"{scored.metric.title} has no value on the {len(y)} held-out rows",
            remedy="hold out more rows, so that every class occurs among them",
        )
    missing = tuple(rung for rung in rungs if rung.predictions is None)
    field = _Field(tuple(finished), missing, scored)
    chosen = field.simplest_as_good_as_best()
    verdict = field.verdict(chosen)
    if verdict in ("guessing", "yardstick"):
        chosen = field.baseline or chosen
    yardstick = field.best_yardstick
    gap = None if yardstick is None else field.difference(yardstick, chosen)
    yardstick_better = gap is not None and gap.gain > gap.standard_error
    headline = _headline(field, chosen, verdict)
    advised = yardstick_better and verdict != "yardstick"  # whose headline says it already
    return Choice(
        chosen=chosen.name,
        best=field.best.name,
        verdict=verdict,
        usable=chosen is not field.baseline,
        compared=len(field.ran) > 1,
        yardstick_better=yardstick_better,
        headline=headline,
        why=f"{headline} {_on_yardstick(field, chosen)}" if advised else headline,
        sentences=tuple(_sentences(field, chosen)),
        intervals={rung.name: field.interval(rung) for rung in field.ran},
        differences={
            rung.name: field.difference(rung, chosen) for rung in field.ran if rung is not chosen
        },
    )


def _finished(rungs: Sequence[RungScore]) -> list[RungScore]:
    """Return the rungs with predictions, simplest first."""
    names = [rung.name for rung in rungs]
    if len(set(names)) < len(names):
        raise InputError(f"two rungs of one name among {names}")
    ran = sorted((r for r in rungs if r.predictions is not None), key=lambda r: r.order)
    if all(rung.yardstick for rung in ran):
        said = "; ".join(f"{r.name}: {r.status}" for r in rungs if r.predictions is None)
        raise WorkError("no rung of the ladder finished", remedy=said or "ask for a rung")
    return ran


@dataclass(frozen=True)
class _Field:
    """The finished rungs, simplest first, scored on the same resamples."""

    ran: tuple[RungScore, ...]
    missing: tuple[RungScore, ...]
    scored: Resampled

    @property
    def candidates(self) -> list[RungScore]:
        return [rung for rung in self.ran if not rung.yardstick]

    @property
    def baseline(self) -> RungScore | None:
        return next((rung for rung in self.candidates if rung.order == 0), None)

    @property
    def learned(self) -> list[RungScore]:
        return [rung for rung in self.candidates if rung is not self.baseline]

    @property
    def best(self) -> RungScore:
        return max(self.candidates, key=self.merit)  # the first, so the simplest, of equals

    @property
    def best_yardstick(self) -> RungScore | None:
        return max((rung for rung in self.ran if rung.yardstick), key=self.merit, default=None)

    def value(self, rung: RungScore) -> float:
        return float(self.scored.values[self.ran.index(rung)])

    def merit(self, rung: RungScore) -> float:
        return self.scored.metric.sign * self.value(rung)

    def interval(self, rung: RungScore) -> Interval:
        return self.scored.interval(self.ran.index(rung))

    def difference(self, a: RungScore, b: RungScore) -> Difference:
        return self.scored.difference(self.ran.index(a), self.ran.index(b))

    def simplest_as_good_as_best(self) -> RungScore:
        best, base = self.best, self.baseline
        for rung in self.candidates:
            shortfall = self.difference(best, rung)
            as_good = shortfall.gain <= shortfall.standard_error or not shortfall.clear
            guesses = base not in (None, rung) and not self.difference(rung, base).clear
            if as_good and not guesses:
                return rung
        return best

    def verdict(self, chosen: RungScore) -> Verdict:
        base, yardstick = self.baseline, self.best_yardstick
        if base is not None and (chosen is base or not self.difference(self.best, base).clear):
            if yardstick is not None and self.difference(yardstick, base).clear:
                return "yardstick"
            if len(self.ran) > 1:
                return "guessing"
        if len(self.learned) < 2:
            return "only"
        return "simplest" if chosen is self.learned[0] else "deeper"


def _headline(field: _Field, chosen: RungScore, verdict: Verdict) -> str:
    """One sentence: the figure, the nearest alternative, what to do."""
    say = {
        "guessing": _nothing_beats_guessing,
        "yardstick": _only_the_yardstick,
        "only": _nothing_to_choose_from,
        "deeper": _pays_for_itself,
        "simplest": _is_enough,
    }[verdict]
    return say(field, chosen)


def _pays_for_itself(field: _Field, chosen: RungScore) -> str:
    rival = max(
        (r for r in field.learned if r is not chosen and r.order <= chosen.order), key=field.merit
    )
    gap = field.difference(chosen, rival)
    return (
        f"{_reached(field, chosen)}, {_amount(field.scored.metric, gap)} better than "
        f"{_named(rival)}, {_weight(gap)}: use {_the(chosen.title)}."
    )


def _is_enough(field: _Field, chosen: RungScore) -> str:
    metric = field.scored.metric
    rival = max((r for r in field.learned if r is not chosen), key=field.merit)
    gap = field.difference(rival, chosen)
    use = f"use {_the(chosen.title)}"
    if gap.gain <= 0:
        more = f"{_named(rival)} {_verb(rival, 'do')} no better{_untold(rival, gap)}"
        return f"{_reached(field, chosen)}; {more}: {use}."
    adds = _verb(rival, "add") if metric.greater_is_better else f"{_verb(rival, 'lower')} it by"
    more = f"{_named(rival)} {adds} {_amount(metric, gap)}, {_weight(gap)}"
    return f"{_reached(field, chosen)}; {more}: {use}."


def _nothing_to_choose_from(field: _Field, chosen: RungScore) -> str:
    base = field.baseline
    if base is None or chosen is base:
        other = "no other rung finished" if field.missing else "no other rung was asked for"
        return f"{_reached(field, chosen)}; {other}, so whether that is good cannot be told."
    gap = _amount(field.scored.metric, field.difference(chosen, base))
    better = f"{gap} better than {base.title}"
    said = f"{_reached(field, chosen)}, {better}: use {_the(chosen.title)}"
    untried = " and ".join(rung.title for rung in field.missing if not rung.yardstick)
    return f"{said}; {untried} did not finish and may do better." if untried else f"{said}."


def _only_the_yardstick(field: _Field, chosen: RungScore) -> str:
    trees = field.best_yardstick or chosen
    gap = _amount(field.scored.metric, field.difference(trees, chosen))
    tried = "beats guessing here" if field.learned else "finished"
    return (
        f"No network {tried}, but {trees.title} {_verb(trees, 'beat')} guessing "
        f"({_score(field, trees)}, {gap} better): use {_the(trees.title)}."
    )


def _nothing_beats_guessing(field: _Field, chosen: RungScore) -> str:
    best = max((r for r in field.ran if r is not chosen), key=field.merit)
    gap = field.difference(best, chosen)
    amount = _amount(field.scored.metric, gap)
    found = f"{amount} better, which chance explains" if gap.gain > 0 else "no better"
    said = f"Nothing beats guessing: {_reached(field, best, capital=False)}, {found}; "
    if all(rung.cut for rung in field.learned) and field.learned:
        return f"{said}but no training came to its end: try again with a longer --budget."
    return f"{said}do not use a model on these columns."


def _many(chosen: RungScore) -> bool:
    """Say whether there are more classes than two, so that none of them is the positive one."""
    p = chosen.predictions
    return p is not None and p.ndim == 2 and p.shape[1] > 2


def _sentences(field: _Field, chosen: RungScore) -> list[str]:
    """Return the reasons one by one, for the report."""
    metric, own = field.scored.metric, field.interval(chosen)
    size = f" ({chosen.parameters:,} parameters)" if chosen.parameters else ""
    percent = f"{100 * own.confidence:g} %"
    words = metric.words(own.value, "" if _many(chosen) else "positive")
    said = [
        f"{_capital(chosen.title)}{size}: {metric.title} {metric.text(own.value)}, {percent} "
        f"interval {metric.text(own.low)} to {metric.text(own.high)}.",
        f"On rows held out from learning: {_lower(words)}",
    ]
    others = [rung for rung in field.candidates if rung is not chosen]
    said += [_compared(field, rung, chosen) for rung in others]
    if field.best_yardstick is not None:
        said.append(_on_yardstick(field, chosen))
    said += [f"{_capital(r.title)} did not finish: {r.status}." for r in field.missing]
    if len(field.ran) > 1:
        said.append(
            f"± is one standard error of the difference over {field.scored.draws.shape[1]:,} "
            "resamples of the same held-out rows; of the rungs that are within one standard error "
            "of the best, or behind it by no more than chance explains (95 % interval), the "
            "simplest is chosen."
        )
    return said


def _on_yardstick(field: _Field, chosen: RungScore) -> str:
    trees = field.best_yardstick
    assert trees is not None  # the callers have looked
    gap = field.difference(trees, chosen)
    if gap.gain > gap.standard_error:
        advice = f"{trees.title} {_verb(trees, 'do')} better here: consider them"
    elif trees.cut:
        advice = "a longer --budget makes this a fair comparison"
    else:
        advice = f"{_the(chosen.title)} {_verb(chosen, 'hold')} against {trees.title}"
    return f"{_compared(field, trees, chosen)[:-1]}: {advice}."


def _compared(field: _Field, rung: RungScore, chosen: RungScore) -> str:
    metric, gap = field.scored.metric, field.difference(rung, chosen)
    reached = _reached(field, rung)
    if gap.value == 0:
        return f"{reached}, the same."
    side = "better" if gap.gain > 0 else "worse"
    untold = _untold(rung, gap)
    return f"{reached}, {_amount(metric, gap)} {side}{untold or f', {_weight(gap)}'}."


def _untold(rung: RungScore, gap: Difference) -> str:
    """Return what to say of a rung that did worse and had too little time to show more."""
    unfair = rung.cut and not rung.yardstick and gap.gain < 0
    return ", which a longer --budget may change" if unfair else ""


def _reached(field: _Field, rung: RungScore, capital: bool = True) -> str:
    title = _capital(_named(rung)) if capital else _named(rung)
    return f"{title} {_verb(rung, 'reach')} {_score(field, rung)}"


def _named(rung: RungScore) -> str:
    """Return the title, with a word on a training that the time budget ended early."""
    return f"{rung.title} (cut short by the time budget)" if rung.cut else rung.title


def _score(field: _Field, rung: RungScore) -> str:
    metric = field.scored.metric
    return f"{metric.text(field.value(rung))} {metric.title}"


def _amount(metric: Metric, gap: Difference) -> str:
    """'0.003 (± 0.004)', the size of a difference with its standard error."""
    size, error = abs(gap.value), gap.standard_error
    if metric.in_target_units:
        return f"{size:,.3g} (± {error:,.3g})"
    for digits in _DIGITS:  # as many as it takes for neither to read as zero
        if all(n == 0 or n >= 0.5 * 10**-digits for n in (size, error)):
            return f"{size:.{digits}f} (± {error:.{digits}f})"
    return "less than 0.001" if size < _SMALL else f"{size:.3f} (± less than 0.001)"


def _weight(gap: Difference) -> str:
    if abs(gap.value) <= gap.standard_error:
        return "which is within noise"
    if gap.low > 0 or gap.high < 0:
        return "more than chance explains"
    return "more than one standard error, though chance is not excluded"


def _plural(title: str) -> bool:
    """Say whether a title takes a plural verb: its head noun decides, or an "and"."""
    if title.split(maxsplit=1)[0].lower() in ("a", "an", "one", "always"):
        return False
    head = re.split(r" (?:of|on|with|from|in|by)\b| \(", title)[0]
    return " and " in head or (head.endswith("s") and not head.endswith(("ss", "series")))


def _verb(rung: RungScore, verb: str) -> str:
    if _plural(rung.title):
        return verb
    return verb + ("es" if verb.endswith(("ch", "o")) else "s")


def _the(title: str) -> str:
    first, _, rest = title.partition(" ")
    return f"the {rest}" if first.lower() in ("a", "an", "one") and rest else title


def _lower(text: str) -> str:
    second = text[1:2]
    return text if second.isupper() else text[:1].lower() + text[1:]


def _capital(title: str) -> str:
    return title[:1].upper() + title[1:]
