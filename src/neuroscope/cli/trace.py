"""`neuroscope trace`: one training step on one row, every number."""

from __future__ import annotations

from typing import Annotated

import typer

from neuroscope.cli import _options as given


def command(
    model: given.Model,
    source: given.Source,
    row: Annotated[int, typer.Option(metavar="N", min=1, help="Data row, counted from 1.")] = 1,
    out: Annotated[
        str | None,
        typer.Option("--out", "-o", metavar="FILE", help="Write it as a page (.html) or .json."),
    ] = None,
    sql: given.Sql = None,
    as_json: given.Json = False,
    debug: given.Debug = False,
) -> None:
    """One training step on one row: forward, cost, backward, update."""
    del debug
    from neuroscope.cli import _out, _trace_view  # noqa: PLC0415 - help needs neither
    from neuroscope.verbs.trace_row import trace_row  # noqa: PLC0415

    found = trace_row(model, source, row, sql=sql, out=out)
    if as_json:
        _out.print_json(found)
        return
    console = _out.stdout()
    if out is not None:
        console.print(f"written to {found['out']}", markup=False, soft_wrap=True)
        return
    for part in _trace_view.trace_view(found):
        console.print(part)
