"""The command line: one file a verb; a face without logic over `neuroscope.verbs`."""

from neuroscope.cli._main import main

__all__ = ["main"]
