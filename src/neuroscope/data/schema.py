"""What each column is (kind) and what it is for (role); inferred, shown, editable as JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

import pyarrow as pa

from neuroscope.base.errors import SchemaError, did_you_mean
from neuroscope.data import _kinds
from neuroscope.data.images.column import is_arrays, named_like_pictures, picture_reason, root_of
from neuroscope.data.series.column import series_reason
from neuroscope.data.table import Table

Kind = Literal[
    "numeric", "categorical", "boolean", "datetime", "text", "identifier", "constant", "image",
    "series",
]  # fmt: skip
Role = Literal[
    "feature", "target", "group", "time", "weight", "split", "series", "axis", "ignore"
]  # series: what names a sequence; axis: when the readings of a row's sequences were taken

TARGET_NAMES = ("target", "label", "class", "y")
SPLIT_WORDS = frozenset({"train", "training", "valid", "validation", "val", "dev", "test"})


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a schema; `reason` says why it got this kind and role."""

    name: str
    kind: Kind
    role: Role
    storage: str  # the Arrow type as text
    distinct: int  # distinct values, missing not counted
    missing: int  # rows without a value
    reason: str


@dataclass(frozen=True)
class Schema:
    """The columns of a table in their order."""

    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """Column names in the order of the source."""
        return [column.name for column in self.columns]

    @property
    def features(self) -> tuple[Column, ...]:
        """The columns a model may look at."""
        return tuple(column for column in self.columns if column.role == "feature")

    @property
    def target(self) -> Column | None:
        """The column to predict, or None when there is none."""
        return next((column for column in self.columns if column.role == "target"), None)

    def by_role(self, role: Role) -> Column | None:
        """Return the first column of a role ("group", "time", "weight", "split"), or None."""
        return next((column for column in self.columns if column.role == role), None)

    def with_roles(self, roles: Mapping[str, Role], reason: str = "as asked") -> Schema:
        """Return a schema with other roles for some columns; an unknown name is a SchemaError."""
        for name, role in roles.items():
            _known("column", name, self.names)
            _known("role", role, get_args(Role))
        return Schema(
            tuple(
                dataclasses.replace(c, role=roles[c.name], reason=f"{c.reason}; {reason}")
                if c.name in roles
                else c
                for c in self.columns
            )
        )

    def to_json(self) -> dict[str, Any]:
        """Return the schema as a JSON object; `from_json` gives an equal schema back."""
        return {"columns": [dataclasses.asdict(column) for column in self.columns]}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Schema:
        """Build a schema from what `to_json` wrote; SchemaError for anything else."""
        _overrides(record)
        try:
            return cls(tuple(Column(**column) for column in record["columns"]))
        except (TypeError, KeyError) as error:
            raise SchemaError(f"not a whole schema: {error}") from error


def infer_schema(  # noqa: PLR0913 - the roles of columns, all by name
    table: Table,
    *,
    target: str | None = None,
    drop: Iterable[str] = (),
    split: str | None = None,
    group: str | None = None,
    time: str | None = None,
    weight: str | None = None,
    series: str | None = None,
    axis: str | None = None,
    overrides: Mapping[str, Mapping[str, str]] | None = None,
) -> Schema:
    """Infer kind and role of each column; counts are exact.

    `split`, `group`, `time`, `weight`, `series` and `axis` name the column that has this role,
    `drop` those to ignore. `overrides` gives "kind" and "role" by column name (see `read_schema`);
    what is named directly wins over it.
    Without `target` it is the built-in set's own, else a column called target, label, class or
    y, else the last one. Raises SchemaError for unknown columns, kinds and roles.
    """
    overrides = overrides or {}
    for name in overrides:
        _known("column", name, table.names)
    named = {"target": target, "split": split, "group": group, "time": time, "weight": weight,
             "series": series, "axis": axis}  # fmt: skip
    asked = _asked_roles(table, named, drop, overrides)
    reasons = dict.fromkeys(asked, "")
    _guess_split(table, asked, reasons)
    if "target" not in asked.values():
        name, why = _guess_target(table, asked)
        asked[name], reasons[name] = "target", why
    return Schema(
        tuple(
            _column(table, name, overrides.get(name, {}), asked.get(name), reasons.get(name, ""))
            for name in table.names
        )
    )  # fmt: skip


