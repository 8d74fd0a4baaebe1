"""The encoder of forecasts: a row of the problem is an origin, and is read as a window."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from neuroscope.data.series.windows import Windows
from neuroscope.data.table import Table
from neuroscope.tasks._forecast.setting import Setting


class Encoded(NamedTuple):
    """Windows and what is to be said of them."""

    x: Windows
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class WindowEncoder:
    """Windows of `look_back` readings; `reads` gives those of the problem's rows.

    A model that was loaded has no problem, and brings its own windows. `learned_until` is the last
    moment of what it may have learned from; the readings before `scaled_until` gave the scales of
    its errors, None where each series has its own time.
    """

    setting: Setting
    look_back: int
    learned_until: float
    reads: Callable[[np.ndarray, int], Windows] | None = field(default=None, compare=False)
    scaled_until: float | None = None

    def transform(self, table: Table, rows: np.ndarray | None = None) -> Encoded:  # noqa: ARG002
        """Return the windows of rows of the problem."""
        assert self.reads is not None
        assert rows is not None
        return Encoded(self.reads(rows, self.look_back))

    def to_json(self) -> dict[str, Any]:
        """Return the encoder as a JSON object."""
        return {"setting": self.setting.to_json(), "look_back": self.look_back,
                "learned_until": self.learned_until,
                "scaled_until": self.scaled_until}  # fmt: skip

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> WindowEncoder:
        """Build the encoder that `to_json` wrote."""
        scaled = record.get("scaled_until")
        return cls(Setting.from_json(record["setting"]), int(record["look_back"]),
                   float(record["learned_until"]),
                   scaled_until=None if scaled is None else float(scaled))  # fmt: skip
