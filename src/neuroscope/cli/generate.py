"""`neuroscope generate`: let a trained model write."""

from __future__ import annotations

from typing import Annotated

import typer

from neuroscope.cli import _options as given


def command(
    model: given.Model,
    prompt: Annotated[str, typer.Option(help="What the text begins with.")] = "",
    count: Annotated[int, typer.Option("-n", "--count", metavar="N", help="Texts.")] = 1,
    length: Annotated[
        int, typer.Option(metavar="N", help="Characters that a text goes on for, at most.")
    ] = 500,
    temperature: Annotated[
        float,
        typer.Option(help="Below 1 the likely becomes likelier; 0 takes the likeliest."),
    ] = 0.8,
    top_k: Annotated[
        int, typer.Option(metavar="K", help="Draw from the K likeliest only; 0 is all.")
    ] = 0,
    top_p: Annotated[
        float,
        typer.Option(metavar="P", help="Draw from the likeliest that have probability P together."),
    ] = 1.0,
    seed: Annotated[int, typer.Option(help="The same seed writes the same.")] = 0,
    out: Annotated[
        str | None, typer.Option("--out", "-o", metavar="DIR", help="Write one file a text.")
    ] = None,
    as_json: given.Json = False,
    debug: given.Debug = False,
) -> None:
    """Let a trained model write, as it thinks of it.

    A single text appears while it is written; of several each is printed when it is done.
    """
    del debug
    from neuroscope.base import events  # noqa: PLC0415 - help needs none of these
    from neuroscope.cli import _out, _progress  # noqa: PLC0415
    from neuroscope.cli.views import writing  # noqa: PLC0415
    from neuroscope.verbs.generate import GenerateOptions, generate  # noqa: PLC0415

    options = GenerateOptions(
        prompt=prompt, count=count, length=length, temperature=temperature, top_k=top_k,
        top_p=top_p, seed=seed, out=out,
    )  # fmt: skip
    live = count == 1 and not as_json
    monitor = events.ignore if as_json else _progress.Lines(_out.stderr())
    found = generate(model, options, tell=writing.grow if live else None, monitor=monitor)
    if as_json:
        _out.print_json(found)
    else:
        writing.show(found, printed=live)
