"""`neuroscope words`: nearest words, analogies and a map of word vectors."""

from __future__ import annotations

from typing import Annotated

import typer

from neuroscope.cli import _options as given

_SOURCE = "Word vectors of GloVe or word2vec (text or .bin, also .gz, .zip), a model, or a run."


def command(
    source: Annotated[str, typer.Argument(metavar="VECTORS", help=_SOURCE)],
    near: Annotated[
        str | None, typer.Option(metavar="WORD,…", help="Show the words nearest to these.")
    ] = None,
    analogy: Annotated[
        list[str] | None,
        typer.Option(metavar="A,B,C", help="A is to B as C is to what? May be given again."),
    ] = None,
    questions: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Judge by analogies, as of questions-words.txt."),
    ] = None,
    map_file: Annotated[
        str | None,
        typer.Option("--map", metavar="FILE.svg", help="Draw the words asked for, else frequent."),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            "--out", "-o", metavar="FILE", help="Write the vectors: .txt, .vec, .bin, also .gz."
        ),
    ] = None,
    count: Annotated[
        int, typer.Option("--count", "-n", metavar="N", min=1, help="Words shown of each.")
    ] = 10,
    limit: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Read only the first N words of a file."),
    ] = None,
    as_json: given.Json = False,
    quiet: given.Quiet = False,
    debug: given.Debug = False,
) -> None:
    """Ask word vectors: nearest words, analogies, a map."""
    del debug
    triples = [_three(text) for text in analogy or ()]
    from neuroscope.cli import _out, _progress  # noqa: PLC0415 - help needs neither
    from neuroscope.cli.views import word_space  # noqa: PLC0415
    from neuroscope.verbs.words import Asked, words  # noqa: PLC0415

    asked = Asked(near=given.names(near), analogies=tuple(triples), questions=questions,
                  map=map_file, out=out, count=count, limit=limit)  # fmt: skip
    with _progress.watching(quiet=quiet) as monitor:
        found = words(source, asked, monitor=monitor)
    if as_json:
        _out.print_json(found)
    else:
        word_space.show(found, quiet=quiet)


def _three(text: str) -> tuple[str, str, str]:
    parts = given.names(text)
    if len(parts) != 3:
        raise typer.BadParameter(f"{text!r} is not three words, as in man,king,woman",
                                 param_hint="--analogy")  # fmt: skip
    return parts[0], parts[1], parts[2]
