"""Which rows train, which judge: one plan, made once, with its reasons.

The test rows are set apart first and opened once, at the end. The remaining development rows are
judged by cross-validation while that is affordable and by one held-out part above that.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from neuroscope.base import randomness
from neuroscope.base.errors import InputError, SchemaError, TargetError
from neuroscope.base.wording import counted
from neuroscope.data import columns
from neuroscope.data._dividers import Divider, Fold, Grouped, Shuffled, Timed, without
from neuroscope.data.images.rows import feature_hashes, unreadable_rows
from neuroscope.data.schema import Schema
from neuroscope.data.table import Table
from neuroscope.data.text.column import without_words

RowKind = Literal["binary", "multiclass", "regression"]  # of a target column
TaskKind = str  # one of these, or a kind whose truths are packed, see `judge.kinds`

FEWEST_ROWS = 20  # below this a held-out part has no row for each class, let alone an interval
FIVE_FOLDS_UP_TO = 10_000  # development rows; a fold then holds up to 2,000 rows
THREE_FOLDS_UP_TO = 30_000  # a fold then holds 3,333 to 10,000 rows
MOST_JUDGES = 6000  # held-out rows where each row costs much; more hardly narrow the intervals
ONE_FOLD_FRACTION = 0.2  # above that 6,000 rows or more judge, and every rung is fitted once
MOST_TWINS = 0.2  # share of rows with an identical twin up to which twins are kept together
LARGEST_BLOCK = 0.05  # share of rows that are one row, above which parts would come out uneven
RARE_TWINS = 0.05  # equal rows that a row meets by chance, below which repeats are none

_WORDS = {
    "train": "train", "training": "train", "valid": "valid", "validation": "valid",
    "val": "valid", "dev": "valid", "test": "test", "testing": "test",
}  # fmt: skip


@dataclass(frozen=True)
class Split:
    """Row numbers (from 0) of each part; the parts of a fold and the test rows never overlap."""

    test: np.ndarray  # rows that are opened once, sorted
    development: np.ndarray  # all others with a target, sorted: the chosen rung is fitted on them
    folds: tuple[tuple[np.ndarray, np.ndarray], ...]  # (train rows, valid rows), each sorted
    method: Literal["random", "stratified", "grouped", "time", "column"]
    reason: str
    notes: tuple[str, ...] = ()
    unused: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))  # in no part

    @property
    def counts(self) -> dict[str, int]:
        """Rows for "train", "valid" (both of the first fold) and "test"."""
        train, valid = self.folds[0]
        return {"train": len(train), "valid": len(valid), "test": len(self.test)}


def plan_split(
    table: Table,
    schema: Schema,
    *,
    seed: int,
    test_fraction: float = 0.2,
    task_kind: TaskKind,
    crossed: bool = True,
) -> Split:
    """Plan which rows train, validate and test, by the roles in `schema`, with the reason.

    Without `crossed` one held-out part judges, for learners that cost too much to fit in folds.

    A split column decides by itself; else rows are divided by time, by group, stratified by
    class, or at random, in this order. Rows without a target are left out and listed in `unused`.

    Raises InputError for fewer than 20 usable rows, SchemaError for an unusable split, time or
    group column, TargetError if a training part would hold one class only.
    """
    if not 0 < test_fraction <= 0.5:
        raise InputError(
            f"test_fraction is {test_fraction}", remedy="give a fraction above 0, at most half"
        )
    labels, usable = _target(table, schema, task_kind)
    unreadable = unreadable_rows(table, schema)
    usable = without(usable, unreadable)
    if len(usable) < FEWEST_ROWS:
        raise InputError(
            f"{len(usable)} of {counted(table.rows, 'row')} with a target; to train and to judge at"
            f" least {FEWEST_ROWS} are needed",
            remedy="add labelled rows",
        )
    plan = _plan(table, schema, labels, usable, seed, task_kind)
    plan = replace(plan, crossed=crossed)
    split = _divide(table, schema, usable, plan, test_fraction)
    unused = without(np.arange(table.rows), np.r_[split.development, split.test])
    notes = (*plan.notes, *split.notes)
    if without_target := table.rows - len(usable) - len(unreadable):
        notes = (f"used nowhere: {counted(without_target, 'row')} without a target", *notes)
    if len(unreadable):
        rows = counted(len(unreadable), "row")
        notes = (f"used nowhere: {rows} whose picture cannot be read", *notes)
    split = replace(split, unused=unused, notes=notes)
    return split if labels is None else _with_both_classes(split, labels)


def inner_split(
    y: np.ndarray,
    *,
    seed: int,
    fraction: float = 0.2,
    stratify: bool,
    groups: np.ndarray | None = None,
    times: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Divide training rows once more, for early stopping or a search inside them.

    `y` (n,) are the training targets; with `stratify` they are class indices and each class keeps
    its share. `groups` (n,) labels rows that stay together; all of one group are not divided.
    With `times` (n,) the newest rows are held out, and `seed` and `stratify` say nothing.
    Returns (train, valid) positions within `y`, sorted.
    """
    rows = np.arange(len(y))
    labels = np.unique(y, return_inverse=True)[1] if stratify else None
    number = randomness.integer(seed, "inner split")
    divider: Divider = Shuffled(number, labels)
    if times is not None and len(np.unique(times[~np.isnan(times)])) > 1:
        divider = Timed(_ranks(times, groups))
    elif groups is not None and len(np.unique(groups)) > 1:
        divider = Grouped(number, groups, labels)
    held = divider.hold_out(rows, fraction)
    if not len(held):
        held = rows[-1:]  # every class is rare: any one row judges better than none
    return without(rows, held), held


