"""Numbers: the median for missing values, robust scaling, and optionally pieces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from neuroscope.data.columns import Cells
from neuroscope.data.encoders.code import Tally, robust_scale, scaled

_INFINITE = 1e300  # from here on differences leave float64: counted as infinite


@dataclass(frozen=True)
class Numeric:
    """One scaled column; a flag if training rows miss values; one column for each piece.

    With pieces, a number x becomes clip((x - e[t-1]) / (e[t] - e[t-1]), 0, 1) for each piece t
    between the edges e: the piecewise-linear encoding of Gorishniy et al. (2022, arXiv
    2203.05556) with quantiles of the training rows as edges, here without extrapolation. A value
    that fills a piece by itself, such as the 0 of most rows, is an edge, and the quantiles are
    those of the other rows; few different values are all edges.
    """

    kind: ClassVar[str] = "numeric"
    column: str
    center: float  # median of the training rows, also taken for missing values
    spread: float  # 0 if the training rows hold one value
    flag: bool  # training rows miss values
    edges: tuple[float, ...] = ()

    @classmethod
    def fit(cls, cells: Cells, bins: int) -> Numeric:
        """Learn median, spread and the edges of at most `bins` pieces (0 is none)."""
        given = cells.numbers()
        finite = given[np.abs(given) < _INFINITE]
        center, spread = robust_scale(finite)
        edges: tuple[float, ...] = ()
        if bins and spread:
            edges = tuple(_cuts(finite, bins).tolist())
        return cls(
            cells.column,
            center,
            spread,
            flag=0 < len(finite) < len(given),
            edges=edges if len(edges) > 2 else (),  # one piece says what the scaled column says
        )

    @property
    def names(self) -> list[str]:
        """Return the names of the value, the flag and the pieces."""
        pieces = [f"{a:g} to {b:g}" for a, b in zip(self.edges, self.edges[1:], strict=False)]
        return (
            [self.column] * (self.spread > 0)
            + [f"{self.column} is missing"] * self.flag
            + [f"{self.column} {piece}" for piece in pieces]
        )

    def write(self, cells: Cells, out: np.ndarray) -> Tally:
        """Write value, flag and pieces of each row."""
        given = cells.numbers()
        finite = np.abs(given) < _INFINITE  # false for NaN
        unusable = int(len(given) - finite.sum())
        infinite = int((np.abs(given) >= _INFINITE).sum()) if unusable else 0
        if unusable:
            given[~finite] = self.center
        if self.spread > 0:
            out[:, 0] = scaled(given, self.center, self.spread)
        if self.flag:
            out[:, int(self.spread > 0)] = ~finite
        first = out.shape[1] - (len(self.edges) - 1)
        for t, (low, high) in enumerate(zip(self.edges, self.edges[1:], strict=False)):
            out[:, first + t] = (np.clip(given, low, high) - low) / (high - low)
        return Tally(missing=unusable - infinite, infinite=infinite)

    def describe(self) -> str:
        """Return in plain words what becomes of the numbers."""
        if not self.spread:
            return "has one value in the training rows" + "; a flag for missing" * self.flag
        text = f"scaled by its middle half around {self.center:g}, far values pulled in"
        if self.flag:
            text += f"; missing becomes {self.center:g} and a flag"
        if self.edges:
            text += f"; also cut into {len(self.edges) - 1} pieces"
        return text


def _cuts(values: np.ndarray, bins: int) -> np.ndarray:
    """Return at most `bins` + 1 edges, sorted, from the least value to the largest."""
    distinct, rows = np.unique(values, return_counts=True)
    if len(distinct) <= bins + 1:
        return distinct
    frequent = rows * bins > len(values)
    rest = np.repeat(distinct[~frequent], rows[~frequent])
    shares = np.linspace(0, 1, max(bins + 1 - int(frequent.sum()), 2))
    return np.unique(np.concatenate([distinct[frequent], np.quantile(rest, shares)]))
