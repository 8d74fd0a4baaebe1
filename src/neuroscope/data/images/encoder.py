"""Pictures as a matrix of float32, scaled by the training rows; the way of `encoders.Encoder`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, get_args

import numpy as np

from neuroscope.base.errors import ModelError, SchemaError
from neuroscope.base.events import Monitor, ignore
from neuroscope.data.encoders.encoder import Encoded
from neuroscope.data.images.column import picture_column
from neuroscope.data.images.decode import Crop
from neuroscope.data.images.facts import facts
from neuroscope.data.images.pixels import Pixels, channels_of, suggest_size
from neuroscope.data.schema import Schema
from neuroscope.data.table import Table

_BLOCK = 1024  # pictures converted at a time


@dataclass(frozen=True)
class PixelEncoder:
    """Brings each picture to one size and each channel to mean 0 and standard deviation 1."""

    kind: ClassVar[str] = "pixels"
    column: str
    size: int  # pixels along a side
    channels: int  # 1 grey, 3 colour
    crop: Crop
    means: tuple[float, ...]  # of each channel over all training pixels, 0 … 255
    scales: tuple[float, ...]  # standard deviations; 1 where a channel does not vary

    @classmethod
    def fit(
        cls,
        table: Table,
        schema: Schema,
        rows: np.ndarray | None = None,
        *,
        size: int | None = None,
        crop: Crop = "squash",
        cache: Path | None = None,
        monitor: Monitor = ignore,
    ) -> PixelEncoder:
        """Fit on `rows` (all if None); the size is suggested by the pictures when not given.

        Means and deviations are exact, over all pixels of the rows. Raises SchemaError when the
        schema has no feature of pictures.
        """
        column = picture_column(table, schema)
        if column is None:
            raise SchemaError("no feature holds pictures", remedy="give a folder of pictures")
        known = facts(table, column, monitor=monitor)
        size, channels = size or suggest_size(known).pixels, channels_of(known)
        pixels = Pixels(table, column, monitor=monitor)
        return cls.of_pixels(column, pixels.at(size, channels, rows=rows, crop=crop, cache=cache),
                             crop=crop)  # fmt: skip

    @classmethod
    def of_pixels(
        cls, column: str, pixels: np.ndarray, rows: np.ndarray | None = None, crop: Crop = "squash"
    ) -> PixelEncoder:
        """Fit on decoded pictures (N, size, size, channels), or on some rows of them."""
        means, scales = _moments(pixels, np.arange(len(pixels)) if rows is None else rows)
        return cls(column, pixels.shape[1], pixels.shape[3], crop, means, scales)

    @classmethod
    def fit_transform(
        cls, table: Table, schema: Schema, rows: np.ndarray | None = None, **options: Any
    ) -> tuple[PixelEncoder, Encoded]:
        """Fit and encode the training rows; `options` as of `fit`."""
        encoder = cls.fit(table, schema, rows, **options)
        how = {name: options[name] for name in ("cache", "monitor") if name in options}
        return encoder, encoder.transform(table, rows, **how)

    def transform(
        self,
        table: Table,
        rows: np.ndarray | None = None,
        *,
        cache: Path | None = None,
        monitor: Monitor = ignore,
    ) -> Encoded:
        """Return x (n, size · size · channels): (pixel - mean) / standard deviation, in row order.

        The pixels of a row stand as in `pictures`: line by line, the channels of a pixel together.
        """
        pixels = self.pictures(table, rows, cache=cache, monitor=monitor)
        x = self.scaled(pixels, np.arange(len(pixels)))
        others = tuple(name for name in table.names if name != self.column)
        return Encoded(x, {}, {}, {}, ignored=() if self.column in table.names else others)

    def scaled(self, pixels: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return x (n, size · size · channels) of some rows of decoded pictures."""
        x = np.empty((len(rows), len(self.names)), np.float32)
        means = np.array(self.means, np.float32)
        scales = np.array(self.scales, np.float32)
        for start in range(0, len(rows), _BLOCK):
            block = (pixels[rows[start : start + _BLOCK]] - means) / scales
            x[start : start + _BLOCK] = block.reshape(len(block), -1)
        return x

    def pictures(
        self,
        table: Table,
        rows: np.ndarray | None = None,
        *,
        cache: Path | None = None,
        monitor: Monitor = ignore,
    ) -> np.ndarray:
        """Return (n, size, size, channels) uint8, as `Pixels.at`."""
        if self.column not in table.names:
            raise SchemaError(f"the column of pictures {self.column!r} is not there")
        pixels = Pixels(table, self.column, monitor=monitor)
        return pixels.at(self.size, self.channels, rows=rows, crop=self.crop, cache=cache)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """One name for each column of x, such as "pixel 3,7 red" (line, place from 1)."""
        channels = ("",) if self.channels == 1 else (" red", " green", " blue")
        side = range(1, self.size + 1)
        return tuple(f"pixel {i},{j}{c}" for i in side for j in side for c in channels)

    @property
    def columns(self) -> tuple[str, ...]:
        """The original columns that are encoded."""
        return (self.column,)

    @property
    def sources(self) -> np.ndarray:
        """For each column of x the index in `columns` of where it comes from."""
        return np.zeros(len(self.names), np.int64)

    def describe(self) -> dict[str, str]:
        """Return in plain words what becomes of the pictures."""
        shade = "grey" if self.channels == 1 else "colour"
        how = "squashed" if self.crop == "squash" else "cut from the middle"
        text = f"{shade}, {how} to {self.size} x {self.size} pixels, mean 0, standard deviation 1"
        return {self.column: text}

    def to_json(self) -> dict[str, Any]:
        """Return the encoder as a JSON object; `from_json` gives an equal encoder back."""
        return {"kind": self.kind} | asdict(self)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> PixelEncoder:
        """Build the encoder that `to_json` wrote; anything else is a ModelError."""
        try:
            fields = {name: value for name, value in record.items() if name != "kind"}
            for name in ("means", "scales"):
                fields[name] = tuple(map(float, fields[name]))
            encoder = cls(**fields)
            right = record["kind"] == cls.kind and encoder.crop in get_args(Crop)
            right &= encoder.channels in (1, 3) and int(encoder.size) >= 1
            right &= len(encoder.means) == len(encoder.scales) == encoder.channels
            if not right or 0.0 in encoder.scales:
                raise ValueError("not what a picture encoder holds")
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"the model's encoder of pictures cannot be read: {error!r}",
                remedy="train the model again",
            ) from error
        return encoder


def _moments(pixels: np.ndarray, rows: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and standard deviation of each channel, from counts of the 256 levels."""
    levels, counts = np.arange(256.0), np.zeros((pixels.shape[-1], 256))
    for start in range(0, len(rows), _BLOCK):
        block = pixels[rows[start : start + _BLOCK]]
        for channel, values in enumerate(np.moveaxis(block, -1, 0)):
            counts[channel] += np.bincount(values.ravel(), minlength=256)
    total = np.maximum(counts.sum(axis=1), 1)
    means = counts @ levels / total
    spreads = np.sqrt(np.maximum(counts @ levels**2 / total - means**2, 0))
    return tuple(means.tolist()), tuple(np.where(spreads > 1e-6, spreads, 1.0).tolist())
