"""Moments in UTC and what the clocks on the wall show, where clocks change twice a year.

Both count in seconds since 1970. The zone of a column is kept beside its field in Arrow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from neuroscope.base.errors import InputError
from neuroscope.data.table import Table

_KEY = b"zone"


def zone_of(table: Table, name: str) -> str:
    """Return the zone of a column of moments, "" where its times name none."""
    field = table.arrow.schema.field(name)
    kept = (field.metadata or {}).get(_KEY, b"").decode()
    return kept or str(getattr(field.type, "tz", None) or "")


def with_zone(arrow: pa.Table, name: str, zone: str) -> pa.Table:
    """Return the table with the zone of a column kept."""
    place = arrow.schema.get_field_index(name)
    field = arrow.schema.field(place)
    kept = field.with_metadata({**(field.metadata or {}), _KEY: zone.encode()})
    return arrow.cast(arrow.schema.set(place, kept))


def named(arrow: pa.Table, given: Mapping[str, pa.DataType]) -> pa.Table:
    """Return the table with the zones that the types of its columns named before they were read."""
    for name, kind in given.items():
        if pa.types.is_timestamp(kind) and kind.tz and name in arrow.column_names:
            arrow = with_zone(arrow, name, kind.tz)
    return arrow


def check(zone: str) -> None:
    """Refuse a name that no zone has."""
    try:
        _shown(pa.array([0], pa.timestamp("s", zone)))
    except (pa.ArrowException, ValueError) as error:
        raise InputError(f"no time zone is called {zone!r}",
                         remedy="give a name such as Europe/Berlin, or UTC") from error  # fmt: skip


def local(moments: np.ndarray, zone: str) -> np.ndarray:
    """Return what the clocks of a zone show at moments in UTC (n,); without a zone, the same."""
    if not zone or zone == "UTC":
        return moments
    shown = _shown(stamps(moments, zone))
    return _seconds(shown, moments)


def absolute(clocks: np.ndarray, zone: str) -> np.ndarray:
    """Return the moments in UTC at which the clocks of a zone show `clocks` (n,).

    An hour that comes twice is the first one; one that is left out is the moment after it.
    """
    if not zone or zone == "UTC":
        return clocks
    return _seconds(_assumed(clocks, zone, "earliest"), clocks)


def unfolded(clocks: np.ndarray, zone: str, series: np.ndarray) -> np.ndarray:
    """Return the moments in UTC of rows (n,) in the order in which they were written down.

    Where clocks are set back an hour of a series comes twice: its second time is the later one.
    """
    first = absolute(clocks, zone)
    second = _seconds(_assumed(clocks, zone, "latest"), clocks)
    again = np.flatnonzero(second != first)
    pairs = np.stack([series[again], clocks[again]], axis=1)
    _, seen = np.unique(pairs, axis=0, return_index=True)
    later = np.setdiff1d(np.arange(len(again)), seen)
    first[again[later]] = second[again[later]]
    return first


def stamps(moments: np.ndarray, zone: str) -> pa.Array:
    """Return moments in UTC as an Arrow array in a zone, or of no zone."""
    found = _stamps(moments)
    return found.cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us", zone)) if zone else found


def _shown(moments: pa.Array) -> pa.Array:
    return pc.call_function("local_timestamp", [moments])


def _assumed(clocks: np.ndarray, zone: str, ambiguous: Literal["earliest", "latest"]) -> pa.Array:
    rule = pc.AssumeTimezoneOptions(zone, ambiguous=ambiguous, nonexistent="latest")
    found = pc.call_function("assume_timezone", [_stamps(clocks)], rule)
    return found.cast(pa.timestamp("us", "UTC"))


def _stamps(moments: np.ndarray) -> pa.Array:
    known = np.isfinite(moments)
    micros = np.rint(np.where(known, moments, 0.0) * 1e6).astype(np.int64)
    return pa.array(micros, mask=~known).cast(pa.timestamp("us"))


def _seconds(found: pa.Array, like: np.ndarray) -> np.ndarray:
    whole = pc.fill_null(found.cast(pa.int64()), 0)
    return np.where(np.isfinite(like), np.asarray(whole).astype(np.float64) / 1e6, np.nan)
