"""NumPy arrays in `.npz`: x and y, or x_train, y_train, x_test, y_test (also x_valid, y_valid)."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from neuroscope.base.errors import SourceError
from neuroscope.data.sources import _files
from neuroscope.data.sources._query import queried
from neuroscope.data.table import Origin, Table

KIND = "arrays x and y, or x_train, y_train, x_test, y_test (.npz)"
_PARTS = ("train", "valid", "test")
_LAYOUT = "save x (n, d) and y (n,), or x_train, y_train, x_test, y_test"


def accepts(source: Any) -> bool:
    """Tell whether `source` is named like an `.npz` file."""
    return _files.ending(source) == ".npz"


def read(source: str, *, sql: str | None = None) -> Table:
    """Read arrays as columns x1 … xd, y and, where there are parts, `split`.

    x of shape (n, …) is flattened to (n, d); pickled arrays are refused. A gzip around the file
    is undone in memory.
    """
    (path,) = _files.expand(source)
    try:
        with _files.open_bytes(path) as file, np.load(file, allow_pickle=False) as stored:
            arrays = {name.lower(): stored[name] for name in stored.files}
    except (ValueError, OSError, EOFError, AttributeError, TypeError, zipfile.BadZipFile) as error:
        if "allow_pickle" in str(error) and "Object" in str(error):
            remedy = "save plain numbers or text, not Python objects"
            raise SourceError("it holds pickled objects", where=source, remedy=remedy) from error
        raise SourceError(
            "cannot be read as .npz", where=source, remedy="it may be cut short or damaged"
        ) from error
    arrow, notes = _as_columns(arrays, source)
    return queried(Table(arrow, Origin(source, (str(Path(path)),), tuple(notes))), sql)


def _as_columns(arrays: Mapping[str, np.ndarray], source: str) -> tuple[pa.Table, list[str]]:
    parts = [part for part in _PARTS if f"x_{part}" in arrays]
    keys = [f"_{part}" for part in parts] or [""]
    lacking = [name for key in keys for name in (f"x{key}", f"y{key}") if name not in arrays]
    if lacking:
        found = ", ".join(f"{name} {array.shape}" for name, array in arrays.items()) or "nothing"
        raise SourceError(
            f"lacks {', '.join(lacking)}; it holds {found}", where=source, remedy=_LAYOUT
        )
    xs = [_flat(f"x{key}", arrays[f"x{key}"], source) for key in keys]
    ys = [np.squeeze(arrays[f"y{key}"]) for key in keys]
    for key, x, y in zip(keys, xs, ys, strict=True):
        if y.ndim != 1 or len(y) != len(x):
            shapes = f"x{key} {x.shape} and y{key} {y.shape}"
            raise SourceError(f"{shapes} do not fit together", where=source, remedy=_LAYOUT)
    if len({x.shape[1] for x in xs}) > 1:
        raise SourceError("the parts have different numbers of columns", where=source)
    x = np.concatenate(xs)
    columns = columns_of(x)
    columns["y"] = pa.array(np.concatenate(ys))
    notes = []
    if arrays[f"x{keys[0]}"].ndim > 2:
        shape = arrays[f"x{keys[0]}"].shape[1:]
        notes.append(f"each x of shape {shape} laid out as {x.shape[1]} columns")
    if parts:
        names = np.repeat(parts, [len(x) for x in xs])
        columns["split"] = pa.array(names.astype(object)).dictionary_encode()
    used = {f"{axis}{key}" for key in keys for axis in "xy"}
    notes += [f"array {name!r} is not used" for name in arrays if name not in used]
    return pa.table(columns), notes


def columns_of(x: np.ndarray) -> dict[str, pa.Array]:
    """Return the columns of x (n, d) as x1 … xd, zero-padded so that they sort."""
    digits = len(str(x.shape[1]))
    return {f"x{j + 1:0{digits}}": pa.array(x[:, j]) for j in range(x.shape[1])}


def _flat(name: str, x: np.ndarray, source: str) -> np.ndarray:
    if x.ndim == 0 or len(x) == 0 or x.dtype.kind not in "biufSU":
        raise SourceError(f"{name} is {x.dtype} of shape {x.shape}", where=source, remedy=_LAYOUT)
    return x.reshape(len(x), -1)
