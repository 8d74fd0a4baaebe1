"""Writing a table as CSV, Parquet or JSON lines, by the ending of the file's name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from neuroscope.base.errors import InputError

ENDINGS = (".csv", ".parquet", ".jsonl")


def check_ending(path: str | Path) -> str:
    """Return the ending of a file's name; InputError when it names no format."""
    ending = Path(path).suffix.lower()
    if ending not in ENDINGS:
        remedy = f"end it in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}"
        raise InputError(f"{str(path)!r} names no known format", remedy=remedy)
    return ending


def assembled(columns: Mapping[str, Sequence[Any] | np.ndarray | pa.ChunkedArray]) -> pa.Table:
    """Return columns as one table, in their order."""
    return pa.table(dict(columns))


def write(table: pa.Table, file: IO[bytes], ending: str) -> None:
    """Write `table` to an open file in the format of `ending`; missing values stay empty."""
    if ending == ".parquet":
        from pyarrow import parquet  # noqa: PLC0415 - only where it is used

        parquet.write_table(table, file)
    elif ending == ".jsonl":
        for batch in table.to_batches(max_chunksize=10_000):
            lines = [json.dumps(row, ensure_ascii=False, default=str) for row in batch.to_pylist()]
            file.write("".join(f"{line}\n" for line in lines).encode())
    else:
        from pyarrow import csv  # noqa: PLC0415 - only where it is used

        options = csv.WriteOptions(quoting_header="needed")
        csv.write_csv(_flat(table), file, write_options=options)


def _flat(table: pa.Table) -> pa.Table:
    """Return `table` as the CSV writer asks for: codes as words, moments with their offset."""
    for place, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            plain = table.column(place).cast(field.type.value_type)
            table = table.set_column(place, field.name, plain)
        elif pa.types.is_timestamp(field.type) and field.type.tz is not None:
            table = table.set_column(place, field.name, _with_offset(table.column(place)))
        elif pa.types.is_nested(field.type) or isinstance(field.type, pa.BaseExtensionType):
            text = [None if v is None else json.dumps(v, default=str)
                    for v in table.column(place).to_pylist()]  # fmt: skip
            table = table.set_column(place, field.name, pa.chunked_array([text]))
    return table


def _with_offset(moments: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return moments of a zone as 2024-03-31 03:00:00+02:00; the writer alone would tell UTC."""
    whole = moments.cast(pa.timestamp("s", moments.type.tz), safe=False)
    text = pc.call_function("strftime", [whole], pc.StrftimeOptions("%Y-%m-%d %H:%M:%S%z"))
    pattern = pc.ReplaceSubstringOptions(r"([+-]\d\d)(\d\d)$", r"\1:\2")
    return pc.call_function("replace_substring_regex", [text], pattern)
