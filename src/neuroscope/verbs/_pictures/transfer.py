"""Was transfer worth it? From scratch, frozen and fine-tuned, compared on the same rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroscope.judge.intervals import Difference, paired_difference
from neuroscope.tasks import rung_name
from neuroscope.verbs._climb.climb import Climb

_SCRATCH = ("neuron", "dense", "convolution", "residual")
_TRANSFER = ("transfer", "fine_tuning")


def transfer_worth(climb: Climb) -> dict[str, Any] | None:
    """Return scores, seconds and paired differences, with the answer in words; None without.

    The differences are to the best net from scratch, whichever rung it stands on, on the held-out
    rows that all rungs share.
    """
    done = {name: run for name, run in climb.runs.items() if run.status == "done" and run.interval}
    moved = [name for name in _TRANSFER if name in done]
    scratch = _best(climb, [name for name in _SCRATCH if name in done])
    if not moved or not scratch:
        return None
    base = climb.predictions(done[scratch])
    gaps = {name: _gap(climb, climb.predictions(done[name]), base) for name in moved}
    best = _best(climb, moved)
    return {
        "scratch": scratch,
        "rungs": [_entry(climb, name, gaps.get(name)) for name in (scratch, *moved)],
        "worth": gaps[best].clear,
        "sentences": [
            _verdict(climb, best, scratch, gaps[best]),
            *([_fine_tuned(climb)] if len(moved) == 2 else []),
        ],
    }


def _best(climb: Climb, names: tuple[str, ...] | list[str]) -> str:
    """Return the rung of these with the best score, "" when none is done."""
    known = [n for n in names if n in climb.runs and climb.runs[n].interval is not None]
    return max(known, key=lambda n: climb.metric.sign * _value(climb, n), default="")


def _value(climb: Climb, name: str) -> float:
    interval = climb.runs[name].interval
    return interval.value if interval is not None else float("nan")


def _gap(climb: Climb, p: np.ndarray, base: np.ndarray) -> Difference:
    held, problem = climb.held_out, climb.problem
    return paired_difference(
        climb.metric, problem.y[held], p, base, climb.resampling, problem.weights_of(held),
        problem.groups_of(held), climb.fold_numbers,
    )  # fmt: skip


def _entry(climb: Climb, name: str, gap: Difference | None) -> dict[str, Any]:
    run = climb.runs[name]
    interval = run.interval
    assert interval is not None
    return {
        "name": name,
        "title": _title(climb, name),
        "value": interval.value,
        "interval": [interval.low, interval.high],
        "seconds": run.seconds,
        "gain": None if gap is None else gap.gain,
        "gain_interval": None if gap is None else [gap.gain_low, gap.gain_high],
    }


def _title(climb: Climb, name: str) -> str:
    return next(rung.TITLE for rung in climb.rungs if rung_name(rung) == name)


def _verdict(climb: Climb, best: str, scratch: str, gap: Difference) -> str:
    metric = climb.metric
    way = "Yes" if gap.clear else "No" if gap.gain_high < 0 else "Not clearly"
    more = "better than" if gap.gain >= 0 else "worse than"
    noise = "" if gap.clear or gap.gain_high < 0 else ": within noise"
    return (
        f"{way}: {_title(climb, best)} reaches {metric.title} {metric.text(_value(climb, best))}, "
        f"{metric.text(abs(gap.value))} {more} the best net from scratch, "
        f"{_title(climb, scratch)} (95 % interval of the difference {metric.text(gap.gain_low)} "
        f"to {metric.text(gap.gain_high)}){noise}; it took {climb.runs[best].seconds:,.0f} s "
        f"instead of {climb.runs[scratch].seconds:,.0f} s."
    )


def _fine_tuned(climb: Climb) -> str:
    frozen, tuned = (climb.runs[name] for name in _TRANSFER)
    gap = _gap(climb, climb.predictions(tuned), climb.predictions(frozen))
    said = climb.metric.text(abs(gap.value))
    if gap.clear:
        found = f"gains another {said}, more than chance explains"
    elif gap.gain_high < 0:
        found = f"loses {said}: the frozen backbone is better here"
    else:
        found = f"changes it by {climb.metric.text(gap.gain)}, within noise"
    return (
        f"Letting the backbone itself learn (fine-tuning) {found}; it took {tuned.seconds:,.0f} s, "
        f"the frozen backbone {frozen.seconds:,.0f} s."
    )
