"""Sequences as arrays for a net: (n, steps, channels), standardised, with what is missing told.

Readings one step apart are taken as they are. Others are brought to a grid: the mean of each bin
of time, the value before where there is none, whether there was a reading, and how long ago the
last one was (the inputs of GRU-D; Che et al. 2018, Sci. Rep. 8:6085). Plain features stand beside
every step. Whatever a sequence holds after a moment changes nothing before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from neuroscope.base.errors import SchemaError
from neuroscope.data.encoders import Encoder
from neuroscope.data.encoders.code import robust_scale, scaled
from neuroscope.data.schema import Schema
from neuroscope.data.series.column import Readings, readings
from neuroscope.data.table import Table

MOST_STEPS = 96  # of a grid for irregular readings
MOST_PLAIN = 400  # steps of regular readings that are read one by one
_REGULAR = 1e-3  # of a step, by which regular readings may stray
_ROUND = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
_LONGER = 2.0  # times the longest training sequence, up to which later ones are read


@dataclass(frozen=True)
class Grid:
    """Steps of `width` (in seconds, or the unit of the times) from the first reading on."""

    width: float
    steps: int  # of the longest sequence
    regular: bool  # readings are one step apart, no bin holds two
    reason: str = ""

    def step(self, elapsed: np.ndarray) -> np.ndarray:
        """Return the step that moments since the first reading fall into."""
        share = elapsed / self.width
        return np.rint(share).astype(np.int64) if self.regular else share.astype(np.int64)


@dataclass(frozen=True)
class SequenceRows:
    """Encoded sequences: `x` (n, steps, k) float32, zeros after each end, and `lengths` (n,)."""

    x: np.ndarray
    lengths: np.ndarray

    def __len__(self) -> int:
        return len(self.x)

    @property
    def nbytes(self) -> int:
        """Bytes of the steps."""
        return self.x.nbytes


@dataclass(frozen=True)
class Encoded:
    """Encoded sequences, and what was noted on the way."""

    x: SequenceRows
    notes: tuple[str, ...] = ()


def suggest_grid(found: Readings, steps: int = 0) -> Grid:
    """Choose a grid for training sequences; `steps` above 0 asks for about so many.

    Readings at equal distances are steps, as long as there are at most 400. Others get bins, about
    as many as half of the sequences have readings, at most 96.
    """
    apart = np.diff(found.elapsed)
    apart = apart[np.diff(found.rows) == 0]
    apart = apart[apart > 0]
    longest = float(found.elapsed.max(initial=0.0))
    width = float(np.median(apart)) if len(apart) else 1.0
    off = np.abs(found.elapsed / width - np.rint(found.elapsed / width)).max(initial=0.0)
    count = round(longest / width) + 1
    often = found.lengths.sum() >= 0.5 * (_per_row(found) / width + 1).sum()
    if off <= _REGULAR and often and count <= (steps or MOST_PLAIN):
        return Grid(width, count, True, f"readings are {width:g} apart, {count:,} at most")
    wanted = steps or int(np.clip(np.median(found.lengths[found.lengths > 0]), 2, MOST_STEPS))
    width = _nice(longest / wanted) if longest > 0 else 1.0
    count = int(longest / width) + 1
    why = "as asked" if steps else f"half of the sequences have {wanted:,} readings or more"
    return Grid(width, count, False, f"{count:,} steps of {width:g} each: {why}")


def _per_row(found: Readings) -> np.ndarray:
    out = np.zeros(len(found))
    out[found.rows] = found.elapsed
    return out


def _nice(width: float) -> float:
    """Return a round number at or above this one, such as 50 for 43."""
    scale = 10.0 ** np.floor(np.log10(width))
    return float(next(n * scale for n in _ROUND if n * scale >= width * (1 - 1e-9)))


@dataclass(frozen=True)
class SeriesEncoder:
    """What turns sequences into arrays, fitted on training rows; JSON both ways."""

    schema: Schema  # of the features and the axis
    grid: Grid
    centers: tuple[float, ...]  # one a channel
    spreads: tuple[float, ...]
    gaps: tuple[bool, ...]  # channels whose missing readings are told
    plain: Encoder | None  # of the features that are no series

    @classmethod
    def fit(cls, table: Table, schema: Schema, rows: np.ndarray, steps: int = 0) -> SeriesEncoder:
        """Learn grid, centers, spreads and the codes of plain features from the training rows."""
        read = schema.features + ((axis,) if (axis := schema.by_role("axis")) else ())
        own = Schema(tuple(c for c in read if c.kind != "constant"))
        found = readings(table, own, rows)
        grid = suggest_grid(found, steps)
        known = [v[np.isfinite(v)].astype(np.float64) for v in found.values.T]
        scales = [robust_scale(v) for v in known]
        step = grid.step(found.elapsed)
        cells = len(np.unique(found.rows * np.int64(grid.steps + 1) + step))
        full = cells >= int((_steps(found, grid)).sum())
        gaps = tuple(not full or len(v) < len(found.values) for v in known)
        try:
            codes = Encoder.fit(table, own, rows)
        except SchemaError:  # there are no plain features, or none varies
            codes = None
        centers, spreads = zip(*scales, strict=True)
        return cls(own, grid, centers, spreads, gaps, codes)

    @property
    def channels(self) -> int:
        """Numbers a step that a net reads."""
        beside = len(self.plain.names) if self.plain else 0
        return len(self.gaps) + 2 * sum(self.gaps) + beside

    def transform(self, table: Table, rows: np.ndarray | None = None) -> Encoded:
        """Return the steps of some rows; of a sequence that is far longer the newest ones."""
        found = readings(table, self.schema, rows)
        length = _steps(found, self.grid)
        most = int(min(length.max(initial=1), _LONGER * self.grid.steps))
        x = np.zeros((len(found), max(most, 1), self.channels), np.float32)
        step = self.grid.step(found.elapsed)
        cut = np.maximum(length - most, 0)
        place = found.rows * np.int64(most) + step - cut[found.rows]
        kept = step >= cut[found.rows]
        length = np.minimum(length, most)
        alive = np.arange(most) < length[:, None]
        column = 0
        for channel, gap in enumerate(self.gaps):
            given = found.values[:, channel].astype(np.float64)
            there = kept & np.isfinite(given)
            column = self._write(x, column, channel, gap, place[there], given[there], alive)
        notes: tuple[str, ...] = ()
        if self.plain is not None:
            beside = self.plain.transform(table, rows)
            x[:, :, column:] = beside.x[:, None, :] * alive[:, :, None]
            notes = tuple(n for n in beside.notes if "not used by the model" not in n)
        if cut.any():
            count = int((cut > 0).sum())
            notes += (f"{count:,} sequences longer than any in training: the newest steps count",)
        return Encoded(SequenceRows(x, length), notes)

    def _write(
        self, x: np.ndarray, column: int, channel: int, gap: bool, place: np.ndarray,
        given: np.ndarray, alive: np.ndarray,
    ) -> int:  # fmt: skip
        """Write a channel's value, and where it has gaps mask and time since the last reading."""
        n, steps = alive.shape
        count = np.bincount(place, minlength=n * steps).reshape(n, steps)
        total = np.bincount(place, given, minlength=n * steps).reshape(n, steps)
        seen = count > 0
        mean = np.where(seen, total / np.maximum(count, 1), 0.0)
        last = np.maximum.accumulate(np.where(seen, np.arange(steps), -1), axis=1)
        carried = np.take_along_axis(mean, np.maximum(last, 0), axis=1)
        spread = self.spreads[channel] or 1.0
        value = scaled(carried, self.centers[channel], spread)
        x[:, :, column] = np.where((last >= 0) & alive, value, 0.0)
        if not gap:
            return column + 1
        x[:, :, column + 1] = seen
        since = np.where(last >= 0, np.arange(steps) - last, self.grid.steps) / self.grid.steps
        x[:, :, column + 2] = np.where(alive, np.minimum(since, 1.0), 0.0)
        return column + 3

    def to_json(self) -> dict[str, Any]:
        """Return the encoder as a JSON object; `from_json` gives an equal encoder back."""
        return {
            "kind": "series", "schema": self.schema.to_json(), "grid": asdict(self.grid),
            "centers": list(self.centers), "spreads": list(self.spreads),
            "gaps": list(self.gaps), "plain": self.plain.to_json() if self.plain else None,
        }  # fmt: skip

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> SeriesEncoder:
        """Build the encoder that `to_json` wrote."""
        plain = record["plain"]
        return cls(
            Schema.from_json(record["schema"]), Grid(**record["grid"]), tuple(record["centers"]),
            tuple(record["spreads"]), tuple(record["gaps"]),
            None if plain is None else Encoder.from_json(plain),
        )  # fmt: skip


def _steps(found: Readings, grid: Grid) -> np.ndarray:
    """Return the number of steps from the first reading of each row to its last."""
    return np.where(found.lengths > 0, grid.step(_per_row(found)) + 1, 0)
