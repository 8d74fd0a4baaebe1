"""`neuroscope runs`: list, compare, delete."""

from __future__ import annotations

from typing import Annotated

import typer

from neuroscope.cli import _options as given


def command(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Runs to put side by side.")
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Folder of the run folders  [default: ./runs]"),
    ] = None,
    delete: Annotated[
        str | None, typer.Option(metavar="NAME", help="Delete this run and all it holds.")
    ] = None,
    as_json: given.Json = False,
    debug: given.Debug = False,
) -> None:
    """List the runs; with names, put them side by side."""
    del debug
    if names and delete:
        raise typer.BadParameter("delete one run, or compare some; not both", param_hint="--delete")
    from neuroscope.cli import _out  # noqa: PLC0415 - help needs neither
    from neuroscope.cli.views.runs import show  # noqa: PLC0415
    from neuroscope.verbs.runs import runs  # noqa: PLC0415

    found = runs(names or (), out=out, delete=delete)
    _out.print_json(found) if as_json else show(found, _out.stdout())
