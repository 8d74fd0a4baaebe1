"""NumPy arrays in `.npz`: x and y, or x_train, y_train, x_test, y_test (also x_valid, y_valid).

MedMNIST's names (train_images, train_labels, val_images …) say the same. Arrays of pictures,
(n, h, w) or (n, h, w, c), become a column of pictures, other arrays (n, t, c) a column of sequences
for each of c channels, and what is left a column for each number.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from neuroscope.base.errors import SourceError
from neuroscope.data.images.column import IMAGE, LABEL, SPLIT, as_arrays
from neuroscope.data.images.from_arrays import as_pictures
from neuroscope.data.series.column import as_lists, ends
from neuroscope.data.sources import _files
from neuroscope.data.sources._query import queried
from neuroscope.data.table import Origin, Table

KIND = "arrays x and y, or x_train, y_train, x_test, y_test (.npz)"
_PARTS = ("train", "valid", "test")
_ALIASES = {"images": "x", "labels": "y"} | {
    f"{part}_{name}": f"{axis}_{ours}"
    for part, ours in (("train", "train"), ("val", "valid"), ("valid", "valid"), ("test", "test"))
    for name, axis in (("images", "x"), ("labels", "y"))
} | {"x_val": "x_valid", "y_val": "y_valid"}  # fmt: skip
_LAYOUT = "save x (n, d) and y (n,), or x_train, y_train, x_test, y_test"


def accepts(source: Any) -> bool:
    """Tell whether `source` is named like an `.npz` file."""
    return _files.ending(source) == ".npz"


def read(source: str, *, sql: str | None = None, pictures: bool = True) -> Table:
    """Read arrays as columns x1 … xd and y, or `image` and `label`; with parts also `split`.

    Pictures need no labels; without `pictures` nothing is one. x of four and more axes is flattened
    to (n, d); pickled arrays are refused. A gzip around the file is undone in memory.
    """
    (path,) = _files.expand(source)
    try:
        with _files.open_bytes(path) as file, np.load(file, allow_pickle=False) as stored:
            arrays = {_called(name, stored.files): stored[name] for name in stored.files}
    except (ValueError, OSError, EOFError, AttributeError, TypeError, zipfile.BadZipFile) as error:
        if "allow_pickle" in str(error) and "Object" in str(error):
            remedy = "save plain numbers or text, not Python objects"
            raise SourceError("it holds pickled objects", where=source, remedy=remedy) from error
        raise SourceError(
            "cannot be read as .npz", where=source, remedy="it may be cut short or damaged"
        ) from error
    columns, notes = _as_columns(arrays, source, pictures=pictures)
    return queried(Table(pa.table(columns), Origin(source, (str(Path(path)),), tuple(notes))), sql)


def _called(name: str, names: list[str]) -> str:
    """Return our name for an array, unless another array has it."""
    ours = _ALIASES.get(name.lower(), name.lower())
    return ours if ours not in {other.lower() for other in names} else name.lower()


def _as_columns(
    arrays: Mapping[str, np.ndarray], source: str, *, pictures: bool
) -> tuple[dict[str, pa.Array], list[str]]:
    parts = [part for part in _PARTS if f"x_{part}" in arrays]
    keys = [f"_{part}" for part in parts] or [""]
    for key in keys:
        if f"x{key}" in arrays:
            _check_shape(f"x{key}", arrays[f"x{key}"], source)
    images = _pictures(arrays, keys, source) if pictures else None
    without_y = images is not None and not any(f"y{key}" in arrays for key in keys)
    axes = "x" if without_y else "xy"
    lacking = [f"{axis}{key}" for key in keys for axis in axes if f"{axis}{key}" not in arrays]
    if lacking:
        found = ", ".join(f"{name} {array.shape}" for name, array in arrays.items()) or "nothing"
        raise SourceError(
            f"lacks {', '.join(lacking)}; it holds {found}", where=source, remedy=_LAYOUT
        )
    columns, notes = images or _numbers(arrays, keys, source)
    if not without_y:
        ys = [_labels(arrays, key, source) for key in keys]
        columns[LABEL if images else "y"] = pa.array(np.concatenate(ys))
    if parts:
        names = np.repeat(parts, [len(arrays[f"x{key}"]) for key in keys])
        columns[SPLIT] = pa.array(names.astype(object)).dictionary_encode()
    used = {f"{axis}{key}" for key in keys for axis in axes}
    notes += [f"array {name!r} is not used" for name in arrays if name not in used]
    return columns, notes


def _pictures(
    arrays: Mapping[str, np.ndarray], keys: list[str], source: str
) -> tuple[dict[str, pa.Array], list[str]] | None:
    """Return the column of pictures, or None when the arrays are none."""
    read = [as_pictures(arrays[f"x{key}"]) if f"x{key}" in arrays else None for key in keys]
    found = [one for one in read if one is not None]
    if len(found) < len(keys):
        return None
    if len({pixels.shape[1:] for pixels, _ in found}) > 1:
        raise SourceError("the parts have pictures of different sizes", where=source)
    whole = found[0][0] if len(found) == 1 else np.concatenate([pixels for pixels, _ in found])
    notes = list(dict.fromkeys(note for _, note in found if note))
    return {IMAGE: as_arrays(whole)}, notes


def _numbers(
    arrays: Mapping[str, np.ndarray], keys: list[str], source: str
) -> tuple[dict[str, pa.Array], list[str]]:
    if all(arrays[f"x{key}"].ndim == 3 and arrays[f"x{key}"].dtype.kind in "biuf" for key in keys):
        return _sequences([arrays[f"x{key}"] for key in keys], source)
    xs = [arrays[f"x{key}"].reshape(len(arrays[f"x{key}"]), -1) for key in keys]
    if len({x.shape[1] for x in xs}) > 1:
        raise SourceError("the parts have different numbers of columns", where=source)
    shape = arrays[f"x{keys[0]}"].shape[1:]
    laid_out = f"each x of shape {shape} laid out as {xs[0].shape[1]} columns"
    return columns_of(np.concatenate(xs)), [laid_out] if len(shape) > 1 else []


def _sequences(
    xs: list[np.ndarray], source: str
) -> tuple[dict[str, pa.Array], list[str]]:  # fmt: skip
    """Return a column of sequences for each channel of x (n, t, c), which may differ in t."""
    if len({x.shape[2] for x in xs}) > 1:
        raise SourceError("the parts have different numbers of channels", where=source)
    lengths = np.repeat([x.shape[1] for x in xs], [len(x) for x in xs])
    found = [np.concatenate([x[:, :, c].ravel() for x in xs]) for c in range(xs[0].shape[2])]
    columns = {
        f"x{c + 1}": as_lists(flat.astype(np.float32), ends(lengths))
        for c, flat in enumerate(found)
    }
    return columns, [f"x of shape {xs[0].shape} read as sequences of {len(found)} channels"]


def _labels(arrays: Mapping[str, np.ndarray], key: str, source: str) -> np.ndarray:
    x, y = arrays[f"x{key}"], arrays[f"y{key}"]
    if y.ndim > 1 and y.size == len(y):
        y = y.reshape(len(y))
    if y.ndim != 1 or len(y) != len(x):
        shapes = f"x{key} {x.shape} and y{key} {y.shape}"
        raise SourceError(f"{shapes} do not fit together", where=source, remedy=_LAYOUT)
    return y


def columns_of(x: np.ndarray) -> dict[str, pa.Array]:
    """Return the columns of x (n, d) as x1 … xd, zero-padded so that they sort."""
    digits = len(str(x.shape[1]))
    return {f"x{j + 1:0{digits}}": pa.array(x[:, j]) for j in range(x.shape[1])}


def _check_shape(name: str, x: np.ndarray, source: str) -> None:
    if x.ndim == 0 or len(x) == 0 or x.dtype.kind not in "biufSU":
        raise SourceError(f"{name} is {x.dtype} of shape {x.shape}", where=source, remedy=_LAYOUT)
