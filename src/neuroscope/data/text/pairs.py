"""What is wrong with sentence pairs: empty, identical, repeated, shifted or ill-matched ones.

Lengths tell a lot: a translation of twice as many characters is rare (Gale and Church 1993), and
where line n matches line n + 1 better than line n, a line was lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neuroscope.base.wording import counted, listed, percent
from neuroscope.data.audit.finding import Finding, examples

_FAR = 4.5  # robust standard deviations of log length ratio from which a pair is doubtful
_LEAST_SPREAD = 0.12  # of the log ratio; below, rounding to words would look like a mistake
_SHIFTS = (-3, -2, -1, 1, 2, 3)
_CLEARER = 0.25  # by how much the lengths of shifted lines must go together better
_FEWEST_SHIFTED = 50  # pairs below which lengths say nothing of a shift
_SUSPICIOUS = 0.1  # share of identical sides from which it is no names any more
_LONG = 1000  # characters of a side


@dataclass(frozen=True)
class PairFacts:
    """Lengths of both sides in characters, and which pairs have both."""

    source: Sequence[str]
    target: Sequence[str]

    @property
    def whole(self) -> np.ndarray:
        """Which pairs have two sides, (n,) bool."""
        both = zip(self.source, self.target, strict=True)
        return np.array([bool(a) and bool(b) for a, b in both], bool)

    @property
    def lengths(self) -> np.ndarray:
        """Characters of both sides, (n, 2)."""
        sides = [[len(text) for text in side] for side in (self.source, self.target)]
        return np.array(sides, np.float64).T.reshape(-1, 2)


def pair_findings(
    source: Sequence[str], target: Sequence[str], names: tuple[str, str]
) -> list[Finding]:
    """Return what to know about pairs before anything is learned from them."""
    facts = PairFacts(source, target)
    whole = facts.whole
    found = [
        _empty(whole, names),
        _identical(facts, whole, names),
        _shifted(facts, whole, names),
        _ill_matched(facts, whole, names),
        _repeated(facts, whole, names),
        _several(facts, whole, names),
        _long(facts, names),
    ]
    return [finding for finding in found if finding is not None]


def _empty(whole: np.ndarray, names: tuple[str, str]) -> Finding | None:
    rows = ~whole
    if not rows.any():
        return None
    return Finding(
        code="empty_side", severity="notice", count=int(rows.sum()), columns=names,
        rows=examples(rows),
        what=f"{counted(int(rows.sum()), 'pair')} with an empty side",
        meaning="there is nothing to learn from them; they are used nowhere",
        remedy="fill them in, or leave them out",
    )  # fmt: skip


def _identical(facts: PairFacts, whole: np.ndarray, names: tuple[str, str]) -> Finding | None:
    same = np.array([a == b for a, b in zip(facts.source, facts.target, strict=True)], bool) & whole
    count = int(same.sum())
    if not count:
        return None
    share = count / max(int(whole.sum()), 1)
    many = share > _SUSPICIOUS
    return Finding(
        code="identical_sides", severity="serious" if many else "notice", count=count,
        columns=names, rows=examples(same),
        what=f"{counted(count, 'pair')} ({percent(share)}) with identical sides",
        meaning="they were probably never translated, and teach a net to copy" if many
        else "right for names and numbers; else they teach a net to copy",
        remedy="look at them, and leave out what is not translated",
    )  # fmt: skip


def _shifted(facts: PairFacts, whole: np.ndarray, names: tuple[str, str]) -> Finding | None:
    """Find the shift of lines at which lengths go together clearly better than as they are."""
    if whole.sum() < _FEWEST_SHIFTED:
        return None
    logs = np.log(np.maximum(facts.lengths, 1))

    def together(shift: int) -> float:
        first = logs[max(-shift, 0) : len(logs) - max(shift, 0), 0]
        second = logs[max(shift, 0) : len(logs) + min(shift, 0), 1]
        if first.std() == 0 or second.std() == 0:
            return 0.0
        return float(np.corrcoef(first, second)[0, 1])

    best = max(_SHIFTS, key=together)
    if together(best) < together(0) + _CLEARER:
        return None
    lines = counted(abs(best), "row")
    side = "further down" if best > 0 else "further up"
    return Finding(
        code="shifted", severity="serious", count=int(whole.sum()), columns=names,
        what=f"the sides seem shifted: the lengths in {names[0]!r} go with those in {names[1]!r} "
        f"{lines} {side}",
        meaning="most pairs are no translations of each other, and nothing can be learned",
        remedy="find where a line was lost or added, and put it right",
    )  # fmt: skip


def ratios(facts: PairFacts, whole: np.ndarray) -> np.ndarray:
    """Return how far log length ratios lie from the usual one, (n,) robust standard deviations."""
    lengths = np.maximum(facts.lengths, 1)
    # A character more or less changes a short text much: 10 are added to each.
    ratio = np.log((lengths[:, 1] + 10) / (lengths[:, 0] + 10))
    if not whole.any():
        return np.zeros(len(ratio))
    usual = np.median(ratio[whole])
    spread = max(1.4826 * float(np.median(np.abs(ratio[whole] - usual))), _LEAST_SPREAD)
    return np.where(whole, (ratio - usual) / spread, 0.0)


def _ill_matched(facts: PairFacts, whole: np.ndarray, names: tuple[str, str]) -> Finding | None:
    far = np.abs(ratios(facts, whole))
    rows = np.flatnonzero(far > _FAR)
    if not len(rows):
        return None
    worst = rows[np.argsort(-far[rows])]
    return Finding(
        code="length_ratio", severity="notice", count=len(rows), columns=names,
        rows=examples(worst),
        what=f"{counted(len(rows), 'pair')} with sides of unusually different length",
        meaning="one side may be cut, or belong to another pair",
        remedy="look at them, and mend or leave out what does not belong together",
    )  # fmt: skip


def _repeated(facts: PairFacts, whole: np.ndarray, names: tuple[str, str]) -> Finding | None:
    seen: set[tuple[str, str]] = set()
    again = np.zeros(len(whole), bool)
    for row, pair in enumerate(zip(facts.source, facts.target, strict=True)):
        again[row] = whole[row] and pair in seen
        seen.add(pair)
    if not again.any():
        return None
    return Finding(
        code="duplicate_pairs", severity="info", count=int(again.sum()), columns=names,
        rows=examples(again),
        what=f"{counted(int(again.sum()), 'pair')} that occurred before",
        meaning="pairs with the same source are never drawn apart, so no score is flattered",
        remedy="leave them in where they are as frequent in use, else take them out",
    )  # fmt: skip


def _several(facts: PairFacts, whole: np.ndarray, names: tuple[str, str]) -> Finding | None:
    known: dict[str, set[str]] = {}
    for row in np.flatnonzero(whole).tolist():
        known.setdefault(facts.source[row], set()).add(facts.target[row])
    several = [text for text, found in known.items() if len(found) > 1]
    if not several:
        return None
    shown = listed([repr(text[:40]) for text in several], 3)
    return Finding(
        code="several_translations", severity="info", count=len(several), columns=names,
        what=f"{counted(len(several), 'text')} with different translations: {shown}",
        meaning="a single reference is only one right answer",
        remedy="nothing to do, unless some of them are wrong",
    )  # fmt: skip


def _long(facts: PairFacts, names: tuple[str, str]) -> Finding | None:
    long = facts.lengths.max(axis=1, initial=0) > _LONG
    if not long.any():
        return None
    return Finding(
        code="long_texts", severity="notice", count=int(long.sum()), columns=names,
        rows=examples(long),
        what=f"{counted(int(long.sum()), 'pair')} with a side of more than {_LONG:,} characters",
        meaning="these are no sentences; what is longer than the nets read is not learned from",
        remedy="cut them into sentences",
    )  # fmt: skip
