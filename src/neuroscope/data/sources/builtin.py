"""Data sets that come with the installation: from scikit-learn, and some made for teaching."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from neuroscope.base import randomness
from neuroscope.data.images.column import IMAGE, as_arrays
from neuroscope.data.memory_tasks import adding
from neuroscope.data.series.column import as_lists, ends
from neuroscope.data.sources._numbers import number_pairs
from neuroscope.data.sources._query import queried
from neuroscope.data.table import Origin, Table
from neuroscope.data.text.messages import messages

KIND = "a built-in data set by name (`neuroscope data` lists them)"


@dataclass(frozen=True)
class BuiltinSet:
    """One built-in data set as `neuroscope data` lists it; `columns` counts the target too."""

    name: str
    description: str
    rows: int
    columns: int
    target: str
    task: Literal["binary", "multiclass", "regression", "forecast", "translation"]
    time: str | None = None  # the column of times, where it is a series


_SETS = (
    BuiltinSet("adding", "3,000 rows of numbers, two of them marked: their sum? (made up)",
               3000, 3, "sum", "regression"),
    BuiltinSet("breast-cancer", "569 tumours measured under the microscope: malignant or benign?",
               569, 31, "diagnosis", "binary"),
    BuiltinSet("diabetes", "442 patients: how far has diabetes progressed after one year?",
               442, 11, "progression", "regression"),
    BuiltinSet("digits", "1,797 handwritten digits of 8 x 8 grey pixels: which digit is it?",
               1797, 65, "digit", "multiclass"),
    BuiltinSet("digits-images", "the same 1,797 handwritten digits as pictures of 8 x 8 pixels",
               1797, 2, "digit", "multiclass"),
    BuiltinSet("iris", "150 flowers, four lengths and widths: which of three species?",
               150, 5, "species", "multiclass"),
    BuiltinSet("messages", "900 messages to a shop: what are they about? (made up)",
               900, 2, "topic", "multiclass"),
    BuiltinSet("numbers", "8,000 numbers below a million in English words, and in digits (made up)",
               8000, 2, "digits", "translation"),
    BuiltinSet("spirals", "1,000 points on two wound arms: needs several hidden units (made up)",
               1000, 3, "arm", "binary"),
    BuiltinSet("two-moons", "1,000 points on two half circles: a line is nearly enough (made up)",
               1000, 3, "moon", "binary"),
    BuiltinSet("waves", "600 short signals, some with gaps: sine, square or saw? (made up)",
               600, 2, "shape", "multiclass"),
    BuiltinSet("visitors", "three years of daily visitors to two museums (made up)",
               2192, 3, "visitors", "forecast", "day"),
    BuiltinSet("wine", "178 wines by 13 chemical measures: which of three cultivars?",
               178, 14, "cultivar", "multiclass"),
    BuiltinSet("xor", "1,000 points in four squares: one neuron cannot solve it (made up)",
               1000, 3, "label", "binary"),
)  # fmt: skip

_ADDED_STEPS = 30
_DIABETES = ("age", "sex", "body_mass_index", "blood_pressure", "cholesterol", "ldl", "hdl",
             "cholesterol_ratio", "log_triglycerides", "glucose")  # fmt: skip


def describe() -> list[BuiltinSet]:
    """List the built-in data sets by name, without loading any."""
    return list(_SETS)


def default_target(name: str) -> str | None:
    """Return the column a built-in set is usually asked to predict, or None for another name."""
    return next((one.target for one in _SETS if one.name == name), None)


def default_time(name: str) -> str | None:
    """Return the column of times of a built-in set of series, or None for another name."""
    return next((one.time for one in _SETS if one.name == name), None)


def task_of(name: str) -> str | None:
    """Return what is usually asked of a built-in set, or None for another name."""
    return next((one.task for one in _SETS if one.name == name), None)


def default_series(name: str) -> str | None:
    """Return the column that tells the series of a built-in set apart, or None."""
    return "museum" if name == "visitors" else None


def accepts(source: Any) -> bool:
    """Tell whether `source` is the name of a built-in set and of no file."""
    return (
        isinstance(source, str)
        and default_target(source) is not None
        and not (Path(source).is_file())
    )


def read(source: str, *, sql: str | None = None) -> Table:
    """Return a built-in set; the target is its last column."""
    made = {"xor": _xor, "two-moons": _two_moons, "spirals": _spirals, "waves": _waves,
            "visitors": _visitors, "messages": messages, "numbers": number_pairs,
            "adding": _adding}  # fmt: skip
    make = made.get(source)
    arrow = make() if make else _from_sklearn(source)
    return queried(Table(arrow, Origin(source)), sql)


def _from_sklearn(name: str) -> pa.Table:
    from sklearn import datasets  # noqa: PLC0415 - about a second that listing must not cost

    if name == "diabetes":
        bunch: Any = datasets.load_diabetes(scaled=False)
        return _table(bunch["data"], list(_DIABETES), "progression", pa.array(bunch["target"]))
    load = {
        "iris": datasets.load_iris,
        "wine": datasets.load_wine,
        "digits": datasets.load_digits,
        "digits-images": datasets.load_digits,
        "breast-cancer": datasets.load_breast_cancer,
    }[name]
    bunch = load()
    target = default_target(name) or "target"
    names = [_nice(feature) for feature in bunch["feature_names"]]
    classes = [str(label).replace("class_", "cultivar ") for label in bunch["target_names"]]
    if name == "digits-images":  # 16 shades of grey
        pixels = np.rint(bunch["images"] * (255 / 16)).astype(np.uint8)
        return pa.table({IMAGE: as_arrays(pixels), target: pa.array(bunch["target"])})
    if name == "digits":
        return _table(bunch["data"].astype(np.int64), names, target, pa.array(bunch["target"]))
    codes = pa.array(bunch["target"].astype(np.int32))
    labels = pa.DictionaryArray.from_arrays(codes, pa.array(classes))
    return _table(bunch["data"], names, target, labels)


def _nice(name: str) -> str:
    """Return "sepal_length_cm" for "sepal length (cm)"."""
    return "_".join(name.replace("(", " ").replace(")", " ").replace("/", " ").split()).lower()


def _table(x: np.ndarray, names: list[str], target: str, y: pa.Array) -> pa.Table:
    columns = {name: pa.array(np.ascontiguousarray(x[:, j])) for j, name in enumerate(names)}
    return pa.table(columns | {target: y})


def _xor() -> pa.Table:
    """Label 1 where exactly one of x1, x2 is positive; 1,000 points uniform in [-1, 1]^2."""
    x = randomness.generator(0, "xor").uniform(-1, 1, size=(1000, 2))
    return _table(x, ["x1", "x2"], "label", pa.array((np.prod(x, axis=1) < 0).astype(np.int64)))


def _two_moons() -> pa.Table:
    """Two interleaving half circles with normal noise of 0.15."""
    random = randomness.generator(0, "two-moons")
    angle = random.uniform(0, np.pi, size=1000)
    moon = np.arange(1000) % 2
    x = np.column_stack([np.cos(angle), np.sin(angle)])
    x[moon == 1] = np.array([1.0, 0.5]) - x[moon == 1]
    return _table(x + random.normal(0, 0.15, x.shape), ["x1", "x2"], "moon", pa.array(moon))


def _spirals() -> pa.Table:
    """Two arms of one and a half turns (Lang and Witbrock, 1988), with normal noise of 0.03."""
    random = randomness.generator(0, "spirals")
    arm = np.arange(1000) % 2
    radius = np.sqrt(random.uniform(0.02, 1, size=1000))
    angle = 3 * np.pi * radius + np.pi * arm
    x = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    return _table(x + random.normal(0, 0.03, x.shape), ["x1", "x2"], "arm", pa.array(arm))


def _waves() -> pa.Table:
    """Sine, square and saw of 30 to 60 steps, of any phase, period and height; noise of 0.3.

    A tenth of the readings is missing. All three have the same mean and deviation, and where a wave
    stands at the ends is chance, so that what tells them apart is what happens from step to step.
    """
    random = randomness.generator(0, "waves")
    lengths = random.integers(30, 61, 600)
    kind = np.arange(600) % 3
    starts = ends(lengths)
    place = (np.arange(starts[-1]) - np.repeat(starts[:-1], lengths)).astype(np.float64)
    period, phase, height = (
        np.repeat(random.uniform(low, high, 600), lengths)
        for low, high in ((10, 20), (0, 1), (0.7, 1.4))
    )
    turn = (place / period + phase) % 1.0
    wave = np.choose(np.repeat(kind, lengths), [
        np.sqrt(2) * np.sin(2 * np.pi * turn), np.where(turn < 0.5, 1.0, -1.0),
        np.sqrt(3) * (2 * turn - 1),
    ])  # fmt: skip
    readings = height * wave + random.normal(0, 0.3, len(wave))
    readings[random.random(len(wave)) < 0.1] = np.nan
    shapes = np.array(["sine", "square", "saw"], dtype=object)[kind]
    lists = as_lists(pa.array(readings.astype(np.float32), from_pandas=True), starts)
    return pa.table({"height": lists, "shape": pa.array(shapes)})


def _visitors() -> pa.Table:
    """Visitors a day: a level, a trend, more at weekends and in summer, days that remember."""
    random, days = randomness.generator(0, "visitors"), 1096
    day = np.datetime64("2021-01-01") + np.arange(days)
    week = np.array([-0.25, -0.15, -0.1, 0.0, 0.05, 0.3, 0.15])[(np.arange(days) + 4) % 7]
    year = 0.25 * np.sin(2 * np.pi * (np.arange(days) - 100) / 365.25)
    columns: dict[str, list[np.ndarray]] = {"day": [], "museum": [], "visitors": []}
    for name, level, trend in (("harbour", 900.0, 0.3), ("toys", 150.0, -0.1)):
        noise = np.zeros(days)
        for at in range(1, days):
            noise[at] = 0.6 * noise[at - 1] + random.normal(0, 0.06)
        counts = level * (1 + trend * np.arange(days) / days) * np.exp(week + year + noise)
        for column, values in zip(columns, (day, np.full(days, name), counts.round()), strict=True):
            columns[column].append(values)
    joined = {name: np.concatenate(parts) for name, parts in columns.items()}
    return pa.table({
        "day": pa.array(joined["day"].astype("datetime64[s]")),
        "museum": pa.array(joined["museum"].tolist()),
        "visitors": pa.array(joined["visitors"].astype(np.int64)),
    })  # fmt: skip


def _adding() -> pa.Table:
    """Return the adding problem: without a memory of the first mark no one knows the sum."""
    x, y = adding(3000, _ADDED_STEPS)
    lists = {name: pa.array(list(x[:, :, k].astype(np.float64))) for k, name in
             enumerate(("value", "mark"))}  # fmt: skip
    return pa.table({**lists, "sum": y.astype(np.float64)})
