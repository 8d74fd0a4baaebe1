"""A hash of a table's content, the same however its rows are chunked or its text encoded."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from neuroscope.data._kinds import is_series
from neuroscope.data.columns import list_bits
from neuroscope.data.images.column import is_arrays, picture_reason
from neuroscope.data.images.rows import contents
from neuroscope.data.table import Table


def fingerprint(table: Table) -> str:
    """Return 32 hexadecimal digits over names, types and values in row order (BLAKE2b).

    Of a column of pictures the content of the files counts as well as their names.
    """
    whole = hashlib.blake2b(digest_size=16)
    whole.update(str(table.rows).encode())
    for name in table.names:
        column = table.arrow.column(name)
        kind = column.type
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
        kind = pa.string() if pa.types.is_large_string(kind) else kind
        whole.update(f"\0{name}\0{kind}\0".encode())
        if picture_reason(table, name):
            whole.update(contents(table, name).tobytes())
        if is_arrays(kind):
            continue
        if is_series(kind):
            whole.update(list_bits(column).tobytes())
            continue
        for part in _column_hashes(column, kind):
            whole.update(part)
    return whole.hexdigest()


def _column_hashes(column: pa.ChunkedArray, kind: pa.DataType) -> list[bytes]:
    """Hash presence, values and text lengths apart, so that chunk borders leave no trace."""
    present, values, lengths = (hashlib.blake2b(digest_size=16) for _ in range(3))
    for stored in column.chunks:
        chunk = stored.cast(kind) if stored.type != kind else stored
        present.update(_numpy(chunk.is_valid()).tobytes())
        if pa.types.is_temporal(kind):
            chunk = chunk.cast(pa.int32() if kind.bit_width == 32 else pa.int64())
        elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            chunk = chunk.cast(pa.string())
        if pa.types.is_string(chunk.type):
            chunk = pc.fill_null(chunk, "")
            lengths.update(_numpy(pc.call_function("binary_length", [chunk])).tobytes())
            values.update(_text_bytes(chunk))
        else:
            values.update(_numpy(pc.fill_null(chunk, 0)).tobytes())
    return [one.digest() for one in (present, values, lengths)]


def _numpy(array: pa.Array) -> np.ndarray:
    return array.to_numpy(zero_copy_only=False)


def _text_bytes(array: pa.StringArray) -> memoryview:
    _, offsets, text = array.buffers()
    if text is None or offsets is None or len(array) == 0:
        return memoryview(b"")
    places = np.frombuffer(offsets, dtype=np.int32)[array.offset : array.offset + len(array) + 1]
    return memoryview(text)[int(places[0]) : int(places[-1])]
