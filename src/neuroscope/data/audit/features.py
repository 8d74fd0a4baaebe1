"""Checks of one feature at a time: missing, constant, infinite, outliers, categories."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neuroscope.base.wording import counted, listed, number, percent
from neuroscope.data.audit.finding import Finding, Subject, examples
from neuroscope.data.columns import Cells
from neuroscope.data.schema import Column
from neuroscope.data.text.column import mainly_texts

MANY_MISSING = 0.2  # share of rows from which a column is told on its own
FAR = 5.0  # spreads of the middle half beyond its ends from which a number is far out
RARELY_FAR = 0.01  # share of rows up to which far numbers are outliers, not a long tail
MANY_CATEGORIES = 50
FEW_ROWS_EACH = 5  # rows for each category below which little can be learnt about one
NEARLY_NUMBERS = 0.9  # share of rows with a number from which text was meant as numbers
MIXED_NUMBERS = 0.5  # share of rows with a number from which the words among them are told

_PLACEHOLDERS = frozenset(
    ("?", "-", "--", ".", "n/a", "#n/a", "na", "nan", "null", "(null)", "unknown", "missing")
)


def check(subject: Subject) -> Iterator[Finding]:
    """Yield the findings of each feature, of what is left out, and of a number target."""
    some_missing: dict[str, int] = {}
    for column in (*subject.schema.features, *subject.left_out):
        if column.kind == "identifier":
            yield _identifier(column, subject.table.rows)
            continue
        if column.kind == "text":
            if not mainly_texts(subject.schema):  # else `text.audit` looks at them
                yield _text(column)
            continue
        if column.kind in ("image", "series"):
            continue  # `images.audit` and `series.audit` look at them
        cells = subject.cells(column.name)
        missing, findings = _feature(column, cells, subject.learnable)
        yield from findings
        if 0 < missing < MANY_MISSING * len(cells.values):
            some_missing[column.name] = missing
    if some_missing:
        yield _some_missing(some_missing)
    if subject.target is not None and subject.task_kind == "regression":
        yield from _outliers(subject.target, subject.y)


def _feature(column: Column, cells: Cells, learnable: np.ndarray) -> tuple[int, list[Finding]]:
    """Return the number of missing values and the findings of one feature.

    Whether there is something to learn from it is for the learnable rows to say.
    """
    if column.kind in ("numeric", "datetime"):
        given = cells.numbers() if column.kind == "numeric" else cells.moments()
        missing = np.isnan(given)
        more = list(_numbers(column.name, given)) if column.kind == "numeric" else []
    else:
        given, labels = cells.categories()
        missing = given < 0
        more = list(_categories(column.name, given, labels))
    seen = given[learnable][~missing[learnable]]
    if not len(seen):
        return 0, [_all_missing(column.name, len(learnable), len(missing))]
    if len(seen) == len(learnable) and bool((seen == seen[0]).all()):
        return 0, [_constant(column.name, len(learnable), len(missing))]
    absent = int(missing.sum())
    if absent >= MANY_MISSING * len(missing):
        more = [_missing(column.name, missing), *more]
    return absent, more


def _numbers(name: str, given: np.ndarray) -> Iterator[Finding]:
    infinite = np.isinf(given)
    if infinite.any():
        yield Finding(
            code="infinite",
            severity="notice",
            column=name,
            count=int(infinite.sum()),
            rows=examples(infinite),
            what=f"{name!r} is infinite in {counted(int(infinite.sum()), 'row')}",
            meaning="infinity usually comes from a division by zero; it counts as missing here",
            remedy=f"correct the values at their source, or leave the column out: --drop {name}",
        )
    yield from _outliers(name, np.where(infinite, np.nan, given))


def _outliers(name: str, given: np.ndarray) -> Iterator[Finding]:
    """Find numbers further than 5 middle-half spreads beyond the middle half (Tukey's fences).

    Skipped where half of the values are the same: then any other value would be far.
    """
    known = given[~np.isnan(given)]
    if not len(known):
        return
    low, high = np.quantile(known, [0.25, 0.75])
    reach = FAR * (high / 2 - low / 2) * 2
    if not 0 < reach < np.inf:
        return
    far = (given < low - reach) | (given > high + reach)
    share = far.sum() / len(known)
    if not 0 < share <= RARELY_FAR:
        return
    values, counts = np.unique(given[far], return_counts=True)
    often = int(counts.argmax())
    same = f"{number(values[often])} alone in {counted(int(counts[often]), 'row')}"
    span = " to ".join(number(value) for value in dict.fromkeys((values[0], values[-1])))
    coded = counts[often] >= 5 and counts[often] > far.sum() / 2 and often in (0, len(values) - 1)
    yield Finding(
        code="outliers",
        severity="notice" if coded else "info",
        column=name,
        count=int(far.sum()),
        rows=examples(far),
        what=f"{name!r} is usually {number(low)} to {number(high)}, but {span} in"
        f" {counted(int(far.sum()), 'row')}" + (f"; {same}" if coded else ""),
        meaning="one value again and again is often a code for missing"
        if coded
        else "these may be errors or rare true cases; scaling pulls them in, so they do no harm",
        remedy="if it is a code, empty these cells" if coded else "look at the rows named",
    )


def _categories(name: str, codes: np.ndarray, labels: list[str]) -> Iterator[Finding]:
    rows = np.bincount(codes[codes >= 0], minlength=len(labels))
    for code, text in enumerate(labels):
        if text.strip().casefold() in _PLACEHOLDERS:
            yield Finding(
                code="placeholder",
                severity="notice",
                column=name,
                count=int(rows[code]),
                rows=examples(codes == code),
                what=f"{name!r} says {text!r} in {counted(int(rows[code]), 'row')}",
                meaning="this looks like a way to say missing; it counts as a category of its own",
                remedy="leave it if not knowing tells something, else empty these cells",
            )
    not_numbers = [code for code, text in enumerate(labels) if not _is_number(text)]
    strange = int(rows[not_numbers].sum())
    if 0 < strange <= (1 - NEARLY_NUMBERS) * rows.sum() and len(labels) > 10:
        texts = [repr(labels[code]) for code in not_numbers]
        yield Finding(
            code="numbers-as-text",
            severity="notice",
            column=name,
            count=strange,
            rows=examples(np.isin(codes, not_numbers)),
            what=f"{name!r} holds numbers, but text in {counted(strange, 'row')}: {listed(texts)}",
            meaning="because of these few cells the whole column is read as categories",
            remedy="empty or correct these cells, so that the column is read as numbers",
        )
    elif MIXED_NUMBERS * rows.sum() <= rows.sum() - strange < rows.sum() and len(labels) > 10:
        texts = [
            repr(labels[code]) for code in np.array(not_numbers)[np.argsort(-rows[not_numbers])]
        ]
        yield Finding(
            code="numbers-and-words",
            severity="notice",
            column=name,
            count=strange,
            rows=examples(np.isin(codes, not_numbers)),
            what=f"{name!r} mixes numbers with words, which stand in {counted(strange, 'row')}:"
            f" {listed(texts)}",
            meaning="the whole column is read as categories, to which 3 is no nearer to 4 than"
            " to 100",
            remedy="where the words mean missing, empty these cells; else give the words a column"
            " of their own",
        )
    elif len(labels) > MANY_CATEGORIES and rows.sum() < FEW_ROWS_EACH * len(labels):
        each = rows.sum() / len(labels)
        yield Finding(
            code="many-categories",
            severity="notice",
            column=name,
            count=len(labels),
            what=f"{name!r} has {len(labels):,} categories, {each:.1f} rows each",
            meaning="so few rows say little about a category, and new rows bring new ones",
            remedy=f"use coarser categories (a region, not a street), or --drop {name}",
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _rows(learnable: int, rows: int) -> str:
    return "row" if learnable == rows else "row that may train"


def _all_missing(name: str, learnable: int, rows: int) -> Finding:
    return Finding(
        code="all-missing",
        severity="notice",
        column=name,
        count=learnable,
        what=f"{name!r} has no value in any {_rows(learnable, rows)}",
        meaning="there is nothing to learn from it; it is left out",
        remedy="nothing to do; if there should be values, check how the file was made",
    )


def _constant(name: str, learnable: int, rows: int) -> Finding:
    return Finding(
        code="constant",
        severity="notice",
        column=name,
        count=learnable,
        what=f"{name!r} has the same value in every {_rows(learnable, rows)}",
        meaning="there is nothing to learn from it; it is left out",
        remedy="nothing to do; if it should vary, check how the rows were chosen",
    )


def _identifier(column: Column, rows: int) -> Finding:
    """Tell of a column that names rows; one whose values never repeat forms no groups."""
    repeats = column.distinct < rows - column.missing
    grouped = f"; if its rows belong together, divide by it with --group {column.name}"
    name, why = column.name, column.reason.split(";")[0]
    return Finding(
        code="identifier",
        severity="notice",
        column=name,
        count=column.distinct,
        what=f"{name!r} names rows: {why or 'hardly any value comes twice'}",
        meaning="a model would learn it by heart and know nothing about new rows; it is left out",
        remedy=f"nothing to do{grouped if repeats else ''}",
    )


def _text(column: Column) -> Finding:
    return Finding(
        code="text",
        severity="notice",
        column=column.name,
        count=column.distinct,
        what=f"{column.name!r} is free text",
        meaning="networks for tables do not read it; it is left out",
        remedy="to learn from it alone: --task text_classes; if it is a category, say so with"
        " --schema",
    )


def _missing(name: str, missing: np.ndarray) -> Finding:
    absent, share = int(missing.sum()), missing.mean()
    return Finding(
        code="missing",
        severity="notice",
        column=name,
        count=absent,
        rows=examples(missing),
        what=f"{name!r} is missing in {counted(absent, 'row')}, {percent(share)}",
        meaning="the model gets a typical value and a flag that says it was missing",
        remedy=f"fill it in where you can; if it is mostly empty by accident, --drop {name}",
    )


def _some_missing(missing: dict[str, int]) -> Finding:
    order = sorted(missing, key=lambda name: -missing[name])
    shown = [f"{name!r} in {counted(missing[name], 'row')}" for name in order]
    return Finding(
        code="some-missing",
        severity="info",
        columns=tuple(order),
        count=sum(missing.values()),
        what=f"{counted(len(order), 'column')} with a few missing values: {listed(shown)}",
        meaning="the model gets a typical value and a flag that says it was missing",
        remedy="nothing to do",
    )