@dataclass(frozen=True)
class _Plan:
    divider: Divider
    method: Literal["random", "stratified", "grouped", "time"]
    reason: str
    labels: np.ndarray | None  # (rows of the table,) class codes
    notes: tuple[str, ...] = ()
    crossed: bool = True


def _target(
    table: Table, schema: Schema, task_kind: TaskKind
) -> tuple[np.ndarray | None, np.ndarray]:
    """Return class codes of all rows (None for regression) and the rows that have a target."""
    if schema.target is None:
        raise TargetError("no target column is set", remedy="name it with --target")
    column = columns.cells(table, schema.target.name)
    if task_kind == "regression":
        return None, np.flatnonzero(np.isfinite(column.numbers()))
    if task_kind not in ("binary", "multiclass"):  # a text: there is something, or nothing
        return None, np.flatnonzero(column.values.is_valid().to_numpy())
    codes, _ = column.categories()
    return codes, np.flatnonzero(codes >= 0)


def _plan(
    table: Table, schema: Schema, labels: np.ndarray | None, usable: np.ndarray, seed: int,
    task_kind: TaskKind,
) -> _Plan:  # fmt: skip
    """Choose the divider by the roles in the schema."""
    number = randomness.integer(seed, "split")
    time, group = schema.by_role("time"), schema.by_role("group")
    groups = None if group is None else whole_groups(table, group.name)
    if time is not None:
        return _timed(table, time.name, groups, usable, labels)
    if group is not None and groups is not None:
        lone = int((columns.cells(table, group.name).categories()[0] < 0).sum())
        notes = (
            (f"{counted(lone, 'row')} without a group, each a group of its own",) if lone else ()
        )
        reason = f"column {group.name!r} names groups, and no group may be on both sides"
        return _Plan(Grouped(number, groups, labels), "grouped", reason, labels, notes)
    twins, notes = _twins(table, schema, usable)
    if twins is not None and labels is not None and _too_alike(twins[usable], labels[usable]):
        said = "most classes hold fewer than 3 different rows, and identical ones are divided"
        twins, notes = None, (f"{said} like all others: scores are flattered",)
    if labels is None:
        what = "a number" if task_kind == "regression" else "a text"
        return _Plan(Shuffled(number, None, twins), "random", f"the target is {what}", None, notes)
    rare = int((np.bincount(labels[usable]) < 3).sum() - (np.bincount(labels[usable]) == 0).sum())
    if rare:
        notes += (f"never among the test rows: {counted(rare, 'class')} with fewer than 3 rows",)
    reason = "the target is a class, and each class keeps its share in every part"
    return _Plan(Shuffled(number, labels, twins), "stratified", reason, labels, notes)


