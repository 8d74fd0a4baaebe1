"""Numbers as people write them: "1,234.50", "1.234,50 €", "CHF 1'234", "$5", "12 %"."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from neuroscope.data.sources._sql import literal

if TYPE_CHECKING:
    import duckdb

_UNIT = "([$€£¥₹%]|EUR|USD|GBP|CHF)"
_GAP = "[ '\u2019\u00a0\u202f]"  # between thousands, and between a number and its unit
_DIGITS = rf"(\d{{1,3}}({_GAP}\d{{3}})+([.,]\d+)?|\d[\d.,]*)"
_AMOUNT = rf"[+-]?({_UNIT}{_GAP}?)?[+-]?{_DIGITS}({_GAP}?{_UNIT})?"

_POINTS = r"[+-]?\d{1,3}(\.\d{3})*"
_PLAIN = r"[+-]?\d+(\.\d+)?"
_THOUSANDS = r"[+-]?([1-9]\d{0,2}(,\d{3})*|0)(\.\d+)?"
_DECIMAL_COMMA = r"[+-]?\d{1,3}(\.\d{3})+(,\d+)?|[+-]?\d+(,\d+)?"


def looks_like(word: str | None) -> bool:
    """Tell whether a word that is no plain number may be an amount."""
    return word is not None and re.fullmatch(_AMOUNT, word) is not None


def cast(
    connection: duckdb.DuckDBPyConnection, relation: str, present: int, value: str
) -> tuple[str, str] | None:
    """Return the SQL that reads `value` as a number, and a note; None where a value is none.

    `present` counts the values. They may carry one unit, which is taken off; what carries
    different units is no column of numbers.
    """
    bare = f"regexp_replace({value}, {literal(f'{_GAP}|{_UNIT}')}, '', 'g')"
    unit = f"nullif(regexp_extract({value}, {literal(_UNIT)}), '')"
    matches = [f"regexp_full_match({value}, {literal(_AMOUNT)})"] + [
        f"regexp_full_match({bare}, {literal(pattern)})"
        for pattern in (_POINTS, _PLAIN, _THOUSANDS, _DECIMAL_COMMA)
    ]
    counts = ", ".join(f"count(*) FILTER ({match}) = {present}" for match in matches)
    units, sign, amounts, points, plain, thousands, decimal = connection.execute(
        f"SELECT count(DISTINCT {unit}), any_value({unit}), {counts} FROM {relation}"
    ).fetchall()[0]
    if not amounts or units > 1:
        return None
    if points and sign not in (None, "%"):  # money has no three decimals: "€1.234" is 1234
        number, note = f"replace({bare}, '.', '')", "points read as thousands separators"
    elif plain:
        number, note = bare, "" if sign else "gaps between digits closed"
    elif thousands:
        number, note = f"replace({bare}, ',', '')", "commas read as thousands separators"
    elif decimal:
        number = f"replace(replace({bare}, '.', ''), ',', '.')"
        note = "commas read as decimal points"
    else:
        return None
    taken = f"{sign} taken off" if sign else ""
    return f"CAST({number} AS DOUBLE)", "; ".join(filter(None, (taken, note)))
