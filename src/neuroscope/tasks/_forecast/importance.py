"""Which of the columns beside its target a forecast relies on: permutation importance of each.

The forecast is made once more with one column's course, in the window and at the steps to come,
taken from another moment or series. A course stays what it is, only what it says of this forecast
is lost (Fisher, Rudin and Dominici 2019). Not covered: the target's own history, which every
forecast reads; and columns that say the same, which stand in for each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from neuroscope.base import randomness
from neuroscope.data.series.beside import calendar
from neuroscope.data.series.beside.beside import Beside
from neuroscope.data.series.windows import Block, Windows
from neuroscope.judge.metrics import Metric
from neuroscope.tasks._forecast.posing import Posed
from neuroscope.tasks._forecast.repeating import Repeating
from neuroscope.tasks._learning import Learner, Problem
from neuroscope.tasks._rows.explained import SECONDS, lost

_MOST_ROWS = 500  # forecasts that are made again
_AT_ONCE = 1 << 21  # numbers that are read at a time


@dataclass(frozen=True)
class Places:
    """Where one column stands in a block: among `seen`, and among `then` and `coming`."""

    seen: slice
    ahead: slice


@dataclass(frozen=True, eq=False)
class Exchanged:
    """Windows whose columns beside have the course of other windows.

    `donors` (n, c) says for each column which window (a position) its course is taken from.
    """

    windows: Windows
    donors: np.ndarray
    places: tuple[Places, ...]

    def known(self, horizon: int) -> Iterator[Block]:
        """Yield what the origins seem to know, some rows at a time."""
        wide = self.windows.look_back + horizon
        size = max(_AT_ONCE // (wide * (1 + len(self.places))), 1)
        for first in range(0, len(self.windows), size):
            rows = np.arange(first, min(first + size, len(self.windows)))
            yield self._block(rows, horizon)

    def _block(self, rows: np.ndarray, horizon: int) -> Block:
        block = self.windows.some(rows).block(horizon)
        for donors, place in zip(self.donors[rows].T, self.places, strict=True):
            if (donors == rows).all():
                continue
            other = self.windows.some(donors).block(horizon)
            for mine, theirs, where in ((block.seen, other.seen, place.seen),
                                        (block.then, other.then, place.ahead),
                                        (block.coming, other.coming, place.ahead)):  # fmt: skip
                mine[..., where] = theirs[..., where]
        return block


def importance(
    problem: Problem,
    learner: Learner,
    rows: np.ndarray,
    metric: Metric,
    seconds: float | None = None,
) -> list[dict[str, Any]]:
    """Return what `metric` loses without each column beside the target; see `_rows.explained`.

    Empty where nothing stands beside it, and for rungs that read nothing there. `rows` are held
    out, at best those of the test; above 500 a sample is taken.
    """
    posed = Posed.of(problem)
    beside = posed.panel.beside
    if beside is None or isinstance(learner, Repeating):
        return []
    if len(rows) > _MOST_ROWS:
        random = randomness.generator(problem.seed, "importance rows")
        rows = np.sort(random.choice(rows, _MOST_ROWS, replace=False))
    look_back = getattr(learner.encoder, "look_back", posed.setting.look_back)
    windows, places = posed.windows(rows, look_back), places_of(beside)

    def predict(donors: np.ndarray) -> np.ndarray:
        return learner.predict(Exchanged(windows, donors, tuple(places.values())))

    seconds = SECONDS if seconds is None else min(seconds, SECONDS)
    own = np.repeat(np.arange(len(rows))[:, None], len(places), axis=1)
    columns = {name: np.array([place]) for place, name in enumerate(places)}
    return lost(problem, predict, own, columns, metric, rows, seed=problem.seed, seconds=seconds)


def places_of(beside: Beside) -> dict[str, Places]:
    """Return where each column stands, by name, and each part of the calendar."""
    found, none = {}, slice(0, 0)
    seen = 0
    for code in sorted(beside.codes, key=lambda code: not code.ahead):
        here = slice(seen, seen + code.width)
        found[code.name] = Places(here, here if code.ahead else none)
        seen += code.width
    ahead = beside.ahead
    for part in beside.parts:
        found[f"{part} (calendar)"] = Places(none, slice(ahead, ahead + calendar.PARTS[part]))
        ahead += calendar.PARTS[part]
    return found
