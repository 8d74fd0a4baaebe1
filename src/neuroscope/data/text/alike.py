"""Texts that say nearly the same: found by their shingles, without comparing all with all.

A text is the set of its runs of three words. The least hashes of the set under several hash
functions are the same for two texts as often as their sets overlap (MinHash; Broder 1997), and
texts that agree on a band of them are compared in full. Texts that agree on all of them are
compared with the first of these, however many they are; of a band's others only the first 50 are.
"""

from __future__ import annotations

import numpy as np

from neuroscope.data.text.words import Words

ALIKE = 0.8  # share of shingles in common from which two texts say nearly the same
FEWEST = 5  # words; shorter texts are alike by chance
_RUN = 3  # words of a shingle
_BANDS, _EACH = 6, 3  # of hash functions; texts that overlap by 0.8 meet with 98.6 %
_MOST_BUCKET = 50  # texts of a band's bucket, no two quite the same, compared with its first


def twins(texts: Words) -> np.ndarray:
    """Return for each text an earlier one that says nearly the same, or -1, (n,)."""
    found = np.full(len(texts), -1)
    shingles, starts = _shingles(texts)
    long = texts.lengths >= FEWEST
    if not long.any():
        return found
    signature = _signature(shingles, starts)
    sets: dict[int, set[int]] = {}

    def shingles_of(i: int) -> set[int]:
        if i not in sets:
            sets[i] = set(shingles[starts[i] : starts[i + 1]].tolist())
        return sets[i]

    places = np.flatnonzero(long)
    found[places] = _copies(signature[places], places, shingles, starts)
    places = places[found[places] < 0]
    for band in range(_BANDS):
        part = np.ascontiguousarray(signature[places, band * _EACH : (band + 1) * _EACH])
        key = part.view([("", part.dtype)] * _EACH)[:, 0]
        order = np.argsort(key, kind="stable")
        same = np.r_[False, key[order][1:] == key[order][:-1]]
        firsts = np.flatnonzero(~same)
        for first, last in zip(firsts, np.r_[firsts[1:], len(order)], strict=True):
            head = int(places[order[first]])
            for at in order[first + 1 : min(last, first + _MOST_BUCKET)]:
                other = int(places[at])
                if found[other] < 0 and _overlap(shingles_of(head), shingles_of(other)) >= ALIKE:
                    found[other] = head
    return found


def _copies(
    signature: np.ndarray, places: np.ndarray, shingles: np.ndarray, starts: np.ndarray
) -> np.ndarray:
    """Return for each of some texts the first with the same signature if they are alike, or -1."""
    _, first, group = np.unique(signature, axis=0, return_index=True, return_inverse=True)
    heads = places[first][group.ravel()]
    found = np.full(len(places), -1)
    for at in np.flatnonzero(heads != places):
        head, other = (shingles[starts[i] : starts[i + 1]] for i in (heads[at], places[at]))
        if np.array_equal(head, other) or _overlap({*head.tolist()}, {*other.tolist()}) >= ALIKE:
            found[at] = heads[at]
    return found


def _shingles(texts: Words) -> tuple[np.ndarray, np.ndarray]:
    """Return the hashed runs of three words end to end, and where each text's begin."""
    numbers = texts.numbers.astype(np.uint64) + np.uint64(1)
    place = np.repeat(np.arange(len(texts)), texts.lengths)
    if len(numbers) < _RUN:
        return np.empty(0, np.uint64), np.zeros(len(texts) + 1, np.int64)
    run = numbers[:-2]
    for step in (1, 2):
        run = run * np.uint64(0x9E3779B97F4A7C15) + numbers[step : len(numbers) - 2 + step]
    whole = place[:-2] == place[2:]
    starts = np.r_[0, np.cumsum(np.bincount(place[:-2][whole], minlength=len(texts)))]
    return _mixed(run[whole]), starts.astype(np.int64)


def _signature(shingles: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return the least hash of each text under each function, (n, bands * each)."""
    count = len(starts) - 1
    signature = np.zeros((count, _BANDS * _EACH), np.uint64)
    held = np.flatnonzero(np.diff(starts) > 0)
    for k in range(_BANDS * _EACH):
        hashed = _mixed(shingles ^ np.uint64((k + 1) * 0xD1B54A32D192ED03 & (1 << 64) - 1))
        signature[held, k] = np.minimum.reduceat(hashed, starts[:-1][held])
    return signature


def _mixed(h: np.ndarray) -> np.ndarray:
    """Return well mixed 64 bits (the end of splitmix64; Steele et al. 2014)."""
    h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return h ^ (h >> np.uint64(31))


def _overlap(one: set[int], other: set[int]) -> float:
    return len(one & other) / max(len(one | other), 1)
