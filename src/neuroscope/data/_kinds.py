"""What one column is, judged from its values and its name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from neuroscope.base.wording import APART_FROM

if TYPE_CHECKING:
    from neuroscope.data.schema import Kind

ID_SHARE = 0.95  # share of different words from which a text column names its rows
ID_ROWS = 20  # rows below which different words prove nothing
LONG_COUNT = 100  # rows from which a count that starts anywhere names them, as 1000, 1001, …
YEARS = (1500, 2200)  # a count from here may be one of years, which do tell something
TEXT_WORDS = 5  # words a value from which a column is prose
_LOOKED_AT = 1000  # distinct words looked at to tell prose from names
_ID_NAME = re.compile(
    r"(^|[_\W])(id|ids|key|uuid|guid|index|idx|serial|no|nr|number|rownum|row)$"
    r"|^(unnamed|column_1$)"
    r"|^(customer|user|passenger|patient|record|order|account|person|client|case|sample|student)id$"
    r"|nummer$"
)


class Facts(NamedTuple):
    """What was counted in one column."""

    rows: int
    distinct: int  # missing not counted
    missing: int  # null or NaN

    @property
    def present(self) -> int:
        """Rows with a value."""
        return self.rows - self.missing


def facts(column: pa.ChunkedArray) -> Facts:
    """Count rows, distinct values and missing values exactly; NaN counts as missing."""
    if pa.types.is_null(column.type):
        return Facts(len(column), 0, len(column))
    kept = without_nan(column)
    if isinstance(kept.type, pa.BaseExtensionType) or is_series(kept.type):  # not compared here
        return Facts(len(kept), len(kept) - kept.null_count, kept.null_count)
    codes = codes_of(kept) if pa.types.is_dictionary(kept.type) else kept
    distinct = pc.call_function("count_distinct", [codes]).as_py()
    return Facts(len(kept), distinct, kept.null_count)


def without_nan(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the column with NaN as null."""
    if not pa.types.is_floating(column.type):
        return column
    nan = pc.call_function("is_nan", [column])
    return pc.call_function("if_else", [nan, pa.scalar(None, column.type), column])


def codes_of(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the integer codes of a dictionary-encoded column over one shared dictionary."""
    chunks = column.unify_dictionaries().chunks
    return pa.chunked_array([chunk.indices for chunk in chunks], type=column.type.index_type)


def values_of(column: pa.ChunkedArray) -> list[object]:
    """Return the distinct values that occur, in order of appearance, missing left out."""
    values = pc.call_function("unique", [column])
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    return [value for value in values.to_pylist() if value is not None]


def is_number(kind: pa.DataType) -> bool:
    """Tell whether an Arrow type holds integers or floats."""
    return pa.types.is_integer(kind) or pa.types.is_floating(kind)


def is_words(kind: pa.DataType) -> bool:
    """Tell whether an Arrow type holds text, dictionary-encoded or plain."""
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def is_series(kind: pa.DataType) -> bool:
    """Tell whether an Arrow type holds lists of numbers, or of moments."""
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    if not any(holds(kind) for holds in lists):
        return False
    inner = kind.value_type
    return is_number(inner) or pa.types.is_boolean(inner) or pa.types.is_temporal(inner)


def judge(name: str, column: pa.ChunkedArray, counted: Facts) -> tuple[Kind, str]:
    """Return the kind of a column and the reason in plain words."""
    if counted.present == 0:
        return "constant", "no value in any row"
    if counted.distinct == 1 and counted.missing == 0:
        return "constant", "the same value in every row"
    if pa.types.is_boolean(column.type):
        return "boolean", "true or false"
    if pa.types.is_temporal(column.type):
        return "datetime", "dates" if pa.types.is_date(column.type) else "dates and times"
    if is_number(column.type):
        return _number(name, column, counted)
    return _words(name, column, counted)


def _number(name: str, column: pa.ChunkedArray, counted: Facts) -> tuple[Kind, str]:
    column = without_nan(column)
    spread = pc.call_function("min_max", [column]).as_py()
    if counted.distinct == 2 and (spread["min"], spread["max"]) == (0, 1):
        return "boolean", "0 or 1"
    if pa.types.is_integer(column.type):
        if _is_row_count(column, counted, spread):
            return "identifier", f"counts the rows from {spread['min']}"
        if is_id_name(name) and counted.distinct > counted.present / 2:
            return "identifier", f"named like an identifier, {_different(counted)}"
        if is_id_name(name):
            return "categorical", f"codes: named like an identifier, {_different(counted)}"
    return "numeric", f"numbers from {_shown(spread['min'])} to {_shown(spread['max'])}"


def _shown(number: float) -> str:
    apart = "," if abs(number) >= APART_FROM else ""
    return f"{number:{apart}}" if isinstance(number, int) else f"{number:{apart}.10g}"


def _is_row_count(column: pa.ChunkedArray, counted: Facts, spread: dict[str, int]) -> bool:
    if counted.distinct != counted.rows or counted.rows < 3:
        return False
    numbering = counted.rows >= LONG_COUNT and not (YEARS[0] <= spread["min"] <= YEARS[1])
    if spread["min"] not in (0, 1) and not numbering:
        return False
    return spread["max"] - spread["min"] + 1 == counted.rows and bool(
        np.all(np.diff(column.to_numpy()) == 1)
    )


def _words(name: str, column: pa.ChunkedArray, counted: Facts) -> tuple[Kind, str]:
    sample = [str(value) for value in values_of(column.slice(0, 10 * _LOOKED_AT))[:_LOOKED_AT]]
    words = sum(len(value.split()) for value in sample) / max(len(sample), 1)
    share = counted.distinct / counted.present
    if words >= TEXT_WORDS and share > 0.5:
        return "text", f"prose: {words:.0f} words a value, {_different(counted)}"
    unique = share >= ID_SHARE and counted.present >= ID_ROWS
    if unique or (is_id_name(name) and share == 1 and counted.present > 1):
        return "identifier", _different(counted)
    reason = f"{counted.distinct:,} distinct words"
    stray = next((value for value in sample if not _is_float(value)), None)
    numbers = sum(_is_float(value) for value in sample)
    if stray is not None and numbers > len(sample) / 2:
        reason = f"mixed: numbers and words such as {stray!r}; {reason}"
    return "categorical", reason


def is_id_name(name: str) -> bool:
    """Tell whether a column name says that its values name rows: "customerID", "row_no"."""
    snake = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).casefold()
    return _ID_NAME.search(snake) is not None


def _different(counted: Facts) -> str:
    return f"{counted.distinct:,} different values in {counted.present:,} rows"


def _is_float(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
