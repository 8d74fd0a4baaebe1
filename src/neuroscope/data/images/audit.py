"""The audit of pictures: sizes, kinds, copies, blank ones, and labels that look wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np

from neuroscope.base.wording import counted, listed, percent
from neuroscope.data.audit.finding import Finding, Severity, Subject, examples
from neuroscope.data.audit.labels import doubted
from neuroscope.data.images.column import is_arrays, picture_column
from neuroscope.data.images.duplicates import near_twins, twins
from neuroscope.data.images.facts import Facts, facts
from neuroscope.data.images.store import Pictures
from neuroscope.data.schema import Schema
from neuroscope.data.table import Table

SMALL_SIDE = 8  # pixels below which a picture shows next to nothing
LARGE_SIDE = 4096  # pixels above which decoding takes longer than it helps
MANY_CLASSES = 100
FEW_EACH = 10  # pictures of a class below which many classes can hardly be learnt
FEW_NEAR = 0.01  # share of test pictures nearly like a training picture that does little harm
_MOST_NAMES = 5


class _Gallery:
    """The pictures of the audited table, with what several checks need."""

    def __init__(self, subject: Subject) -> None:
        assert subject.pictures is not None
        self.subject, self.column, self.table = subject, subject.pictures, subject.table
        self.facts: Facts = facts(self.table, self.column)
        self.rows = self.table.rows
        values = self.table.arrow.column(self.column)
        self._names = None if is_arrays(values.type) else Pictures(self.table, self.column).names

    @cached_property
    def codes(self) -> np.ndarray:
        """Equal numbers (n,) for equal pictures."""
        return twins(self.table, self.column, known=self.facts)

    @cached_property
    def pairs(self) -> np.ndarray:
        """Pairs of rows (m, 2) that look nearly the same."""
        return near_twins(self.facts, self.codes)

    def such_as(self, pair: np.ndarray) -> str:
        """Return the names of two pictures that are alike."""
        names = [f"row {r + 1}" if self._names is None else self._names[r] for r in pair.tolist()]
        return f"such as {names[0]} and {names[1]}"

    def finding(self, code: str, severity: Severity, rows: np.ndarray, **words: str) -> Finding:
        """Return a finding about `rows` (numbers from 0, or a mask) that names their files."""
        at = np.flatnonzero(rows) if rows.dtype == bool else rows
        named = () if self._names is None else tuple(self._names[r] or "" for r in at[:_MOST_NAMES])
        return Finding(
            code=code,
            severity=severity,
            column=self.column,
            count=len(at),
            rows=examples(at),
            names=named,
            what=words["what"],
            meaning=words["meaning"],
            remedy=words["remedy"],
        )


def check(subject: Subject) -> Iterator[Finding]:
    """Yield the findings about the pictures of a table."""
    gallery = _Gallery(subject)
    yield from _unreadable(gallery)
    yield from _sizes(gallery)
    yield from _blank(gallery)
    yield from _copies(gallery)
    if subject.split is not None:
        yield from _across_split(gallery)
    if subject.target is not None and subject.task_kind != "regression":
        yield from _classes(gallery)


def _unreadable(gallery: _Gallery) -> Iterator[Finding]:
    found = gallery.facts
    bad = ~found.sound
    aside = gallery.table.origin.set_aside
    count = max(int(bad.sum()), len(aside))
    if not count:
        return
    whole = gallery.rows + len(aside) - int(bad.sum())
    shown = listed([f"{name} {reason}" for name, reason in aside], 3) or ", ".join(
        dict.fromkeys(found.problem[bad].tolist()[:3])
    )
    yield Finding(
        code="unreadable-pictures",
        severity="serious" if count > 0.01 * whole else "notice",
        column=gallery.column,
        count=count,
        rows=examples(bad),
        names=tuple(name for name, _ in aside[:_MOST_NAMES]),
        what=f"{counted(count, 'file')} cannot be used as a picture: {shown}",
        meaning="they are left out; a kind that is missing will not be learnt",
        remedy="copy or export these files again, or remove them",
    )


def _sizes(gallery: _Gallery) -> Iterator[Finding]:
    found, sound = gallery.facts, gallery.facts.sound
    if not sound.any():
        return
    sizes = np.unique(np.c_[found.width, found.height][sound], axis=0)
    low, high = sizes.min(axis=0), sizes.max(axis=0)
    shown = f"{low[0]} x {low[1]} to {high[0]} x {high[1]}" if len(sizes) > 1 else (
        f"{low[0]} x {low[1]}"
    )  # fmt: skip
    modes = np.unique(found.mode[sound])
    yield Finding(
        code="picture-sizes",
        severity="info",
        column=gallery.column,
        count=int(sound.sum()),
        what=f"{counted(int(sound.sum()), 'picture')} of {shown} pixels, stored as"
        f" {listed(modes.tolist())}; {'grey' if found.channels.max() == 1 else 'in colour'}",
        meaning="all are brought to one size and to 8 bits" if len(sizes) > 1 or len(modes) > 1
        else "all have the same size and kind",
        remedy="nothing to do",
    )  # fmt: skip
    ratio = found.width / np.maximum(found.height, 1)
    if len(sizes) > 1 and np.ptp(ratio[sound]) > 0.5:
        yield gallery.finding(
            "mixed-shapes",
            "notice",
            sound & (np.abs(np.log(np.maximum(ratio, 1e-9) / np.median(ratio[sound]))) > 0.4),
            what="some pictures have quite another shape (upright, wide) than most",
            meaning="brought to a square they are squashed; what matters may change its shape",
            remedy="crop them alike, or keep it in mind when reading the mistakes",
        )
    shorter = np.minimum(found.width, found.height)
    longer = np.maximum(found.width, found.height)
    if (tiny := sound & (shorter < SMALL_SIDE)).any():
        yield gallery.finding(
            "tiny-pictures",
            "notice",
            tiny,
            what=f"{counted(int(tiny.sum()), 'picture')} with a side below {SMALL_SIDE} pixels",
            meaning="so few pixels show next to nothing; they may be icons or broken downloads",
            remedy="remove them, or find them in a larger size",
        )
    if (huge := sound & (longer > LARGE_SIDE)).any():
        yield gallery.finding(
            "huge-pictures",
            "info",
            huge,
            what=f"{counted(int(huge.sum()), 'picture')} with a side above {LARGE_SIDE:,} pixels",
            meaning="they are made small before a network sees them; reading them takes long",
            remedy="if small details matter, cut the pictures into pieces that show them",
        )


def _blank(gallery: _Gallery) -> Iterator[Finding]:
    blank = gallery.facts.sound & (gallery.facts.spread == 0)
    if blank.any():
        yield gallery.finding(
            "blank-pictures",
            "notice",
            blank,
            what=f"{counted(int(blank.sum()), 'picture')} of one colour all over",
            meaning="there is nothing in them to learn from",
            remedy="remove them, or find out why they are empty",
        )


def _copies(gallery: _Gallery) -> Iterator[Finding]:
    sound = np.flatnonzero(gallery.facts.sound)
    _, first, group = np.unique(gallery.codes[sound], return_index=True, return_inverse=True)
    repeats, originals = np.delete(sound, first), np.delete(sound[first][group], first)
    if len(repeats):
        yield gallery.finding(
            "duplicate-pictures",
            "notice" if len(repeats) > 0.01 * len(sound) else "info",
            repeats,
            what=f"exact copies of another picture: {_of(len(repeats), len(sound))};"
            f" {gallery.such_as(np.array([originals[0], repeats[0]]))}",
            meaning="copies are kept in one part of the split, so that none is both learnt and"
            " judged",
            remedy="remove copies that came in by accident",
        )
    if gallery.subject.target is not None and gallery.subject.task_kind != "regression":
        labels = gallery.subject.classes[0][sound]
        labelled = labels >= 0
        pairs = np.unique(np.c_[group, labels][labelled], axis=0)[:, 0]
        torn = (np.bincount(pairs, minlength=len(first)) > 1)[group] & labelled
        if torn.any():
            yield gallery.finding(
                "conflicting-pictures",
                "notice",
                sound[torn],
                what=f"the same picture under different labels: {_of(int(torn.sum()), len(sound))}",
                meaning="no model can tell them apart; at most one of the labels is right",
                remedy="decide on one label for each, and remove the other files",
            )
    if len(gallery.pairs):
        near = np.unique(gallery.pairs[:, 1])
        yield gallery.finding(
            "near-duplicates",
            "notice" if len(near) > 0.01 * len(sound) else "info",
            near,
            what=f"pictures that look nearly like another: {_of(len(near), len(sound))};"
            f" {gallery.such_as(gallery.pairs[0])}",
            meaning="saved again, resized, or taken a moment later; they count for little more"
            " than one",
            remedy="if they are series of one thing, keep each together with --group COL",
        )


def _across_split(gallery: _Gallery) -> Iterator[Finding]:
    """Find test pictures that a model has seen in training, exactly or nearly."""
    split = gallery.subject.split
    assert split is not None
    seen = np.isin(gallery.codes[split.test], gallery.codes[split.development])
    exact = split.test[seen & gallery.facts.sound[split.test]]
    part = np.zeros(gallery.rows, np.int8)
    part[split.development], part[split.test] = 1, 2
    # A copy has its pairs under the first row of its kind: spread them over all of that kind.
    kinds, code = np.unique(gallery.codes, return_inverse=True)
    sides = np.zeros((len(kinds), 3), bool)
    sides[code, part] = True
    both = code[gallery.pairs]
    crossing = [both[sides[both[:, a], 1] & sides[both[:, b], 2], b] for a, b in ((0, 1), (1, 0))]
    near = np.isin(code[split.test], np.concatenate(crossing)) & ~seen
    few = near.sum() <= FEW_NEAR * len(split.test)
    found: tuple[tuple[np.ndarray, str, str, Severity], ...] = (
        (exact, "the same as a training picture", "split-duplicates", "serious"),
        (
            split.test[near],
            "nearly like a training picture",
            "split-near-duplicates",
            "notice" if few else "serious",
        ),
    )
    for rows, how, code_name, severity in found:
        if len(rows):
            yield gallery.finding(
                code_name,
                severity,
                rows,
                what=f"test pictures that are {how}: {_of(len(rows), len(split.test))}",
                meaning="the test is partly on pictures the model has seen, so it flatters",
                remedy="remove them from one side, or keep what belongs together with --group COL",
            )


def _classes(gallery: _Gallery) -> Iterator[Finding]:
    codes, names = gallery.subject.classes
    usable = (codes >= 0) & gallery.facts.sound
    rows = np.bincount(codes[usable], minlength=len(names))
    if len(names) > MANY_CLASSES and np.median(rows) < FEW_EACH:
        yield gallery.finding(
            "many-classes",
            "serious",
            usable,
            what=f"{len(names):,} classes with {np.median(rows):g} pictures each (the median)",
            meaning="so many classes cannot be learnt, or judged, from so few pictures",
            remedy="merge classes, or collect more pictures of each",
        )
    single = [name for name, n in zip(names, rows, strict=True) if n == 1]
    if single:
        yield gallery.finding(
            "single-picture-classes",
            "serious" if len(single) == len(names) else "notice",
            np.flatnonzero(usable & (rows == 1)[codes]),
            what=f"{counted(len(single), 'class')} with one picture only: {listed(single)}",
            meaning="one picture can be learnt or judged on, not both",
            remedy="add pictures of these classes, or merge or remove the classes",
        )


def _of(count: int, whole: int) -> str:
    return f"{count:,} of {counted(whole, 'picture')} ({percent(count / whole)})"


def suspects(
    table: Table,
    schema: Schema,
    rows: np.ndarray,
    y: np.ndarray,
    probabilities: np.ndarray,
    classes: Sequence[str],
) -> Finding | None:
    """Return the finding on labels that held-out predictions doubt, or None.

    `rows` (n,) are row numbers, `y` (n,) their class indices, `probabilities` (n, k) those of a
    model that has not seen the row (see `data.audit.labels.doubted`).
    """
    worst = doubted(y, probabilities)
    column = picture_column(table, schema)
    if column is None or not len(worst):
        return None
    pictures = Pictures(table, column)
    at = worst[:_MOST_NAMES]
    said = [
        f"{pictures.name(int(rows[i]))} is labelled {classes[int(y[i])]!r}, looks like"
        f" {classes[int(probabilities[i].argmax())]!r}"
        for i in at[:3]
    ]
    return Finding(
        code="suspect-labels",
        severity="notice" if len(worst) > 0.01 * len(y) else "info",
        column=schema.target.name if schema.target else None,
        count=len(worst),
        rows=examples(rows[worst]),
        names=tuple(pictures.name(int(row)) for row in rows[at]),
        what=f"doubtful labels: {_of(len(worst), len(y))}: {listed(said, 3)}",
        meaning="a model that has not seen these pictures is sure of another class; some are wrong"
        " labels, some are rare true cases",
        remedy="look at the pictures named, the most doubtful first, and correct what is wrong",
    )
