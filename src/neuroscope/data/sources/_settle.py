"""Turn words into what they mean: numbers, dates, true/false, missing values; note each step.

The rows stay in DuckDB: one pass counts what each text column holds, a second one casts it and
streams the result into Arrow, so that memory is bounded by the typed table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

from neuroscope.base.errors import SourceError
from neuroscope.data.series.zones import with_zone
from neuroscope.data.sources import _amounts as amounts
from neuroscope.data.sources._sql import batches, identifier, literal

if TYPE_CHECKING:
    import duckdb

MISSING = ("", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "?", "#N/A")
FEW_WORDS = 0.1  # share of words up to which a column counts as numbers with words in it

_AS_DOUBLE = ("HUGEINT", "UHUGEINT", "UBIGINT", "DECIMAL", "BIGNUM", "VARINT")
_AS_WORDS = ("UUID", "TIME", "TIME_NS", "TIME WITH TIME ZONE", "BIT", '"NULL"')
_LISTS = re.compile(
    r"(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL\(\d+,\d+\)|BOOLEAN)\[\d*\]"
)
_LISTS_OF_MOMENTS = re.compile(r"(DATE|TIMESTAMP[^\[\]]*)\[\d*\]")
_NESTED = ("STRUCT", "MAP", "UNION", "VARIANT")
_DATES = (
    "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d", "%d-%m-%Y", "%d.%m.%y", "%Y-%m",
    "%d %b %Y", "%d-%b-%Y", "%b %d, %Y", "%B %d, %Y", "%d %B %Y",
)  # fmt: skip
_TIMES = ("", " %H:%M", " %H:%M:%S")
_OFFSET = r"\d:\d\d(:\d\d(\.\d+)?)?\s*(Z|[+-]\d\d(:?\d\d)?)$"  # behind a time of day
_IN_UTC = "AT TIME ZONE 'UTC'"
_LOOKS_DATED = re.compile(
    r"\d{1,4}[-./]\d{1,2}([-./]\d{1,4})?([ T]\d.*)?$|\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{4}"
    r"|[A-Za-z]{3,9} \d{1,2}, \d{4}"
)


@dataclass(frozen=True)
class _Words:
    """What one text column holds; counts of values."""

    name: str
    present: int
    missing: int  # by a marker such as "NA", not by absence
    markers: int | None  # bit i + 1 is set when the i-th marker of MISSING occurs
    numbers: int
    points: int  # numbers that are no integers, or written with a point or exponent
    codes: int  # digits that a number would change: leading zeros, more than 18 digits
    truths: int
    padded: int
    nuls: int
    word: str | None  # one value that is no number


@dataclass
class _Plan:
    """How each column is cast, and what is said about it."""

    casts: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    zones: dict[str, str] = field(default_factory=dict)  # of columns brought to UTC, by name
    mixed: dict[str, _Words] = field(default_factory=dict)


def settle(connection: duckdb.DuckDBPyConnection, relation: str) -> tuple[pa.Table, list[str]]:
    """Return the rows of `relation` (a SQL table expression) typed, with notes for people.

    Text is dictionary-encoded unless most values differ. Database errors pass through. The answer
    to a query is collected by one thread: several bring the rows of a join or a group in another
    order each time, and with it another split and another model of the same data.
    """
    types = _types(connection, relation)
    loose = [identifier(name) for name, kind in types.items() if kind == "JSON"]
    if loose:  # values of several types: taken as words, without the quotes of JSON
        unquoted = ", ".join(f"{name} ->> '$' AS {name}" for name in loose)
        relation = f"(SELECT * REPLACE ({unquoted}) FROM {relation})"
        types = _types(connection, relation)
    plan = _Plan()
    texts = [name for name, kind in types.items() if kind == "VARCHAR" or kind.startswith("ENUM")]
    profiles = _profile(connection, relation, texts)
    for name, kind in types.items():
        if name in profiles:
            _plan_words(connection, relation, profiles[name], plan)
        else:
            _plan_other(name, kind, plan)
    if not plan.casts:
        raise SourceError("none of the columns can be used", remedy="; ".join(plan.notes))
    query = ", ".join(f"{cast} AS {identifier(name)}" for name, cast in plan.casts.items())
    if relation.startswith("("):
        connection.execute("SET threads = 1")
    arrow = _collect(batches(connection, f"SELECT {query} FROM {relation}"))
    for name, zone in plan.zones.items():
        arrow = with_zone(arrow, name, zone)
    return arrow, plan.notes + [
        _mixed_note(connection, arrow, words) for words in plan.mixed.values()
    ]


def _types(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    described = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    return {name: kind for name, kind, *_ in described}


def _profile(
    connection: duckdb.DuckDBPyConnection, relation: str, names: list[str]
) -> dict[str, _Words]:
    if not names:
        return {}
    listed = ", ".join(
        f"CAST({identifier(name)} AS VARCHAR) AS {identifier(name)}" for name in names
    )
    markers = ", ".join(map(literal, MISSING))
    # UNPIVOT keeps the plan small: thousands of aggregates over thousands of columns do not.
    rows = connection.execute(f"""
        WITH long AS (UNPIVOT (SELECT {listed} FROM {relation})
                      ON COLUMNS(*) INTO NAME column_name VALUE raw),
        trimmed AS (SELECT column_name, raw, trim(raw) AS word FROM long),
        split AS (SELECT *, word IN ({markers}) AS gone,
                         CASE WHEN NOT gone THEN TRY_CAST(word AS DOUBLE) END AS number
                  FROM trimmed)
        SELECT column_name,
               count(*) FILTER (NOT gone),
               count(*) FILTER (gone),
               bit_or(CASE WHEN gone THEN 1 << list_position([{markers}], word) END),
               count(number),
               count(*) FILTER (number <> floor(number) OR NOT isfinite(number)
                                OR (number IS NOT NULL AND (
                                    contains(word, '.') OR contains(word, 'e')
                                    OR contains(word, 'E')))),
               count(*) FILTER (number IS NOT NULL AND
                   (abs(number) >= 1e18 AND isfinite(number) AND NOT contains(lower(word), 'e')
                    AND NOT contains(word, '.')
                    OR starts_with(word, '0') AND substr(word, 2, 1) BETWEEN '0' AND '9')),
               count(CASE WHEN number IS NULL AND lower(word) IN ('true', 'false') THEN 1 END),
               count(*) FILTER (raw <> word AND NOT gone),
               count(CASE WHEN NOT gone AND number IS NULL AND contains(raw, chr(0)) THEN 1 END),
               any_value(CASE WHEN NOT gone AND number IS NULL THEN word END)
        FROM split GROUP BY column_name
    """).fetchall()
    found = {row[0]: _Words(*row) for row in rows}
    empty = (0, 0, None, 0, 0, 0, 0, 0, 0, None)
    return {name: found.get(name) or _Words(name, *empty) for name in names}


def _plan_words(
    connection: duckdb.DuckDBPyConnection, relation: str, words: _Words, plan: _Plan
) -> None:
    if words.nuls:
        raise SourceError(
            f"column {words.name!r} holds NUL bytes in {words.nuls:,} values",
            remedy="this is damaged or binary data; export it again",
        )
    value = identifier(words.name)
    if words.missing or words.padded:
        value = f"trim({value})"
    if words.missing:
        found = [m for i, m in enumerate(MISSING) if (words.markers or 0) >> (i + 1) & 1]
        markers = ", ".join(repr(marker) if marker else "blank" for marker in found)
        plan.notes.append(
            f"column {words.name!r}: {words.missing:,} values ({markers}) read as missing"
        )
        # Not IN: DuckDB turns a long list into a join, and a join loses the order of the rows.
        kept = " AND ".join(f"{value} <> {literal(marker)}" for marker in found)
        value = f"CASE WHEN {kept} THEN {value} END"
    cast, note = _meaning(connection, relation, words, value)
    plan.casts[words.name] = cast
    if _IN_UTC in cast:
        plan.zones[words.name] = _zone(connection, relation, value)
    if note:
        plan.notes.append(f"column {words.name!r}: {note}")
    if cast == value and words.padded:
        plan.notes.append(f"column {words.name!r}: blanks around {words.padded:,} values taken off")
    if cast == value and 0 < words.present - words.numbers <= FEW_WORDS * words.present:
        plan.mixed[words.name] = words


def _meaning(
    connection: duckdb.DuckDBPyConnection, relation: str, words: _Words, value: str
) -> tuple[str, str]:
    """Return the SQL that casts the column, and a note where the choice is not obvious."""
    if words.present == 0:
        return f"CAST({value} AS VARCHAR)", ""
    if words.numbers == words.present:
        return _numbers(words, value)
    if words.truths == words.present:
        return f"lower({value}) = 'true'", ""
    if amounts.looks_like(words.word):
        read = amounts.cast(connection, relation, words.present, value)
        if read is not None:
            return read
    if words.numbers == 0 and words.word and _LOOKS_DATED.match(words.word):
        return _dates(connection, relation, words, value)
    return value, ""


def _numbers(words: _Words, value: str) -> tuple[str, str]:
    if words.codes:
        example = "leading zeros or more than 18 digits"
        return value, f"{words.codes:,} codes with {example}; kept as text"
    return f"CAST({value} AS {'DOUBLE' if words.points else 'BIGINT'})", ""


def _dates(
    connection: duckdb.DuckDBPyConnection, relation: str, words: _Words, value: str
) -> tuple[str, str]:
    formats = [date + time for date in _DATES for time in _TIMES]
    parsers = [f"TRY_CAST({value} AS TIMESTAMP)"]
    parsers += [f"TRY_STRPTIME({value}, {literal(one)})" for one in formats]
    zoned = connection.execute(
        f"SELECT count(*) FILTER (regexp_matches({value}, {literal(_OFFSET)})) FROM {relation}"
    ).fetchall()[0][0]
    if zoned:
        return _zoned_dates(connection, relation, words, value, zoned)
    query = ", ".join(f"count({parser})" for parser in parsers)
    counts = connection.execute(f"SELECT {query} FROM {relation}").fetchall()[0]
    whole = [place for place, count in enumerate(counts) if count == words.present]
    if not whole:
        return value, ""
    if whole[0] == 0:
        return parsers[0], ""
    fits = [formats[place - 1] for place in whole]
    note = f"read as dates written {fits[0]}"
    if len(fits) > 1 and "%m/%d" in fits[0] and "%d/%m" in fits[1]:
        note += " (day first would fit as well: check)"
    return parsers[whole[0]], note


def _zoned_dates(
    connection: duckdb.DuckDBPyConnection, relation: str, words: _Words, value: str, zoned: int
) -> tuple[str, str]:
    """Bring times that name their offset to UTC; beside times that name none, they stay text."""
    moment = f"CAST(TRY_CAST({value} AS TIMESTAMPTZ) {_IN_UTC} AS TIMESTAMP)"
    if zoned < words.present:
        return value, (f"{zoned:,} of {words.present:,} times name a time zone and the others do "
                       "not; kept as text")  # fmt: skip
    read = connection.execute(f"SELECT count({moment}) FROM {relation}").fetchall()[0][0]
    return (moment, "times of day brought to UTC") if read == words.present else (value, "")


def _zone(connection: duckdb.DuckDBPyConnection, relation: str, value: str) -> str:
    """Return the offset that all times of a column name, as +01:00, else UTC."""
    found = connection.execute(
        f"SELECT DISTINCT regexp_extract({value}, {literal(_OFFSET)}, 3) FROM {relation} "
        f"WHERE {value} IS NOT NULL LIMIT 2"
    ).fetchall()
    if len(found) != 1 or found[0][0].strip("+-0:") in ("", "Z"):
        return "UTC"
    digits = found[0][0].replace(":", "").ljust(5, "0")
    return f"{digits[:3]}:{digits[3:]}"


def _plan_other(name: str, kind: str, plan: _Plan) -> None:
    column = identifier(name)
    if kind.startswith("BLOB"):
        plan.notes.append(f"column {name!r}: bytes, which a table cannot use; left out")
    elif _LISTS.fullmatch(kind):  # a sequence in a cell
        plan.casts[name] = f"CAST({column} AS DOUBLE[])"
    elif _LISTS_OF_MOMENTS.fullmatch(kind):
        plan.casts[name] = f"CAST({column} AS TIMESTAMP[])"
    elif kind.startswith(_NESTED) or kind.endswith("]"):
        plan.notes.append(f"column {name!r}: nested values kept as JSON text")
        plan.casts[name] = f"CAST(to_json({column}) AS VARCHAR)"
    elif kind.startswith("TIMESTAMP WITH"):
        plan.casts[name] = f"CAST({column} {_IN_UTC} AS TIMESTAMP)"
        plan.zones[name] = "UTC"
    elif kind.startswith(_AS_DOUBLE):
        plan.casts[name] = f"CAST({column} AS DOUBLE)"
    elif kind == "INTERVAL":
        plan.notes.append(f"column {name!r}: durations read as seconds")
        plan.casts[name] = f"CAST(epoch({column}) AS DOUBLE)"
    elif kind.partition("(")[0] in _AS_WORDS:
        plan.casts[name] = f"CAST({column} AS VARCHAR)"
    else:
        plan.casts[name] = column


def _collect(reader: pa.RecordBatchReader) -> pa.Table:
    """Gather a stream into a table whose repetitive text is dictionary-encoded."""
    chunks: list[list[pa.Array]] = [[] for _ in reader.schema]
    encode: dict[int, bool] = {}
    for batch in reader:
        for place, array in enumerate(batch.columns):
            if not pa.types.is_string(array.type):
                chunks[place].append(array)
                continue
            coded = array.dictionary_encode()
            repeats = encode.setdefault(place, len(coded.dictionary) <= len(array) / 2)
            chunks[place].append(coded if repeats else array)
    columns = []
    for place, kind in enumerate(reader.schema.types):
        if encode.get(place):
            kind = pa.dictionary(pa.int32(), pa.string())  # noqa: PLW2901
        column = pa.chunked_array(chunks[place], type=kind)
        columns.append(column.unify_dictionaries())
    return pa.table(columns, names=reader.schema.names)


def _mixed_note(connection: duckdb.DuckDBPyConnection, arrow: pa.Table, words: _Words) -> str:
    connection.register("typed", arrow.select([words.name]).rename_columns(["word"]))
    row, example = connection.execute(
        "SELECT row, word FROM (SELECT word, row_number() OVER () AS row FROM typed) "
        "WHERE word IS NOT NULL AND TRY_CAST(CAST(word AS VARCHAR) AS DOUBLE) IS NULL "
        "ORDER BY row LIMIT 1"
    ).fetchall()[0]
    count = words.present - words.numbers
    return (
        f"column {words.name!r}: numbers, but {count:,} of {words.present:,} values are words "
        f"(e.g. {example!r} in data row {row}); kept as text"
    )
