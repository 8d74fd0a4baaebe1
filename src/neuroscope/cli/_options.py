"""The options that several commands share, and how their values are read."""

from __future__ import annotations

import re
from typing import Annotated

import typer

SOURCE_HELP = (
    "A CSV, Parquet or JSON-lines file (also gzipped), a glob of them in quotes, "
    "sqlite:///file.db?table=NAME, duckdb:///file.db?table=NAME, a SQL query, "
    "a folder or zip of pictures, or a folder of texts (one subfolder a class), arrays in .npz, "
    "a text (.txt) to learn to write, two aligned texts (de.txt,en.txt), "
    "or a name from `neuroscope data`."
)
MODEL_HELP = "A model: a .neuroscope file, a run folder, or the name of a run."

Source = Annotated[str, typer.Argument(metavar="SOURCE", help=SOURCE_HELP)]
Model = Annotated[str, typer.Argument(metavar="MODEL", help=MODEL_HELP)]

Sql = Annotated[
    str | None,
    typer.Option(metavar="QUERY", help="A query over the source, which is called data in it."),
]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object to stdout, all else to stderr.")
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress and no notes; errors are still told.")
]
Debug = Annotated[
    bool, typer.Option("--debug", help="Show the traceback of an error before its line.")
]
Seed = Annotated[int, typer.Option(metavar="N", min=0, help="Seed of all random choices.")]
Cost = Annotated[
    str | None,
    typer.Option(
        metavar="COSTS",
        help="What errors cost, e.g. false_positive=1,false_negative=5; the decision follows it.",
    ),
]
Target = Annotated[
    str | None,
    typer.Option(
        metavar="COL", help="The column to predict; else it is guessed. Of forecasts several: a,b."
    ),
]
Drop = Annotated[
    str | None, typer.Option(metavar="COL,…", help="Columns that the model may not see.")
]
Split = Annotated[
    str | None, typer.Option(metavar="COL", help="A column that says train, valid or test.")
]
Group = Annotated[
    str | None,
    typer.Option(metavar="COL", help="Rows of one group (a customer, a patient) stay together."),
]
Time = Annotated[
    str | None,
    typer.Option(
        metavar="COL",
        help="Older rows train, newer rows judge; with --series when each reading was taken.",
    ),
]
Series = Annotated[
    str | None,
    typer.Option(metavar="COL", help="Says which sequence or series a row belongs to."),
]
Task = Annotated[
    str, typer.Option(metavar="TASK", help="What kind of job this is; auto finds out.")
]
Horizon = Annotated[
    int | None,
    typer.Option(metavar="N", help="Forecast so many steps of the --time column; else chosen."),
]
LookBack = Annotated[
    int | None,
    typer.Option(metavar="N", help="Readings that a forecast is made from; else chosen."),
]
Future = Annotated[
    str | None,
    typer.Option(
        metavar="COL,…",
        help="Columns that a forecast reads and that are known ahead: holidays, prices.",
    ),
]
Past = Annotated[
    str | None,
    typer.Option(
        metavar="COL,…|all",
        help="Columns that a forecast reads and that are known up to now; all other numbers.",
    ),
]
Calendar = Annotated[
    str,
    typer.Option(
        metavar="auto|none|PART,…",
        help="Of the --time column a forecast reads hour, weekday, month; auto where they help.",
    ),
]
Zone = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Whose clocks the times of a forecast go by, e.g. Europe/Berlin; else as they say.",
    ),
]
Weight = Annotated[str | None, typer.Option(metavar="COL", help="How much each row counts.")]
Positive = Annotated[
    str | None, typer.Option(metavar="CLASS", help="Of two classes, the one that is looked for.")
]
SchemaFile = Annotated[
    str | None,
    typer.Option(
        "--schema", metavar="FILE", help="An edited schema (JSON): kind and role of columns."
    ),
]
_UNITS = {"": 1, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600}


def names(text: str | None) -> tuple[str, ...]:
    """Read "a,b" as ("a", "b"); a comma inside a name is written with a backslash before it."""
    parts = re.split(r"(?<!\\),", text or "")
    return tuple(part.replace("\\,", ",").strip() for part in parts if part.strip())


def seconds(text: str) -> float | None:
    """Read "90", "30s", "5m", "2h" as seconds and "none" as no limit."""
    said = text.strip().casefold()
    if said in ("none", "no"):
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?|\.\d+)\s*([a-z]*)", said)
    if not found or found[2] not in _UNITS:
        raise typer.BadParameter(f"{text!r} is no time; write 30s, 5m, 2h or none")
    return float(found[1]) * _UNITS[found[2]]
