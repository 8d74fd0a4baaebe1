"""`neuroscope predict`: a model's answers for new rows."""

from __future__ import annotations

from typing import Annotated

import typer

from neuroscope.cli import _options as given


def command(
    model: given.Model,
    source: given.Source,
    out: Annotated[
        str | None,
        typer.Option("--out", "-o", metavar="FILE", help="Write to .csv, .parquet or .jsonl."),
    ] = None,
    sheet: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Contact sheet of the pictures with their predictions (.png, .jpg); else it "
            "goes beside -o.",
        ),
    ] = None,
    keep: Annotated[
        str | None,
        typer.Option(metavar="COL,…", help="Columns of the source to carry along, e.g. an id."),
    ] = None,
    horizon: Annotated[
        int | None,
        typer.Option(metavar="N", help="Steps to forecast; else as many as were trained."),
    ] = None,
    beam: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Beginnings of a translation that are followed; 1 is fastest  [default: 4]",
        ),
    ] = None,
    sql: given.Sql = None,
    as_json: given.Json = False,
    quiet: given.Quiet = False,
    debug: given.Debug = False,
) -> None:
    """Predict new rows with a trained model.

    Without -o the answers go to stdout: as CSV into a pipe, the first ones as a table on a
    terminal.
    """
    del debug
    from neuroscope.cli import _out, _progress  # noqa: PLC0415 - help needs neither
    from neuroscope.cli.views import tables  # noqa: PLC0415
    from neuroscope.verbs.predict import predict  # noqa: PLC0415

    with _progress.watching(quiet=quiet) as monitor:
        found = predict(model, source, out=out, sheet=sheet, keep=given.names(keep), sql=sql,
                        horizon=horizon, beam=beam, monitor=monitor)  # fmt: skip
    if as_json:
        table = found.pop("table")
        _out.print_json(found if out else found | {"predictions": table.to_pylist()})
    else:
        tables.print_predictions(found, quiet=quiet)
