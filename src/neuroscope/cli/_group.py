"""The commands as a catalogue: a verb's file is imported only when it is asked for or listed."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from neuroscope.base.catalogue import Catalogue
from neuroscope.base.errors import Interrupted
from neuroscope.base.version import __version__

catalogue = Catalogue("neuroscope.cli", "command", besides=("views",))
_ORDER = ("look", "train", "judge", "trace", "predict", "runs", "data")  # as in a project


class Verbs(TyperGroup):
    """The group of all commands, made one by one."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the commands in the order of a project, then the others by name."""
        del ctx
        names = catalogue.names()
        return [n for n in _ORDER if n in names] + [n for n in names if n not in _ORDER]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return one command, built from its file; None for an unknown name."""
        if cmd_name not in self.list_commands(ctx):
            if not ctx.resilient_parsing:  # that is completion, which asks for half-typed names
                catalogue.get(cmd_name)  # says that it is unknown, and what is near
            return None
        if cmd_name not in self.commands:
            app = typer.Typer(add_completion=False, rich_markup_mode=None)
            app.command(cmd_name)(catalogue.get(cmd_name).command)
            self.commands[cmd_name] = typer.main.get_command(app)  # type: ignore[index]
        return self.commands[cmd_name]

    def invoke(self, ctx: Any) -> Any:
        """Run a command; Ctrl-C becomes an error of ours before Typer makes it one of its own."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Interrupted("interrupted") from None


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"neuroscope {__version__}")
        raise typer.Exit


def neuroscope(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    """Deep learning you can see through, on your own tables, pictures, signals and texts.

    Begin with: neuroscope train iris
    """


def build() -> Any:
    """Return the whole command line."""
    app = typer.Typer(cls=Verbs, no_args_is_help=True, rich_markup_mode=None,
                      context_settings={"help_option_names": ["-h", "--help"]})  # fmt: skip
    app.callback()(neuroscope)
    return typer.main.get_command(app)
