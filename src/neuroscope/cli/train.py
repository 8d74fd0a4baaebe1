"""`neuroscope train`: climb the ladder."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from neuroscope.cli import _options as given

_WITH_RESUME = ("resume", "out", "as_json", "quiet", "debug")


def command(
    ctx: typer.Context,
    source: Annotated[str | None, typer.Argument(metavar="SOURCE", help=given.SOURCE_HELP)] = None,
    target: given.Target = None,
    task: given.Task = "auto",
    rungs: Annotated[
        str,
        typer.Option(
            metavar="auto|all|NAME,…",
            help="Rungs to climb, such as majority,neuron,dense,trees of a table or "
            "last,linear,gru of a forecast. auto takes those that make sense for the data.",
        ),
    ] = "auto",
    budget: Annotated[
        Any,
        typer.Option(
            metavar="TIME", parser=given.seconds, help="Time to spend: 30s, 5m, 2h or none."
        ),
    ] = "5m",
    seed: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=0, help="Seed of all random choices; else the recipe's, or 0."
        ),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Folder for run folders  [default: ./runs]"),
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Name of the run; else the source's.")
    ] = None,
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
    positive: given.Positive = None,
    drop: given.Drop = None,
    backbone: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FOLDER",
            help="Pretrained net to transfer from: a folder, a run "
            "of your own, or a name on the hub.",
        ),
    ] = None,
    vectors: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Word vectors (GloVe, word2vec) that the nets of classes of texts begin with.",
        ),
    ] = None,
    schema: given.SchemaFile = None,
    sql: given.Sql = None,
    recipe: Annotated[
        str | None, typer.Option(metavar="FILE", help="Replay a recipe (a run's recipe.json).")
    ] = None,
    show_recipe: Annotated[
        bool, typer.Option("--show-recipe", help="Print the recipe with reasons; train nothing.")
    ] = False,
    epochs: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Epochs of every net; else chosen.")
    ] = None,
    device: Annotated[
        str,
        typer.Option(
            metavar="auto|cpu|cuda|mps",
            help="What deep nets compute on; the neuron core runs on the processor.",
        ),
    ] = "auto",
    cost: given.Cost = None,
    sensitivity: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Of two classes, the share of the one looked for that must be found, e.g. 0.95; "
            "the decision follows it.",
        ),
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Go on with a run that was interrupted or killed."),
    ] = None,
    as_json: given.Json = False,
    quiet: given.Quiet = False,
    debug: given.Debug = False,
) -> None:
    """Climb from guessing to the deepest net that pays for itself."""
    del debug
    if (source is None) == (resume is None):
        raise typer.BadParameter("give a SOURCE to train on, or --resume RUN", param_hint="SOURCE")
    if resume is not None:
        _refuse_changes(ctx)
    from neuroscope.cli import _out, _progress  # noqa: PLC0415 - not for help
    from neuroscope.cli.views.result import show  # noqa: PLC0415
    from neuroscope.verbs import train as verb  # noqa: PLC0415
    from neuroscope.verbs._prepare import DataOptions  # noqa: PLC0415

    data = DataOptions(target=target, positive=positive, drop=given.names(drop), split=split,
                       group=group, time=time, series=series, horizon=horizon, look_back=look_back,
                       future=given.names(future), past=given.names(past), calendar=calendar,
                       zone=zone, weight=weight, schema=schema, sql=sql,
                       task=None if task == "auto" else task, backbone=backbone,
                       vectors=vectors)  # fmt: skip
    wanted = () if rungs in ("auto", "all") else given.names(rungs)
    options = verb.TrainOptions(rungs=wanted, budget=budget, seed=seed, out=out, recipe=recipe,
                                epochs=epochs, device=device, cost=cost,
                                sensitivity=sensitivity, name=name)  # fmt: skip
    if show_recipe:
        _out.print_indented(verb.show_recipe(source, data, options))
        return
    with _progress.watching(quiet=quiet) as monitor:
        if resume is not None:
            result = verb.resume(resume, out=out, monitor=monitor)
        else:
            result = verb.train(source, data, options, monitor=monitor)
    _out.print_json(result) if as_json else show(result, _out.stdout())


def _refuse_changes(ctx: typer.Context) -> None:
    """Refuse options beside --resume: a run goes on as it began, and they would do nothing."""
    for name in ctx.params.keys() - set(_WITH_RESUME):
        given_by = ctx.get_parameter_source(name)
        if given_by is not None and given_by.name == "COMMANDLINE":
            option = "--" + name.replace("_", "-")
            raise typer.BadParameter(
                f"a resumed run goes on as it began; leave {option} out, or begin a new run",
                param_hint="--resume",
            )