def whole_groups(table: Table, name: str) -> np.ndarray:
    """Return the group number of each row; a row without a group is one of its own."""
    codes, names = columns.cells(table, name).categories()
    alone = np.cumsum(codes < 0) + len(names)
    return np.where(codes < 0, alone, codes)


def _timed(
    table: Table,
    name: str,
    groups: np.ndarray | None,
    usable: np.ndarray,
    labels: np.ndarray | None,
) -> _Plan:
    times = columns.cells(table, name).moments()
    unknown = int(np.isnan(times[usable]).sum())
    if unknown == len(usable):
        raise SchemaError("no row has a time", where=f"column {name!r}", remedy="leave --time out")
    reason = f"column {name!r} orders the rows in time: older rows train, newer rows judge"
    notes = (f"{counted(unknown, 'row')} without a time, taken as the oldest",) if unknown else ()
    if groups is not None:
        reason += "; a group stays whole and counts by its newest row"
    return _Plan(Timed(_ranks(times, groups)), "time", reason, labels, notes)


def _ranks(times: np.ndarray, groups: np.ndarray | None) -> np.ndarray:
    """Return the order of rows in time; a row without a time is the oldest, groups stay whole."""
    times = np.where(np.isnan(times), -np.inf, times)
    if groups is not None:
        newest = np.full(groups.max() + 1, -np.inf)
        np.maximum.at(newest, groups, times)
        times = np.argsort(np.lexsort((np.arange(len(newest)), newest)))[groups]
    return np.unique(times, return_inverse=True)[1]


