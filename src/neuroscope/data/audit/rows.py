"""Checks across rows and across columns: duplicates, the split, size, columns that say the same."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neuroscope.base.wording import counted, percent
from neuroscope.data.audit.finding import Finding, Subject, examples
from neuroscope.data.splits import MOST_TWINS

FEW_ROWS = 200
DUPLICATES_MATTER = 0.01  # share of rows
SAME_CORRELATION = 0.999  # |Pearson's r| from which two columns say the same
_SAMPLE_ROWS, _MOST_COLUMNS = 2_000, 1_000  # numbers compared with each other
_MOST_VALUES = 50  # different values up to which columns are compared value by value
_FEWEST_FOR_SAME = 20  # rows below which columns agree by chance


def check(subject: Subject) -> Iterator[Finding]:
    """Yield the findings about rows and about pairs of columns."""
    yield from _size(subject)
    if subject.pictures is None:  # `images.audit` tells which pictures are the same
        yield from _duplicates(subject)
        if subject.split is not None:
            yield from _across_split(subject)
    yield from _same_columns(subject)


def _size(subject: Subject) -> Iterator[Finding]:
    rows, features = len(subject.usable), len(subject.schema.features)
    if rows < FEW_ROWS:
        yield Finding(
            code="few-rows",
            severity="notice",
            count=rows,
            what=f"only {counted(rows, 'row')} to learn from and to judge on",
            meaning="the quality can only be told roughly; expect wide intervals",
            remedy="add rows if you can; distrust small differences",
        )
    if features > rows:
        yield Finding(
            code="more-columns-than-rows",
            severity="notice",
            count=features,
            what=f"{features:,} features but {counted(rows, 'row')}",
            meaning="by chance alone some columns will seem to explain the target",
            remedy="leave out columns that cannot matter: --drop COL,…",
        )


def _duplicates(subject: Subject) -> Iterator[Finding]:
    """Find rows that repeat an earlier one, and equal features with different targets."""
    usable = subject.usable
    _, group, counts = np.unique(subject.hashes[usable], return_inverse=True, return_counts=True)
    if len(counts) == len(usable):
        return
    y = subject.y[usable] if subject.target is not None else np.zeros(len(usable))
    pairs = np.unique(np.c_[group, y], axis=0)[:, 0].astype(np.int64) if subject.target else None
    targets = np.bincount(pairs, minlength=len(counts)) if pairs is not None else counts * 0 + 1
    repeated = len(usable) - int(targets.sum())
    if repeated:
        order = np.lexsort((np.arange(len(usable)), y, group))
        again = np.r_[False, (np.diff(group[order]) == 0) & (np.diff(y[order]) == 0)]
        share = repeated / len(usable)
        yield Finding(
            code="duplicate-rows",
            severity="notice" if share > DUPLICATES_MATTER else "info",
            count=repeated,
            rows=examples(np.sort(usable[order[again]])),
            what=f"exact repeats of an earlier row: {_of(repeated, len(usable))}",
            meaning="a row that trains and judges makes a model look better than it is",
            remedy="remove repeats made by a faulty export; true repeats may stay",
        )
    conflict = (targets > 1)[group]
    if conflict.any() and subject.task_kind != "regression":
        share = conflict.mean()
        yield Finding(
            code="conflicting-rows",
            severity="notice" if share > DUPLICATES_MATTER else "info",
            count=int(conflict.sum()),
            rows=examples(usable[conflict]),
            what=f"equal features but different targets: {_of(int(conflict.sum()), len(usable))}",
            meaning="no model can tell them apart; this bounds what can be reached",
            remedy="add a column that tells them apart, or correct the labels",
        )


def _across_split(subject: Subject) -> Iterator[Finding]:
    split = subject.split
    assert split is not None
    known = np.isin(subject.hashes[split.test], subject.hashes[split.development])
    if not known.any():
        return
    share = known.mean()
    grave = DUPLICATES_MATTER < share <= MOST_TWINS
    yield Finding(
        code="split-duplicates",
        severity="serious" if grave else "notice",
        count=int(known.sum()),
        rows=examples(split.test[known]),
        what="test rows with the same features as a training row:"
        f" {_of(int(known.sum()), len(known))}",
        meaning="the test is partly on rows the model has seen, so it flatters"
        if grave
        else "with few different rows this is natural, and new rows will be like them",
        remedy="remove repeated rows, or keep those that belong together on one side with --group"
        " COL",
    )


def _of(count: int, rows: int) -> str:
    return f"{count:,} of {counted(rows, 'row')} ({percent(count / rows)})"


def _same_columns(subject: Subject) -> Iterator[Finding]:
    """Find columns that repeat another: equal up to renaming, or correlated to 0.999."""
    rows = subject.sample(_SAMPLE_ROWS)
    if len(rows) < _FEWEST_FOR_SAME:
        return
    first: dict[bytes, str] = {}
    numeric: dict[str, np.ndarray] = {}
    for column in subject.schema.features:
        if column.kind in ("categorical", "boolean"):
            codes = subject.cells(column.name, rows).categories()[0]
        elif column.kind == "numeric" and len(numeric) < _MOST_COLUMNS:
            numeric[column.name] = subject.cells(column.name, rows).numbers()
            codes = np.unique(numeric[column.name], return_inverse=True)[1]
        else:
            continue
        if 1 < len(np.unique(codes)) <= _MOST_VALUES:
            original = first.setdefault(_by_appearance(codes).tobytes(), column.name)
            if original != column.name:
                numeric.pop(column.name, None)
                yield _same(column.name, original, "tells exactly the same as", len(rows))
    yield from _correlated(numeric, len(rows))


def _by_appearance(codes: np.ndarray) -> np.ndarray:
    """Return the codes numbered as they first appear, so that renaming makes no difference."""
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def _correlated(numeric: dict[str, np.ndarray], rows: int) -> Iterator[Finding]:
    names, z = [], []
    for name, values in numeric.items():
        finite = np.isfinite(values) & (np.abs(values) < 1e100)
        middle = np.median(values[finite]) if finite.any() else 0.0
        centred = np.where(finite, values, middle)
        centred = centred - centred.mean()
        if (length := float(np.linalg.norm(centred))) > 0:
            names.append(name)
            z.append((centred / length).astype(np.float32))
    if len(names) < 2:
        return
    matrix = np.stack(z)
    alike = np.triu(np.abs(matrix @ matrix.T) >= SAME_CORRELATION, 1)
    told: set[int] = set()
    for a, b in zip(*np.nonzero(alike), strict=True):
        if b not in told:
            told.add(b)
            yield _same(names[b], names[a], "goes up and down almost exactly with", rows)


def _same(name: str, original: str, how: str, rows: int) -> Finding:
    return Finding(
        code="same-columns",
        severity="info",
        column=name,
        columns=(name, original),
        count=2,
        what=f"{name!r} {how} {original!r} (in {counted(rows, 'row')} looked at)",
        meaning="the two share their importance, so that each looks less important than it is",
        remedy=f"to read the explanations more easily, leave one out: --drop {name}",
    )
