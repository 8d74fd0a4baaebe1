"""`neuroscope look`: the audit before anything trains."""

from __future__ import annotations

from neuroscope.cli import _options as given


def command(
    source: given.Source,
    target: given.Target = None,
    task: given.Task = "auto",
    drop: given.Drop = None,
    split: given.Split = None,
    group: given.Group = None,
    time: given.Time = None,
    series: given.Series = None,
    horizon: given.Horizon = None,
    look_back: given.LookBack = None,
    future: given.Future = None,
    past: given.Past = None,
    calendar: given.Calendar = "auto",
    zone: given.Zone = None,
    weight: given.Weight = None,
    schema: given.SchemaFile = None,
    sql: given.Sql = None,
    seed: given.Seed = 0,
    as_json: given.Json = False,
    quiet: given.Quiet = False,
    debug: given.Debug = False,
) -> None:
    """Audit data before anything trains: gaps, leaks, odd labels."""
    del debug
    from neuroscope.cli import _out, _progress  # noqa: PLC0415 - help needs neither
    from neuroscope.cli.views.look import show  # noqa: PLC0415
    from neuroscope.verbs._prepare import DataOptions  # noqa: PLC0415
    from neuroscope.verbs.look import look  # noqa: PLC0415

    options = DataOptions(target=target, drop=given.names(drop), split=split, group=group,
                          time=time, series=series, horizon=horizon, look_back=look_back,
                          future=given.names(future), past=given.names(past),
                          calendar=calendar, zone=zone, weight=weight, schema=schema, sql=sql,
                          task=None if task == "auto" else task)  # fmt: skip
    with _progress.watching(quiet=quiet) as monitor:
        found = look(source, options, seed=seed, monitor=monitor)
    _out.print_json(found) if as_json else show(found, _out.stdout())