def _twins(
    table: Table, schema: Schema, usable: np.ndarray
) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Return blocks of rows with identical features, unless identical rows are the rule.

    Texts without a word are no copies of one another.
    """
    hashes = feature_hashes(table, schema)
    if schema.features and all(column.kind == "text" for column in schema.features):
        empty = without_words(table, [column.name for column in schema.features])
        hashes[empty] = np.flatnonzero(empty)  # each its own
        usable = usable[~empty[usable]]
    _, inverse, counts = np.unique(hashes[usable], return_inverse=True, return_counts=True)
    sizes = counts[inverse]
    twins = int((sizes > 1).sum())
    if not twins:
        return None, ()
    many = twins > MOST_TWINS * len(usable)
    if many and _by_chance(table, schema, usable):
        text = f"{twins:,} rows have an identical twin, which so few different values make likely;"
        return None, (f"{text} they are divided like all others",)
    large = sizes > LARGEST_BLOCK * len(usable)
    if not many or not large.any():
        return hashes, (f"{twins:,} rows with identical features are never drawn apart",)
    hashes[usable[large]] = usable[large]
    return hashes, (
        f"{int(large.sum()):,} rows are one of {len(np.unique(inverse[large]))} that occur in more "
        f"than {LARGEST_BLOCK:.0%} of the rows, and are divided like all others",
        f"{twins - int(large.sum()):,} other rows with identical features are never drawn apart",
    )


def _too_alike(twins: np.ndarray, labels: np.ndarray) -> bool:
    """Say whether most rows are of classes with too few different rows to be judged by them."""
    order = np.lexsort((twins, labels))
    twins, labels = twins[order], labels[order]
    first = np.r_[True, (twins[1:] != twins[:-1]) | (labels[1:] != labels[:-1])]
    few = np.bincount(labels[first]) < 3
    return bool(few[labels].mean() > 0.5)


def _by_chance(table: Table, schema: Schema, usable: np.ndarray) -> bool:
    """Tell whether a row would often meet an equal one if its columns were drawn independently.

    In an export that repeats rows, or a class that was oversampled, it would not; and texts and
    pictures do not repeat by chance.
    """
    equal = 1.0  # probability that two rows agree in the columns so far
    for column in schema.features:
        if column.kind in ("text", "image"):
            return False
        values = columns.row_hashes(table, [column.name])[usable]
        counts = np.unique(values, return_counts=True)[1]
        equal *= float(counts @ (counts - 1)) / (len(usable) * (len(usable) - 1))
        if equal * len(usable) < RARE_TWINS:
            return False
    return True


def _divide(
    table: Table, schema: Schema, usable: np.ndarray, plan: _Plan, test_fraction: float
) -> Split:
    named = schema.by_role("split")
    if named is not None:
        return _by_column(table, named.name, usable, plan, test_fraction)
    test = plan.divider.hold_out(usable, test_fraction)
    rest = without(usable, test)
    folds, how = _folds(plan, rest)
    return _checked(Split(test, rest, folds, plan.method, f"{plan.reason}; {how}"))


def _folds(plan: _Plan, rows: np.ndarray) -> tuple[tuple[Fold, ...], str]:
    """Return the folds of the development rows and why there are so many."""
    n = len(rows)
    if n > THREE_FOLDS_UP_TO or not plan.crossed:
        most = n if plan.crossed else MOST_JUDGES
        valid = plan.divider.hold_out(rows, min(ONE_FOLD_FRACTION, most / n))
        above = f", above {THREE_FOLDS_UP_TO:,}" if plan.crossed else ", costly to learn from"
        text = f"{n:,} development rows{above}: one held-out part of"
        return ((without(rows, valid), valid),), f"{text} {len(valid):,} rows judges"
    wanted, limit = (5, FIVE_FOLDS_UP_TO) if n <= FIVE_FOLDS_UP_TO else (3, THREE_FOLDS_UP_TO)
    most = n if plan.labels is None else np.sort(np.bincount(plan.labels[rows], minlength=2))[-2]
    folds = tuple(plan.divider.cross(rows, max(2, min(wanted, int(most)))))
    text = f"{n:,} development rows, at most {limit:,}: {len(folds)} folds"
    fewer = f", not {wanted}, so that each fold has two classes" if most < wanted else ""
    return folds, text + fewer


def _by_column(
    table: Table, name: str, usable: np.ndarray, plan: _Plan, test_fraction: float
) -> Split:
    """Follow a column that says train, valid or test; what it does not say is planned."""
    codes, names = columns.cells(table, name).categories()
    for text in names:
        if text.strip().casefold() not in _WORDS:
            row = 1 + int(np.flatnonzero(codes == names.index(text))[0])
            raise SchemaError(
                f"{text!r} names no part",
                where=f"column {name!r}, row {row}",
                remedy="use train, valid and test",
            )
    parts = np.array([_WORDS[text.strip().casefold()] for text in names] + [""])[codes[usable]]
    train, valid, test = (usable[parts == part] for part in ("train", "valid", "test"))
    if not len(train):
        raise SchemaError("no row with a target says 'train'", where=f"column {name!r}")
    notes = []
    if (parts == "").any():
        notes.append(f"used nowhere: {counted(int((parts == '').sum()), 'row')} without a part")
    if not len(test):
        test = plan.divider.hold_out(train, test_fraction)
        train = without(train, test)
        notes.append(
            f"column {name!r} names no test rows: {counted(len(test), 'training row')} set apart"
        )
    reason = f"column {name!r} names the part of each row"
    if len(valid):
        return _checked(
            Split(test, np.union1d(train, valid), ((train, valid),), "column", reason, tuple(notes))
        )
    folds, how = _folds(plan, train)
    return _checked(Split(test, train, folds, "column", f"{reason}; {how}", tuple(notes)))


def _checked(split: Split) -> Split:
    if not len(split.test) or not all(len(train) and len(valid) for train, valid in split.folds):
        raise InputError(
            "the rows cannot be divided: a part would stay empty",
            remedy="add rows; a class needs at least 3 rows to be judged",
        )
    return split


def _with_both_classes(split: Split, labels: np.ndarray) -> Split:
    """Refuse training parts of one class; leave out folds that have one class to judge."""
    for train, _ in split.folds:
        if len(np.unique(labels[train])) < 2:
            raise TargetError(
                "a training part holds one class only",
                remedy="divide by another column, or leave --time, --group or --split out",
            )
    able = tuple(fold for fold in split.folds if len(np.unique(labels[fold[1]])) > 1)
    if len(able) in (0, len(split.folds)):
        return split
    lost = len(split.folds) - len(able)
    note = f"left out: {lost} of {len(split.folds)} folds, with one class to judge"
    return replace(split, folds=able, notes=(*split.notes, note))
