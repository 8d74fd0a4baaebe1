"""How long a translation may become, as the training pairs have it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from neuroscope.base.errors import ModelError
from neuroscope.tasks._translation.sentences import Sentences

_NEARLY_ALL = 0.999  # of the training pairs fit


@dataclass(frozen=True)
class Room:
    """For s tokens that are read, ratio * s + extra may be written."""

    ratio: float = 2.0
    extra: int = 10

    @classmethod
    def learned(cls, pairs: Sentences) -> Room:
        """Return room for 99.9 % of the pairs that are learned from, never less than the default.

        The ratio is that of the longer sources, so that a short one with a long translation gives
        no room without end to all; `extra` is what others need beyond it.
        """
        rows = pairs.learnable
        if not len(rows):
            return cls()
        source, target = (np.array([len(side[row]) for row in rows]) for side in pairs.tokens)
        wanted = target + 1  # the end is written, too
        long = source >= max(float(np.median(source)), 1)
        ratio = cls.ratio
        if long.any():
            ratio = max(ratio, math.ceil(100 * _most(wanted[long] / source[long])) / 100)
        return cls(ratio, max(cls.extra, math.ceil(_most(wanted - np.floor(ratio * source)))))

    def to_json(self) -> dict[str, Any]:
        """Return the room as a JSON object."""
        return {"ratio": self.ratio, "extra": self.extra}

    @classmethod
    def from_json(cls, record: Any) -> Room:
        """Build the room that `to_json` wrote; models of before have none, and keep the default."""
        if record is None:
            return cls()
        try:
            return cls(float(record["ratio"]), int(record["extra"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"the model's room to write cannot be read: {error!r}") from error


def _most(values: np.ndarray) -> float:
    return float(np.quantile(values, _NEARLY_ALL, method="higher"))
