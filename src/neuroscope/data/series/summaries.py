"""A sequence as a row of plain numbers: what one neuron or a dense network can read.

Of each channel: how many readings there are, their mean, deviation, least, largest, first and last,
the slope of the straight line through them, and how long before the end the last one was taken.
Means of the early, middle and late third keep some of the order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from neuroscope.data.encoders import Encoder
from neuroscope.data.encoders.encoder import Encoded
from neuroscope.data.schema import Schema, infer_schema
from neuroscope.data.series.column import Readings, readings
from neuroscope.data.table import Origin, Table

THIRDS = ("early", "middle", "late")


@dataclass(frozen=True)
class SummaryEncoder:
    """Sequences as rows of scaled summaries, for the neuron core; JSON both ways."""

    schema: Schema  # of the features and the axis, series among them
    codes: Encoder  # of the summaries and the plain features
    whole: Summaries | None = field(default=None, compare=False, repr=False)

    @classmethod
    def fit_transform(
        cls, whole: Summaries, rows: np.ndarray, *, numeric_bins: int, y: np.ndarray, seed: int
    ) -> tuple[SummaryEncoder, np.ndarray]:
        """Fit on the training rows and encode them, (n, d) float32; see `Encoder`."""
        codes, encoded = Encoder.fit_transform(
            whole.table, whole.summary_schema, rows, numeric_bins=numeric_bins, y=y, seed=seed
        )
        return cls(whole.schema, codes, whole), encoded.x

    @property
    def names(self) -> tuple[str, ...]:
        """One name for each column of x."""
        return self.codes.names

    def transform(self, table: Table, rows: np.ndarray | None = None) -> Encoded:
        """Return x (n, d) float32."""
        if self.whole is not None and table is self.whole.source:
            return self.codes.transform(self.whole.table, rows)
        return self.codes.transform(summarised(table, self.schema, rows))

    def to_json(self) -> dict[str, Any]:
        """Return the encoder as a JSON object; `from_json` gives an equal encoder back."""
        return {"kind": "summaries", "schema": self.schema.to_json(), "codes": self.codes.to_json()}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> SummaryEncoder:
        """Build the encoder that `to_json` wrote."""
        return cls(Schema.from_json(record["schema"]), Encoder.from_json(record["codes"]))


@dataclass(frozen=True)
class Summaries:
    """The summaries of a whole table, computed once: a row's are its own affair."""

    source: Table
    schema: Schema
    table: Table
    summary_schema: Schema

    @classmethod
    def of(cls, table: Table, schema: Schema) -> Summaries:
        """Summarise all rows of a table."""
        axis = schema.by_role("axis")
        own = Schema(schema.features + ((axis,) if axis else ()))
        found = summarised(table, own)
        return cls(table, own, found, summary_schema(own, found))


def summarised(table: Table, schema: Schema, rows: np.ndarray | None = None) -> Table:
    """Return a table with summaries in the place of each series, beside the plain features."""
    found = readings(table, schema, rows)
    index = None if rows is None else pa.array(rows, pa.int64())
    plain = {c.name: table.arrow.column(c.name) for c in schema.features if c.kind != "series"}
    columns = {n: v if index is None else v.take(index) for n, v in plain.items()}
    return Table(pa.table(columns | summaries(found)), Origin(table.origin.text))


def summary_schema(schema: Schema, summary: Table) -> Schema:
    """Return the schema of `summarised` tables: the plain features as they were, and numbers."""
    plain = tuple(c for c in schema.features if c.kind != "series")
    own = [name for name in summary.names if name not in {c.name for c in plain}]
    said = {name: {"kind": "numeric", "role": "feature"} for name in own}
    whole = Table(summary.arrow.select(own).append_column("-", pa.nulls(summary.rows)), Origin(""))
    found = infer_schema(whole, target="-", overrides=said)
    return Schema((*plain, *(c for c in found.columns if c.name != "-")))


def summaries(found: Readings) -> dict[str, pa.Array]:
    """Return the summary columns of each channel, (n,) each, null where there is no reading."""
    end = _last(found.elapsed, found.rows, len(found))
    columns = {"readings": found.lengths.astype(np.float64), "duration": end}
    for place, name in enumerate(found.names):
        columns |= {f"{name} {what}": v for what, v in _channel(found, place, end).items()}
    return {name: pa.array(values, from_pandas=True) for name, values in columns.items()}


def _channel(found: Readings, place: int, end: np.ndarray) -> dict[str, np.ndarray]:
    given = found.values[:, place]
    there = ~np.isnan(given)
    x, row, t = given[there].astype(np.float64), found.rows[there], found.elapsed[there]
    n = len(found)
    count = np.bincount(row, minlength=n).astype(np.float64)
    some = count > 0
    starts = np.cumsum(count[some]).astype(np.int64) - count[some].astype(np.int64)
    out = {"mean": _sums(x, row, n) / np.where(some, count, np.nan)}
    apart = x - out["mean"][row]
    late = t - (_sums(t, row, n) / np.where(some, count, 1))[row]
    out["deviation"] = np.sqrt(_sums(apart**2, row, n) / np.where(some, count, np.nan))
    out["least"] = _scattered(np.minimum.reduceat(x, starts) if len(x) else x, some)
    out["largest"] = _scattered(np.maximum.reduceat(x, starts) if len(x) else x, some)
    out["first"] = _scattered(x[starts] if len(x) else x, some)
    out["last"] = _last(x, row, n)
    spread = _sums(late**2, row, n)
    out["slope"] = _sums(late * apart, row, n) / np.where(spread > 0, spread, np.nan)
    share = t / np.where(end > 0, end, 1.0)[row]
    for number, third in enumerate(THIRDS):
        mine = np.minimum((share * len(THIRDS)).astype(np.int64), len(THIRDS) - 1) == number
        counted = np.bincount(row[mine], minlength=n)
        out[third] = _sums(x[mine], row[mine], n) / np.where(counted > 0, counted, np.nan)
    return out | {"readings": count, "time since last": end - _last(t, row, n)}


def _sums(values: np.ndarray, row: np.ndarray, n: int) -> np.ndarray:
    return np.bincount(row, values, minlength=n)


def _last(values: np.ndarray, row: np.ndarray, n: int) -> np.ndarray:
    """Return the last value of each row, NaN where there is none."""
    out = np.full(n, np.nan)
    out[row] = values  # in order, so the last one stays
    return out


def _scattered(values: np.ndarray, some: np.ndarray) -> np.ndarray:
    out = np.full(len(some), np.nan)
    out[some] = values
    return out
