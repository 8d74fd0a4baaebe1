"""Which pictures are the same, and which are nearly the same."""

from __future__ import annotations

import hashlib

import numpy as np

from neuroscope.base.events import ignore
from neuroscope.base.settings import cores
from neuroscope.data.images.column import IMAGE
from neuroscope.data.images.facts import Facts, facts
from neuroscope.data.images.store import Pictures, in_parallel
from neuroscope.data.table import Table

ALIKE = 0.9985  # correlation of two grey likenesses from which pictures are nearly the same
_AXES = 12  # principal axes that pairs are looked for along
_MOST_PAIRS = 2_000_000  # that are looked at; of larger heaps each picture's nearest ones
_NEAREST = 24
_SAMPLE = 512  # pictures by which the number of pairs is judged


def twins(table: Table, column: str = IMAGE, *, known: Facts | None = None) -> np.ndarray:
    """Return (n,) int64: equal for pictures with the same pixels; unreadable ones stand alone.

    The same picture stored in two formats counts as the same: files whose size and likeness
    agree are decoded whole and compared pixel by pixel (by a hash).
    """
    with Pictures(table, column) as pictures:
        if pictures.array is not None:
            flat = np.ascontiguousarray(pictures.array).reshape(pictures.rows, -1)
            return np.array([_hash(row.data) for row in flat], np.int64)
        found = known or facts(table, column)
        codes = found.content.astype(np.int64)
        alone = np.flatnonzero(~found.sound)
        codes[alone] = -1 - alone
        look = np.ascontiguousarray(
            np.c_[found.likeness, found.width[:, None].astype("<i4").view(np.uint8),
                  found.height[:, None].astype("<i4").view(np.uint8)]
        )  # fmt: skip
        likes = look.view([("", look.dtype)] * look.shape[1]).ravel() if len(look) else look[:, 0]
        _, group, counts = np.unique(likes, return_inverse=True, return_counts=True)
        mixed = [
            rows
            for rows in _members(group, np.flatnonzero(counts > 1))
            if len(set(codes[rows])) > 1
        ]
        rows = np.array([row for one in mixed for row in one if found.problem[row] == ""], int)
        blocks = in_parallel(lambda row: _pixels(pictures, row), rows.tolist(), ignore, "comparing")
        codes[rows] = [code for block in blocks for code in block]
    return codes


def _members(group: np.ndarray, wanted: np.ndarray) -> list[np.ndarray]:
    """Return the rows of each wanted group."""
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], wanted, "left")
    ends = np.searchsorted(group[order], wanted, "right")
    return [order[a:b] for a, b in zip(starts, ends, strict=True)]


def _pixels(pictures: Pictures, row: int) -> int:
    image = pictures.image(row)
    grey = image if image.mode == "L" else image.convert("RGB")
    return _hash(f"{grey.mode}{grey.size}".encode() + grey.tobytes())


def _hash(data: bytes | memoryview) -> int:
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little") >> 1


def near_twins(found: Facts, codes: np.ndarray) -> np.ndarray:
    """Return (m, 2) pairs of rows (first < second) whose pictures are alike but not the same.

    Two pictures are alike when their 16 x 16 grey likenesses correlate (Pearson) at 0.9985 or
    more: saved again, resized, a little brighter. Blank pictures are like none. Of pictures with
    the same `codes` only the first is looked at.

    As unit vectors, a and b are then at most sqrt(2 (1 - r)) apart; a projection on principal
    axes brings points no further apart, so a k-d tree of few axes finds all pairs. Of thousands
    that are all alike, as from a camera that does not move, each is paired with its nearest only:
    all pairs would not fit in memory.
    """
    _, first = np.unique(codes, return_index=True)
    rows = np.sort(first[found.sound[first] & (found.spread[first] > 0)])
    units = found.likeness[rows].astype(np.float32)
    units -= units.mean(axis=1, keepdims=True)
    length = np.linalg.norm(units, axis=1)
    rows, units = rows[length > 0], units[length > 0] / length[length > 0, None]
    if len(rows) < 2:
        return np.empty((0, 2), np.int64)
    _, axes = np.linalg.eigh(np.cov(units, rowvar=False).astype(np.float64))
    reach = float(np.sqrt(2 * (1 - ALIKE)))
    pairs = _close(units @ axes[:, -_AXES:], reach * (1 + 1e-6))
    alike = np.concatenate(
        [
            np.einsum("ij,ij->i", units[part[:, 0]], units[part[:, 1]]) >= ALIKE
            for part in np.array_split(pairs, len(pairs) // 100_000 + 1)
        ]
    )
    pairs = rows[pairs[alike]]
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def _close(points: np.ndarray, reach: float) -> np.ndarray:
    """Return (m, 2) pairs of points (first < second) at most `reach` apart, not too many."""
    from scipy.spatial import KDTree  # noqa: PLC0415 - slow to import

    tree, n = KDTree(points), len(points)
    some = points[np.unique(np.linspace(0, n - 1, _SAMPLE).astype(np.int64))]
    others = tree.query_ball_point(some, reach, return_length=True) - 1
    if others.mean() * n / 2 <= _MOST_PAIRS:
        return tree.query_pairs(reach, output_type="ndarray")
    _, near = tree.query(points, _NEAREST + 1, distance_upper_bound=reach, workers=cores())
    first, second = np.repeat(np.arange(n), _NEAREST + 1), near.ravel()
    there = (second < n) & (second != first)  # n stands for none
    codes = np.minimum(first, second)[there] * n + np.maximum(first, second)[there]
    return np.stack(np.divmod(np.unique(codes), n), axis=1)