def read_schema(path: str | Path) -> dict[str, dict[str, str]]:
    """Read an edited schema file as the `overrides` of `infer_schema`.

    The file holds what `Schema.to_json` writes, or part of it: a list "columns" of objects with
    "name" and "kind" and/or "role", or one object {column: {"kind": …, "role": …}}.
    """
    where = str(path)
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SchemaError("no such schema file", where=where) from error
    except (OSError, ValueError) as error:
        raise SchemaError(f"not a JSON file: {error}", where=where) from error
    try:
        return _overrides(record)
    except SchemaError as error:
        raise error.at(where) from None


def _overrides(record: Any) -> dict[str, dict[str, str]]:
    columns = record.get("columns") if isinstance(record, Mapping) else record
    if columns is None and isinstance(record, Mapping):
        columns = [
            {"name": name} | dict(said) if isinstance(said, Mapping) else said
            for name, said in record.items()
        ]
    if not isinstance(columns, list) or not all(
        isinstance(column, Mapping) and isinstance(column.get("name"), str) for column in columns
    ):
        remedy = 'write {"columns": [{"name": …, "kind": …, "role": …}]}'
        raise SchemaError("this is no schema", remedy=remedy)
    known = [field.name for field in dataclasses.fields(Column)]
    found: dict[str, dict[str, str]] = {}
    for column in columns:
        for entry in column:
            _known(f"entry of column {column['name']!r}:", entry, known)
        said = {key: column[key] for key in ("kind", "role") if key in column}
        for key, options in (("kind", get_args(Kind)), ("role", get_args(Role))):
            if key in said:
                _known(f"{key} of column {column['name']!r}:", str(said[key]), options)
        found[column["name"]] = said
    return found


def _known(what: str, name: str, options: Iterable[str]) -> None:
    options = list(options)
    if name in options:
        return
    shown = ", ".join(options[:20]) + (f" and {len(options) - 20} more" if options[20:] else "")
    hint = did_you_mean(name, options)
    raise SchemaError(f"unknown {what} {name!r}", remedy=f"{hint} known: {shown}".strip())


def _asked_roles(
    table: Table,
    roles: Mapping[str, str | None],
    drop: Iterable[str],
    overrides: Mapping[str, Mapping[str, str]],
) -> dict[str, str]:
    """Return the role of each column somebody named; a column named for two is a SchemaError."""
    direct = [(name, role) for role, name in roles.items() if name is not None]
    direct += [(name, "ignore") for name in drop]
    asked: dict[str, str] = {}
    for name, role in direct:
        if name not in table.names:
            raise _not_found(name, role, table.names)
        if asked.get(name, role) != role:
            raise SchemaError(f"column {name!r} is asked for as {asked[name]} and as {role}")
        asked[name] = role
    taken = set(asked.values()) - {"ignore"}
    for name, said in overrides.items():
        role = said.get("role")
        if role and name not in asked and role not in taken:
            asked[name] = role
    for role in roles:
        named = [name for name, given in asked.items() if given == role]
        if len(named) > 1:
            raise SchemaError(f"{len(named)} columns have the role {role}: {', '.join(named)}")
    return asked


def _not_found(name: str, role: str, names: list[str]) -> SchemaError:
    what = "column to drop" if role == "ignore" else f"{role} column"
    shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if names[20:] else "")
    hint = did_you_mean(name, names)
    remedy = f"columns: {shown}; {hint}" if hint else f"columns: {shown}"
    return SchemaError(f"{what} {name!r} not found", remedy=remedy)


def _guess_split(table: Table, asked: dict[str, str], reasons: dict[str, str]) -> None:
    """Give the role split to a column of that name that holds train, valid and test only."""
    name = next((name for name in table.names if name.casefold() == "split"), None)
    if name is None or name in asked or "split" in asked.values():
        return
    column = table.arrow.column(name)
    if not _kinds.is_words(column.type) or _kinds.facts(column).distinct > len(SPLIT_WORDS):
        return
    if {str(value).casefold() for value in _kinds.values_of(column)} <= SPLIT_WORDS:
        asked[name], reasons[name] = "split", "guessed: it says train, valid and test"


