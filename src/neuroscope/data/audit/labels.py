"""Checks of the target: missing, unbalanced, ordered, and labels that look wrong."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np

from neuroscope.base import randomness
from neuroscope.base.errors import SchemaError
from neuroscope.base.wording import counted, listed, percent
from neuroscope.data.audit.finding import Finding, Subject, examples
from neuroscope.data.encoders import Encoder

RARE_CLASS_ROWS = 10
SMALL_CLASS = 0.1  # share of rows below which accuracy misleads
ORDERED = 0.02  # share of the target's variance explained by 20 blocks of rows (eta squared)
_BLOCKS = 20
_FEWEST_FOR_ORDER = 100
SEPARABLE = 0.85  # balanced accuracy from which a doubted label is worth a look
DOUBTED = 0.15  # probability of the given label below which it is doubted
_LABEL_ROWS, _LABEL_CELLS, _LABEL_CLASSES = 10_000, 400_000, 30  # bound the time to a second


def check(subject: Subject) -> Iterator[Finding]:
    """Yield the findings about the target."""
    yield from _missing(subject)
    if subject.task_kind != "regression":
        yield from _spellings(subject)
        yield from _balance(subject)
        yield from _suspects(subject)
    if subject.pictures is None:  # files stand sorted by their folders
        yield from _order(subject)


def _missing(subject: Subject) -> Iterator[Finding]:
    missing = np.isnan(subject.y)
    if missing.any():
        yield Finding(
            code="target-missing",
            severity="notice",
            column=subject.target,
            count=int(missing.sum()),
            rows=examples(missing),
            what=f"the target {subject.target!r} is missing in"
            f" {counted(int(missing.sum()), 'row')}, {percent(missing.mean())}",
            meaning="these rows can neither train nor judge; they are left out",
            remedy="fill the target in if it is known, else nothing to do",
        )


def _spellings(subject: Subject) -> Iterator[Finding]:
    """Find classes that differ in capitals and blanks only: "Yes" and "YES"."""
    codes, names = subject.classes
    alike: dict[str, list[str]] = {}
    for name in names:
        alike.setdefault(" ".join(name.casefold().split()), []).append(name)
    several = [name for group in alike.values() if len(group) > 1 for name in group]
    if several:
        concerned = np.isin(codes, [names.index(name) for name in several])
        quoted = listed([repr(name) for name in several])
        yield Finding(
            code="class-spellings",
            severity="serious",
            column=subject.target,
            count=len(several),
            rows=examples(concerned),
            what=f"classes that differ only in how they are written: {quoted}",
            meaning="each counts as a class of its own, and telling them apart cannot be learnt",
            remedy="write each class one way in the data",
        )


def _balance(subject: Subject) -> Iterator[Finding]:
    codes, names = subject.classes
    rows = np.bincount(codes[codes >= 0], minlength=len(names))
    if len(names) < 2:
        return
    rare = [name for name, n in zip(names, rows, strict=True) if n < RARE_CLASS_ROWS]
    if rare:
        yield Finding(
            code="rare-classes",
            severity="serious" if len(names) == 2 else "notice",
            column=subject.target,
            count=len(rare),
            rows=examples(np.isin(codes, [names.index(name) for name in rare])),
            what=f"{counted(len(rare), 'class')} with fewer than {RARE_CLASS_ROWS} rows:"
            f" {listed(rare)}",
            meaning="so few rows can hardly be learnt, and not be judged",
            remedy="add rows of these classes, or merge them with others",
        )
    share = float(rows.min() / rows.sum())
    if share < SMALL_CLASS / (len(names) - 1):
        large, small = names[rows.argmax()], names[rows.argmin()]
        always = percent(rows.max() / rows.sum())
        flattered = rows.max() > rows.sum() / 2
        yield Finding(
            code="class-imbalance",
            severity="notice",
            column=subject.target,
            count=int(rows.min()),
            what=f"{small!r} is {percent(share)} of the rows",
            meaning=f"answering always {large!r} is right in {always} of the rows"
            + (", so accuracy says little" if flattered else ", and accuracy hardly sees it"),
            remedy="judge by ROC AUC or PR AUC, and set the threshold by what errors cost"
            if len(names) == 2
            else "judge by balanced accuracy, which counts every class alike",
        )


def _order(subject: Subject) -> Iterator[Finding]:
    """Find a target that changes with the order of the rows, or along a date column."""
    n = len(subject.usable)
    if n < _FEWEST_FOR_ORDER or subject.schema.by_role("time") is not None:
        return
    y = subject.y[subject.usable]
    told = False
    for column in subject.schema.features:
        if column.kind == "datetime":
            moments = subject.cells(column.name, subject.usable).moments()
            drift = _explained_by_order(y[np.argsort(moments, kind="stable")], subject)
            told |= drift >= ORDERED
            yield _dated(column.name, drift, n, number=subject.task_kind == "regression")
    drift = _explained_by_order(y, subject)
    if drift < ORDERED or told:
        return
    steps = np.diff(y)
    ordered = bool((steps >= 0).all() or (steps <= 0).all())
    if subject.task_kind != "regression":  # one block of rows for each class, in any order
        ordered |= np.count_nonzero(steps) < 2 * len(np.unique(y))
    yield Finding(
        code="sorted" if ordered else "row-order",
        severity="info" if ordered else "notice",
        column=subject.target,
        count=n,
        what="the rows are sorted by the target"
        if ordered
        else "rows that stand near each other have similar targets (their place in the file"
        f" explains {percent(drift)} of it)",
        meaning="this does no harm: rows are shuffled before they are divided"
        if ordered
        else "if near rows are of one time, place or person, dividing at random lets the model"
        " see its exam, and new rows will do worse",
        remedy="nothing to do"
        if ordered
        else "if the rows have a time, name it with --time COL; if they form groups, --group COL",
    )


def _explained_by_order(y: np.ndarray, subject: Subject) -> float:
    """Return eta squared of 20 consecutive blocks, less what chance explains (ANOVA; Fisher)."""
    if subject.task_kind == "regression":
        targets = np.argsort(np.argsort(y, kind="stable"), kind="stable")[:, None].astype(float)
    else:
        common = np.argsort(-np.bincount(y.astype(np.int64)))[:_BLOCKS]
        targets = (y[:, None] == common).astype(np.float64)
    block = np.arange(len(y)) * _BLOCKS // len(y)
    rows = np.bincount(block)
    best = 0.0
    for target in targets.T:
        if (total := target.var()) > 0:
            means = np.bincount(block, target) / rows
            between = float(np.average((means - target.mean()) ** 2, weights=rows))
            best = max(best, between / total)
    chance = (_BLOCKS - 1) / (len(y) - 1)
    return best - chance if best > 3 * chance else 0.0


def _dated(name: str, drift: float, rows: int, *, number: bool) -> Finding:
    moves = drift >= ORDERED
    ahead = f"; to forecast what comes next: --time {name} --horizon N" if number else ""
    return Finding(
        code="dates",
        severity="notice" if moves else "info",
        column=name,
        count=rows,
        what=f"{name!r} is a date"
        + (f", and the target changes along it (it explains {percent(drift)})" if moves else ""),
        meaning="if the model will judge the future from the past, a random split flatters it",
        remedy=f"to judge on the newest rows: --time {name}{ahead}",
    )


def _suspects(subject: Subject) -> Iterator[Finding]:
    """Find labels that a logistic regression of the other rows doubts."""
    rows, y = _label_sample(subject)
    if rows is None or y is None:
        return
    try:
        x = Encoder.fit(subject.table, subject.schema, rows).transform(subject.table, rows).x
    except SchemaError:  # no feature varies: nothing to doubt a label by
        return
    probabilities = _out_of_fold(x, y, subject.seed)
    worst = doubted(y, probabilities)
    if not len(worst):
        return
    count, share = len(worst), len(worst) / len(y)
    where = " looked at" if len(y) < len(subject.learnable) else ""
    yield Finding(
        code="suspect-labels",
        severity="notice" if share > 0.01 else "info",
        column=subject.target,
        count=count,
        rows=examples(rows[worst]),
        what=f"doubtful labels: {count:,} of {counted(len(y), 'row')}{where} ({percent(share)})",
        meaning="a simple model that has not seen these rows is sure of another class; some are"
        " wrong labels, some are rare true cases",
        remedy="look at the rows named, the most doubtful first, and correct what is wrong",
    )


def doubted(y: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return the positions of labels that look wrong, the most doubtful first.

    `y` (n,) are class indices, `probabilities` (n, k) those of a model that has not seen the row.
    A label i is doubted when its probability is at most 0.15 and that of the likeliest class j
    reaches the mean of p(j) among rows labelled j (confident learning; Northcutt et al., 2021).
    None is when the classes separate badly, since there doubt is no sign of error.
    """
    given = probabilities[np.arange(len(y)), y]
    likeliest = probabilities.argmax(axis=1)
    present = np.unique(y)
    if np.mean([(likeliest[y == c] == c).mean() for c in present]) < SEPARABLE:
        return np.empty(0, np.int64)
    usual = np.full(probabilities.shape[1], np.inf)
    usual[present] = [given[y == c].mean() for c in present]
    wrong = (given <= DOUBTED) & (probabilities.max(axis=1) >= usual[likeliest])
    return np.flatnonzero(wrong)[np.argsort(given[wrong], kind="stable")]


