"""`neuroscope data`: the data sets that are there offline."""

from __future__ import annotations

from typing import Annotated

import typer

from neuroscope.cli import _options as given


def command(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="One data set; else all are listed.")
    ] = None,
    out: Annotated[
        str | None,
        typer.Option("--out", "-o", metavar="FILE", help="Write it as .csv, .parquet or .jsonl."),
    ] = None,
    as_json: given.Json = False,
    debug: given.Debug = False,
) -> None:
    """List the data sets that are there offline."""
    del debug
    if out and name is None:
        raise typer.BadParameter("name the data set to write", param_hint="--out")
    from neuroscope.cli import _out  # noqa: PLC0415 - help needs neither
    from neuroscope.cli.views import tables  # noqa: PLC0415
    from neuroscope.verbs.data import data  # noqa: PLC0415

    found = data(name, out=out)
    if as_json:
        _out.print_json(found)
    elif name is None:
        tables.print_sets(found["sets"])
    else:
        tables.print_set(found)
