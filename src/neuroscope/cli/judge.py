"""`neuroscope judge`: honest numbers of a model on labelled rows."""

from __future__ import annotations

from typing import Annotated

import typer

from neuroscope.cli import _options as given


def command(
    model: given.Model,
    source: given.Source,
    group: Annotated[
        str | None,
        typer.Option(metavar="COL", help="Also score each group of rows, and how far they differ."),
    ] = None,
    cost: given.Cost = None,
    sql: given.Sql = None,
    seed: given.Seed = 0,
    as_json: given.Json = False,
    quiet: given.Quiet = False,
    debug: given.Debug = False,
) -> None:
    """Score a model on labelled rows, with intervals."""
    del debug
    from neuroscope.cli import _out, _progress  # noqa: PLC0415 - not for help
    from neuroscope.cli.views.judge import show  # noqa: PLC0415
    from neuroscope.verbs.judge import judge  # noqa: PLC0415

    with _progress.watching(quiet=quiet) as monitor:
        found = judge(model, source, group=group, cost=cost, sql=sql, seed=seed, monitor=monitor)
    _out.print_json(found) if as_json else show(found, _out.stdout())
