"""The entry point: run a command, say errors in one line, return the exit code."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import typer

from neuroscope.base.errors import Interrupted, NeuroscopeError, did_you_mean
from neuroscope.cli._group import build

_UsageError = typer.BadParameter.__mro__[1]  # of Typer's own copy of Click, or of Click itself


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    0 done; 1 the work failed; 2 the input or the call is wrong; 130 interrupted. An error is one
    line on stderr; with --json it is one JSON object on stdout as well; with --debug the traceback
    comes first.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    # Read by hand: a call that cannot be parsed must be answered in the form it asked for, too.
    flags = set(arguments[: arguments.index("--")] if "--" in arguments else arguments)
    try:
        code = build().main(arguments, prog_name="neuroscope", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except (BrokenPipeError, SystemExit):  # Rich and Typer turn a broken pipe into SystemExit
        return _quietly()
    except BaseException as error:
        if "--debug" in flags and not isinstance(error, _UsageError):
            sys.excepthook(type(error), error, error.__traceback__)
        line, code = _told(error)
        _say(line, code, as_json="--json" in flags)
        return code


def _told(error: BaseException) -> tuple[str, int]:
    """Return the one line and the exit code of an error."""
    if isinstance(error, NeuroscopeError):
        return str(error), error.exit_code
    if isinstance(error, _UsageError):
        return _usage(error), 2
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return "interrupted", Interrupted.exit_code
    if isinstance(error, MemoryError):
        return "not enough memory; give fewer rows or columns, e.g. with --sql", 1
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror}; run again with --debug for the details", 1
    what = " ".join(str(error).split()) or "no message"
    return f"unexpected {type(error).__name__}: {what}; run again with --debug for the details", 1


def _usage(error: BaseException) -> str:
    ctx = getattr(error, "ctx", None)
    command = ctx.command_path if ctx is not None else "neuroscope"
    what = " ".join(error.format_message().split()).rstrip(".")  # type: ignore[attr-defined]
    option = getattr(error, "option_name", "")
    if getattr(error, "possibilities", None):
        hint = did_you_mean(option, error.possibilities)  # type: ignore[attr-defined]
        what = f"no such option {option!r}; {hint}" if hint else f"no such option {option!r}"
    what = what[:1].lower() + what[1:]
    return f"{what}; see: {command} --help"


def _say(line: str, code: int, *, as_json: bool) -> None:
    with suppress(OSError):
        print(f"neuroscope: {line}", file=sys.stderr)  # noqa: T201
        if as_json:
            print(json.dumps({"error": line, "exit_code": code}, ensure_ascii=False))  # noqa: T201
        sys.stdout.flush()


def _quietly() -> int:
    """End without a word when the reader of our output has gone (`neuroscope … | head`)."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
