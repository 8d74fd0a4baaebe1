"""The season of series, and how far to look back and ahead: each choice with its reason."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neuroscope.data.series.frequency import DAY, HOUR, Frequency
from neuroscope.data.series.panel import Panel

MOST_LOOK_BACK = 512  # steps; more cost memory and add little
_MOST_SERIES = 50  # whose autocorrelation is looked at
_LONGEST = 20_000  # newest readings of each of them
_MANY_SERIES = 20
_CLEAR = 0.15  # autocorrelation from which a cycle of the calendar counts
_CLEAR_OTHER = 0.3  # of a cycle that no calendar explains
_LONGER_BY = 0.1  # gain for which a longer cycle is preferred to a shorter one
_HORIZONS = {HOUR / 60: 60, HOUR: 48, DAY: 14, 7 * DAY: 8}  # by the length of a step, up to


@dataclass(frozen=True)
class Chosen:
    """A number of steps and why it was chosen."""

    steps: int
    reason: str


def default_horizon(frequency: Frequency, shortest: int) -> Chosen:
    """Return how far to forecast; at most a fifth of a series of `shortest` readings."""
    steps, why = _usual_horizon(frequency)
    most = max(shortest // 5, 1)
    if steps > most:
        return Chosen(most, f"a fifth of the {shortest:,} readings of a series")
    return Chosen(steps, why)


def _usual_horizon(frequency: Frequency) -> tuple[int, str]:
    step = f"one reading each {frequency.words}".replace("each 1 ", "each ")
    if frequency.unit == "number":
        return 12, f"one reading each step of {frequency.words}"
    if frequency.unit == "business day":
        return 10, f"{step}: two weeks of work"
    if frequency.unit == "month":
        steps = max(round(12 / frequency.step), 5)
        return steps, f"{step}: {'a year' if steps * frequency.step == 12 else f'{steps} steps'}"
    steps = next((n for most, n in _HORIZONS.items() if frequency.step <= most), 12)
    if steps == 48:
        steps = round(2 * DAY / frequency.step)
        return steps, f"{step}: two days"
    return steps, f"{step}: {steps} steps"


def find_season(panel: Panel, until: np.ndarray) -> Chosen:
    """Return the season in steps, 1 for none, from the first `until` (s,) readings of each series.

    The cycle of the calendar with the highest autocorrelation counts, else the first of the highest
    peaks of the autocorrelation. A straight trend is taken off first.
    """
    curve = _autocorrelation(panel, until)
    reach = 0 if curve is None else len(curve)
    cycles = panel.frequency.cycles
    if cycles and cycles[0] >= reach and 2 * cycles[0] <= np.median(panel.lengths):
        return Chosen(cycles[0], "the calendar's; there are too few readings to check it")
    if curve is None:
        return Chosen(1, "too few readings to tell a season")
    known = [(m, float(curve[m])) for m in panel.frequency.cycles
             if m < len(curve) and _peaks(curve, m, _CLEAR)]  # fmt: skip
    if known:
        best = known[0]
        for cycle in known[1:]:
            best = cycle if cycle[1] > best[1] + _LONGER_BY else best
        words = f"autocorrelation {best[1]:.2f} after {best[0]} steps of {panel.frequency.words}"
        return Chosen(best[0], words)
    peaks = [m for m in range(3, len(curve) - 1)
             if curve[m] >= curve[m - 1] and curve[m] > curve[m + 1]]  # fmt: skip
    highest = max((curve[m] for m in peaks), default=0.0)
    best_lag = next((m for m in peaks if curve[m] > highest - _LONGER_BY), 0)
    if best_lag and _peaks(curve, best_lag, _CLEAR_OTHER):
        return Chosen(best_lag, f"autocorrelation {curve[best_lag]:.2f} after {best_lag} steps, "
                      "its first high peak")  # fmt: skip
    return Chosen(1, "no cycle in the autocorrelation")


def _peaks(curve: np.ndarray, lag: int, least: float) -> bool:
    """Say whether the curve stands out at `lag` against half-way there and back."""
    low = curve[max(lag // 2, 1) : lag].min(initial=1.0) if lag > 1 else 1.0
    return bool(curve[lag] > least and (lag < 4 or curve[lag] > low + 0.05))


def _autocorrelation(panel: Panel, until: np.ndarray) -> np.ndarray | None:
    """Return the mean autocorrelation by lag of some series, without trend; None when short."""
    longest = np.argsort(-panel.lengths, kind="stable")[:_MOST_SERIES]
    curves = []
    for series in longest:
        begin = panel.bounds[series]
        count = int(min(panel.lengths[series], until[series]))
        line = panel.carried[begin : begin + max(count, 0)][-_LONGEST:]
        curve = _one_autocorrelation(line)
        if curve is not None:
            curves.append(curve)
    if not curves:
        return None
    length = max(len(curve) for curve in curves)
    total, weight = np.zeros(length), np.zeros(length)
    for curve in curves:
        total[: len(curve)] += curve
        weight[: len(curve)] += 1
    return total / np.maximum(weight, 1)


def _one_autocorrelation(line: np.ndarray) -> np.ndarray | None:
    n = len(line)
    if n < 8:
        return None
    steps = np.arange(n) - (n - 1) / 2
    centred = line - line.mean()
    centred = centred - steps * (steps @ centred) / (steps @ steps)
    power = float(centred @ centred)
    if power <= 1e-18 * max(float(line @ line), 1e-300):
        return None
    spectrum = np.fft.rfft(centred, 2 * n)
    full = np.fft.irfft(spectrum * spectrum.conj(), 2 * n)[: n // 2 + 1] / power
    return full * n / (n - np.arange(n // 2 + 1))  # fewer pairs at long lags


def choose_look_back(panel: Panel, season: int, horizon: int, length: int) -> Chosen:
    """Return how many readings a window holds, for series of `length` readings to learn from.

    The longest cycle that fits, twice where that fits as well, and no less than the horizon where
    there is room; a quarter of the readings at most, or half where many series teach.
    """
    share = 2 if len(panel) >= _MANY_SERIES else 4
    most = max(min(MOST_LOOK_BACK, length // share, length - 2 * horizon), 2)
    cycles = sorted({season, *(c for c in panel.frequency.cycles if season > 1)} - {1})
    spans = sorted((times * c, times, c) for c in cycles for times in (1, 2) if times * c <= most)
    span, times, cycle = spans[-1] if spans else (0, 0, 0)
    wanted = max(span, horizon, 8)
    if wanted > most:
        return Chosen(most, f"as many as {length:,} readings allow")
    if wanted == span:
        said = f"two cycles of {cycle} steps" if times == 2 else f"a cycle of {cycle} steps"
        return Chosen(wanted, said)
    return Chosen(wanted, f"no less than the horizon of {horizon} steps" if wanted == horizon
                  else "no season to cover")  # fmt: skip
