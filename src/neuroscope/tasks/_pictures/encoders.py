"""Pictures on their way to a learner: decoded once for all rungs, then pixels, batches or features.

`Store` holds the decoded set; `FlatEncoder` gives the neuron core rows of floats, `PictureEncoder`
gives torch nets the pictures themselves, `FeatureEncoder` gives what a frozen backbone sees.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import threading
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroscope.base.errors import ModelError, SchemaError
from neuroscope.base.events import Monitor, ignore
from neuroscope.data.images.column import picture_column
from neuroscope.data.images.decode import Crop
from neuroscope.data.images.encoder import PixelEncoder
from neuroscope.data.images.facts import Facts, facts
from neuroscope.data.images.pixels import Pixels, channels_of
from neuroscope.data.table import Table
from neuroscope.tasks._learning import Problem

if TYPE_CHECKING:
    from neuroscope.nets.backbone import Backbone
    from neuroscope.nets.normalisation import Normalisation

_IN_MEMORY = 1 << 29  # bytes of decoded pictures above which they are put on disk


class _Folder:
    """A temporary folder that is removed when nothing refers to it any more, or at the end.

    Not `tempfile.TemporaryDirectory`, which wants to be closed: nobody knows who reads last.
    """

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="neuroscope-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


@dataclass(frozen=True)
class PictureRows:
    """Some rows of a decoded set (N, size, size, c) uint8; nothing is copied until it is taken."""

    array: np.ndarray
    rows: np.ndarray  # (n,)
    kept: _Folder | None = field(default=None, repr=False)  # of a set on disk, as long as this
    nbytes: int = 0

    def __len__(self) -> int:
        return len(self.rows)

    def blocks(self, size: int) -> Iterator[np.ndarray]:
        """Yield the pictures, `size` at a time."""
        for start in range(0, len(self.rows), size):
            yield self.array[self.rows[start : start + size]]


@dataclass(frozen=True)
class Encoded:
    """What a learner reads of some rows, and what was noted on the way."""

    x: Any
    notes: tuple[str, ...] = ()


class Store:
    """The pictures of one table, decoded once for each size that a rung asks for."""

    def __init__(self, table: Table, column: str, cache: Path | None, monitor: Monitor) -> None:
        self.table, self.column, self.cache, self.monitor = table, column, cache, monitor
        self._sets: dict[tuple[int, int, Crop], np.ndarray] = {}
        self._features: dict[str, np.ndarray] = {}
        self._lock = threading.RLock()

    @classmethod
    def of(cls, problem: Problem) -> Store:
        """Return the store that all rungs of a problem share."""
        if "pictures" not in problem.shared:
            column = picture_column(problem.table, problem.schema)
            if column is None:
                raise SchemaError("no feature holds pictures", remedy="give a folder of pictures")
            problem.shared["pictures"] = cls(
                problem.table, column, problem.scratch, problem.monitor
            )
        store: Store = problem.shared["pictures"]
        store.cache, store.monitor = problem.scratch or store.cache, problem.monitor
        return store

    @cached_property
    def facts(self) -> Facts:
        """What each picture is; every file is looked up for it, so once is enough."""
        return facts(self.table, self.column, monitor=self.monitor)

    @property
    def channels(self) -> int:
        """1 when all pictures are grey, else 3."""
        return channels_of(self.facts)

    def at(self, size: int, channels: int, crop: Crop = "squash") -> np.ndarray:
        """Return all pictures of the table (N, size, size, channels) uint8."""
        with self._lock:
            key = size, channels, crop
            if key not in self._sets:
                pixels = Pixels(self.table, self.column, monitor=self.monitor)
                found = pixels.at(size, channels, crop=crop, cache=self.cache)
                # Pages of a mapped file count as memory; it is mapped again when it is asked for.
                stay = {
                    k: kept for k, kept in self._sets.items() if not isinstance(kept, np.memmap)
                }
                self._sets = stay | {key: found}
            return self._sets[key]

    def features(self, encoder: FeatureEncoder, rows: np.ndarray) -> np.ndarray:
        """Return the features of some rows; those of the whole table are computed once."""
        with self._lock:
            key = encoder.key
            if key not in self._features:
                self._features[key] = self._kept(key) if self._place(key) else None  # type: ignore
                if self._features[key] is None:
                    self._features[key] = encoder.extract(self.table, self)
                    self._keep(key)
            return self._features[key][rows]

    def _place(self, key: str) -> Path | None:
        return None if self.cache is None else self.cache / f"features-{key}.npy"

    def _kept(self, key: str) -> np.ndarray | None:
        place = self._place(key)
        return np.load(place, allow_pickle=False) if place is not None and place.exists() else None

    def _keep(self, key: str) -> None:
        place = self._place(key)
        if place is not None:
            place.parent.mkdir(parents=True, exist_ok=True)
            draft = place.with_suffix(".part.npy")
            np.save(draft, self._features[key], allow_pickle=False)
            draft.replace(place)


@dataclass(frozen=True)
class FlatEncoder:
    """Pictures as rows of floats, for the neuron core: mean 0 and deviation 1 a channel."""

    pixels: PixelEncoder
    store: Store | None = field(default=None, compare=False, repr=False)

    @classmethod
    def fit(cls, store: Store, rows: np.ndarray, size: int) -> FlatEncoder:
        """Learn means and deviations from the training rows."""
        whole = store.at(size, store.channels)
        return cls(PixelEncoder.of_pixels(store.column, whole, rows), store)

    @property
    def names(self) -> tuple[str, ...]:
        """One name for each column of x, such as "pixel 3,7 red"."""
        return self.pixels.names

    def transform(self, table: Table, rows: np.ndarray | None = None) -> Encoded:
        """Return x (n, size · size · channels) float32."""
        if self.store is None or table is not self.store.table:
            return Encoded(self.pixels.transform(table, rows).x)
        whole = self.store.at(self.pixels.size, self.pixels.channels, self.pixels.crop)
        return Encoded(self.pixels.scaled(whole, np.arange(len(whole)) if rows is None else rows))

    def to_json(self) -> dict[str, Any]:
        """Return the encoder as a JSON object."""
        return self.pixels.to_json()


@dataclass(frozen=True)
class PictureEncoder:
    """Pictures of one size as they are, for torch nets, with the numbers that normalise them.

    A learner computes (pixel / 255 - mean) / std. `resize` pixels is the side before the middle
    `size` x `size` is cut out; with `squash` both sides are brought to `size`.
    """

    column: str
    size: int
    resize: int
    squash: bool
    channels: int  # of the decoded pictures; a net of three channels repeats grey ones
    mean: tuple[float, ...]  # one a channel of the net, in parts of white
    std: tuple[float, ...]
    store: Store | None = field(default=None, compare=False, repr=False)

    @classmethod
    def fit(cls, store: Store, rows: np.ndarray, size: int) -> PictureEncoder:
        """Learn means and deviations from the training rows."""
        channels = store.channels
        flat = PixelEncoder.of_pixels(store.column, store.at(size, channels), rows)
        mean = tuple(m / 255 for m in flat.means)
        std = tuple(max(s / 255, 1e-3) for s in flat.scales)
        return cls(store.column, size, size, True, channels, mean, std, store)

    @classmethod
    def for_backbone(cls, store: Store, wanted: Normalisation) -> PictureEncoder:
        """Return the encoder that gives a backbone what it was trained on."""
        channels = min(store.channels, wanted.channels)
        return cls(store.column, wanted.size, wanted.resize, wanted.squash, channels,
                   wanted.mean, wanted.std, store)  # fmt: skip

    def transform(self, table: Table, rows: np.ndarray | None = None) -> Encoded:
        """Return the pictures of some rows as `PictureRows`."""
        if self.store is not None and table is self.store.table:
            whole = self._cut(self.store.at(self.resize, self.channels, self._crop))
            return Encoded(PictureRows(whole, np.arange(len(whole)) if rows is None else rows))
        count = table.rows if rows is None else len(rows)
        kept = _Folder() if count * self.resize**2 * self.channels > _IN_MEMORY else None
        cache = None if kept is None else kept.path
        pixels = Pixels(table, self.column)
        array = pixels.at(self.resize, self.channels, rows=rows, crop=self._crop, cache=cache)
        return Encoded(PictureRows(self._cut(array), np.arange(count), kept))

    @property
    def _crop(self) -> Crop:
        return "squash" if self.squash else "centre"

    def _cut(self, array: np.ndarray) -> np.ndarray:
        """Return the middle of each picture, without a copy."""
        first = (self.resize - self.size) // 2
        return array[:, first : first + self.size, first : first + self.size]

    def normalisation(self) -> Normalisation:
        """Return the numbers as the nets want them."""
        from neuroscope.nets.normalisation import Normalisation  # noqa: PLC0415 - imports torch

        return Normalisation(size=self.size, resize=self.resize, squash=self.squash,
                             mean=self.mean, std=self.std)  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """Return the encoder as a JSON object; `from_json` gives an equal encoder back."""
        record = {name: value for name, value in vars(self).items() if name != "store"}
        return record | {"kind": "pictures", "mean": list(self.mean), "std": list(self.std)}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> PictureEncoder:
        """Build the encoder that `to_json` wrote."""
        fields: dict[str, Any] = {n: value for n, value in record.items() if n != "kind"}
        fields |= {n: tuple(map(float, fields[n])) for n in ("mean", "std")}
        return cls(**fields)


@dataclass(frozen=True)
class FeatureEncoder:
    """What a frozen backbone sees in a picture (n, d), scaled by the training rows."""

    pictures: PictureEncoder
    backbone: Backbone
    means: np.ndarray  # (d,)
    scales: np.ndarray  # (d,)

    @property
    def names(self) -> tuple[str, ...]:
        """One name for each column of x."""
        return tuple(f"feature {number}" for number in range(1, self.backbone.width + 1))

    @property
    def key(self) -> str:
        """Say which features these are: of which weights, of which pictures."""
        origin = repr((self.backbone.to_json(), self.pictures.to_json()))
        return hashlib.blake2b(origin.encode(), digest_size=12).hexdigest()

    @classmethod
    def fit(cls, store: Store, rows: np.ndarray, backbone: Backbone) -> FeatureEncoder:
        """Compute the features of the whole table once, and scale them by the training rows."""
        pictures = PictureEncoder.for_backbone(store, backbone.normalisation)
        plain = cls(pictures, backbone, np.zeros(0), np.ones(0))
        found = store.features(plain, rows)
        spread = found.std(axis=0)
        return replace(plain, means=found.mean(axis=0), scales=np.where(spread > 1e-6, spread, 1))

    def extract(self, table: Table, store: Store | None = None) -> np.ndarray:
        """Return the features of all rows of a table, unscaled."""
        from neuroscope.nets.features import extract  # noqa: PLC0415 - imports torch

        found = self.pictures.transform(table).x
        monitor = ignore if store is None else store.monitor
        return extract(self.backbone, found.array, rows=found.rows, monitor=monitor)

    def transform(self, table: Table, rows: np.ndarray | None = None) -> Encoded:
        """Return x (n, d) float32."""
        store = self.pictures.store
        if store is not None and table is store.table:
            rows = np.arange(table.rows) if rows is None else rows
            found = store.features(self, rows)
        else:
            found = self.extract(table)
            found = found if rows is None else found[rows]
        return Encoded(((found - self.means) / self.scales).astype(np.float32))

    def to_json(self) -> dict[str, Any]:
        """Return all but the arrays, which `arrays` gives."""
        return {"kind": "features", "pictures": self.pictures.to_json(),
                "backbone": self.backbone.to_json()}  # fmt: skip

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the backbone's weights and the scaling, by name."""
        from neuroscope.nets.weights import to_arrays  # noqa: PLC0415 - imports torch

        weights = {f"backbone.{name}": a for name, a in to_arrays(self.backbone).items()}
        return weights | {"features.means": self.means, "features.scales": self.scales}

    @classmethod
    def read(cls, record: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> FeatureEncoder:
        """Build the encoder that `to_json` and `arrays` wrote."""
        from neuroscope.nets.pretrained import from_record  # noqa: PLC0415 - imports torch
        from neuroscope.nets.weights import from_arrays  # noqa: PLC0415 - imports torch

        backbone = from_record(record["backbone"])
        from_arrays(backbone, part(arrays, "backbone."))
        return cls(PictureEncoder.from_json(record["pictures"]), backbone.eval(),
                   arrays["features.means"], arrays["features.scales"])  # fmt: skip


def part(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """Return the arrays whose name begins with `prefix`, without it."""
    return {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}


def read_encoder(
    record: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> FlatEncoder | PictureEncoder | FeatureEncoder:
    """Build the encoder of a picture model; ModelError when its parts do not fit."""
    kind = record.get("kind")
    try:
        if kind == "pixels":
            return FlatEncoder(PixelEncoder.from_json(record))
        if kind == "pictures":
            return PictureEncoder.from_json(record)
        if kind == "features":
            return FeatureEncoder.read(record, arrays)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"the model's encoder cannot be read: {error!r}") from error
    raise ModelError(f"the model's encoder is of an unknown kind {kind!r}")
