"""Showing a run while it goes on: a monitor that reads events and touches no trainer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars

from neuroscope.base import events
from neuroscope.base.events import Event, Monitor
from neuroscope.cli._out import stderr
from neuroscope.cli.views.writing import safe
from neuroscope.judge.metrics import METRICS

_COUNTED = 10  # parts of a step from which they are things done one by one, and a share tells
_SAMPLE_LINES = 6  # of a sample that are shown
_SEARCH = 0.4  # share of a rung's bar that the search for a recipe takes


@contextmanager
def watching(*, quiet: bool) -> Iterator[Monitor]:
    """Yield a monitor: bars on a terminal, one line a rung elsewhere, nothing when quiet."""
    console = stderr()
    if quiet:
        yield events.ignore
    elif not console.is_terminal:
        yield Lines(console)
    else:
        with _bars(console) as bars:
            yield Bar(bars)


def _bars(console: Console) -> Bars:
    return Bars(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        TaskProgressColumn(),
        TextColumn("{task.fields[time]}"),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=console,
        transient=True,
        expand=True,
    )


class Lines:
    """A line for each warning and each finished rung, for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._said: set[str] = set()

    def __call__(self, event: Event) -> None:
        """Write what matters of one event."""
        match event:
            case events.WarningRaised():
                if event.gist not in self._said:
                    self._said.add(event.gist)
                    self._line(f"note: {event.text}")
            case events.RungFinished():
                self._line(f"{event.rung}: {_outcome(event)}")
            case events.SampleProduced():
                self._line(_sample(event))
            case _:
                pass

    def _line(self, text: str) -> None:
        self.console.print(text, markup=False, soft_wrap=True)


def _outcome(event: events.RungFinished) -> str:
    if event.value is None or event.interval is None:
        return event.status
    low, high = event.interval
    name = METRICS[event.metric].title if event.metric in METRICS else event.metric
    return f"{name} {event.value:z.3f} ({low:z.3f} to {high:z.3f}), {event.seconds:.1f} s"


def _sample(event: events.SampleProduced) -> str:
    """Return the first lines of what a net made, told apart from what is said about it."""
    lines = [line for line in safe(event.text).splitlines() if line.strip()][:_SAMPLE_LINES]
    return "\n".join(
        [f"{event.rung}, epoch {event.epoch}, writes:", *(f"  │ {one}" for one in lines)]
    )


class Bar:
    """One bar for the step or the rung that is going on, with the time it still takes.

    Warnings are not among it: the result that follows holds them all.
    """

    def __init__(self, bars: Bars) -> None:
        self.bars = bars
        self._lock = threading.Lock()  # folds are fitted side by side and report at any time
        self._task: TaskID | None = None
        self._label = ""
        self._folds, self._trials = 1, 1
        self._rung = ""  # how the bar of the rung that goes on is called, "" between two
        self._base = 0.0
        self._parts: dict[tuple[int, int], float] = {}

    def __call__(self, event: Event) -> None:
        """Move the bar by one event."""
        with self._lock:
            self._take(event)

    def _take(self, event: Event) -> None:
        match event:
            case events.Progress():
                self._step(event)
            case events.RunStarted():
                self._folds = int(event.rows.get("folds", 1))
            case events.RungStarted():
                self._rung = f"rung {event.position + 1} of {event.total}: {event.rung}"
                self._base, self._parts, self._trials = 0.0, {}, 1
                self._begin(self._rung)
            case events.SearchTried() if self._folds == 1:  # on inner splits, before the fit
                self._base = _SEARCH
                self._move(_SEARCH * event.trial / event.trials)
            case events.EpochEnded():
                self._trials = event.trials
                self._part(event.fold, event.epoch / event.epochs, event.trial)
            case events.FoldFinished():
                self._folds, self._trials = event.folds, event.trials
                self._part(event.fold, 1.0, event.trial)
            case events.SampleProduced():
                self.bars.console.print(_sample(event), markup=False, style="dim")
            case events.RungFinished():
                self._finish(f"{event.rung}: {_outcome(event)}")
                self._rung = ""
            case _:
                pass

    def _step(self, event: events.Progress) -> None:
        """Show a step; one inside a rung, such as decoding pictures, gives the bar back to it."""
        if event.done >= event.total:
            self._end()
            if self._rung:
                self._begin(self._rung)
            return
        counted = event.total > _COUNTED
        if self._task is None or self._label != event.label:
            self._begin(event.label, known=counted)
        if counted:
            self._move(event.done / event.total)

    def _part(self, fold: int, share: float, trial: int) -> None:
        """Take the share of one fold; a fold below 0 is a fit outside the folds."""
        if fold < 0:
            self._move(share)
            return
        part = trial, fold
        self._parts[part] = max(share, self._parts.get(part, 0.0))
        done = sum(self._parts.values()) / max(self._folds * self._trials, 1)
        self._move(self._base + (1 - self._base) * done)

    def _begin(self, label: str, *, known: bool = True) -> None:
        self._end()
        self._label = label
        self._task = self.bars.add_task(label, total=1.0 if known else None, time="left")

    def _move(self, share: float) -> None:
        if self._task is not None:
            self.bars.update(self._task, total=1.0, completed=share)

    def _finish(self, line: str) -> None:
        """Leave the rung's outcome standing above the bars that follow."""
        if self._task is not None:
            self.bars.update(self._task, description=line, total=1.0, completed=1.0, time="took")
            self._task = None

    def _end(self) -> None:
        if self._task is not None:
            self.bars.remove_task(self._task)
            self._task = None
