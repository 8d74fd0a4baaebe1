"""From a table to a problem of forecasts: columns named, series laid out, origins planned."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from neuroscope.base.errors import InputError, NeuroscopeError, SchemaError
from neuroscope.base.events import Monitor, Progress
from neuroscope.base.nouns import noun_of
from neuroscope.data import _kinds
from neuroscope.data.columns import cells
from neuroscope.data.schema import Role, Schema, infer_schema
from neuroscope.data.series.panel import Layout, Panel, default_targets
from neuroscope.data.series.panel_audit import findings
from neuroscope.data.series.zones import check as check_zone
from neuroscope.data.series.zones import stamps, zone_of
from neuroscope.data.sources import builtin
from neuroscope.data.table import Table
from neuroscope.tasks import catalogue
from neuroscope.tasks._forecast.model import moment_text
from neuroscope.tasks._forecast.posing import WindowEncoding, panel_and_setting, pose
from neuroscope.tasks._forecast.setting import Setting
from neuroscope.verbs._prepare import DataOptions, Prepared

TASK = "series_forecast"
_UNREAD = (
    "a forecast reads the history of its target, and what --future (known ahead) and --past name"
)
_ZONED = re.compile(r"\d\d:\d\d\S*?(Z|[+-]\d\d(:?\d\d)?)$")  # a time of day with its zone
_ALL = "all"  # of --past, the columns of numbers that nothing else is said about
_SMALL = 20  # different numbers above which a target is no class


def wanted(table: Table, options: DataOptions) -> bool:
    """Say whether a forecast is asked for.

    It is by --task, by --horizon, by several targets beside --time, and by --time alone where no
    other column is left to learn from.
    """
    found = _wanted(table, options)
    if not found and options.zone is not None:
        raise InputError("--zone is for forecasts, and none is asked for",
                         remedy="leave it out, or add --task series_forecast")  # fmt: skip
    return found


def _wanted(table: Table, options: DataOptions) -> bool:
    if options.task not in (None, "auto"):
        return options.task == TASK
    asked = (options.horizon, options.look_back, options.future or None, options.past or None)
    if any(value is not None for value in asked) or options.calendar != "auto":
        return True
    time = _time(table, options)
    if time is None or options.schema is not None:
        return False
    targets = _targets(table, options, time)
    if len(targets) > 1 and options.target is not None:
        return True
    taken = {time, _series(table, options), options.split, *options.drop, *targets}
    numbers = all(name in table.names and _is_amount(table, name) for name in targets)
    return numbers and len(targets) == 1 and not set(table.names) - taken


def _is_amount(table: Table, name: str) -> bool:
    column = table.arrow.column(name)
    return _kinds.is_number(column.type) and _kinds.facts(column).distinct > _SMALL


def _time(table: Table, options: DataOptions) -> str | None:
    return options.time or _usual(table, builtin.default_time)


def _series(table: Table, options: DataOptions) -> str | None:
    return options.series or _usual(table, builtin.default_series)


def _usual(table: Table, of: Callable[[str], str | None]) -> str | None:
    """Return what a built-in set says of itself, where this table is one."""
    return None if table.origin.files else of(table.origin.text)


def _targets(table: Table, options: DataOptions, time: str) -> tuple[str, ...]:
    """Return the columns to forecast: those named, the usual one, or all numbers."""
    if options.target is None:
        usual = _usual(table, builtin.default_target)
        if usual in table.names:
            return (str(usual),)
        besides = [time, _series(table, options), options.split, options.group, options.weight]
        return default_targets(table, [*filter(None, besides), *options.drop])
    if options.target in table.names:
        return (options.target,)
    parts = re.split(r"(?<!\\),", options.target)
    return tuple(part.replace("\\,", ",").strip() for part in parts if part.strip())


def with_times(table: Table, options: DataOptions) -> Table:
    """Return the table with times that are text read as ISO 8601.

    Raises SchemaError for the first that is none, and where only some of them name a zone.
    """
    time = _time(table, options)
    if time not in table.names or not _kinds.is_words(table.arrow.column(time).type):
        return table
    try:
        moments = cells(table, time).moments()
    except SchemaError as error:
        _check_zones(table, time)
        error.remedy = "give dates such as 2024-01-31, or numbers that grow with time"
        raise error.at(table.origin.text) from error
    place = table.arrow.schema.get_field_index(time)
    return Table(table.arrow.set_column(place, time, stamps(moments, "")), table.origin)


def _check_zones(table: Table, time: str) -> None:
    """Refuse times of which some name a zone and some do not."""
    texts = [text for text in table.arrow.column(time).to_pylist() if text and text.strip()]
    zoned = [bool(_ZONED.search(text.strip())) for text in texts]
    if any(zoned) and not all(zoned):
        raise SchemaError(
            f"some times name a zone, as {texts[zoned.index(True)]!r}, and some do not, as "
            f"{texts[zoned.index(False)]!r}",
            where=f"{table.origin.text}, column {time!r}",
            remedy="write all of them with a zone or none of them; --zone says which one is meant",
        )


def layout_of(table: Table, options: DataOptions) -> Layout:
    """Return which columns hold what; SchemaError where the time is not named."""
    time = _time(table, options)
    if time is None:
        raise SchemaError("a forecast needs to know which column holds the time",
                          remedy="name it with --time")  # fmt: skip
    foreign = {"--group": options.group, "--weight": options.weight,
               "--positive": options.positive, "--backbone": options.backbone}  # fmt: skip
    for option, said in foreign.items():
        if said is not None:
            raise InputError(f"{option} says nothing about forecasts",
                             remedy=f"leave {option} out")  # fmt: skip
    split = options.split or next(
        (name for name in table.names if name.casefold() == "split"), None)  # fmt: skip
    zone = options.zone or zone_of(table, time) if time in table.names else options.zone
    if zone:
        check_zone(zone)
    series = _series(table, options)
    beside = {time, series, split, *options.drop, *options.future, *options.past}
    targets = _targets(table, options, time)
    if options.target is None and beside.intersection(targets) - {time}:
        targets = default_targets(table, [*filter(None, beside)])
    past = options.past
    if past == (_ALL,) and _ALL not in table.names:
        past = _other_numbers(table, {*filter(None, beside), *targets})
    layout = Layout(time, targets, series, split, options.future, past, zone=zone or "")
    layout.check(table)
    _check_beside(layout)
    kinds = options.overrides()
    coded = tuple(name for name in (*layout.ahead, *layout.past)
                  if kinds.get(name, {}).get("kind") == "categorical")  # fmt: skip
    return replace(layout, codes=coded)


def _other_numbers(table: Table, taken: set[str]) -> tuple[str, ...]:
    """Return the columns of numbers beside those taken that are no mere count of the rows."""
    found = tuple(name for name in table.names if name not in taken and
                  _kinds.is_number(table.arrow.column(name).type))  # fmt: skip
    if not found:
        raise SchemaError("--past all finds no other column of numbers", remedy="leave it out")
    return found


def _check_beside(layout: Layout) -> None:
    """Refuse a column that is said to be two things."""
    taken = {layout.time: "the time", layout.series: "the series", layout.split: "the split"}
    taken |= dict.fromkeys(layout.targets, "a target")
    for option, names in (("--future", layout.ahead), ("--past", layout.past)):
        for name in names:
            if name in taken:
                raise SchemaError(f"column {name!r} is {taken[name]}, {option} names it as well",
                                  remedy="leave it out of one of them")  # fmt: skip
            taken[name] = f"in {option}"


def calendar_of(options: DataOptions) -> tuple[str, ...] | None:
    """Return the parts of the calendar that are asked for; None finds out what helps."""
    said = options.calendar.strip()
    if said in ("auto", "none"):
        return None if said == "auto" else ()
    return tuple(part.strip() for part in said.split(",") if part.strip())


def prepare(table: Table, options: DataOptions, *, seed: int, monitor: Monitor) -> Prepared:
    """Lay the series out, plan the origins and pose the problem; errors name the source."""
    try:
        return _prepare(table, options, seed, monitor)
    except NeuroscopeError as error:
        raise error.at(table.origin.text) from error


def _prepare(table: Table, options: DataOptions, seed: int, monitor: Monitor) -> Prepared:
    monitor(Progress(label="laying the series out", done=1, total=3))
    layout = layout_of(table, options)
    schema = schema_of(table, layout, options)
    panel, setting = panel_and_setting(
        table, layout, horizon=options.horizon, look_back=options.look_back,
        calendar=calendar_of(options),
    )  # fmt: skip
    task = catalogue.get(TASK)
    problem = pose(task.ENCODING, table, schema, panel, setting, seed=seed)
    found = findings(panel, layout.time, setting.look_back, setting.horizon)
    monitor(Progress(label="ready", done=3, total=3))
    dropped = tuple(_dropped(schema, options))
    return Prepared(table, schema, "forecast", kind_reason(panel, setting), problem.split,
                    tuple(found), dropped, task, problem)  # fmt: skip


def _dropped(schema: Schema, options: DataOptions) -> list[tuple[str, str]]:
    """Return the columns that a forecast does not read, and why."""
    asked = [(name, "dropped as asked") for name in options.drop]
    others = [(c.name, _UNREAD) for c in schema.columns if c.reason.endswith(_UNREAD)]
    return asked + others


def look(table: Table, options: DataOptions, *, seed: int) -> tuple[Schema, dict[str, Any]]:
    """Return the schema and what `look` tells of series; what stands in the way is a blocker."""
    try:
        layout = layout_of(table, options)
        schema = schema_of(table, layout, options)
    except NeuroscopeError as error:
        raise error.at(table.origin.text) from error
    found: dict[str, Any] = {
        "target": {"column": ", ".join(layout.targets), "kind": "forecast", "classes": [],
                   "chosen_because": _chosen(layout, options),
                   "reason": "readings over time: series", "missing": 0},
        "series": None, "split": None, "findings": [], "blockers": [], "noun": noun_of(TASK),
        "dropped": [{"column": name, "reason": reason}
                    for name, reason in _dropped(schema, options)],
    }  # fmt: skip
    try:
        panel, setting = panel_and_setting(
            table, layout, horizon=options.horizon, look_back=options.look_back,
            calendar=calendar_of(options),
        )  # fmt: skip
        said = findings(panel, layout.time, setting.look_back, setting.horizon)
        found["findings"] = [finding.to_json() for finding in said]
        found["series"] = summary(panel, setting)
        problem = pose(WindowEncoding(), table, schema, panel, setting, seed=seed)
        split = problem.split
        found["split"] = {"method": split.method, "reason": split.reason,
                          "notes": list(split.notes), "rows": split.counts,
                          "folds": len(split.folds)}  # fmt: skip
    except InputError as error:
        found["blockers"].append(str(error))
    return schema, found


def _chosen(layout: Layout, options: DataOptions) -> str:
    if options.target is not None:
        return "as asked"
    return "all columns of numbers" if len(layout.targets) > 1 else "usual here"


def kind_reason(panel: Panel, setting: Setting) -> str:
    """Return what is forecast, in words."""
    many = f"{len(panel):,} series" if len(panel) > 1 else "one series"
    return (
        f"{many}, one reading each {setting.frequency.words}, {setting.horizon:,} steps ahead "
        f"({setting.reasons['horizon']}) from {setting.look_back:,} readings "
        f"({setting.reasons['look_back']}); season {setting.season} ({setting.reasons['season']})"
        + "".join(f"; {what}" for what in beside_words(setting))
    )


def beside_words(setting: Setting) -> list[str]:
    """Return what is read beside the target, in words."""
    layout, found = setting.layout, []
    if layout.ahead:
        found.append(f"known ahead: {', '.join(layout.ahead)}")
    if layout.past:
        found.append(f"known up to now: {', '.join(layout.past)}")
    if setting.calendar:
        why = setting.reasons.get("calendar", "")
        found.append(f"the calendar's {', '.join(setting.calendar)} ({why})")
    return found


def schema_of(table: Table, layout: Layout, options: DataOptions) -> Schema:
    """Return the schema with the roles that a forecast gives its columns."""
    first, *others = layout.targets
    schema = infer_schema(
        table, target=first, drop=options.drop, split=layout.split, group=layout.series,
        time=layout.time, overrides=options.overrides(),
    )  # fmt: skip
    roles: dict[str, Role] = dict.fromkeys(others, "target")
    beside = (*layout.ahead, *layout.past)
    left = [c.name for c in schema.features if c.name not in roles and c.name not in beside]
    schema = schema.with_roles(roles) if roles else schema
    read: dict[str, Role] = dict.fromkeys(beside, "feature")
    schema = schema.with_roles(read, "read beside the target") if read else schema
    ignored: dict[str, Role] = dict.fromkeys(left, "ignore")
    return schema.with_roles(ignored, _UNREAD) if ignored else schema


def summary(panel: Panel, setting: Setting) -> dict[str, Any]:
    """Return what there is to forecast, as `look` and the result tell it."""
    return {
        "series": len(panel),
        "names": [panel.label(series) for series in range(min(len(panel), 20))],
        "readings": int(panel.lengths.sum()) - panel.repairs.gaps,
        "step": panel.frequency.words,
        "from": moment_text(panel, int(panel.first.min())),
        "to": moment_text(panel, int(panel.last.max()) - 1),
        "gaps": panel.repairs.gaps,
        "horizon": setting.horizon,
        "look_back": setting.look_back,
        "season": setting.season,
        "reasons": dict(setting.reasons),
        "zone": panel.zone,
        "beside": {"future": list(setting.layout.ahead), "past": list(setting.layout.past),
                   "calendar": list(setting.calendar)},
    }  # fmt: skip
