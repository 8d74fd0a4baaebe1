"""How far a fit has come, and how fast it may go on within its time.

The schedule is a curve over the whole fit. Without a limit the whole is the planned steps, and the
clock has no say in the weights. Where the time does not suffice, the rest of the curve is laid over
the steps that the time still allows, so that the rate comes down before the time is up.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

_LOOK = 0.5  # seconds between two looks at the clock
_RESERVE = 0.97  # of the time that is left may be planned
_FIRST_STEPS = 3  # that are timed before the first judgement; the step before them warms up
_SURE_STEPS, _SURE_SHARE = 20, 0.05  # steps, and share of the time, that a judgement rests on


@dataclass
class Clock:
    """Steps, seconds and the place on the schedule."""

    planned: int  # steps of the whole fit
    epoch_steps: int
    seconds: float | None = None  # that the fit may take; None is no limit
    step: int = 0
    done: float = 0.0  # share of the schedule that lies behind
    before: float = 0.0  # seconds used before this process took over
    fitted: int | None = None  # steps in all that the time allows, once it is seen to be short
    ending: float = 0.0  # steps that the time after the last step is worth
    watching: float = 0.0  # seconds that one look at the validation rows takes
    began: float = field(default_factory=time.perf_counter)
    _marks: list[tuple[int, float, float]] = field(default_factory=list)  # step, time, watched
    _watched: float = 0.0  # seconds of watching so far
    _next: float = 0.0

    @property
    def spent(self) -> float:
        """Seconds since the fit began, also in processes before this one."""
        return self.before + time.perf_counter() - self.began

    @property
    def share(self) -> float:
        """Share of the schedule that the next step is."""
        if self.fitted is None:
            return 1 / self.planned
        return (1 - self.done) / max(self.fitted - self.step, 1)

    @property
    def over(self) -> bool:
        """Say whether the time, or what it was planned for, is used up."""
        return self.fitted is not None and self.step >= self.fitted

    @property
    def sure(self) -> bool:
        """Say whether the judgement rests on enough: the first steps on a GPU are slow."""
        if self.over or not self._marks:
            return self.over
        enough = self.spent - self.before >= _SURE_SHARE * (self.seconds or 0.0)
        return enough and self.step - self._marks[0][0] >= _SURE_STEPS

    def advance(self) -> bool:
        """Count a step; says whether it is time to look around (never more than twice a second)."""
        share = self.share
        self.step += 1
        self.done = self.step / self.planned if self.fitted is None else self.done + share
        self.done = min(self.done, 1.0)
        now = time.perf_counter()
        if not self._marks:
            self._marks, self._next = [(self.step, now, self._watched)], now
            return False
        if now < self._next or self.step - self._marks[0][0] < _FIRST_STEPS:
            return False
        self._next = now + _LOOK
        self._plan(now)
        self._mark(now)
        return True

    def _mark(self, now: float) -> None:
        """Note where the fit stands; the pace is that of the latter half of the time so far."""
        self._marks.append((self.step, now, self._watched))
        middle = (self.began + now) / 2
        while len(self._marks) > 2 and self._marks[1][1] <= middle:
            del self._marks[0]

    def watched(self, seconds: float) -> None:
        """Take note of the seconds that a look at the validation rows took."""
        self.watching = seconds
        self._watched += seconds

    def _plan(self, now: float) -> None:
        """Fit the steps to the time, when it is short, and again whenever the pace changes."""
        if self.seconds is None:
            return
        left, (step, then, watched) = self.planned - self.step, self._marks[0]
        pace = (now - then - (self._watched - watched)) / (self.step - step)
        if self.spent + (left + self.ending) * pace + self._looks(left) <= self.seconds:
            if self.fitted is not None:
                self.fitted = self.planned
            return
        time_left = _RESERVE * (self.seconds - self.spent) - self.ending * pace
        allowed = max(math.floor(time_left / (pace + self.watching / self.epoch_steps)), 0)
        if allowed < self.epoch_steps:  # there is one look at the end all the same
            allowed = max(math.floor((time_left - self.watching) / pace), 0)
        self.fitted = self.step + min(left, allowed)

    def _looks(self, steps: int) -> float:
        return math.ceil(steps / self.epoch_steps) * self.watching