def _label_sample(subject: Subject) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return rows and class codes of a sample, without classes of fewer than 6 rows."""
    features = max(1, len(subject.schema.features))
    rows = subject.sample(min(_LABEL_ROWS, _LABEL_CELLS // features))
    codes = subject.classes[0][rows]
    rows = rows[np.bincount(codes)[codes] >= 6] if len(codes) else rows
    names, y = np.unique(subject.classes[0][rows], return_inverse=True)
    if not 2 <= len(names) <= _LABEL_CLASSES or len(rows) < 50:
        return None, None
    return rows, y


def _out_of_fold(x: np.ndarray, y: np.ndarray, seed: int) -> np.ndarray:
    """Return (n, classes) probabilities, each from a model that has not seen the row."""
    from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415 - slow to import
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
    from sklearn.model_selection import StratifiedKFold, cross_val_predict  # noqa: PLC0415
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 - comes with scikit-learn

    folds = StratifiedKFold(3, shuffle=True, random_state=randomness.integer(seed, "doubt"))
    with warnings.catch_warnings(), threadpool_limits(1):  # small matrices: threads only wait
        warnings.simplefilter("ignore", ConvergenceWarning)  # a rough model is enough here
        model = LogisticRegression(max_iter=60)
        return np.asarray(cross_val_predict(model, x, y, cv=folds, method="predict_proba"))