def _guess_target(table: Table, asked: Mapping[str, str]) -> tuple[str, str]:
    from neuroscope.data.sources import builtin  # noqa: PLC0415 - sources stand on the schema's floor

    free = [
        name for name in table.names
        if name not in asked and not picture_reason(table, name)
        and not series_reason(table.arrow.column(name))
    ]  # fmt: skip
    if not free and any(series_reason(column) for column in table.arrow.columns):
        raise SchemaError("there are sequences and no labels", remedy="add a column of labels")
    if not free and len(table.names) > len(asked):
        remedy = "put the pictures into one subfolder a class, or give a table with their labels"
        raise SchemaError("there are pictures and no labels", remedy=remedy)
    if not free:
        raise SchemaError("no column is left to predict", remedy="name one with --target")
    usual = builtin.default_target(table.origin.text) if not table.origin.files else None
    if usual in free:
        return cast(str, usual), "the usual target of this data set"
    for wanted in TARGET_NAMES:
        for name in free:
            if name.casefold() == wanted:
                return name, "guessed by its name; name another with --target"
    last = next((name for name in reversed(free) if not _is_prose(table, name)), free[-1])
    return last, "guessed: the last column; name another with --target"


def _is_prose(table: Table, name: str) -> bool:
    """Say whether a column holds texts: what is learned from, not what is to be said."""
    column = table.arrow.column(name)
    return _kinds.is_words(column.type) and (
        _kinds.judge(name, column, _kinds.facts(column))[0] == "text"
    )


def _column(table: Table, name: str, said: Mapping[str, str], role: str | None, why: str) -> Column:
    values = table.arrow.column(name)
    counted = _kinds.facts(values)
    kind, reason = _judged(table, name, counted)
    if "kind" in said:
        kind, reason = _asked_kind(name, values, said["kind"], kind, reason)
    if role == "feature" and kind == "identifier":
        kind = "numeric" if _kinds.is_number(values.type) else "categorical"
        reason = f"{reason}; kept as a feature as asked"
    if role is None:
        role = "ignore" if kind in ("identifier", "constant") else "feature"
        reason += "; nothing to learn from" if role == "ignore" else ""
    elif role != "feature":
        _check_role(name, role, values.type)
        reason = f"{reason}; {role}: {why or 'as asked'}"
    return Column(
        name=name,
        kind=kind,
        role=cast(Role, role),
        storage=str(values.type),
        distinct=counted.distinct,
        missing=counted.missing,
        reason=reason,
    )


def _judged(table: Table, name: str, counted: _kinds.Facts) -> tuple[Kind, str]:
    if reason := picture_reason(table, name):
        return "image", reason
    values = table.arrow.column(name)
    if reason := series_reason(values):
        return "series", reason
    kind, reason = _kinds.judge(name, values, counted)
    if _kinds.is_words(values.type) and named_like_pictures(values):
        reason += f"; named like pictures, but there are none in {str(root_of(table.origin))!r}"
    return kind, reason


def _check_role(name: str, role: str, storage: pa.DataType) -> None:
    number = _kinds.is_number(storage)
    if role == "weight" and not number:
        raise SchemaError(f"weight column {name!r} holds {storage}", remedy="weights are numbers")
    if role == "time" and not (number or pa.types.is_temporal(storage)):
        remedy = "give dates such as 2024-01-31, or numbers that grow with time"
        raise SchemaError(f"time column {name!r} cannot be put in order", remedy=remedy)


def _asked_kind(
    name: str, values: pa.ChunkedArray, asked: str, found: Kind, reason: str
) -> tuple[Kind, str]:
    """Return the asked kind when the stored values allow it, else raise SchemaError."""
    _known(f"kind of column {name!r}:", asked, get_args(Kind))
    if asked == found:
        return found, reason
    words, dates = _kinds.is_words(values.type), pa.types.is_temporal(values.type)
    arrays = is_arrays(values.type) or _kinds.is_series(values.type)
    fits = dict.fromkeys(get_args(Kind), not arrays) | {
        "image": words or is_arrays(values.type),
        "numeric": not words and not dates and not arrays,
        "boolean": found == "boolean",
        "datetime": dates,
        "text": words,
        "constant": found == "constant",
        "series": _kinds.is_series(values.type),
    }
    if not fits[asked]:
        raise SchemaError(
            f"column {name!r} cannot be {asked}: it is {found} ({reason})",
            remedy="change the kind in the schema file, or mend the values",
        )
    return cast(Kind, asked), f"{asked} as asked; found {found}: {reason}"
